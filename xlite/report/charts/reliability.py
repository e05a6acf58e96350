"""Reliability diagrams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from xlite.metrics.bands import Curves, Reliability
from xlite.plots import PALETTE, QUIET
from xlite.report.charts.intervals import error_bars
from xlite.report.charts.panels import Panel, diagonal, panel_grid
from xlite.text import NOT_LABELLED

if TYPE_CHECKING:  # loaded when a figure is made
    import plotly.graph_objects as go

LEAST_IN_BIN = 10


def reliability_grid(curves: Curves, source: tuple[str, ...], palette: Sequence[str] = PALETTE) -> go.Figure:
    """A reliability diagram a finding: share of positives over probability, bin by bin.

    Bins of fewer than LEAST_IN_BIN films are left out. Hollow: before calibration.
    """
    panels = []
    for finding, one in curves.items():
        before, after = one.reliability_before, one.reliability
        shown = [row for bins in (before, after) if bins is not None for row in _filled(bins)]
        values = [value for row in shown for value in (row.probability, row.share)]
        highs = [row.high for row in _filled(after) if row.high is not None]
        top = max([0.02, *values, *highs]) * 1.05
        traces = diagonal(top)
        if before is not None:
            traces.append(_bins(_filled(before), QUIET, hollow=True))
        traces.append(_bins(_filled(after), palette[0], hollow=False))
        # A little room on both sides: a point at the rim of the panel would be cut.
        axis = {"range": [-0.05 * top, top], "nticks": 3, "tickformat": ".2~f"}
        bare = {"text": NOT_LABELLED, "x": top / 2, "xanchor": "center", "y": 0.9 * top, "font": {"size": 11}}
        panels.append(Panel(finding, traces, (axis, axis), [] if after.films else [bare]))
    return panel_grid(panels, source)


class _Bin(NamedTuple):
    """One bin: its films, their mean probability and share of positives, and the share's interval."""

    films: int
    probability: float
    share: float
    low: float | None
    high: float | None


def _filled(bins: Reliability) -> list[_Bin]:
    """The bins with enough films to show."""
    rows = zip(bins.films, bins.probability, bins.share, bins.low, bins.high, strict=True)
    return [_Bin(*row) for row in rows if row[0] >= LEAST_IN_BIN]


def _bins(bins: Sequence[_Bin], color: str, hollow: bool) -> dict[str, Any]:
    share, low, high = (
        np.array([getattr(one, name) for one in bins], float) for name in ("share", "low", "high")
    )
    return {
        "x": [one.probability for one in bins], "y": share, "mode": "markers+lines",
        "text": [one.films for one in bins],
        "line": {"color": color, "width": 1}, "opacity": 0.55 if hollow else 1,
        "marker": {"color": color, "size": 5, "symbol": "circle-open" if hollow else "circle"},
        "error_y": None if hollow else error_bars(share, low, high, color),
        "hovertemplate": "%{x:.3f}: %{y:.3f} of %{text} films<extra></extra>",
    }  # fmt: skip
