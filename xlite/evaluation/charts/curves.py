"""Lines over two rates: ROC, precision-recall and reliability."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from xlite.evaluation.charts.parts import bars, chance, colors
from xlite.evaluation.wording import interval
from xlite.findings import spoken
from xlite.plots import PALETTE, QUIET, style

LEAST_IN_BIN = 10
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


def finding_curves(
    models: Sequence[tuple[str, dict, dict]], findings: Sequence[str], kind: str
) -> list[Curve]:
    """A curve for each of those findings and models (name, metrics.json, curves.json), its area in the label.

    Models are named where there are several.
    """
    area = "auc" if kind == "roc" else "ap"
    return [
        curve_of(
            curves[finding],
            kind,
            f"{spoken(finding)}{f' {name}' if len(models) > 1 else ''}  "
            + interval(report["per_class"][finding][area]),
        )
        for finding in findings
        for name, report, curves in models
    ]


def curves_figure(
    curves: Sequence[Curve], source: str, kind: str = "roc", palette: Sequence[str] = PALETTE
) -> go.Figure:
    """ROC ("roc") or precision-recall ("pr") curves in one square, with their bands."""
    figure = go.Figure()
    if kind == "roc":
        figure.add_scatter(x=[0, 1], y=[0, 1], **chance())
    for curve, color in zip(curves, colors(palette, len(curves)), strict=True):
        _draw(figure, curve, color, width=2)
    across, up = ("1 − specificity", "sensitivity") if kind == "roc" else ("recall", "precision")
    figure.update_xaxes(title=across, range=[0, 1], constrain="domain")
    figure.update_yaxes(title=up, range=[0, 1.005], scaleanchor="x", constrain="domain")
    # Below, and wrapped by plotly as the width allows: beside the square there is no room on a phone.
    figure.update_layout(legend={"orientation": "h", "y": -0.13, "yanchor": "top", "x": 0})
    return style(figure, 600, source)


def curves_grid(
    panels: Mapping[str, Sequence[Curve]], source: str, kind: str = "roc", palette: Sequence[str] = PALETTE
) -> go.Figure:
    """A small panel a finding; within it a line a model with its band, its label written inside."""

    def fill(figure: go.Figure, finding: str, place: dict[str, int]) -> None:
        curves = panels[finding]
        if kind == "roc":
            figure.add_scatter(x=[0, 1], y=[0, 1], **chance(), **place)
        for line, (curve, color) in enumerate(zip(curves, colors(palette, len(curves)), strict=True)):
            _draw(figure, curve, color, width=1.6, **place)
            high = 0.04 + 0.14 * (len(curves) - 1 - line) if kind == "roc" else 0.96 - 0.14 * line
            _write(figure, curve.label, color, high, "bottom" if kind == "roc" else "top", place)

    figure = _grid(list(panels), fill, source)
    figure.update_xaxes(range=[0, 1], tickvals=[0, 0.5, 1], ticktext=["0", ".5", "1"])
    return figure.update_yaxes(range=[0, 1.02], tickvals=[0, 0.5, 1], ticktext=["0", ".5", "1"])


def reliability_grid(curves: Mapping[str, dict], source: str, palette: Sequence[str] = PALETTE) -> go.Figure:
    """A reliability diagram a finding from curves.json: share of positives over probability, bin by bin.

    Bins of fewer than LEAST_IN_BIN films are left out.
    """

    def fill(figure: go.Figure, finding: str, place: dict[str, int]) -> None:
        bins = curves[finding]
        before = bins.get("reliability_before")
        shown = [_filled(bins["reliability"]), *([_filled(before)] if before else [])]
        top = max([0.02, *(value for one in shown for value in (*one["probability"], *one["share"]))]) * 1.08
        figure.add_scatter(x=[0, top], y=[0, top], **chance(), **place)
        for one, color in zip(shown[::-1], (QUIET, palette[0])[-len(shown) :], strict=True):
            _bins(figure, one, color, place, hollow=color == QUIET)
        figure.update_xaxes(range=[0, top], nticks=3, **place)
        figure.update_yaxes(range=[0, top], nticks=3, **place)

    return _grid(list(curves), fill, source).update_xaxes(tickformat=".2~f").update_yaxes(tickformat=".2~f")


def _draw(figure: go.Figure, curve: Curve, color: str, width: float, **place: int) -> None:
    """A curve with its band under it."""
    x, low, high = (list(curve.band[key]) for key in ("x", "low", "high"))
    if x:
        figure.add_scatter(
            x=[*x, *x[::-1]], y=[*high, *low[::-1]], mode="lines", fill="toself",
            fillcolor=_faint(color), line={"width": 0}, hoverinfo="skip", showlegend=False, **place,
        )  # fmt: skip
    figure.add_scatter(
        x=curve.x, y=curve.y, mode="lines", name=curve.label, line={"color": color, "width": width},
        showlegend=not place, hovertemplate="%{x:.3f}, %{y:.3f}", **place,
    )  # fmt: skip


def _bins(figure: go.Figure, bins: dict, color: str, place: dict[str, int], hollow: bool = False) -> None:
    """The bins of a reliability diagram, with bars where they have a band."""
    share = np.array(bins["share"], float)
    low, high = (np.array(bins[end], float) for end in ("low", "high"))
    figure.add_scatter(
        x=bins["probability"], y=share, mode="markers+lines", showlegend=False, text=bins["films"],
        line={"color": color, "width": 1}, opacity=0.55 if hollow else 1,
        marker={"color": color, "size": 5, "symbol": "circle-open" if hollow else "circle"},
        error_y=None if hollow else bars(share, low, high, color),
        hovertemplate="%{x:.3f}: %{y:.3f} of %{text} films<extra></extra>", **place,
    )  # fmt: skip


def _filled(bins: dict) -> dict[str, list]:
    """The bins with enough films to show."""
    keep = [place for place, films in enumerate(bins["films"]) if films >= LEAST_IN_BIN]
    return {name: [values[place] for place in keep] for name, values in bins.items()}


def _grid(
    names: Sequence[str], fill: Callable[[go.Figure, str, dict[str, int]], None], source: str
) -> go.Figure:
    """Small panels, one a finding, each filled by `fill(figure, finding, {"row", "col"})`."""
    rows = -(-len(names) // _COLUMNS)
    figure = make_subplots(
        rows, _COLUMNS, subplot_titles=[spoken(name) for name in names], horizontal_spacing=0.06,
        vertical_spacing=0.25 / max(rows, 1),
    )  # fmt: skip
    for place, name in enumerate(names):
        fill(figure, name, {"row": place // _COLUMNS + 1, "col": place % _COLUMNS + 1})
    titles = {"xanchor": "center", "showarrow": False}
    figure.for_each_annotation(lambda note: note.update(font={"size": 13}), selector=titles)
    return style(figure, 96 + 200 * rows, source).update_layout(margin={"t": 96})


def _write(figure: go.Figure, text: str, color: str, high: float, anchor: str, place: dict[str, int]) -> None:
    figure.add_annotation(
        text=text, x=0.98, y=high, xanchor="right", yanchor=anchor, showarrow=False,
        font={"size": 11, "color": color}, **place,
    )  # fmt: skip


def _faint(color: str) -> str:
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"
