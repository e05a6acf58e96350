"""Curves of many runs, and AUC against cost."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from known_runs import SPLIT

from xlite.metrics.estimate import Estimate
from xlite.runs.charts import (
    COLORS,
    CURVES,
    DASHES,
    MOST_RUNS,
    lines,
    overlaid,
    pareto_figure,
    shortened,
    smoothed,
)
from xlite.runs.pareto import Plot, Point

DARK, WHITE = "#11161b", "#ffffff"
# Machado, Oliveira and Fernandes 2009, severity 1, for linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def linear(color: str) -> np.ndarray:
    values = np.array([int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(linear(color) @ [0.2126, 0.7152, 0.0722]) for color in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = to_xyz @ rgb.clip(0, 1) / [0.9505, 1, 1.089]
    f = [value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116 for value in (x, y, z)]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_an_average_is_not_drawn_towards_zero_and_passes_over_nan() -> None:
    assert smoothed([2.0, 2.0, 2.0], 0.9) == pytest.approx([2.0, 2.0, 2.0])
    assert smoothed([1.0, 3.0, 5.0], 0.0) == [1.0, 3.0, 5.0]
    # By hand: (0.5 * 1 + 1 * 3) / 1.5, then (0.25 * 1 + 0.5 * 3 + 1 * 5) / 1.75.
    assert smoothed([1.0, 3.0, 5.0], 0.5) == pytest.approx([1.0, 3.5 / 1.5, 6.75 / 1.75])
    with_gap = smoothed([math.nan, 1.0, math.nan, 3.0], 0.5)
    assert np.isnan(with_gap).tolist() == [True, False, True, False]
    assert [with_gap[1], with_gap[3]] == pytest.approx([1.0, 3.5 / 1.5])


def test_each_run_has_a_colour_and_a_dash_that_no_other_has() -> None:
    found = [(line["color"], line["dash"]) for line in lines(MOST_RUNS)]
    assert len(set(found)) == MOST_RUNS == len(COLORS) * len(DASHES)
    neighbours = itertools.pairwise(found)
    assert all(one[0] != other[0] and one[1] != other[1] for one, other in neighbours)


@pytest.mark.parametrize("color", COLORS)
def test_lines_stand_out_on_dark_and_on_white_pages(color: str) -> None:
    assert contrast(color, DARK) >= 3 and contrast(color, WHITE) >= 3


@pytest.mark.parametrize("kind", BLINDNESS)
def test_neighbouring_lines_differ_for_colour_blind_readers_too(kind: str) -> None:
    seen = [lab(BLINDNESS[kind] @ linear(color)) for color in COLORS]
    apart = [
        float(np.linalg.norm(one - other)) for one, other in zip(seen, [*seen[1:], seen[0]], strict=True)
    ]
    assert min(apart) > 10  # of twelve lines, those with one dash have colours that follow on each other


def epochs(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"epoch": range(1, len(values) + 1), "val_auc": values, "train_loss": values})


def test_curves_lie_over_each_other_the_raw_ones_faint_below() -> None:
    runs = {"one": epochs(0.5, 0.7), "<b>two": epochs(0.6)}
    plain = overlaid(runs, "val_auc")
    assert [(trace.name, list(trace.y), trace.mode) for trace in plain.data] == [
        ("one", [0.5, 0.7], "lines"),
        ("&lt;b&gt;two", [0.6], "lines+markers"),
    ]
    raw, shown, *_ = overlaid(runs, "val_auc", 0.5).data
    assert (list(raw.y), raw.opacity, raw.showlegend) == ([0.5, 0.7], 0.35, False)
    assert list(shown.y) == pytest.approx([0.5, (0.25 + 0.7) / 1.5])
    assert (raw.line.color, shown.line.dash) == (shown.line.color, "solid")
    assert len(overlaid(runs, "val_loss").data) == 0  # a column that the file lacks
    assert plain.layout.yaxis.title.text == CURVES["val_auc"]


def test_a_long_name_keeps_its_ends() -> None:
    assert shortened("short") == "short"
    assert shortened("20261128-0102-efficientnet_b0-distilled-seed3") == "20261128-0102-…istilled-seed3"


def test_the_front_is_a_line_through_its_points_and_who_knows_films_is_hollow() -> None:
    points = (
        Point("light", Estimate(0.7, 0.68, 0.73), 2.0),
        Point("worse", Estimate(0.69), 3.0),
        Point("taught", Estimate(0.9, 0.88, 0.92), 1.0, known=True),
    )
    front, others, known = pareto_figure(Plot(points, ()), "MB", f"{SPLIT}, 2020 labels").data
    assert (list(front.x), list(front.y), list(front.customdata)) == ([2.0], [0.7], ["light"])
    assert [*front.error_y.array, *front.error_y.arrayminus] == pytest.approx([0.03, 0.02])
    assert (list(others.x), list(others.error_y.array), list(others.text)) == ([3.0], [0.0], ["worse"])
    assert (list(known.x), known.marker.symbol) == ([1.0], "x-open")


def test_an_interval_that_begins_at_0_is_drawn_to_0() -> None:
    plot = Plot((Point("first", Estimate(0.4, 0.0, 0.98), 2.0),), ())
    front = pareto_figure(plot, "MB", SPLIT).data[0]
    assert [*front.error_y.array, *front.error_y.arrayminus] == pytest.approx([0.58, 0.4])


@pytest.mark.parametrize(
    ("auc", "limits"),
    [
        (Estimate(0.45), [0.4, 0.5]),
        (Estimate(0.4, 0.0, 0.98), [0.0, 1.0]),
        (Estimate(0.7, 0.65, 0.75), [0.6, 0.8]),
    ],
)
def test_the_axis_of_one_run_is_that_of_an_auc(auc: Estimate, limits: list[float]) -> None:
    figure = pareto_figure(Plot((Point("first", auc, 2.0),), ()), "MB", SPLIT)
    assert list(figure.layout.yaxis.range) == pytest.approx(limits)


def test_names_of_close_points_do_not_cover_each_other() -> None:
    close = [Point(f"seed{number}", Estimate(0.7, 0.6, 0.8), 2.0 + number / 10) for number in range(3)]
    points = (*close, Point("light", Estimate(0.6, 0.5, 0.7), 0.5), Point("dear", Estimate(0.75), 9.0))
    traces = pareto_figure(Plot(points, ()), "MB", SPLIT).data
    sides = {
        name: side
        for one in traces
        for name, side in zip(one.text or (), one.textposition or (), strict=True)
    }
    assert sides == {
        "light": "top right",
        "seed0": "top right",
        "seed1": "bottom right",
        "seed2": "middle right",
        "dear": "middle left",
    }


def test_the_fronts_line_strikes_through_no_name() -> None:
    points = (Point("light", Estimate(0.6), 0.5), Point("dear", Estimate(0.75), 9.0))
    [front, *_] = pareto_figure(Plot(points, ()), "MB", SPLIT).data
    assert dict(zip(front.text, front.textposition, strict=True)) == {
        "light": "top right",
        "dear": "middle left",
    }


def test_of_many_points_only_those_of_the_front_are_named() -> None:
    points = tuple(Point(f"run{number}", Estimate(0.5 - number / 100), 1.0 + number) for number in range(13))
    front, others, _ = pareto_figure(Plot(points, ()), "latency", SPLIT).data
    assert (list(front.text), others.text, len(others.x)) == (["run0"], None, 12)
