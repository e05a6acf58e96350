"""Metrics by view, sex and age."""

from collections.abc import Mapping
from functools import partial

from xlite.evaluation.report import Subgroups
from xlite.findings import FEW_POSITIVES
from xlite.report.charts.intervals import groups_figure
from xlite.report.document import Alert, Block, Chart, Row, Table, Text
from xlite.report.sentences import gap_sentences, looks_sentence
from xlite.report.view import View

_ATTRIBUTES = {"view": "View", "sex": "Sex", "age": "Age"}


def subgroups(view: View) -> list[Block]:
    """Gaps larger than noise in sentences, how many were looked at, then n and mean AUC of each group."""
    found = view.report.subgroups
    said = [text for _, text in gap_sentences(found)]
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
    return [
        *([Alert("Gaps larger than noise", said)] if said else []),
        *([Text(words)] if (words := looks_sentence(found)) else []),
        Chart(partial(groups_figure, found, view.source_lines, view.palette)),
        Table(["Group", "Films", "Patients", "Mean AUC", "Findings"], rows, _caption(found)),
    ]


def _caption(found: Mapping[str, Subgroups]) -> str:
    """How means and gaps were taken, in this report or in one of an X-Lite that looked at each mean alone."""
    if any(one.looks is None for one in found.values()):
        return (
            f"Mean over the findings with at least {FEW_POSITIVES} positives in the group. A gap is taken "
            "over the findings both groups know, on the same resamples of patients; single findings have to "
            "be further apart, as so many are looked at (Bonferroni)."
        )
    return (
        f"Mean over the findings that at least {FEW_POSITIVES} patients of the group have, and as many have "
        "not. A gap is taken over the findings both groups know, on the same resamples of patients. Of so "
        "many gaps some would lie beyond their own 95 % interval by chance: a gap is larger than noise if it "
        "lies beyond that of the largest (max-t)."
    )
