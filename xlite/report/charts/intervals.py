"""Figures side by side: findings, subgroups, and findings called for each other."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from xlite.data.eda.palette import DIVERGING, SCREEN_DIVERGING
from xlite.findings import FINDINGS, spoken
from xlite.plots import PALETTE, QUIET, style
from xlite.report.charts.paper import PAPER, bars, colors
from xlite.text import counted


def auc_figure(
    models: Mapping[str, Mapping[str, Mapping[str, float | None]]],
    source: str,
    references: Sequence[dict] = (),
    palette: Sequence[str] = PALETTE,
) -> go.Figure:
    """AUC of each finding with its interval, a colour a model: {model: {finding: {value, low, high}}}.

    references as `published_references` gives them: diamonds, grey where they are of other films.
    """
    figure = go.Figure()
    names = list(FINDINGS)[::-1]
    for reference in (one for one in references if one["per_class"]):
        color = palette[1] if reference["comparable"] else QUIET
        figure.add_scatter(
            x=[reference["per_class"][name] for name in names], y=list(range(len(names))), mode="markers",
            name=reference["name"] + ("" if reference["comparable"] else " (other films)"),
            marker={"symbol": "diamond-open", "size": 8, "color": color},
            opacity=1 if reference["comparable"] else 0.45, hovertemplate="%{x:.3f}",
        )  # fmt: skip
    for place, (model, color) in enumerate(zip(models, colors(palette, len(models)), strict=True)):
        shift = (place - (len(models) - 1) / 2) * -0.6 / max(len(models), 1)
        rows = {names.index(name) + shift: models[model][name] for name in names}
        _dots(figure, rows, color, model, [spoken(name) for name in names])
    figure.add_vline(x=0.5, line={"color": QUIET, "width": 1, "dash": "dot"})
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=[spoken(name) for name in names])
    figure.update_xaxes(title="AUC with 95 % interval")
    figure.update_layout(
        legend={"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0},
        showlegend=len(models) > 1 or any(reference["per_class"] for reference in references),
    )
    return style(figure, 600, source)


def groups_figure(subgroups: Mapping[str, dict], source: str, palette: Sequence[str] = PALETTE) -> go.Figure:
    """Mean AUC of each subgroup with its interval, a colour an attribute."""
    figure, ticks = go.Figure(), []
    row = sum(len(attribute["groups"]) for attribute in subgroups.values())
    for color, attribute in zip(palette, subgroups.values(), strict=False):
        rows, names = {}, []
        for name, group in attribute["groups"].items():
            row -= 1
            ticks.append((row, f"{name}  ({counted(group['images'], 'film')})"))
            rows[row] = group["auc"]
            names.append(name)
        _dots(figure, rows, color, "", names)
    figure.update_yaxes(tickvals=[place for place, _ in ticks], ticktext=[text for _, text in ticks])
    figure.update_xaxes(title="mean AUC with 95 % interval").update_layout(showlegend=False)
    return style(figure, 130 + 30 * len(ticks), source)


def confusion_figure(confusion: dict, source: str, palette: Sequence[str] = PALETTE) -> go.Figure:
    """Of the films with the row's finding, the share where the column's is called, in %.

    The colour is that share less the share of them that truly has it; none on the diagonal.
    """
    films = np.maximum(np.array(confusion["films"], float)[:, None], 1)
    called, true = np.array(confusion["called"]) / films, np.array(confusion["together"]) / films
    excess = np.where(np.eye(len(FINDINGS), dtype=bool), np.nan, called - true)
    names = [spoken(name) for name in FINDINGS]
    figure = go.Figure(
        go.Heatmap(
            z=excess[::-1], x=names, y=names[::-1], zmin=-0.5, zmax=0.5, xgap=2, ygap=2,
            colorscale=list(DIVERGING if palette is PAPER else SCREEN_DIVERGING),
            text=(100 * called[::-1]).round().astype(int), texttemplate="%{text}", textfont={"size": 11},
            colorbar={"title": {"text": "called − true", "side": "right"}, "thickness": 10, "outlinewidth": 0,
                      "tickformat": "+.0%", "dtick": 0.25},
            customdata=true[::-1], hoverongaps=False,
            hovertemplate="with %{y}: %{x} called in %{text} %, true in %{customdata:.0%}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        annotations=[  # the diagonal has no colour, but a number: the sensitivity
            {"x": name, "y": name, "text": f"<b>{share:.0f}</b>", "showarrow": False, "font": {"size": 11}}
            for name, share in zip(names, 100 * called.diagonal(), strict=True)
        ]
    )
    figure.update_xaxes(title="called", tickangle=-40, showgrid=False)
    figure.update_yaxes(title="the film has", showgrid=False)
    return style(figure, 600, source).update_xaxes(showgrid=False).update_yaxes(showgrid=False)


def _dots(
    figure: go.Figure, rows: Mapping[float, Mapping], color: str, name: str, texts: Sequence[str]
) -> None:
    """Figures with intervals in rows, those that are defined."""
    defined = [
        (row, one, text)
        for (row, one), text in zip(rows.items(), texts, strict=True)
        if one["value"] is not None
    ]
    values = np.array([one["value"] for _, one, _ in defined], float)
    low, high = (np.array([one[end] for _, one, _ in defined], float) for end in ("low", "high"))
    figure.add_scatter(
        x=values, y=[row for row, _, _ in defined], mode="markers", name=name,
        marker={"color": color, "size": 9}, text=[text for _, _, text in defined],
        error_x=bars(values, low, high, color), hovertemplate="%{text} %{x:.3f}<extra></extra>",
    )  # fmt: skip
