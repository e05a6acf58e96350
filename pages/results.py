import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st
from page_parts import QUIET_BAR

from xlite.cli.extras import lacking as lacking_extra
from xlite.data.eda.thumbnails import thumbnail
from xlite.data.folder import Changes, NihFolder, changes
from xlite.data.strategies import LEAK_FREE
from xlite.errors import DataError, ImageError, XliteError
from xlite.evaluation.options import JudgeOptions
from xlite.evaluation.report import Comparison
from xlite.findings import FINDINGS, spoken
from xlite.messages import as_code, literal, page_sentence, said
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.operating_point import OperatingPoint, operating_point, too_few
from xlite.models.available import model_files
from xlite.models.info import read_info
from xlite.places import check_run_name, checkpoints_dir
from xlite.report.charts.lines import MOST_FINDINGS, MOST_MODELS, line_colors
from xlite.report.charts.rates import MOST_BANDS, Kind, Mark, curve_of, curves_figure, model_curves
from xlite.report.document import Alert, Block, Chart, to_markdown
from xlite.report.downloads import downloads
from xlite.report.judged import JudgedFilms, Mistake, judged_films, mistake_caption, mistakes
from xlite.report.judged import Kind as MistakeKind
from xlite.report.saved import (
    Evaluation,
    beside,
    compare_saved,
    newest_of,
    read_evaluation,
    saved_evaluations,
)
from xlite.report.sections.findings import strongest
from xlite.report.sections.lacking import lacking
from xlite.report.sections.operating import operating_table, point_sentence, rule_cuts, withheld_sentence
from xlite.report.sections.overall import grave_blocks, mild_alerts
from xlite.report.sections.published import published_beside
from xlite.report.sections.ranking import ranking
from xlite.report.sections.whole import tabs
from xlite.report.sentences import comparison_sentence, comparisons_note, source
from xlite.report.view import View
from xlite.runs.hand_threshold import is_shipped, keep_threshold, threshold_changes
from xlite.runs.run import Run
from xlite.serving.address import unknown

KINDS: tuple[Kind, Kind] = ("roc", "pr")
KIND_WORDS = {"roc": "ROC curve", "pr": "Precision-recall curve"}
POINT, MISTAKES = "Threshold", "Errors as films"
WRONG: dict[MistakeKind, str] = {"missed": "Missed", "alarm": "Called without it"}
A_ROW = 6
PER_CENT = 0.01, 99.99


def evaluate_form(models: dict[str, Path]) -> None:
    """Judges a model on one part of a split, as `xlite evaluate` does; what comes of it is shown first."""
    if sentence := lacking_extra("train", "Evaluating"):
        st.info(sentence)
        return
    names, data = list(models), st.session_state.get("data", "")
    shown = st.session_state.get("model")
    with st.form("evaluate", border=False):
        columns = st.columns([3, 2, 2], vertical_alignment="bottom")
        place = names.index(shown) if shown in names else 0
        model = columns[0].selectbox("Model to judge", names, place, placeholder="no model yet")
        split = columns[1].selectbox("Split", LEAK_FREE, accept_new_options=True)
        part = columns[2].selectbox("Part", ["test", "val"])
        marks = st.text_input(
            "Radiologists' labels (optional)", placeholder="/path/to/all_findings_expert_labels.csv"
        )
        if data:
            st.caption(f"On the data folder of the sidebar, {as_code(data)}.")
        else:
            st.caption("Name a data folder in the sidebar: its films are what the model is judged on.")
        pressed = st.form_submit_button(
            "Evaluate", icon=":material/play_arrow:", disabled=not (names and data)
        )
    if pressed:
        from xlite.models.device import best_device
        from xlite.report.write import evaluate_model

        try:
            with st.spinner(f"Reading the {part} films", show_time=True):
                out = Run(checkpoints_dir() / model).evaluation(f"{check_run_name(split)}-{part}")
                options = JudgeOptions(device=best_device(), radiologists=os.path.expanduser(marks) or None)
                evaluate_model(models[model], os.path.expanduser(data), split, part, out, options)
            made = read_evaluation(model, out)
            st.session_state["evaluated"] = (model, made.judged_on)
            st.session_state["model"], st.session_state["judged"] = model, made.judged_on
            st.rerun()
        except (XliteError, OSError) as error:
            st.error(page_sentence(error))


