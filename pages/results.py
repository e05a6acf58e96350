import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from page_results import KIND_WORDS, KINDS, folder_of_labels, show, show_mistakes, show_point, show_targets
from page_shared import QUIET_BAR, choose_one, data_folder, say_unknown

from xlite.data.folder import NihFolder
from xlite.data.predictions import PREDICTIONS_FILE
from xlite.errors import XliteError
from xlite.evaluation.options import RADIOLOGISTS, JudgeOptions
from xlite.evaluation.report import Comparison
from xlite.extras import lacking as lacking_extra
from xlite.findings import FINDINGS, spoken
from xlite.messages import as_code, literal, page_sentence, said
from xlite.models.available import model_files
from xlite.models.info import read_info
from xlite.places import checkpoints_dir
from xlite.public import is_public, refuse_in_public
from xlite.report.charts.lines import MOST_FINDINGS, MOST_MODELS, line_colors
from xlite.report.charts.rates import MOST_BANDS, curves_figure, model_curves, model_curves_words
from xlite.report.downloads import downloads
from xlite.report.judged import compare_judged
from xlite.report.saved import (
    Evaluation,
    beside,
    evaluation_name,
    newest_of,
    read_evaluation,
    saved_evaluations,
)
from xlite.report.sections.findings import strongest
from xlite.report.sections.lacking import lacking
from xlite.report.sections.overall import grave_blocks, mild_alerts
from xlite.report.sections.published import published_beside
from xlite.report.sections.ranking import ranking
from xlite.report.sections.whole import tabs
from xlite.report.sentences import comparison_sentence, comparisons_note, source
from xlite.report.view import View
from xlite.runs.hand_threshold import threshold_changes
from xlite.runs.run import Run
from xlite.serving.address import unknown
from xlite.split_names import ALL_FILMS, LEAK_FREE

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

POINT, MAPS, MISTAKES = "Operating point", "Maps", "Errors as films"


def evaluate_form(models: dict[str, Path]) -> None:
    """Judges a model on one part of a split, as `xlite evaluate` does; what comes of it is shown first."""
    if sentence := lacking_extra("train", "Evaluating"):
        st.info(sentence)
        return
    names, data = list(models), data_folder()
    shown = st.session_state.get("model")
    with st.form("evaluate", border=False):
        columns = st.columns([3, 2, 2], vertical_alignment="bottom")
        place = names.index(shown) if shown in names else 0
        model = columns[0].selectbox("Model to judge", names, place, placeholder="no model yet")
        split = columns[1].selectbox("Split", LEAK_FREE, accept_new_options=True)
        part = columns[2].selectbox(
            "Part",
            ["test", "val", ALL_FILMS],
            help=f"{ALL_FILMS}: every film of the folder, as for another hospital's",
        )
        marks = st.text_input(
            f"{RADIOLOGISTS.field_title} (optional)", placeholder="/path/to/all_findings_expert_labels.csv"
        )
        if data:
            st.caption(f"On the data folder of the sidebar, {as_code(str(data))}.")
        else:
            st.caption("Name a data folder in the sidebar: its films are what the model is judged on.")
        pressed = st.form_submit_button(
            "Evaluate", icon=":material/play_arrow:", disabled=not (names and data)
        )
    if pressed and data:
        from xlite.models.device import best_device
        from xlite.report.write import evaluate_model

        try:
            refuse_in_public("evaluate models")
            with st.spinner(f"Reading the {part} films", show_time=True):
                out = Run(checkpoints_dir() / model).evaluation(evaluation_name(split, part, data))
                options = JudgeOptions(device=best_device(), radiologists=os.path.expanduser(marks) or None)
                evaluate_model(models[model], data, split, part, out, options)
            made = read_evaluation(model, out)
            st.session_state["evaluated"] = (model, made.judged_on)
            st.session_state["model"], st.session_state["judged"] = model, made.judged_on
            st.rerun()
        except (XliteError, OSError) as error:
            st.error(page_sentence(error))


