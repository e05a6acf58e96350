import os
from collections.abc import Iterable
from pathlib import Path

import streamlit as st

from xlite.config import check_run_name, checkpoints_dir
from xlite.errors import XliteError
from xlite.evaluation.compare import comparison_sentence
from xlite.findings import FINDINGS, spoken
from xlite.messages import page_sentence
from xlite.models.available import model_files
from xlite.plots import PALETTE
from xlite.report.charts.rates import MOST_BANDS, curves_figure, model_curves
from xlite.report.document import Alert, Block, Chart, to_markdown
from xlite.report.saved import Evaluation, compare_saved, saved_evaluations
from xlite.report.sections.decisions import calibration, thresholds
from xlite.report.sections.groups import confusion, radiologists, subgroups
from xlite.report.sections.maps import localisation
from xlite.report.sections.results import (
    clean_films,
    findings,
    published_beside,
    ranking,
    references,
    strongest,
    warnings,
)

QUIET_BAR = {"displayModeBar": False}


def evaluate_form(names: list[str]) -> None:
    """Judges a model on one part of a split, as `xlite evaluate` does."""
    with st.form("evaluate", border=False):
        columns = st.columns([3, 2, 2], vertical_alignment="bottom")
        model = columns[0].selectbox("Model", names, placeholder="no model yet")
        split = columns[1].selectbox("Split", ["patient", "official", "chexnet"], accept_new_options=True)
        part = columns[2].selectbox("Part", ["test", "val"])
        data = st.text_input("Data folder", st.session_state.get("data", ""))
        pressed = st.form_submit_button("Evaluate", icon=":material/play_arrow:", disabled=not names)
    if pressed:
        import torch

        from xlite.evaluation.evaluate import evaluate_model

        try:
            with st.spinner(f"Reading the {part} films", show_time=True):
                out = checkpoints_dir() / model / "evaluation" / f"{check_run_name(split)}-{part}"
                device = "cuda" if torch.cuda.is_available() else "cpu"
                evaluate_model(model, os.path.expanduser(data), split, part, out, device)
            st.rerun()
        except (XliteError, OSError) as error:
            st.error(page_sentence(error))


def choose(found: list[Evaluation]) -> list[Evaluation]:
    """The evaluations to show: one split, part and label edition, any number of models."""
    groups = list(dict.fromkeys(evaluation.group for evaluation in found))
    left, right = st.columns([2, 3])
    group = left.selectbox(
        "Judged on",
        groups,
        format_func=lambda key: f"{key[0]}, {key[1]} part, {key[2]} labels",
        help="Only models judged on the same films with the same labels can be compared.",
    )
    within: dict[str, Evaluation] = {}
    for evaluation in found:
        if evaluation.group == group:
            within.setdefault(evaluation.model, evaluation)  # a run's own report comes first
    chosen = right.multiselect("Models", list(within), default=list(within)[:1], max_selections=4)
    return [within[name] for name in chosen]


def show(blocks: Iterable[Block], key: str) -> None:
    """The blocks of a chapter, as the report has them."""
    for place, block in enumerate(blocks):
        if isinstance(block, Chart):
            st.plotly_chart(block.draw(), key=f"{key}-{place}", config=QUIET_BAR)
            st.caption(block.caption)
        elif isinstance(block, Alert):
            box = st.error if block.grave else st.warning
            lines = "".join(f"\n- {line}" for line in block.sentences)
            box(f"**{block.title}**\n{lines}", icon=":material/warning:")
        else:
            st.markdown(to_markdown("", [block]))


def show_warnings(blocks: Iterable[Block]) -> None:
    """What spoils the figures, in full; what is to be kept in mind, a click away from the first curve."""
    mild = [block for block in blocks if isinstance(block, Alert) and not block.grave]
    show([block for block in blocks if block not in mild], "warnings")
    for block in mild:
        with st.expander(f"{block.title} ({len(block.sentences)})", icon=":material/warning:"):
            show([block], "mild")


@st.cache_data(show_spinner="Comparing on the same films")
def compared(first: Path, second: Path, changed: tuple[float, ...]) -> dict:
    """The paired test of two evaluations; `changed`, the times of their files, makes it anew when needed."""
    return compare_saved(first, second)


def show_comparisons(chosen: list[Evaluation]) -> None:
    """Each other model against the first, on the same resampled films."""
    first = chosen[0]
    for other in chosen[1:]:
        try:
            times = tuple((one.folder / "predictions.csv").stat().st_mtime for one in (first, other))
            found = compared(first.folder, other.folder, times)
            st.info(
                comparison_sentence(found, (f"**{first.model}**", other.model)), icon=":material/balance:"
            )
        except (XliteError, OSError) as error:
            st.warning(page_sentence(error), icon=":material/warning:")


def show_curves(chosen: list[Evaluation]) -> None:
    """ROC and precision-recall curves of selected findings, with bands; published AUCs under them."""
    picked = st.pills(
        "Findings", FINDINGS, selection_mode="multi", default=strongest(chosen[0].metrics), format_func=spoken
    )
    for column, kind in zip(st.columns(2), ("roc", "pr"), strict=True):
        lines = model_curves([(one.model, one.metrics, one.curves) for one in chosen], picked, kind)
        column.plotly_chart(curves_figure(lines, chosen[0].source, kind), key=kind, config=QUIET_BAR)
    if len(lines) > MOST_BANDS:
        st.caption(
            f"The band is the 95 % interval of {spoken(picked[0])} ({chosen[0].model}), the first chosen. "
            f"With {MOST_BANDS} lines or fewer each has its own."
        )
    show([published_beside(one.metrics, picked) for one in chosen], "published")


def show_details(chosen: list[Evaluation]) -> None:
    """The curves of all chosen models, and the chapters on one of them."""
    models = {one.model: one for one in chosen}
    name = chosen[0].model
    if len(models) > 1:
        name = st.segmented_control("In detail", list(models), default=name, required=True)
    one = models[name]
    report, curves = one.metrics, one.curves
    clean = clean_films(report)
    show_warnings([*warnings(report), *clean[:1]])
    chapters = {
        **({"Clean films": clean[1:]} if clean[1:] else {}),
        "Findings": findings(report, PALETTE),
        "Published": references(report),
        "Thresholds": thresholds(report),
        "Calibration": calibration(report, curves, PALETTE),
        "Subgroups": subgroups(report, PALETTE),
        "Confusion": confusion(report, PALETTE),
        "Maps": localisation(report),
        "Radiologists": radiologists(report),
    }
    first, *others = st.tabs(["Curves", *chapters])
    with first:
        show_curves(chosen)
    for tab, (key, blocks) in zip(others, chapters.items(), strict=True):
        with tab:
            show(blocks, key)


st.title("Results")
found, damaged = saved_evaluations()
with st.expander("Evaluate a model", icon=":material/add:", expanded=not found):
    evaluate_form(list(model_files()))
for sentence in damaged:
    st.warning(sentence, icon=":material/warning:")
if found:
    chosen = choose(found)
    if chosen:
        show([ranking([one.metrics for one in chosen])], "ranking")
        show_comparisons(chosen)
        show_details(chosen)
    else:
        st.info("Choose a model.")
else:
    st.info("No model has been evaluated yet. Runs are judged on the test part when they finish.")
