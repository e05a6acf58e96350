"""Curves of many runs over each other, and AUC against cost: Plotly figures that colour-blind readers can
read, as each line has a dash of its own. No torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import cycle, islice, pairwise
from typing import TYPE_CHECKING, Any

from xlite.plots import QUIET, limits, plain_label, style
from xlite.runs.pareto import TITLES, Plot, Point

if TYPE_CHECKING:  # loaded when a figure is made
    import pandas as pd
    import plotly.graph_objects as go

COLORS = ("#0a9fd6", "#d9702b", "#16a37b", "#c66aa8", "#b08a1e", "#8a86e0", "#8b949e")
"""After Okabe and Ito, of 3:1 and more on dark and on white pages."""
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MOST_RUNS = len(COLORS) * len(DASHES)
"""So many runs have each a pair of colour and dash of their own."""
CURVES = {"val_auc": "validation AUC", "val_loss": "validation loss", "train_loss": "training loss"}
"""What is drawn of the epochs, by the columns of metrics.csv."""
_LONGEST = 30
_MANY_POINTS = 12
_LINES, _LETTER = 18, 0.011
"""Of the chart with costs: the lines of text that it is high, and a letter's share of its width."""


def smoothed(values: Sequence[float], weight: float) -> list[float]:
    """The exponential moving average of the values, `weight` 0-1 of the past, without its bias to zero.

    The first values are not drawn towards zero: each is the weighted mean of those up to it. NaN stays NaN,
    and counts for none of the others.
    """
    mean, total, result = 0.0, 0.0, []
    for value in values:
        if math.isnan(value):
            result.append(math.nan)
            continue
        mean = weight * mean + (1 - weight) * value
        total = weight * total + (1 - weight)
        result.append(mean / total)
    return result


def lines(count: int) -> list[dict[str, str]]:
    """A pair of colour and dash for each of so many lines; neighbours differ in both."""
    pairs = zip(cycle(COLORS), cycle(DASHES), strict=False)
    return [{"color": color, "dash": dash} for color, dash in islice(pairs, count)]


def overlaid(epochs: Mapping[str, pd.DataFrame], column: str, smoothing: float = 0.0) -> go.Figure:
    """One of CURVES by epoch of many runs, by their names; smoothed ones over the faint raw ones."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for (name, table), line in zip(epochs.items(), lines(len(epochs)), strict=True):
        if column not in table:
            continue
        raw = [float(value) for value in table[column]]
        shown = {"name": plain_label(shortened(name)), "legendgroup": name, "x": table["epoch"]}
        hover = f"{plain_label(name)}, epoch %{{x}}: %{{y:.4f}}<extra></extra>"
        if smoothing:
            faint = {"color": line["color"], "width": 1}
            figure.add_scatter(
                **shown, y=raw, mode="lines", line=faint, opacity=0.35, showlegend=False, hoverinfo="skip"
            )
        figure.add_scatter(
            **shown, y=smoothed(raw, smoothing) if smoothing else raw, line={**line, "width": 2},
            mode="lines+markers" if len(raw) == 1 else "lines", showlegend=True, hovertemplate=hover,
        )  # fmt: skip
    figure.update_xaxes(title="epoch", tickformat="d")
    figure.update_yaxes(title=CURVES[column])
    # Below, and wrapped by plotly as the width allows: beside the curves there is no room on a phone.
    legend = {"orientation": "h", "x": 0, "y": -0.22, "yanchor": "top", "entrywidth": 0}
    figure.update_layout(legend=legend, hovermode="closest")
    rows = math.ceil(len(figure.data) / 3)
    return style(figure, 360 + 18 * rows)


def shortened(name: str) -> str:
    """A name of a legend's width, without its middle if it is longer: seeds and dates stand at the ends."""
    if len(name) <= _LONGEST:
        return name
    half = (_LONGEST - 1) // 2
    return f"{name[:half]}…{name[-half:]}"


