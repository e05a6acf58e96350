"""Plotly figures from plain data, in one quiet style for dark and light pages. No streamlit, no torch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from xlite.findings import FINDINGS, spoken

# One colour a line; the fourteen findings fit.
PALETTE = (
    "#56b8b1", "#e3b05b", "#7ea9ea", "#e58293", "#a8cf74", "#b195e8", "#e79a6c",
    "#6fc7e6", "#d9d28a", "#c78bb9", "#8fb8a0", "#9aa7f0", "#d3a08c", "#a7b4c0",
)  # fmt: skip
QUIET, GRID = "#5d6b78", "rgba(140,155,170,0.22)"


@dataclass(frozen=True)
class RocCurve:
    """One line of a ROC figure: false and true positive rates 0-1, and what the legend says."""

    label: str
    fpr: Sequence[float]
    tpr: Sequence[float]


def _style(figure: go.Figure, height: int, source: str = "") -> go.Figure:
    # Two lines fit a phone; Streamlit's theme would set the title in bold.
    text = f'<span style="font-weight:400">{source.replace(": ", "<br>", 1)}</span>' if source else ""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 60 if source else 36, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"title": None, "font": {"size": 13}},
        title={"text": text, "font": {"size": 12, "color": "#8d9aa6"}, "x": 0, "y": 1, "yanchor": "top"},
        title_pad={"t": 14},
    )
    lines = {"showgrid": True, "gridcolor": GRID, "zeroline": False, "linecolor": GRID, "automargin": True}
    figure.update_xaxes(**lines)
    return figure.update_yaxes(**lines)


def roc_figure(curves: Sequence[RocCurve], source: str) -> go.Figure:
    """ROC curves in one square; `source` (split, part, n, labels) is printed over it."""
    figure = go.Figure(go.Scatter(x=[0, 1], y=[0, 1], mode="lines", hoverinfo="skip", showlegend=False))
    figure.data[0].line = {"color": QUIET, "width": 1, "dash": "dot"}
    for curve, color in zip(curves, _colors(len(curves)), strict=True):
        figure.add_scatter(
            x=curve.fpr, y=curve.tpr, mode="lines", name=curve.label, line={"color": color, "width": 2},
            hovertemplate="false positives %{x:.3f}<br>true positives %{y:.3f}",
        )  # fmt: skip
    figure.update_xaxes(title="1 − specificity", range=[0, 1], constrain="domain")
    figure.update_yaxes(title="sensitivity", range=[0, 1.005], scaleanchor="x", constrain="domain")
    # Below, and wrapped by plotly as the width allows: beside the square there is no room on a phone.
    figure.update_layout(legend={"orientation": "h", "y": -0.13, "yanchor": "top", "x": 0})
    return _style(figure, 600, source)


def roc_grid(panels: Mapping[str, Sequence[RocCurve]], source: str, columns: int = 4) -> go.Figure:
    """A small ROC panel a finding; within a panel a line a model, its label (the AUC) written inside."""
    rows = -(-len(panels) // columns)
    figure = make_subplots(
        rows, columns, subplot_titles=[spoken(name) for name in panels], horizontal_spacing=0.03,
        vertical_spacing=0.25 / max(rows, 1), shared_xaxes=True, shared_yaxes=True,
    )  # fmt: skip
    for place, curves in enumerate(panels.values()):
        row, column = place // columns + 1, place % columns + 1
        figure.add_scatter(
            x=[0, 1], y=[0, 1], mode="lines", line={"color": QUIET, "width": 1, "dash": "dot"},
            hoverinfo="skip", showlegend=False, row=row, col=column,
        )  # fmt: skip
        for line, (curve, color) in enumerate(zip(curves, _colors(len(curves)), strict=True)):
            figure.add_scatter(
                x=curve.fpr, y=curve.tpr, mode="lines", line={"color": color, "width": 1.8}, name=curve.label,
                showlegend=False, row=row, col=column,
            )  # fmt: skip
            figure.add_annotation(
                text=curve.label, x=0.98, y=0.04 + 0.14 * (len(curves) - 1 - line), xanchor="right",
                yanchor="bottom", showarrow=False, font={"size": 11, "color": color}, row=row, col=column,
            )  # fmt: skip
    figure.update_xaxes(range=[0, 1], tickvals=[0, 0.5, 1], ticktext=["0", ".5", "1"])
    figure.update_yaxes(range=[0, 1.02], tickvals=[0, 0.5, 1], ticktext=["0", ".5", "1"])
    figure.for_each_annotation(
        lambda note: note.update(font={"size": 13}), selector={"xanchor": "center", "showarrow": False}
    )
    return _style(figure, 80 + 200 * rows, source).update_layout(margin={"t": 80})


def auc_figure(models: Mapping[str, Mapping[str, Mapping[str, float | None]]], source: str) -> go.Figure:
    """AUC of each finding with its interval, a colour a model: {model: {finding: {value, low, high}}}."""
    figure = go.Figure()
    names = list(FINDINGS)[::-1]
    for place, (model, color) in enumerate(zip(models, _colors(len(models)), strict=True)):
        shift = (place - (len(models) - 1) / 2) * -0.6 / max(len(models), 1)
        defined = [name for name in names if models[model][name]["value"] is not None]
        values = np.array([models[model][name]["value"] for name in defined], float)
        low = np.array(
            [_number(models[model][name]["low"], models[model][name]["value"]) for name in defined]
        )
        high = np.array(
            [_number(models[model][name]["high"], models[model][name]["value"]) for name in defined]
        )
        figure.add_scatter(
            x=values, y=[names.index(name) + shift for name in defined], mode="markers", name=model,
            marker={"color": color, "size": 9}, text=[spoken(name) for name in defined],
            error_x={"array": high - values, "arrayminus": values - low, "color": color, "thickness": 1.5},
            hovertemplate="%{text} %{x:.3f}",
        )  # fmt: skip
    figure.add_vline(x=0.5, line={"color": QUIET, "width": 1, "dash": "dot"})
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=[spoken(name) for name in names])
    figure.update_xaxes(title="AUC with 95 % interval")
    figure.update_layout(
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"}, showlegend=len(models) > 1
    )
    return _style(figure, 560, source)


def learning_curves(metrics: pd.DataFrame) -> go.Figure:
    """Loss (left) and validation AUC (right) by epoch, from a run's metrics.csv."""
    figure = make_subplots(1, 2, subplot_titles=["Loss", "Validation AUC"], horizontal_spacing=0.1)
    lines = [(1, "train_loss", "training"), (1, "val_loss", "validation"), (2, "val_auc", "macro AUC")]
    for (column, name, label), color in zip(lines, (PALETTE[1], PALETTE[2], PALETTE[0]), strict=True):
        if name in metrics:
            figure.add_scatter(
                x=metrics["epoch"], y=metrics[name], name=label, mode="lines+markers", row=1, col=column,
                line={"color": color, "width": 2}, marker={"size": 5}, showlegend=column == 1,
            )  # fmt: skip
    if "val_auc" in metrics and metrics["val_auc"].notna().any():
        best = metrics.loc[metrics["val_auc"].idxmax()]
        figure.add_scatter(
            x=[best["epoch"]], y=[best["val_auc"]], mode="markers+text", text=[f"{best['val_auc']:.3f}"],
            textposition="bottom center", showlegend=False, row=1, col=2, hoverinfo="skip",
            marker={"size": 11, "color": PALETTE[0], "symbol": "circle-open", "line": {"width": 2}},
        )  # fmt: skip
    _by_epoch(figure, metrics)
    figure.update_yaxes(range=_limits(metrics.filter(["train_loss", "val_loss"]), math.inf), col=1)
    figure.update_yaxes(range=_limits(metrics.filter(["val_auc"])), col=2)
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": -0.3, "yanchor": "top"})
    return _style(figure, 320)


