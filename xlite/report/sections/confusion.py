"""Findings that are called beside each other or for each other."""

from collections.abc import Sequence
from functools import partial

from xlite.findings import FINDINGS, spoken
from xlite.metrics.confusion import Confusion
from xlite.report.charts.confusion import confusion_figure
from xlite.report.document import Block, Chart, Row, Table
from xlite.report.means import of_labelled
from xlite.report.view import View

NO_BREAK = "\N{NO-BREAK SPACE}"


def confusion(view: View) -> list[Block]:
    """For films with a finding: which others are called beside it or in its place, against the truth."""
    found, per_class = view.report.confusion, view.report.per_class
    rows: list[Row] = [
        [
            spoken(name),
            *of_labelled(
                per_class[name],
                [
                    f"{found.films[row]:,}",
                    *(_called(found, row) if name not in found.withheld else ["no threshold", "", "", ""]),
                    _most(
                        [*found.together[row][:row], 0, *found.together[row][row + 1 :]],
                        found.with_column(row),
                    ),
                ],
            ),
        ]
        for row, name in enumerate(FINDINGS)
    ]
    unknown = "" if found.both is None else " Of the films that both findings are known of."
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
            wide=True,
        ),
        Table(
            header,
            rows,
            f"Shares: of the missed films, of the found ones, of all with the finding.{unknown}",
            (4, 5, 6),
        ),
    ]


def _called(found: Confusion, row: int) -> list[str]:
    """What is called on the films with the finding of the row."""
    every, missed = found.with_column(row), found.missed_with_column(row)
    return [
        f"{found.missed[row]:,}",
        f"{found.silent[row]:,}",
        _most(found.in_place[row], missed),
        _most(found.beside[row], [all_ - lost for all_, lost in zip(every, missed, strict=True)]),
    ]


def _most(counts: Sequence[int], films: Sequence[int], shown: int = 2) -> str:
    """The findings (14,) with the highest counts, as shares of the films (14,) that each is known of."""
    shares = [count / of if of > 0 else 0 for count, of in zip(counts, films, strict=True)]
    order = sorted(range(len(counts)), key=lambda place: -shares[place])[:shown]
    named = [(spoken(FINDINGS[place]).replace(" ", NO_BREAK), shares[place]) for place in order]
    return ", ".join(f"{name}{NO_BREAK}{share:.0%}" for name, share in named if share)