def pareto_figure(plot: Plot, cost: str, source: str) -> go.Figure:
    """Test AUC with 95 % intervals against what the models cost, with the front as a line through its points.

    Hollow crosses are runs that know test films. A few runs are named, of many only those of the front.
    """
    import plotly.graph_objects as go

    front = plot.front
    others = [one for one in plot.points if one not in front and not one.known]
    known = [one for one in plot.points if one.known]
    named = len(plot.points) <= _MANY_POINTS
    figure = go.Figure()
    steps = {"color": COLORS[1], "width": 2, "shape": "hv"}
    dearest = max((one.cost for one in plot.points), default=1.0)
    low, high = _auc_limits(plot.points)
    sides = _sides(plot.points if named else front, front, dearest, (high - low) / _LINES)
    figure.add_scatter(
        **_points(front, sides), name="front: none cheaper is better", mode="lines+markers+text", line=steps,
        marker={"size": 11, "color": COLORS[1], "symbol": "diamond"},
    )  # fmt: skip
    figure.add_scatter(
        **_points(others, sides), name="others", mode="markers+text",
        marker={"size": 8, "color": COLORS[0], "symbol": "circle"},
    )  # fmt: skip
    figure.add_scatter(
        **_points(known, sides), name="knows test films, out of the contest", mode="markers+text",
        marker={"size": 9, "color": COLORS[6], "symbol": "x-open"},
    )  # fmt: skip
    figure.update_xaxes(title=TITLES[cost], range=[0, 1.08 * dearest])
    figure.update_yaxes(title="test AUC", range=[low, high])
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": -0.18, "yanchor": "top"}, showlegend=True)
    return style(figure, 440, (source,))


def _auc_limits(points: Sequence[Point]) -> list[float]:
    """Limits of the axis that fit all intervals: of a single point without one Plotly would show 1 around."""
    ends = [end for one in points for end in (one.auc.low, one.auc.value, one.auc.high) if end is not None]
    return limits(min(ends, default=0.0), max(ends, default=1.0))


def _sides(points: Sequence[Point], front: Sequence[Point], dearest: float, line: float) -> dict[str, str]:
    """Where the name of each point stands, by its run: beside the bar of its interval, on the side with room.

    Of points so close that their names would cover each other, the next ones stand above and below, as do
    those that the front's line would strike through; `line` is how much AUC a line of text is high.
    """
    steps = sorted(front, key=lambda point: point.cost)
    struck = [(one.cost, after.cost, one.auc.value or 0.0) for one, after in pairwise(steps)]
    taken: list[tuple[float, float, float]] = []
    sides = {}
    for one in sorted(points, key=lambda point: point.cost):
        side, way = ("left", -1) if one.cost > dearest / 2 else ("right", 1)
        width = way * _LETTER * len(shortened(one.run)) * dearest
        x0, x1 = sorted((one.cost, one.cost + width))
        value = one.auc.value or 0.0
        places = {"middle": value, "top": value + line, "bottom": value - line}
        clear = [
            {
                place
                for place, y in places.items()
                if all(abs(y - at) >= 0.9 * line for low, high, at in marks if low < x1 and x0 < high)
            }
            for marks in ([*taken, *struck], taken)
        ]
        place = next((place for free in clear for place in places if place in free), "middle")
        taken.append((x0, x1, places[place]))
        sides[one.run] = f"{place} {side}"
    return sides


def _points(points: Sequence[Point], sides: Mapping[str, str]) -> dict[str, Any]:
    """Places and intervals of points, as a trace has them, and the names of those whose side is given."""
    named = all(one.run in sides for one in points)
    values = [one.auc.value or 0.0 for one in points]
    above = [0.0 if one.auc.high is None else one.auc.high - (one.auc.value or 0.0) for one in points]
    below = [0.0 if one.auc.low is None else (one.auc.value or 0.0) - one.auc.low for one in points]
    return {
        "x": [one.cost for one in points],
        "y": values,
        "error_y": {"array": above, "arrayminus": below, "thickness": 1, "width": 3, "color": QUIET},
        "text": [plain_label(shortened(one.run)) for one in points] if named else None,
        "textposition": [sides[one.run] for one in points] if named and points else None,
        "customdata": [plain_label(one.run) for one in points],
        "hovertemplate": "%{customdata}: AUC %{y:.3f}, %{x:.3g}<extra></extra>",
    }
