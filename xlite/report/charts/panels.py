"""A chart of small panels, one a finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from xlite.findings import spoken
from xlite.plots import AXIS, QUIET, quiet_layout

if TYPE_CHECKING:  # loaded when a figure is made
    import plotly.graph_objects as go

_COLUMNS = 4


class Panel(NamedTuple):
    """A small panel: its finding, traces, settings of its two axes, and notes at its right edge."""

    finding: str
    traces: list[dict[str, Any]]
    axes: tuple[dict[str, Any], dict[str, Any]]
    notes: list[dict[str, Any]]


def panel_grid(panels: Sequence[Panel], source: tuple[str, ...]) -> go.Figure:
    """Small panels, four a row; built as plain data and checked by plotly once, which saves seconds."""
    import plotly.graph_objects as go

    rows = -(-len(panels) // _COLUMNS)
    traces, notes, layout = [], [], quiet_layout(96 + 200 * rows, source)
    layout["margin"]["t"] = 104
    wide, high = (1 - 0.18) / _COLUMNS, 0.78 / max(rows, 1)
    for number, panel in enumerate(panels):
        left = (number % _COLUMNS) * (wide + 0.06)
        foot = 1 - (number // _COLUMNS) * (high + 0.22 / max(rows - 1, 1)) - high
        name = str(number + 1) if number else ""
        for side, domain, other, axis in (
            ("x", [left, left + wide], "y", panel.axes[0]),
            ("y", [foot, foot + high], "x", panel.axes[1]),
        ):
            layout[f"{side}axis{name}"] = {**AXIS, **axis, "domain": domain, "anchor": f"{other}{name}"}
        traces += [
            {"showlegend": False, **trace, "xaxis": f"x{name}", "yaxis": f"y{name}"} for trace in panel.traces
        ]
        title = {"text": spoken(panel.finding), "x": left + wide / 2, "y": foot + high, "font": {"size": 13}}
        notes.append({**title, "xref": "paper", "yref": "paper", "xanchor": "center", "yanchor": "bottom"})
        notes += [
            {"x": 0.98, "xref": f"x{name}", "yref": f"y{name}", "xanchor": "right", **note}
            for note in panel.notes
        ]
    layout["annotations"] = [{"showarrow": False, **note} for note in notes]
    return go.Figure(traces, layout)


def diagonal(top: float = 1) -> list[dict[str, Any]]:
    """The line of chance, or of perfect calibration."""
    line = {"color": QUIET, "width": 1, "dash": "dot"}
    ends = {"x": [0, top], "y": [0, top], "mode": "lines", "line": line}
    return [{**ends, "hoverinfo": "skip", "showlegend": False}]