def choose_model(found: list[Evaluation], models: Iterable[str]) -> str | None:
    """The model whose results are shown: of all that were judged, then of those that were not yet."""
    names = list(dict.fromkeys([*(one.model for one in found), *models]))
    asked = unknown(st.query_params, "model", names)
    left, _ = st.columns([2, 3])
    name = left.selectbox("Model", names, key="model", bind="query-params", placeholder="no model yet")
    if asked:
        st.error(f"There is no model {literal(asked)} here: choose one of those that are.")
        return None
    return name


def choose_films(model: str, found: list[Evaluation]) -> Evaluation | None:
    """The model's evaluation on one split, part and edition of the labels; a new one is shown at once."""
    own = {one.judged_on: one for one in newest_of(model, found)}
    if not own:
        st.info(f"{literal(model)} has not been judged yet. “Evaluate a model” above does it.")
        return None
    asked, newest = unknown(st.query_params, "judged", own), next(iter(own))
    now = (model, newest, own[newest].written)
    if st.session_state.get("newest", now) != now:
        st.session_state["judged"] = newest
    st.session_state["newest"] = now
    if asked:
        st.info(f"{literal(model)} was not judged on {literal(asked)}; its newest results are shown.")
    key = st.selectbox(
        "Judged on",
        list(own),
        key="judged",
        bind="query-params",
        help="Newest first. Only models judged on the same films with the same labels can be compared.",
    )
    return own[key]


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


def show(blocks: Iterable[Block], key: str) -> None:
    """Shows the blocks of a section of the report."""
    for place, block in enumerate(blocks):
        if isinstance(block, Chart):
            alt = block.caption or f"Chart of the section {key}"
            st.plotly_chart(block.draw(), key=f"{key}-{place}", config=QUIET_BAR, alt=alt)
            st.caption(literal(block.caption))
        elif isinstance(block, Alert):
            box = st.error if block.grave else st.warning
            lines = "".join(f"\n- {said(line)}" for line in block.sentences)
            box(f"**{literal(block.title)}**\n{lines}", icon=":material/warning:")
        else:
            st.markdown(to_markdown("", [block], escape=literal))


def show_head(first: Evaluation, view: View, path: Path | None) -> None:
    """What was judged, what contaminates or limits the metrics, and the report as files."""
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.caption(literal(f"Judged on {source(first.report)}."))
    with right.popover("Download", icon=":material/download:", width="stretch"):
        for file in downloads(first):
            st.download_button(
                file.title, file.make, file.name, file.kind, on_click="ignore", width="stretch"
            )
        st.caption("For a PDF open the HTML and print it: it is laid out for A4.")
    if path is not None:
        try:
            for sentence in threshold_changes(read_info(path), first.report):
                st.warning(literal(sentence), icon=":material/warning:")
        except (XliteError, OSError) as error:
            st.warning(page_sentence(error), icon=":material/warning:")
    show(grave_blocks(view), "grave")
    for alert in mild_alerts(view):
        with st.expander(f"{alert.title} ({len(alert.sentences)})", icon=":material/warning:"):
            show([alert], "mild")


@st.cache_data(show_spinner="Comparing on the same films")
def compared(first: Path, second: Path, changed: tuple[float, ...]) -> Comparison:
    """The paired test of two evaluations; `changed`, the times of their files, makes it anew when needed."""
    return compare_saved(first, second)


def show_comparisons(chosen: list[Evaluation]) -> None:
    """Each other model against the first, on the same resampled films."""
    first = chosen[0]
    for other in chosen[1:]:
        try:
            times = tuple((one.folder / "predictions.csv").stat().st_mtime for one in (first, other))
            found = compared(first.folder, other.folder, times)
            text = comparison_sentence(found, (f"**{literal(first.model)}**", literal(other.model)))
            st.info(text, icon=":material/balance:")
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
        names = "; ".join(line.name.replace("<s>", "").replace("</s>", "") for line in lines)
        column.plotly_chart(figure, key=kind, config=QUIET_BAR, alt=f"{KIND_WORDS[kind]}s: {names}")
    if len(lines) > MOST_BANDS and not bands:
        st.caption(
            f"The band is the 95 % interval of {spoken(picked[0])} ({literal(first.report.model)}), the "
            "first chosen."
        )
    if len(models) > 1:
        st.caption("A colour is a finding, a dash a model.")
    show([published_beside(view, picked) for view in models], "published")


@st.cache_resource(max_entries=2, show_spinner="Reading the table")
def open_folder(root: str, changed: Changes) -> NihFolder:
    """The data folder; `changed` renews the cache. Never mutated."""
    return NihFolder.open(root)


def data_folder() -> NihFolder | None:
    """The data folder of the sidebar, if there is one."""
    root = os.path.expanduser(st.session_state.get("data") or "")
    try:
        return open_folder(root, changes(Path(root))) if root else None
    except DataError:  # what is wrong with it the page that explores it says
        return None


