"""Confusion between findings as it is drawn."""

import numpy as np

from xlite.findings import FINDINGS
from xlite.metrics.confusion import confusion
from xlite.report.charts.confusion import confusion_figure


def test_cells_are_shares_of_the_row_and_the_diagonal_the_sensitivity() -> None:
    labels, probs = np.zeros((4, 14)), np.zeros((4, 14))
    labels[:, 0] = 1
    labels[0, 1] = 1
    probs[:3, 0] = 1
    probs[:2, 1] = 1
    figure = confusion_figure(confusion(labels, probs, np.full(14, 0.5)), ("source",))
    [cells] = figure.data
    first = len(FINDINGS) - 1  # the first finding is on top
    assert cells.text[first][1] == "50" and cells.customdata[first][1] == 0.25
    assert np.isnan(cells.z[first][0]) and cells.z[first][1] == 0.25
    assert figure.layout.annotations[0].text == "<b>75</b>"


def test_a_finding_without_a_threshold_has_no_number_and_no_colour() -> None:
    cuts = np.array([0.5, np.nan] + [0.5] * 12)
    found = confusion(np.ones((4, 14)), np.ones((4, 14)), cuts)
    assert found.withheld == (FINDINGS[1],)
    [cells] = confusion_figure(found, ("source",)).data
    column = [row[1] for row in cells.text]
    assert column == [""] * 14 and np.isnan([row[1] for row in cells.z]).all()
