"""Metrics as cells and marks: what is contaminated is struck through, the word `undefined` never is."""

import math

import pytest
from demo_home import drawn_report

from xlite.evaluation.contamination.caveats import TrainedOn
from xlite.metrics.estimate import Estimate
from xlite.report.document import Cell, Table
from xlite.report.sections.findings import findings
from xlite.report.sections.thresholds import thresholds
from xlite.report.view import View, metric_cell

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.500"),
        (Estimate(0.8), "0.800"),
        (Estimate(0.8, 0.7, 0.9), "0.800 (0.700–0.900)"),
    ],
)
def test_a_metric_is_struck_through_on_contaminated_films(value: Estimate | float, text: str) -> None:
    assert metric_cell(value, contaminated=True) == Cell(text, struck=True)
    assert metric_cell(value, contaminated=False) == Cell(text)
    report, _ = drawn_report(caveats=[TrainedOn(films=200, known=7)])
    assert View(report, {}).marked(value) == f"<s>{text}</s>"


@pytest.mark.parametrize("value", [None, math.nan, Estimate(None)])
def test_what_is_undefined_is_not_struck_through(value: Estimate | float | None) -> None:
    assert metric_cell(value, contaminated=True) == Cell("undefined")
    report, _ = drawn_report(caveats=[TrainedOn(films=200, known=7)])
    assert View(report, {}).marked(value, "no AUC") == "no AUC"


def test_no_word_of_a_contaminated_report_is_struck_through() -> None:
    report, _ = drawn_report(caveats=[TrainedOn(films=200, known=7)])
    view = View(report, {})
    tables = [block for block in [*findings(view), *thresholds(view)] if isinstance(block, Table)]
    cells = [cell for table in tables for row in table.rows for cell in row if isinstance(cell, Cell)]
    assert Cell("undefined") in cells
    assert all(cell.text[0].isdigit() for cell in cells if cell.struck)