def choose_model(place: "DeltaGenerator", found: list[Evaluation], models: Iterable[str]) -> str | None:
    """The model whose results are shown: of all that were judged, then of those that were not yet."""
    names = list(dict.fromkeys([*(one.model for one in found), *models]))
    lost = say_unknown("model", names, "model")
    name = choose_one("Model", names, "model", place, placeholder="no model yet")
    return None if lost else name


def choose_films(place: "DeltaGenerator", model: str, found: list[Evaluation]) -> Evaluation | None:
    """The model's evaluation on one split, part and edition of the labels; a new one is shown at once."""
    own = {one.judged_on: one for one in newest_of(model, found)}
    if not own:
        st.info(f"{literal(model)} has not been judged yet. “Evaluate a model” above does it.")
        return None
    asked, newest = unknown(st.query_params, "judged", own), next(iter(own))
    now = (model, newest, own[newest].written)
    if asked or st.session_state.get("newest", now) != now:
        st.session_state["judged"] = newest
    st.session_state["newest"] = now
    if asked:
        st.info(f"{literal(model)} was not judged on {literal(asked)}; its newest results are shown.")
    tip = "Newest first. Only models judged on the same films with the same labels can be compared."
    key = choose_one("Judged on", list(own), "judged", place, tip)
    return own[key or newest]


def choose_others(first: Evaluation, found: list[Evaluation]) -> list[Evaluation]:
    """The evaluations of other models on the same films."""
    others = beside(first, found)
    strange = [name for name in st.query_params.get_all("beside") if name not in others]
    if strange:
        named = ", ".join(map(literal, strange))
        st.info(f"Not judged on these films, so not shown beside it: {named}.")
    if not others:
        return []
    names = st.multiselect(
        "Beside it",
        list(others),
        key="beside",
        bind="query-params",
        max_selections=MOST_MODELS - 1,
        placeholder="no other model",
    )
    return [others[name] for name in names]


def show_head(first: Evaluation, view: View, path: Path | None) -> None:
    """What was judged, what contaminates or limits the metrics, and the report as files."""
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.caption(literal(f"Judged on {source(first.report)}."))
    with right.popover("Download", icon=":material/download:", width="stretch"):
        for file in downloads(first):
            st.download_button(
                file.title, file.make, file.name, file.kind, on_click="ignore", width="stretch"
            )
    if path is not None:
        try:
            for sentence in threshold_changes(read_info(path), first.report):
                st.warning(literal(sentence), icon=":material/warning:")
        except (XliteError, OSError) as error:
            st.warning(page_sentence(error), icon=":material/warning:")
    show(grave_blocks(view), "grave")
    for alert in mild_alerts(view):
        with st.expander(f"{alert.title} ({len(alert.sentences)})", icon=":material/warning:"):
            st.markdown("\n".join(f"- {said(sentence)}" for sentence in alert.sentences))


@st.cache_data(show_spinner="Comparing on the same films")
def compared(
    _first: Evaluation, _second: Evaluation, _folder: NihFolder | None, key: tuple[object, ...]
) -> Comparison:
    """The paired test of two evaluations; `key`, of their files and the data folder, renews the cache."""
    return compare_judged(_first, _second, _folder)


def show_comparisons(chosen: list[Evaluation]) -> None:
    """Each other model against the first, on the same resampled films."""
    first = chosen[0]
    for other in chosen[1:]:
        try:
            folder, changed = folder_of_labels(first.folder, other.folder)
            files = [one.folder / PREDICTIONS_FILE for one in (first, other)]
            times = [(str(file), file.stat().st_mtime) for file in files]
            found = compared(first, other, folder, (*times, changed))
            text = comparison_sentence(found, (f"**{literal(first.model)}**", literal(other.model)))
            st.info(f"{text}.", icon=":material/balance:")
        except (XliteError, OSError) as error:
            st.warning(page_sentence(error), icon=":material/warning:")
    if len(chosen) > 2:
        st.caption(comparisons_note(len(chosen) - 1))


