"""Lines over two rates: ROC, precision-recall and reliability."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from xlite.findings import spoken
from xlite.plots import AXIS, PALETTE, QUIET, quiet_layout, style
from xlite.report.charts.paper import bars, colors, struck
from xlite.report.sentences import interval

LEAST_IN_BIN = 10
MOST_BANDS = 2
_COLUMNS = 4


@dataclass(frozen=True)
class Curve:
    """A line of a figure: its label, x and y 0-1, and a band of y over x {"x", "low", "high"}."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    band: Mapping[str, Sequence[float]] = field(default_factory=lambda: {"x": [], "low": [], "high": []})


def curve_of(points: dict, kind: str, label: str) -> Curve:
    """A finding's ROC ("roc") or precision-recall ("pr") curve from its entry in curves.json."""
    x, y = ("fpr", "tpr") if kind == "roc" else ("recall", "precision")
    line, band = points[kind], points[kind]["band"]
    return Curve(label, line[x], line[y], {"x": band[x], "low": band["low"], "high": band["high"]})


def model_curves(models: Sequence[tuple[str, dict, dict]], findings: Sequence[str], kind: str) -> list[Curve]:
    """A curve for each of those findings and models (name, metrics.json, curves.json), its area in the label.

    Models are named where there are several; areas on contaminated films are struck through.
    """
    area = "auc" if kind == "roc" else "ap"
    return [
        curve_of(
            curves[finding],
            kind,
            f"{spoken(finding)}{f' {name}' if len(models) > 1 else ''}  "
            + struck(report, interval(report["per_class"][finding][area])),
        )
        for finding in findings
        for name, report, curves in models
    ]


def curves_figure(
    curves: Sequence[Curve], source: str, kind: str = "roc", palette: Sequence[str] = PALETTE
) -> go.Figure:
    """ROC ("roc") or precision-recall ("pr") curves in one square, with their bands.

    Of more than MOST_BANDS curves the first has its band alone: over each other they blend into one.
    """
    traces = _diagonal(kind == "roc")
    for place, (curve, color) in enumerate(zip(curves, colors(palette, len(curves)), strict=True)):
        traces += _drawn(curve, color, 2, banded=len(curves) <= MOST_BANDS or place == 0)
    figure = go.Figure(traces)
    across, up = ("1 − specificity", "sensitivity") if kind == "roc" else ("recall", "precision")
    figure.update_xaxes(title=across, range=[0, 1], constrain="domain")
    figure.update_yaxes(title=up, range=[0, 1.005], scaleanchor="x", constrain="domain")
    # Below, and wrapped by plotly as the width allows: beside the square there is no room on a phone.
    figure.update_layout(legend={"orientation": "h", "y": -0.13, "yanchor": "top", "x": 0}, showlegend=True)
    return style(figure, 600, source)


def curves_grid(
    panels: Mapping[str, Sequence[Curve]], source: str, kind: str = "roc", palette: Sequence[str] = PALETTE
) -> go.Figure:
    """A small panel a finding; within it a line a model with its band, its label written inside."""
    ticks = {"tickvals": [0, 0.5, 1], "ticktext": ["0", ".5", "1"]}
    axes = {"range": [0, 1], **ticks}, {"range": [0, 1.02], **ticks}
    drawn = []
    for finding, curves in panels.items():
        traces, notes = _diagonal(kind == "roc"), []
        for line, (curve, color) in enumerate(zip(curves, colors(palette, len(curves)), strict=True)):
            traces += _drawn(curve, color, 1.6)
            high = 0.04 + 0.14 * (len(curves) - 1 - line) if kind == "roc" else 0.96 - 0.14 * line
            anchor = "bottom" if kind == "roc" else "top"
            notes.append(
                {"text": curve.label, "y": high, "yanchor": anchor, "font": {"size": 11, "color": color}}
            )
        drawn.append(_Panel(finding, traces, axes, notes))
    return _grid(drawn, source)


def reliability_grid(curves: Mapping[str, dict], source: str, palette: Sequence[str] = PALETTE) -> go.Figure:
    """A reliability diagram a finding from curves.json: share of positives over probability, bin by bin.

    Bins of fewer than LEAST_IN_BIN films are left out.
    """
    panels = []
    for finding, bins in curves.items():
        before = bins.get("reliability_before")
        shown = [*([_filled(before)] if before else []), _filled(bins["reliability"])]
        top = max([0.02, *(value for one in shown for value in (*one["probability"], *one["share"]))]) * 1.08
        traces = _diagonal(True, top)
        for one, color in zip(shown, (QUIET, palette[0])[-len(shown) :], strict=True):
            traces.append(_bins(one, color, hollow=color == QUIET))
        axis = {"range": [0, top], "nticks": 3, "tickformat": ".2~f"}
        panels.append(_Panel(finding, traces, (axis, axis), []))
    return _grid(panels, source)


def _diagonal(wanted: bool, top: float = 1) -> list[dict]:
    """The line of chance, or of perfect calibration."""
    line = {"color": QUIET, "width": 1, "dash": "dot"}
    trace = {"x": [0, top], "y": [0, top], "mode": "lines", "line": line}
    return [{**trace, "hoverinfo": "skip", "showlegend": False}] if wanted else []


def _drawn(curve: Curve, color: str, width: float, banded: bool = True) -> list[dict]:
    """A curve, with its band under it where that is wanted."""
    x, low, high = (list(curve.band[key]) for key in ("x", "low", "high"))
    band = {
        "x": [*x, *x[::-1]], "y": [*high, *low[::-1]], "mode": "lines", "fill": "toself",
        "fillcolor": _faint(color, 0.18), "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip
    line = {
        "x": curve.x, "y": curve.y, "mode": "lines", "name": curve.label,
        "line": {"color": color, "width": width}, "hovertemplate": "%{x:.3f}, %{y:.3f}",
    }  # fmt: skip
    return [band, line] if x and banded else [line]


def _bins(bins: dict, color: str, hollow: bool) -> dict:
    """The bins of a reliability diagram, with bars where they have a band."""
    share, low, high = (np.array(bins[name], float) for name in ("share", "low", "high"))
    return {
        "x": bins["probability"], "y": share, "mode": "markers+lines", "text": bins["films"],
        "line": {"color": color, "width": 1}, "opacity": 0.55 if hollow else 1,
        "marker": {"color": color, "size": 5, "symbol": "circle-open" if hollow else "circle"},
        "error_y": None if hollow else bars(share, low, high, color),
        "hovertemplate": "%{x:.3f}: %{y:.3f} of %{text} films<extra></extra>",
    }  # fmt: skip


def _filled(bins: dict) -> dict[str, list]:
    """The bins with enough films to show."""
    keep = [place for place, films in enumerate(bins["films"]) if films >= LEAST_IN_BIN]
    return {name: [values[place] for place in keep] for name, values in bins.items()}


class _Panel(NamedTuple):
    """A small panel: its finding, traces, settings of its two axes, and notes at its right edge."""

    finding: str
    traces: list[dict]
    axes: tuple[dict, dict]
    notes: list[dict]


def _grid(panels: Sequence[_Panel], source: str) -> go.Figure:
    """Small panels, four a row; built as plain data and checked by plotly once, which saves seconds."""
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


def _faint(color: str, opacity: float) -> str:
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
