import os

import pandas as pd
import streamlit as st

from xlite.config import check_run_name, checkpoints_dir
from xlite.errors import XliteError
from xlite.evaluation.saved import Evaluation, saved_evaluations
from xlite.evaluation.wording import interval, number
from xlite.findings import FINDINGS, spoken
from xlite.labels import page_sentence
from xlite.models.folders import model_files
from xlite.plots import RocCurve, auc_figure, roc_figure, roc_grid

QUIET_BAR = {"displayModeBar": False}
RATES = {
    "Threshold": "threshold",
    "Sensitivity": "recall",
    "Specificity": "specificity",
    "Precision": "precision",
    "F1": "f1",
    "ECE": "ece",
}


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
    within = {evaluation.model: evaluation for evaluation in found if evaluation.group == group}
    chosen = right.multiselect("Models", list(within), default=list(within)[:1], max_selections=4)
    return [within[name] for name in chosen]


def curve(evaluation: Evaluation, finding: str, label: str) -> RocCurve:
    """One line of a ROC figure."""
    points = evaluation.roc[finding]
    return RocCurve(label, points["fpr"], points["tpr"])


def show_roc(chosen: list[Evaluation]) -> None:
    """Selected findings in one square, AUC and interval in the legend."""
    picked = st.pills(
        "Findings", FINDINGS, selection_mode="multi", default=strongest(chosen[0]), format_func=spoken
    )
    curves = []
    for finding in picked:
        for evaluation in chosen:
            auc = interval(evaluation.metrics["per_class"][finding]["auc"])
            model = f" {evaluation.model}" if len(chosen) > 1 else ""
            curves.append(curve(evaluation, finding, f"{spoken(finding)}{model}  {auc}"))
    st.plotly_chart(roc_figure(curves, chosen[0].source), key="roc", config=QUIET_BAR)


def strongest(evaluation: Evaluation) -> list[str]:
    """The four findings with the most positives that have an AUC: the least noisy curves to begin with."""
    figures = evaluation.metrics["per_class"]
    defined = [name for name in FINDINGS if figures[name]["auc"]["value"] is not None]
    return sorted(defined, key=lambda name: -figures[name]["positives"])[:4]


def show_grid(chosen: list[Evaluation]) -> None:
    """A panel a finding."""
    panels: dict[str, list[RocCurve]] = {}
    for finding in FINDINGS:
        aucs = [evaluation.metrics["per_class"][finding]["auc"]["value"] for evaluation in chosen]
        panels[finding] = [
            curve(evaluation, finding, number(auc, absent="no AUC"))
            for evaluation, auc in zip(chosen, aucs, strict=True)
        ]
    st.plotly_chart(roc_grid(panels, chosen[0].source), key="grid", config=QUIET_BAR)


def show_findings(chosen: list[Evaluation]) -> None:
    """AUC and interval of each finding, model by model."""
    models = {
        evaluation.model: {name: figures["auc"] for name, figures in evaluation.metrics["per_class"].items()}
        for evaluation in chosen
    }
    st.plotly_chart(auc_figure(models, chosen[0].source), key="auc", config=QUIET_BAR)


def findings_table(evaluation: Evaluation) -> pd.DataFrame:
    """The figures of an evaluation, a row a finding in NIH order."""
    rows = []
    for finding in FINDINGS:
        figures = evaluation.metrics["per_class"][finding]
        auc = figures["auc"]
        rows.append(
            {
                "Finding": spoken(finding),
                "Positives": figures["positives"],
                **{"AUC": auc["value"], "AUC low": auc["low"], "AUC high": auc["high"]},
                "AP": figures["ap"]["value"],
                **{label: figures[name] for label, name in RATES.items()},
            }
        )
    return pd.DataFrame(rows)


def show_tables(chosen: list[Evaluation]) -> None:
    """All figures of each model."""
    for evaluation in chosen:
        st.markdown(f"**{evaluation.model}**")
        table = findings_table(evaluation)
        columns = {name: st.column_config.NumberColumn(format="%.3f") for name in table.columns[2:]}
        st.dataframe(table, hide_index=True, placeholder="–", column_config=columns, height="content")
    st.caption(chosen[0].source)


def show_macro(chosen: list[Evaluation]) -> None:
    """The macro figures, best AUC first, and what to keep in mind about them."""
    rows = []
    for evaluation in sorted(chosen, key=lambda one: -(one.metrics["macro"]["auc"]["value"] or 0)):
        macro = evaluation.metrics["macro"]
        rows.append(
            {
                "Model": evaluation.model,
                "Macro AUC (95 % interval)": interval(macro["auc"]),
                **{
                    label: macro[name]["value"]
                    for label, name in (("AP", "ap"), ("F1", "f1"), ("ECE", "ece"))
                },
                "Always-no accuracy": evaluation.metrics["baseline"]["always_no_accuracy"],
            }
        )
    columns = {
        name: st.column_config.NumberColumn(format="%.3f")
        for name in ("AP", "F1", "ECE", "Always-no accuracy")
    }
    st.dataframe(rows, hide_index=True, placeholder="–", column_config=columns)
    st.caption(chosen[0].source)
    warnings = dict.fromkeys(line for evaluation in chosen for line in evaluation.metrics["warnings"])
    if warnings:
        st.warning("  \n".join(warnings), icon=":material/warning:")


st.title("Results")
found, damaged = saved_evaluations()
with st.expander("Evaluate a model", icon=":material/add:", expanded=not found):
    evaluate_form(list(model_files()))
for sentence in damaged:
    st.warning(sentence, icon=":material/warning:")
if found:
    chosen = choose(found)
    if chosen:
        show_macro(chosen)
        roc, grid, aucs, table = st.tabs(["ROC curves", "All 14", "AUC by finding", "Table"])
        with roc:
            show_roc(chosen)
        with grid:
            show_grid(chosen)
        with aucs:
            show_findings(chosen)
        with table:
            show_tables(chosen)
    else:
        st.info("Choose a model.")
else:
    st.info("No model has been evaluated yet. Runs are judged on the test part when they finish.")