def show_curves(models: list[View]) -> None:
    """ROC and precision-recall curves of selected findings, with bands; published AUCs under them."""
    first = models[0]
    wanted = st.pills(
        "Findings",
        FINDINGS,
        selection_mode="multi",
        default=strongest(first.report),
        format_func=spoken,
        key="curves",
        bind="query-params",
    )
    picked = wanted[:MOST_FINDINGS]
    bands = st.toggle("A band for each line", key="bands", bind="query-params")
    if len(wanted) > len(picked):
        st.caption(f"More than {MOST_FINDINGS} colours are hard to tell apart: the first are shown.")
    colors = line_colors(st.context.theme.type)
    for column, kind in zip(st.columns(2), KINDS, strict=True):
        lines = model_curves(models, picked, kind)
        figure = curves_figure(lines, (), kind, colors, bands)
        words = model_curves_words(models, picked, kind)
        column.plotly_chart(figure, key=kind, config=QUIET_BAR, alt=f"{KIND_WORDS[kind]}s: {words}")
    if len(lines) > MOST_BANDS and not bands and lines[0].band_x:
        st.caption(
            f"The band is the 95 % interval of {spoken(picked[0])} ({literal(first.report.model)}), the "
            "first chosen."
        )
    if len(models) > 1:
        st.caption("A colour is a finding, a dash a model.")
    show([published_beside(view, picked) for view in models], "published")


def views_of(chosen: list[Evaluation]) -> list[View]:
    """Their reports as the page shows them, which is dark or light."""
    light = st.context.theme.type == "light"
    return [one.view(headed=True, on_paper=light) for one in chosen]


def show_sections(chosen: list[Evaluation], found: list[Evaluation], path: Path | None) -> None:
    """The curves of all chosen models, and the sections on the first; only the open one is drawn."""
    views = views_of(chosen)
    first, view = chosen[0], views[0]
    sections, absent = tabs(view), lacking(first.report)
    drawn: dict[str, Callable[[], None]] = {
        "Curves": partial(show_curves, views),
        POINT: partial(show_point, first, view, found, path),
        **{name: partial(show, blocks, name) for name, blocks in sections.items()},
        MISTAKES: partial(show_mistakes, first, path),
    }
    if "section" not in st.session_state:  # a link's; of another model some sections are not here
        say_unknown("section", drawn, "section")
    for tab, (name, draw) in zip(
        st.tabs(list(drawn), key="section", bind="query-params"), drawn.items(), strict=True
    ):
        if tab.open:
            with tab:
                try:
                    draw()
                    if name == MAPS:
                        show_targets(first, path)
                except (XliteError, OSError) as error:
                    st.info(page_sentence(error))
                if name in absent:
                    st.info(literal(absent[name]))


st.title("Results")
found, damaged = saved_evaluations()
models = model_files()
if not is_public():
    with st.expander("Evaluate a model", icon=":material/add:", expanded=not found):
        evaluate_form(models)
for sentence in damaged:
    st.warning(said(sentence), icon=":material/warning:")
if not found:
    say_unknown("model", models, "model")
    st.info("No model has been evaluated yet. Runs are judged on the test part when they finish.")
elif (name := choose_model((places := st.columns([2, 3]))[0], found, models)) and (
    first := choose_films(places[1], name, found)
):
    if st.session_state.get("evaluated") == (first.model, first.judged_on):
        told = f"{first.model} is judged on {source(first.report)}. Its metrics are below."
        st.success(literal(told), icon=":material/check:")
    chosen = [first, *choose_others(first, found)]
    views = views_of(chosen)
    show_head(first, views[0], models.get(name))
    show([ranking(views)], "ranking")
    show_comparisons(chosen)
    show_sections(chosen, found, models.get(name))
