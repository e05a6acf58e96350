"""Metrics by view, sex and age."""

from functools import partial

from xlite.findings import FEW_POSITIVES
from xlite.report.charts.intervals import groups_figure
from xlite.report.document import Alert, Block, Chart, Row, Table, Text
from xlite.report.sentences import gap_sentences
from xlite.report.view import View

_ATTRIBUTES = {"view": "View", "sex": "Sex", "age": "Age"}


def subgroups(view: View) -> list[Block]:
    """Gaps larger than noise in sentences, then n and mean AUC of each group."""
    found = view.report.subgroups
    said = [text for _, text in gap_sentences(found)]
    first = (
        Alert("Gaps larger than noise", said)
        if said
        else Text("No gap between two groups is larger than the noise of resampling patients.")
    )
    rows: list[Row] = [
        [
            f"{_ATTRIBUTES[attribute]}: {name}",
            f"{group.images:,}",
            f"{group.patients:,}",
            view.cell(group.auc),
            str(group.findings),
        ]
        for attribute, one in found.items()
        for name, group in one.groups.items()
    ]
    caption = (
        f"Mean over the findings with at least {FEW_POSITIVES} positives in the group. A gap is taken over "
        "the findings both groups know, on the same resamples of patients; single findings have to be "
        "further apart, as so many are looked at (Bonferroni)."
    )
    return [
        first,
        Chart(partial(groups_figure, found, view.source_lines, view.palette)),
        Table(["Group", "Films", "Patients", "Mean AUC", "Findings"], rows, caption),
    ]