@st.cache_resource(max_entries=4, show_spinner="Reading the predictions")
def open_films(
    _evaluation: Evaluation, _folder: NihFolder | None, key: tuple[object, ...]
) -> tuple[JudgedFilms, Resamples]:
    """The films judged and their resampled patients; `key` renews the cache. Never mutated."""
    films, drawn = judged_films(_evaluation, _folder), _evaluation.report.bootstrap
    return films, Resamples(films.patients, drawn.resamples, drawn.seed)


def films_of(evaluation: Evaluation) -> tuple[JudgedFilms, Resamples]:
    """`open_films` of an evaluation, with labels from the data folder of the sidebar if it has none."""
    folder = data_folder()
    key = (str(evaluation.folder), evaluation.written, str(folder.root) if folder else "")
    return open_films(evaluation, folder, key)


def choose_finding() -> str:
    """One finding."""
    return st.selectbox("Finding", FINDINGS, format_func=spoken, key="finding", bind="query-params")


def ask_point(evaluation: Evaluation, finding: str, share: float) -> tuple[float, float]:
    """The threshold to try out and the prevalence, both 0-1; of another finding they begin anew."""
    cuts = rule_cuts(evaluation.report, finding)
    low, high = PER_CENT
    usual = min(high, max(low, round(100 * share, 2)))
    cut = 100 * next(iter(cuts.values()), usual / 100)
    now = (evaluation.model, evaluation.judged_on, finding)
    if st.session_state.get("tried", now) != now:
        st.session_state["cut"], st.session_state["prevalence"] = cut, usual
    st.session_state["tried"] = now
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    tried = left.slider("Threshold", 0.0, 100.0, cut, 0.1, "%.1f %%", key="cut", bind="query-params")
    there = right.number_input(
        "Prevalence, %",
        low,
        high,
        usual,
        0.1,
        key="prevalence",
        bind="query-params",
        help=f"On the films judged it is {usual:g} %.",
    )
    with st.container(horizontal=True):
        for title, one in cuts.items():
            st.button(f"{title}, {one:.1%}", on_click=try_cut, args=(one,), type="tertiary")
    return tried / 100, there / 100


def try_cut(cut: float) -> None:
    """Moves the slider."""
    st.session_state["cut"] = 100 * cut


def show_point(evaluation: Evaluation, view: View, found: list[Evaluation], path: Path | None) -> None:
    """One finding at a threshold that is tried out, on its curves, and the way to keep it."""
    finding = choose_finding()
    films, resamples = films_of(evaluation)
    column = FINDINGS.index(finding)
    positive, probs = films.labels[:, column], films.probs[:, column]
    if few := too_few(positive, films.patients):
        st.info(withheld_sentence(finding, few))
        return
    cut, prevalence = ask_point(evaluation, finding, float(positive.mean()))
    point = operating_point(positive, probs, resamples, cut)
    show([operating_table(view, point, prevalence)], "point")
    show_on_curves(view, finding, point)
    offer_to_keep(evaluation, films, finding, cut, found, path)


def show_on_curves(view: View, finding: str, point: OperatingPoint) -> None:
    """The point on the ROC and the precision-recall curve."""
    colors = line_colors(st.context.theme.type)
    specificity, sensitivity = point.specificity.value or 0.0, point.sensitivity.value or 0.0
    marks = {"roc": (1 - specificity, sensitivity), "pr": (sensitivity, point.precision)}
    for column, kind in zip(st.columns(2), KINDS, strict=True):
        x, y = marks[kind]
        mark = None if y is None else Mark(float(x or 0), y, f"at {point.cut:.1%}")
        line = curve_of(view.curves[finding], kind, spoken(finding))
        figure = curves_figure([line], (), kind, colors, mark=mark)
        alt = f"{KIND_WORDS[kind]} of {spoken(finding)}. {point_sentence(point)}"
        column.plotly_chart(figure, key=f"point-{kind}", config=QUIET_BAR, alt=alt)
    st.caption(f"Precision on these films holds at their prevalence of {point.prevalence:.1%}.")


