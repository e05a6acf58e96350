"""Metrics by view, sex and age, and of several data folders by folder."""

from collections.abc import Mapping
from functools import partial
from typing import Literal

from xlite.evaluation.subgroups_report import GroupFinding, Subgroups
from xlite.findings import FEW_POSITIVES, spoken
from xlite.report.charts.intervals import groups_figure
from xlite.report.document import Alert, Block, Cell, Chart, Row, Table, Text
from xlite.report.sections.findings import RATES
from xlite.report.sentences import gap_sentences, looks_sentence
from xlite.report.view import View
from xlite.text import NOT_LABELLED, number

_ATTRIBUTES = {"view": "View", "sex": "Sex", "age": "Age", "folder": "Folder"}
_Rate = Literal["recall", "specificity"]
_RATES: tuple[_Rate, ...] = ("recall", "specificity")


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
        *(_by_folder(view, found["folder"]) if "folder" in found else []),
    ]


def _by_folder(view: View, found: Subgroups) -> list[Table]:
    """A row a finding: on all films and on those of each data folder its AUC, then its rates."""
    caption = (
        "Each finding on the films of all folders and of each: AUC, films with it of those labelled. An AUC "
        "over all folders that lies above that of each may come of telling the folders apart, if one has the "
        "finding more often."
    )
    rows: list[Row] = [
        [spoken(finding), view.cell(pooled.auc), *(_auc(view, one) for one in _of_each(found, finding))]
        for finding, pooled in view.report.per_class.items()
    ]
    ranking = Table(["Finding", "All folders", *found.groups], rows, caption)
    if all(one.recall.value is None for group in found.groups.values() for one in group.per_class.values()):
        return [ranking]  # an old report, or no threshold at all
    return [ranking, *(_rates(view, found, rate) for rate in _RATES)]


def _auc(view: View, one: GroupFinding) -> Cell | str:
    if not one.films:
        return NOT_LABELLED
    shown = view.cell(one.auc)
    return shown._replace(text=f"{shown.text}, {one.positives:,} of {one.films:,}")


def _rates(view: View, found: Subgroups, rate: _Rate) -> Table:
    """Sensitivity or specificity of each finding that has a threshold, and a label in some folder."""
    rows: list[Row] = [
        [
            spoken(finding),
            view.cell(pooled.estimate(rate)),
            *(
                view.cell(getattr(one, rate)) if one.films else NOT_LABELLED
                for one in _of_each(found, finding)
            ),
            number(pooled.threshold),
        ]
        for finding, pooled in view.report.per_class.items()
        if pooled.threshold is not None and pooled.labelled
    ]
    caption = "Thresholds and calibrator are the same for all folders; others can be fitted to one."
    return Table([RATES[rate], "All folders", *found.groups, "threshold"], rows, caption)


def _of_each(found: Subgroups, finding: str) -> list[GroupFinding]:
    return [group.per_class[finding] for group in found.groups.values()]


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
