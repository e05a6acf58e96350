"""Findings that are called beside each other or for each other."""

from collections.abc import Sequence
from functools import partial

from xlite.findings import FINDINGS, spoken
from xlite.metrics.confusion import Confusion
from xlite.report.charts.confusion import confusion_figure
from xlite.report.document import Block, Chart, Row, Table
from xlite.report.view import View

NO_BREAK = "\N{NO-BREAK SPACE}"


def confusion(view: View) -> list[Block]:
    """For films with a finding: which others are called beside it or in its place, against the truth."""
    found = view.report.confusion
    rows: list[Row] = [
        [
            spoken(name),
            f"{found.films[row]:,}",
            *(_called(found, row) if name not in found.withheld else ["no threshold", "", "", ""]),
            _most([*found.together[row][:row], 0, *found.together[row][row + 1 :]], found.films[row]),
        ]
        for row, name in enumerate(FINDINGS)
    ]
    header = [
        "Films with",
        "Films",
        "Missed",
        "Nothing called",
        "Most called in its place",
        "Most wrongly beside",
        "Truly beside",
    ]
    return [
        Chart(
            partial(confusion_figure, found, view.source_lines, view.diverging),
            "Of the films that have the row's finding, in % for how many the column's is called. Colour: "
            "called more or less often than it is true of them. On the diagonal the sensitivity.",
        ),
        Table(
            header,
            rows,
            "Shares: of the missed films, of the found ones, of all with the finding.",
            (4, 5, 6),
        ),
    ]


def _called(found: Confusion, row: int) -> list[str]:
    """What is called on the films with the finding of the row."""
    return [
        f"{found.missed[row]:,}",
        f"{found.silent[row]:,}",
        _most(found.in_place[row], found.missed[row]),
        _most(found.beside[row], found.films[row] - found.missed[row]),
    ]


def _most(counts: Sequence[int], films: int, shown: int = 2) -> str:
    """The findings with the highest counts, as shares of the films."""
    order = sorted(range(len(counts)), key=lambda place: -counts[place])[:shown]
    named = [(spoken(FINDINGS[place]).replace(" ", NO_BREAK), counts[place]) for place in order]
    return ", ".join(f"{name}{NO_BREAK}{count / films:.0%}" for name, count in named if count and films > 0)
