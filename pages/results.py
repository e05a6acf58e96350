import os
from collections.abc import Iterable
from pathlib import Path

import streamlit as st
from page_parts import QUIET_BAR

from xlite.cli.extras import lacking
from xlite.data.strategies import LEAK_FREE
from xlite.errors import XliteError
from xlite.evaluation.options import JudgeOptions
from xlite.evaluation.report import Comparison
from xlite.findings import FINDINGS, spoken
from xlite.messages import literal, page_sentence, said
from xlite.models.available import model_files
from xlite.places import check_run_name, checkpoints_dir
from xlite.report.charts.rates import MOST_BANDS, Kind, curves_figure, model_curves
from xlite.report.document import Alert, Block, Chart, to_markdown
from xlite.report.saved import Evaluation, compare_saved, read_evaluation, saved_evaluations
from xlite.report.sections.findings import strongest
from xlite.report.sections.overall import grave_blocks, mild_alerts
from xlite.report.sections.published import published_beside
from xlite.report.sections.ranking import ranking
from xlite.report.sections.whole import tabs
from xlite.report.sentences import comparison_sentence, comparisons_note, source
from xlite.report.view import View
from xlite.runs.run import Run
from xlite.text import labels_of

KINDS: tuple[Kind, Kind] = ("roc", "pr")


def evaluate_form(models: dict[str, Path]) -> None:
    """Judges a model on one part of a split, as `xlite evaluate` does; what comes of it is shown first."""
    if sentence := lacking("train", "Evaluating"):
        st.info(sentence)
        return
    names = list(models)
    with st.form("evaluate", border=False):
        columns = st.columns([3, 2, 2], vertical_alignment="bottom")
        model = columns[0].selectbox("Model", names, placeholder="no model yet")
        split = columns[1].selectbox("Split", LEAK_FREE, accept_new_options=True)
        part = columns[2].selectbox("Part", ["test", "val"])
        data = st.text_input("Data folder", st.session_state.get("data", ""))
        pressed = st.form_submit_button("Evaluate", icon=":material/play_arrow:", disabled=not names)
    if pressed:
        from xlite.models.device import best_device
        from xlite.report.write import evaluate_model

        try:
            with st.spinner(f"Reading the {part} films", show_time=True):
                out = Run(checkpoints_dir() / model).evaluation(f"{check_run_name(split)}-{part}")
                options = JudgeOptions(device=best_device())
                evaluate_model(models[model], os.path.expanduser(data), split, part, out, options)
            st.session_state["evaluated"] = read_evaluation(model, out)
            st.rerun()
        except (XliteError, OSError) as error:
            st.error(page_sentence(error))


def choose(found: list[Evaluation]) -> list[Evaluation]:
    """The evaluations to show: one split, part and label edition, any number of models."""
    groups = list(dict.fromkeys(evaluation.group for evaluation in found))
    fresh = st.session_state.get("evaluated")
    left, right = st.columns([2, 3])
    group = left.selectbox(
        "Judged on",
        groups,
        groups.index(fresh.group) if fresh and fresh.group in groups else 0,
        format_func=lambda key: f"{key[0]}, {key[1]} part, {labels_of(key[2])}",
        help="Only models judged on the same films with the same labels can be compared.",
    )
    within: dict[str, Evaluation] = {}
    for evaluation in found:
        if evaluation.group == group:
            within.setdefault(evaluation.model, evaluation)  # a run's own report comes first
    first = [fresh.model] if fresh and fresh.group == group and fresh.model in within else list(within)[:1]
    chosen = right.multiselect("Models", list(within), default=first, max_selections=4)
    return [within[name] for name in chosen]


def show(blocks: Iterable[Block], key: str) -> None:
    """Shows the blocks of a section of the report."""
    for place, block in enumerate(blocks):
        if isinstance(block, Chart):
            st.plotly_chart(block.draw(), key=f"{key}-{place}", config=QUIET_BAR)
            st.caption(literal(block.caption))
        elif isinstance(block, Alert):
            box = st.error if block.grave else st.warning
            lines = "".join(f"\n- {said(line)}" for line in block.sentences)
            box(f"**{literal(block.title)}**\n{lines}", icon=":material/warning:")
        else:
            st.markdown(to_markdown("", [block], escape=literal))


def show_caveats(view: View) -> None:
    """What contaminates the metrics, in full; what else limits them, a click away from the first curve."""
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
    picked = st.pills(
        "Findings", FINDINGS, selection_mode="multi", default=strongest(first.report), format_func=spoken
    )
    for column, kind in zip(st.columns(2), KINDS, strict=True):
        lines = model_curves(models, picked, kind)
        column.plotly_chart(curves_figure(lines, first.source_lines, kind), key=kind, config=QUIET_BAR)
    if len(lines) > MOST_BANDS:
        st.caption(
            f"The band is the 95 % interval of {spoken(picked[0])} ({literal(first.report.model)}), the "
            f"first chosen. With {MOST_BANDS} lines or fewer each has its own."
        )
    show([published_beside(view, picked) for view in models], "published")


def show_details(models: list[View]) -> None:
    """The curves of all chosen models, and the sections on one of them."""
    named = {view.report.model: view for view in models}
    name = models[0].report.model
    if len(named) > 1:
        names = list(named)
        name = st.segmented_control("In detail", names, default=name, format_func=literal, required=True)
    show_caveats(named[name])
    sections = tabs(named[name])
    first, *others = st.tabs(["Curves", *sections])
    with first:
        show_curves(models)
    for tab, (key, blocks) in zip(others, sections.items(), strict=True):
        with tab:
            show(blocks, key)


st.title("Results")
found, damaged = saved_evaluations()
with st.expander("Evaluate a model", icon=":material/add:", expanded=not found):
    evaluate_form(model_files())
if fresh := st.session_state.get("evaluated"):
    told = literal(f"{fresh.model} is judged on {source(fresh.report)}. Its metrics are below.")
    st.success(told, icon=":material/check:")
for sentence in damaged:
    st.warning(said(sentence), icon=":material/warning:")
if found:
    chosen = choose(found)
    if chosen:
        views = [one.view() for one in chosen]
        show([ranking(views)], "ranking")
        show_comparisons(chosen)
        show_details(views)
    else:
        st.info("Choose a model.")
else:
    st.info("No model has been evaluated yet. Runs are judged on the test part when they finish.")
