"""Lines over two rates: ROC and precision-recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from xlite.findings import spoken
from xlite.metrics.bands import FindingCurves
from xlite.metrics.estimate import Estimate
from xlite.plots import PALETTE, QUIET, plain_label, style
from xlite.report.charts.lines import DASHES
from xlite.report.charts.panels import Panel, diagonal, panel_grid
from xlite.report.charts.paper import colors
from xlite.report.view import View, metric_cell
from xlite.text import NOT_LABELLED

if TYPE_CHECKING:  # loaded when a figure is made
    import plotly.graph_objects as go

MOST_BANDS = 2


Kind = Literal["roc", "pr"]


@dataclass(frozen=True)
class Curve:
    """A line of a chart: its name, x and y 0-1, and a band of y over x from `low` to `high`.

    hue: the place of its colour in the palette; dash: one of DASHES.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    band_x: Sequence[float] = ()
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    hue: int = 0
    dash: str = DASHES[0]


@dataclass(frozen=True)
class Mark:
    """A point of a chart, x and y 0-1, and what it is."""

    x: float
    y: float
    name: str


def curve_of(curves: FindingCurves, kind: Kind, name: str) -> Curve:
    """A finding's ROC ("roc") or precision-recall ("pr") curve."""
    if kind == "roc":
        roc, band = curves.roc, curves.roc.band
        return Curve(name, roc.fpr, roc.tpr, band.fpr, band.low, band.high)
    pr, above = curves.pr, curves.pr.band
    return Curve(name, pr.recall, pr.precision, above.recall, above.low, above.high)


def model_curves(models: Sequence[View], findings: Sequence[str], kind: Kind) -> list[Curve]:
    """A curve of each finding and model: a colour a finding, a dash a model, its area in the name.

    Models are named if there are several; areas on contaminated films are struck through.
    """
    curves = []
    for hue, finding in enumerate(findings):
        for view, dash in zip(models, DASHES, strict=False):
            name = f" {plain_label(view.report.model)}" if len(models) > 1 else ""
            area = view.marked(*_area(view, finding, kind))
            curve = curve_of(view.curves[finding], kind, f"{spoken(finding)}{name}  {area}")
            curves.append(replace(curve, hue=hue, dash=dash))
    return curves


def model_curves_words(models: Sequence[View], findings: Sequence[str], kind: Kind) -> str:
    """What a picture of `model_curves` shows, for who does not see it: each curve's name and area."""
    words = []
    for finding in findings:
        for view in models:
            name = f" {view.report.model}" if len(models) > 1 else ""
            value, absent = _area(view, finding, kind)
            area = metric_cell(value, view.contaminated, absent)
            words.append(f"{spoken(finding)}{name} {area.text}{' (struck through)' if area.struck else ''}")
    return "; ".join(words)


def _area(view: View, finding: str, kind: Kind) -> tuple[Estimate, str]:
    """The area under a finding's curve, and what is said if there is none."""
    one = view.report.per_class[finding]
    return (one.auc if kind == "roc" else one.ap), "undefined" if one.labelled else NOT_LABELLED


def curves_figure(
    curves: Sequence[Curve],
    source: tuple[str, ...],
    kind: Kind = "roc",
    palette: Sequence[str] = PALETTE,
    all_bands: bool = False,
    mark: Mark | None = None,
) -> go.Figure:
    """ROC ("roc") or precision-recall ("pr") curves in one square, with their bands, and a point on them.

    Of more than MOST_BANDS curves the first has its band alone, unless `all_bands` are wanted: over each
    other they blend into one.
    """
    import plotly.graph_objects as go

    traces = diagonal() if kind == "roc" else []
    for place, curve in enumerate(curves):
        banded = all_bands or len(curves) <= MOST_BANDS or place == 0
        traces += _drawn(curve, palette[curve.hue % len(palette)], 2, banded)
    if mark is not None:
        traces.append(_marked(mark, palette[1 % len(palette)]))
    figure = go.Figure(traces)
    across, up = ("1 − specificity", "sensitivity") if kind == "roc" else ("recall", "precision")
    figure.update_xaxes(title=across, range=[0, 1], constrain="domain")
    figure.update_yaxes(title=up, range=[0, 1.005], scaleanchor="x", constrain="domain")
    # Below, and wrapped by plotly as the width allows: beside the square there is no room on a phone.
    figure.update_layout(legend={"orientation": "h", "y": -0.13, "yanchor": "top", "x": 0}, showlegend=True)
    return style(figure, 600, source)


def curves_grid(
    panels: Mapping[str, Sequence[Curve]],
    source: tuple[str, ...],
    kind: Kind = "roc",
    palette: Sequence[str] = PALETTE,
) -> go.Figure:
    """A small panel a finding; within it a line a model with its band, its name written inside."""
    ticks = {"tickvals": [0, 0.5, 1], "ticktext": ["0", ".5", "1"]}
    axes = {"range": [0, 1], **ticks}, {"range": [0, 1.02], **ticks}
    drawn = []
    for finding, curves in panels.items():
        traces = diagonal() if kind == "roc" else []
        notes = []
        for line, (curve, color) in enumerate(zip(curves, colors(palette, len(curves)), strict=True)):
            traces += _drawn(curve, color, 1.6)
            high = 0.04 + 0.14 * (len(curves) - 1 - line) if kind == "roc" else 0.96 - 0.14 * line
            anchor = "bottom" if kind == "roc" else "top"
            notes.append(
                {"text": curve.name, "y": high, "yanchor": anchor, "font": {"size": 11, "color": color}}
            )
        drawn.append(Panel(finding, traces, axes, notes))
    return panel_grid(drawn, source)


def _drawn(curve: Curve, color: str, width: float, banded: bool = True) -> list[dict[str, Any]]:
    """A curve, with its band under it if it is to have one."""
    x, low, high = list(curve.band_x), list(curve.low), list(curve.high)
    band = {
        "x": [*x, *x[::-1]], "y": [*high, *low[::-1]], "mode": "lines", "fill": "toself",
        "fillcolor": _faint(color, 0.18), "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip
    line = {
        "x": curve.x, "y": curve.y, "mode": "lines", "name": curve.name,
        "line": {"color": color, "width": width, "dash": curve.dash}, "hovertemplate": "%{x:.3f}, %{y:.3f}",
    }  # fmt: skip
    return [band, line] if x and banded else [line]


def _marked(mark: Mark, color: str) -> dict[str, Any]:
    return {
        "x": [mark.x], "y": [mark.y], "mode": "markers", "name": mark.name,
        "marker": {"color": color, "size": 13, "symbol": "diamond", "line": {"width": 1.5, "color": QUIET}},
        "hovertemplate": "%{x:.3f}, %{y:.3f}", "cliponaxis": False,
    }  # fmt: skip


def _faint(color: str, opacity: float) -> str:
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
