"""Reliability diagrams as they are drawn."""

import pytest

from xlite.metrics.bands import FindingCurves, PrecisionBand, PrecisionRecall, Reliability, Roc, RocBand
from xlite.plots import PALETTE, QUIET
from xlite.report.charts.reliability import reliability_grid

BINS = Reliability(
    films=[30, 9, 10], probability=[0.1, 0.2, 0.4], share=[0.1, 0.9, 0.5], low=[0.0, 0.8, None],
    high=[0.2, 1.0, None],
)  # fmt: skip
EMPTY = FindingCurves(
    roc=Roc(fpr=[], tpr=[], band=RocBand(fpr=[], low=[], high=[])),
    pr=PrecisionRecall(recall=[], precision=[], band=PrecisionBand(recall=[], low=[], high=[])),
    reliability=BINS,
)


def test_bins_of_few_films_are_left_out() -> None:
    figure = reliability_grid({"Mass": EMPTY}, ("source",))
    _, bins = figure.data
    assert (list(bins.x), list(bins.y), list(bins.text)) == ([0.1, 0.4], [0.1, 0.5], ["30", "10"])
    assert list(bins.error_y.array) == [0.1, 0] and bins.marker.color == PALETTE[0]


def test_a_panel_holds_its_points_and_their_intervals() -> None:
    layout = reliability_grid({"Mass": EMPTY}, ("source",)).layout
    assert layout.xaxis.range == layout.yaxis.range
    assert layout.xaxis.range == pytest.approx((-0.02625, 0.525))  # the bin of 9 films, up to 1, is not drawn
    wide = EMPTY.model_copy(update={"reliability": BINS.model_copy(update={"high": [0.7, 1.0, None]})})
    assert reliability_grid({"Mass": wide}, ("source",)).layout.yaxis.range[1] == pytest.approx(0.735)


def test_what_was_before_calibration_is_hollow() -> None:
    both = EMPTY.model_copy(update={"reliability_before": BINS})
    _, before, after = reliability_grid({"Mass": both}, ("source",)).data
    assert (before.marker.symbol, before.marker.color) == ("circle-open", QUIET)
    assert (after.marker.symbol, after.marker.color) == ("circle", PALETTE[0])
    assert before.error_y.array is None