def offer_to_keep(
    evaluation: Evaluation,
    films: JudgedFilms,
    finding: str,
    cut: float,
    found: list[Evaluation],
    path: Path | None,
) -> None:
    """The button that writes the threshold into the model's file, and what came of it."""
    told = st.session_state.pop("kept", None)
    if told is not None:
        lines = "".join(f"\n- {literal(line)}" for line in told.costs)
        st.success(f"{literal(told.done)}\n{lines}", icon=":material/check:")
    if path is None or is_shipped(path):
        st.caption(
            "A model that comes with X-Lite keeps its thresholds. Of a model of your own the threshold tried "
            "out here can be kept."
        )
        return
    if evaluation.report.split.part == "test":
        st.warning(
            "These are test films. A threshold that is chosen on them makes the test figures of what the "
            "model calls too good; choose it on the val part instead.",
            icon=":material/warning:",
        )
    name = f"Keep {cut:.1%} as the threshold of {spoken(finding)}"
    if st.button(name, icon=":material/push_pin:"):
        try:
            others = list(other_films(evaluation, found))
            kept = keep_threshold(path, evaluation, films, finding, cut, others)
            st.session_state["kept"] = kept
            st.rerun()
        except (XliteError, OSError) as error:
            st.error(page_sentence(error))


def other_films(evaluation: Evaluation, found: list[Evaluation]) -> Iterator[JudgedFilms]:
    """The films of the model's other evaluations, of those that have labels here."""
    for one in newest_of(evaluation.model, found):
        if one is not evaluation:
            with suppress(XliteError, OSError):
                yield films_of(one)[0]


@st.cache_data(max_entries=400, show_spinner=False)
def cached_thumbnail(path: str, changed: float, boxes: pd.DataFrame) -> bytes:
    """A film as JPEG with its boxes."""
    return thumbnail(Path(path), boxes)


def show_mistakes(evaluation: Evaluation) -> None:
    """The films on which the model was most confident and wrong about a finding."""
    finding = choose_finding()
    films, _ = films_of(evaluation)
    folder, cut = data_folder(), evaluation.report.per_class[finding].threshold
    boxes = folder.boxes() if folder else pd.DataFrame()
    st.caption(
        "Labels were taken from radiology reports by a program: on films like these the label is wrong as "
        "often as the model is, and more often than on others."
    )
    for kind, title in WRONG.items():
        wrong = mistakes(films, finding, cut, kind, A_ROW)
        at = "" if cut is None else f" at its threshold of {cut:.1%}"
        st.markdown(f"**{title}**: {spoken(finding)}{at}, most confident first")
        if not wrong:
            st.caption("None of the films judged.")
        with st.container(horizontal=True):
            for mistake in wrong:
                with st.container(width=190, gap="small"):
                    show_mistake(mistake, evaluation, folder, boxes)
    if folder is None:
        st.caption("Name in the sidebar the data folder that these films are in, and they are shown.")


def show_mistake(
    mistake: Mistake, evaluation: Evaluation, folder: NihFolder | None, boxes: pd.DataFrame
) -> None:
    """One film, if it is here, and what was said of it."""
    path = folder.paths.get(mistake.stem) if folder else None
    if folder is not None and path is not None:
        try:
            picture = cached_thumbnail(str(path), path.stat().st_mtime, boxes[boxes["stem"] == mistake.stem])
            st.image(picture, alt=f"Film {mistake.stem}")
        except ImageError as error:
            st.error(page_sentence(error))
    st.caption(mistake_caption(mistake))
    if folder is not None and path is not None:
        st.page_link(
            "pages/classify.py",
            label="Read it",
            icon=":material/radiology:",
            query_params={"film": mistake.stem, "model": evaluation.model, "data": str(folder.root)},
        )


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
        MISTAKES: partial(show_mistakes, first),
    }
    for tab, (name, draw) in zip(
        st.tabs(list(drawn), key="section", bind="query-params"), drawn.items(), strict=True
    ):
        if tab.open:
            with tab:
                try:
                    draw()
                except (XliteError, OSError) as error:
                    st.info(page_sentence(error))
                if name in absent:
                    st.info(literal(absent[name]))


st.title("Results")
found, damaged = saved_evaluations()
models = model_files()
with st.expander("Evaluate a model", icon=":material/add:", expanded=not found):
    evaluate_form(models)
for sentence in damaged:
    st.warning(said(sentence), icon=":material/warning:")
if not found:
    st.info("No model has been evaluated yet. Runs are judged on the test part when they finish.")
elif (name := choose_model(found, models)) and (first := choose_films(name, found)):
    if st.session_state.get("evaluated") == (first.model, first.judged_on):
        told = f"{first.model} is judged on {source(first.report)}. Its metrics are below."
        st.success(literal(told), icon=":material/check:")
    chosen = [first, *choose_others(first, found)]
    views = views_of(chosen)
    show_head(first, views[0], models.get(name))
    show([ranking(views)], "ranking")
    show_comparisons(chosen)
    show_sections(chosen, found, models.get(name))
