"""Plotly figures from plain data, in one quiet style for dark and light pages. No streamlit, no torch."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xlite.findings import FINDINGS, spoken
from xlite.text import percent

if TYPE_CHECKING:  # loaded when a figure is made
    import plotly.graph_objects as go

# A colour for each of fourteen lines, as many as there are findings.
PALETTE = (
    "#56b8b1", "#e3b05b", "#7ea9ea", "#e58293", "#a8cf74", "#b195e8", "#e79a6c",
    "#6fc7e6", "#d9d28a", "#c78bb9", "#8fb8a0", "#9aa7f0", "#d3a08c", "#a7b4c0",
)  # fmt: skip
QUIET, GRID, ZONE = "#5d6b78", "rgba(140,155,170,0.22)", "rgba(227,176,91,0.16)"
BARE_AXIS = {"gridcolor": GRID, "zeroline": False, "automargin": True}
AXIS = {**BARE_AXIS, "showgrid": True, "linecolor": GRID}


def plain_label(text: str) -> str:
    """Text from outside, such as a model's name, as a figure shows it: Plotly has markup of its own."""
    return escape(text, quote=False)


def style(figure: go.Figure, height: int, source: tuple[str, ...] = ()) -> go.Figure:
    """The figure in the quiet style: no frame, thin lines, the source of its metrics above it, by lines."""
    figure.update_layout(**quiet_layout(height, source))
    figure.update_xaxes(**AXIS)
    return figure.update_yaxes(**AXIS)


def quiet_layout(height: int, source: tuple[str, ...] = ()) -> dict[str, Any]:
    """The layout of the quiet style, for figures built as plain dicts; AXIS is the style of their axes."""
    # Short lines fit a phone; Streamlit's theme would set the title in bold.
    text = f'<span style="font-weight:400">{"<br>".join(map(plain_label, source))}</span>' if source else ""
    return {
        **bare_layout(height, 72 if source else 36),
        "legend": {"title": None, "font": {"size": 13}},
        "title": {
            "text": text,
            "font": {"size": 12, "color": "#8d9aa6"},
            "x": 0,
            "y": 1,
            "yanchor": "top",
            "pad": {"t": 14},
        },
    }


