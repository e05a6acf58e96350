"""Axes of figures: they hold all values, and nothing that cannot be."""

import pandas as pd
import pytest

from xlite.findings import FINDINGS, spoken
from xlite.plots import (
    ZONE,
    finding_curves,
    learning_curves,
    pair_figure,
    plain_label,
    probability_bars,
    trials_figure,
)


@pytest.mark.parametrize(("epochs", "limits"), [(1, [0.96, 1.04]), (51, [-1.0, 53.0])])
def test_curves_show_the_epochs_there_are_and_no_auc_that_cannot_be(epochs: int, limits: list[float]):
    numbers = range(1, epochs + 1)
    columns = ("train_loss", "val_loss", "val_auc", "val_auc_Mass")
    metrics = pd.DataFrame({"epoch": numbers, **{name: [0.5] * epochs for name in columns}})
    curves, findings = learning_curves(metrics).layout, finding_curves(metrics).layout
    for axis in (curves.xaxis, curves.xaxis2, findings.xaxis):
        assert list(axis.range) == pytest.approx(limits)
    for axis in (curves.yaxis, curves.yaxis2, findings.yaxis):
        assert list(axis.range) == pytest.approx([0.45, 0.55])


def test_an_axis_holds_all_values_and_ends_at_their_limits():
    columns = {"train_loss": [3.0, 0.01], "val_loss": [2.0, 0.5], "val_auc": [0.02, 0.99]}
    layout = learning_curves(pd.DataFrame({"epoch": [1, 2], **columns})).layout
    assert list(layout.yaxis.range) == pytest.approx([0, 3 + 0.08 * 2.99])
    assert list(layout.yaxis2.range) == [0, 1]
    nothing = pd.DataFrame({"epoch": [1], "train_loss": [0.5], "val_loss": [0.5], "val_auc": [float("nan")]})
    assert learning_curves(nothing).layout.yaxis2.range is None


def test_names_in_figures_are_no_markup():
    assert plain_label("<a href='x'>a & b</a>") == "&lt;a href='x'&gt;a &amp; b&lt;/a&gt;"
    assert list(trials_figure({"lr 1": [0.5], "<b>x": [0.6]}).layout.yaxis.ticktext) == ["&lt;b&gt;x", "lr 1"]


def test_the_axis_of_trials_fits_them_within_0_and_1():
    assert list(trials_figure({"lr 1": [0.5124]}).layout.xaxis.range) == pytest.approx([0.4624, 0.5624])
    assert list(trials_figure({"a": [0.02], "b": [0.4, 0.99]}).layout.xaxis.range) == [0, 1]
    assert trials_figure({}).layout.xaxis.range is None


def test_bars_have_the_zone_behind_them_and_hatch_what_is_not_calibrated():
    values = [0.5, *[0.1] * 13]
    zones = {"Atelectasis": (0.0, 0.3), "Hernia": (0.2, 1.0)}
    figure = probability_bars(values, {"Atelectasis": 0.4}, zones=zones, uncalibrated=["Hernia"])
    places = {name: place for place, name in enumerate(figure.data[0].y)}
    shapes = figure.layout.shapes
    assert {(shape.fillcolor, shape.layer) for shape in shapes} == {(ZONE, "below")}
    bands = {shape.y0 + 0.46: (shape.x0, shape.x1) for shape in shapes}
    assert bands[places["Atelectasis"]] == (0.0, 0.3)
    assert bands[places["Hernia"]] == (0.2, pytest.approx(1.08 * 0.5)) and len(bands) == 2
    hatched = dict(zip(figure.data[0].y, figure.data[0].marker.pattern.shape, strict=True))
    assert {name for name, shape in hatched.items() if shape} == {"Hernia"}
    assert probability_bars(values, None).layout.shapes == ()


def test_two_models_have_a_point_each_and_a_line_between_them_for_each_finding():
    first = [place / 20 for place in range(len(FINDINGS))]
    second = first[::-1]
    figure = pair_figure(("old", "<b>new"), first, second)
    one, other = figure.data
    assert (one.name, other.name) == ("old", "&lt;b&gt;new")
    assert list(one.y) == list(other.y) == list(map(spoken, FINDINGS))
    assert (list(one.x), list(other.x)) == (first, second)
    assert (one.marker.symbol, other.marker.symbol) == ("circle", "diamond-open")
    lines = [(shape.x0, shape.x1, shape.y0) for shape in figure.layout.shapes]
    assert lines == [(a, b, row) for row, (a, b) in enumerate(zip(first, second, strict=True))]