def finding_curves(metrics: pd.DataFrame) -> go.Figure | None:
    """Validation AUC of each finding by epoch, from a run's metrics.csv; None where no finding has one."""
    figure = go.Figure()
    for finding, color in zip(FINDINGS, PALETTE, strict=True):
        column = f"val_auc_{finding}"
        if column in metrics and metrics[column].notna().any():
            figure.add_scatter(
                x=metrics["epoch"], y=metrics[column], name=spoken(finding), mode="lines+markers",
                line={"color": color, "width": 1.5}, marker={"size": 4}, hovertemplate="epoch %{x}: %{y:.3f}",
            )  # fmt: skip
    if not figure.data:
        return None
    figure.add_hline(y=0.5, line={"color": QUIET, "width": 1, "dash": "dot"})
    _by_epoch(figure, metrics)
    figure.update_yaxes(title="validation AUC", range=_limits(metrics.filter(like="val_auc_")))
    figure.update_layout(showlegend=True)
    return _style(figure, 380)


def trials_figure(configurations: Mapping[str, Sequence[float]]) -> go.Figure:
    """Validation AUC of each configuration, the first on top: a point a seed, a bar at their mean."""
    names = list(configurations)[::-1]
    figure = go.Figure()
    points = [(auc, place) for place, name in enumerate(names) for auc in configurations[name]]
    figure.add_scatter(
        x=[auc for auc, _ in points], y=[place for _, place in points], mode="markers", name="one seed",
        marker={"color": PALETTE[0], "size": 9, "opacity": 0.8}, hovertemplate="%{x:.4f}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[float(np.mean(configurations[name])) for name in names], y=list(range(len(names))), name="mean",
        mode="markers", marker={"symbol": "line-ns", "size": 18, "line": {"width": 2, "color": PALETTE[1]}},
        hovertemplate="mean %{x:.4f}<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, range=[-0.6, len(names) - 0.4])
    figure.update_xaxes(title="validation AUC")
    figure.update_layout(legend={"orientation": "h", "y": 1, "yanchor": "bottom"})
    return _style(figure, 130 + 34 * len(names))


def probability_bars(
    probabilities: Sequence[float], thresholds: Mapping[str, float] | None, height: int = 560
) -> go.Figure:
    """All 14 probabilities (0-1, NIH order) as bars, the likeliest on top, each model threshold as a tick."""
    order = sorted(range(len(FINDINGS)), key=lambda place: probabilities[place])
    names = [FINDINGS[place] for place in order]
    values = [float(probabilities[place]) for place in order]
    over = [
        thresholds is not None and value >= thresholds[name]
        for name, value in zip(names, values, strict=True)
    ]
    figure = go.Figure(
        go.Bar(
            x=values, y=[spoken(name) for name in names], orientation="h", name="probability",
            marker={"color": [PALETTE[0] if flag else QUIET for flag in over], "cornerradius": 3},
            hovertemplate="%{y} %{x:.1%}<extra></extra>",
        )
    )  # fmt: skip
    if thresholds is not None:
        figure.add_scatter(
            x=[thresholds[name] for name in names], y=[spoken(name) for name in names], mode="markers",
            marker={"symbol": "line-ns", "size": 14, "line": {"width": 2, "color": PALETTE[1]}},
            name="threshold", hovertemplate="threshold %{x:.1%}<extra></extra>",
        )  # fmt: skip
    for name, value, flag in zip(names, values, over, strict=True):
        figure.add_annotation(
            text=f"<b>{value:.1%}</b>" if flag else f"{value:.1%}", y=spoken(name), x=1, xref="paper",
            xanchor="right", showarrow=False, xshift=52, font={"size": 13},
        )  # fmt: skip
    top = max([*values, *(thresholds or {}).values(), 0.1])
    figure.update_xaxes(range=[0, min(1.0, 1.08 * top)], tickformat=".0%", nticks=5)
    figure.update_layout(bargap=0.35, showlegend=False)
    figure = _style(figure, height).update_layout(margin={"r": 60, "t": 8})
    return figure.update_yaxes(showgrid=False, tickfont={"size": 13})


def _by_epoch(figure: go.Figure, metrics: pd.DataFrame) -> None:
    """The axis of the epochs there are: of a single one plotly would show a zeroth and more below it."""
    last = int(metrics["epoch"].max())
    room = 0.04 * max(1, last - 1)
    limits = [1 - room, last + room]
    figure.update_xaxes(title="epoch", tickformat="d", dtick=max(1, len(metrics) // 10), range=limits)


def _limits(values: pd.DataFrame, most: float = 1.0) -> list[float] | None:
    """An axis with room for values of 0 to `most` and no further; None where there is no value."""
    low, high = values.min().min(), values.max().max()
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    room = max(0.08 * (high - low), 0.05)
    return [max(0.0, low - room), min(most, high + room)]


def _colors(count: int) -> list[str]:
    return [PALETTE[place % len(PALETTE)] for place in range(count)]


def _number(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