def bare_layout(height: int, top: int) -> dict[str, Any]:
    """The part of the quiet layout that figures without a title share: size and margins (px), no frame."""
    return {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": top, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    }


def learning_curves(metrics: pd.DataFrame) -> go.Figure:
    """Loss (left) and validation AUC (right) by epoch, from a run's metrics.csv."""
    from plotly.subplots import make_subplots

    figure = make_subplots(1, 2, subplot_titles=["Loss", "Validation AUC"], horizontal_spacing=0.1)
    lines = [(1, "train_loss", "training"), (1, "val_loss", "validation"), (2, "val_auc", "mean AUC")]
    for (panel, column, name), color in zip(lines, (PALETTE[1], PALETTE[2], PALETTE[0]), strict=True):
        if column in metrics:
            figure.add_scatter(
                x=metrics["epoch"], y=metrics[column], name=name, mode="lines+markers", row=1, col=panel,
                line={"color": color, "width": 2}, marker={"size": 5}, showlegend=panel == 1,
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
    return style(figure, 320)


def finding_curves(metrics: pd.DataFrame) -> go.Figure | None:
    """Validation AUC of each finding by epoch, from a run's metrics.csv; None if no finding has one."""
    import plotly.graph_objects as go

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
    return style(figure, 380)


def trials_figure(configurations: Mapping[str, Sequence[float]]) -> go.Figure:
    """Validation AUC of each configuration, the first on top: a point for each seed, a bar at their mean."""
    import plotly.graph_objects as go

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
    labels = list(map(plain_label, names))
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=labels, range=[-0.6, len(names) - 0.4])
    aucs = [auc for auc, _ in points]
    figure.update_xaxes(title="validation AUC", range=limits(min(aucs), max(aucs)) if aucs else None)
    figure.update_layout(legend={"orientation": "h", "y": 1, "yanchor": "bottom"})
    return style(figure, 130 + 34 * len(names))


def probability_bars(
    probabilities: Sequence[float],
    thresholds: Mapping[str, float | None] | None,
    height: int = 560,
    *,
    zones: Mapping[str, tuple[float, float]] | None = None,
    uncalibrated: Collection[str] = (),
) -> go.Figure:
    """All 14 probabilities (0-1, NIH order) as bars, the likeliest on top, each model threshold as a tick.

    A finding whose threshold is None has no tick, and is never coloured. `zones` are the ends of "not sure"
    zones by finding, drawn as bands behind the bars; the bars of `uncalibrated` findings are hatched.
    """
    import plotly.graph_objects as go

    order = sorted(range(len(FINDINGS)), key=lambda place: probabilities[place])
    names = [FINDINGS[place] for place in order]
    values = [float(probabilities[place]) for place in order]
    cuts = {name: cut for name, cut in (thresholds or {}).items() if cut is not None}
    over = [name in cuts and value >= cuts[name] for name, value in zip(names, values, strict=True)]
    figure = go.Figure(
        go.Bar(
            x=values, y=[spoken(name) for name in names], orientation="h", name="probability",
            marker={
                "color": [PALETTE[0] if flag else QUIET for flag in over], "cornerradius": 3,
                "pattern": {"shape": ["/" if name in uncalibrated else "" for name in names], "size": 6},
            },
            customdata=[_share(value) for value in values], hovertemplate="%{y} %{customdata}<extra></extra>",
        )
    )  # fmt: skip
    if cuts:
        ticks = [name for name in names if name in cuts]
        figure.add_scatter(
            x=[cuts[name] for name in ticks], y=[spoken(name) for name in ticks], mode="markers",
            marker={"symbol": "line-ns", "size": 14, "line": {"width": 2, "color": PALETTE[1]}},
            customdata=[_share(cuts[name]) for name in ticks],
            name="threshold", hovertemplate="threshold %{customdata}<extra></extra>",
        )  # fmt: skip
    for name, value, flag in zip(names, values, over, strict=True):
        figure.add_annotation(
            text=f"<b>{_share(value)}</b>" if flag else _share(value), y=spoken(name), x=1, xref="paper",
            xanchor="right", showarrow=False, xshift=52, font={"size": 13},
        )  # fmt: skip
    top = max([*values, *cuts.values(), 0.1])
    end = min(1.0, 1.08 * top)
    bands = [(place, *zones[name]) for place, name in enumerate(names) if zones and name in zones]
    for place, low, high in bands:
        figure.add_shape(
            type="rect", x0=min(low, end), x1=min(high, end), y0=place - 0.46, y1=place + 0.46,
            fillcolor=ZONE, line={"width": 0}, layer="below",
        )  # fmt: skip
    figure.update_xaxes(range=[0, end], tickformat=".0%", nticks=5)
    figure.update_layout(bargap=0.35, showlegend=False)
    figure = style(figure, height).update_layout(margin={"r": 60, "t": 8})
    return figure.update_yaxes(showgrid=False, tickfont={"size": 13})


def _share(value: float) -> str:
    """A share as charts write it, which read `<` as a mark."""
    return escape(percent(value))


def pair_figure(
    names: tuple[str, str], first: Sequence[float], second: Sequence[float], height: int = 480
) -> go.Figure:
    """The 14 probabilities (0-1, NIH order) of two models, a line from one's to the other's for each finding.

    By the first's, the likeliest on top. The models differ in colour and in shape.
    """
    import plotly.graph_objects as go

    order = sorted(range(len(FINDINGS)), key=lambda place: first[place])
    labels = [spoken(FINDINGS[place]) for place in order]
    figure = go.Figure()
    for row, place in enumerate(order):
        ends = {"x0": first[place], "x1": second[place], "y0": row, "y1": row}
        figure.add_shape(type="line", **ends, line={"color": QUIET, "width": 2}, layer="below")
    looks = ((names[0], first, PALETTE[0], "circle"), (names[1], second, PALETTE[1], "diamond-open"))
    for name, values, color, symbol in looks:
        figure.add_scatter(
            x=[values[place] for place in order], y=labels, mode="markers", name=plain_label(name),
            marker={"color": color, "symbol": symbol, "size": 10, "line": {"width": 2}},
            customdata=[_share(values[place]) for place in order], hovertemplate="%{y} %{customdata}",
        )  # fmt: skip
    top = max([*first, *second, 0.1])
    figure.update_xaxes(range=[-0.02 * top, min(1.02, 1.06 * top)], tickformat=".0%", nticks=6)
    figure = style(figure, height).update_layout(legend={"orientation": "h", "y": 1, "yanchor": "bottom"})
    return figure.update_yaxes(showgrid=False, tickfont={"size": 13}, type="category")


def _by_epoch(figure: go.Figure, metrics: pd.DataFrame) -> None:
    """An axis of the epochs that exist: for a single one plotly would show a zeroth and some below it."""
    last = int(metrics["epoch"].max())
    room = 0.04 * max(1, last - 1)
    limits = [1 - room, last + room]
    figure.update_xaxes(title="epoch", tickformat="d", dtick=max(1, len(metrics) // 5), range=limits)


def _limits(values: pd.DataFrame, most: float = 1.0) -> list[float] | None:
    """Limits of an axis that fit the values, never beyond 0 and `most`; None if there is no value."""
    low, high = values.min().min(), values.max().max()
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    return limits(low, high, most)


def limits(low: float, high: float, most: float = 1.0) -> list[float]:
    """Limits of an axis that fit values from `low` to `high`, never beyond 0 and `most`."""
    room = max(0.08 * (high - low), 0.05)
    return [max(0.0, low - room), min(most, high + room)]
