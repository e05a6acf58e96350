"""Dots with intervals: the AUC of findings, and of groups of films."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from xlite.evaluation.report import Reference, Subgroups
from xlite.findings import FINDINGS, spoken
from xlite.metrics.estimate import Estimate
from xlite.plots import PALETTE, QUIET, style
from xlite.report.charts.paper import colors
from xlite.text import counted


def auc_figure(
    models: Mapping[str, Mapping[str, Estimate]],
    source: tuple[str, ...],
    references: Sequence[Reference] = (),
    palette: Sequence[str] = PALETTE,
) -> go.Figure:
    """AUC of each finding with its interval, a colour a model: {model: {finding: AUC}}.

    Published results that name each finding's AUC are diamonds, grey if they are of other films.
    """
    figure = go.Figure()
    names = list(FINDINGS)[::-1]
    for reference in references:
        if reference.per_class is not None:
            figure.add_scatter(**_diamonds(reference, reference.per_class, names, palette))
    for place, (model, color) in enumerate(zip(models, colors(palette, len(models)), strict=True)):
        shift = (place - (len(models) - 1) / 2) * -0.6 / max(len(models), 1)
        rows = {names.index(name) + shift: models[model][name] for name in names}
        figure.add_scatter(**_dots(rows, color, model, [spoken(name) for name in names]))
    figure.add_vline(x=0.5, line={"color": QUIET, "width": 1, "dash": "dot"})
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=[spoken(name) for name in names])
    figure.update_xaxes(title="AUC with 95 % interval")
    figure.update_layout(
        legend={"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0},
        showlegend=len(models) > 1 or any(reference.per_class for reference in references),
    )
    return style(figure, 600, source)


def groups_figure(
    subgroups: Mapping[str, Subgroups], source: tuple[str, ...], palette: Sequence[str] = PALETTE
) -> go.Figure:
    """Mean AUC of each group with its interval, a colour an attribute."""
    figure, ticks = go.Figure(), []
    row = sum(len(found.groups) for found in subgroups.values())
    for color, found in zip(palette, subgroups.values(), strict=False):
        rows = {}
        for name, group in found.groups.items():
            row -= 1
            ticks.append((row, f"{name}  ({counted(group.images, 'film')})"))
            rows[float(row)] = group.auc
        figure.add_scatter(**_dots(rows, color, "", list(found.groups)))
    figure.update_yaxes(tickvals=[place for place, _ in ticks], ticktext=[text for _, text in ticks])
    figure.update_xaxes(title="mean AUC with 95 % interval").update_layout(showlegend=False)
    return style(figure, 130 + 30 * len(ticks), source)


def error_bars(
    values: npt.NDArray[np.float64],
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
    color: str,
) -> dict[str, Any]:
    """Error bars from low to high (N,), none if they are NaN."""
    return {
        "array": np.nan_to_num(high - values),
        "arrayminus": np.nan_to_num(values - low),
        "color": color,
        "thickness": 1.5,
        "width": 0,
    }


def _diamonds(
    reference: Reference, per_class: Mapping[str, float], names: Sequence[str], palette: Sequence[str]
) -> dict[str, Any]:
    color = palette[1] if reference.comparable else QUIET
    return {
        "x": [per_class[name] for name in names], "y": list(range(len(names))), "mode": "markers",
        "name": reference.name + ("" if reference.comparable else " (other films)"),
        "marker": {"symbol": "diamond-open", "size": 8, "color": color},
        "opacity": 1 if reference.comparable else 0.45, "hovertemplate": "%{x:.3f}",
    }  # fmt: skip


def _dots(rows: Mapping[float, Estimate], color: str, name: str, texts: Sequence[str]) -> dict[str, Any]:
    """Estimates with their intervals in rows, those that are defined."""
    defined = [
        (row, one, text)
        for (row, one), text in zip(rows.items(), texts, strict=True)
        if one.value is not None
    ]
    values, low, high = (
        np.array([getattr(one, end) for _, one, _ in defined], float) for end in ("value", "low", "high")
    )
    return {
        "x": values, "y": [row for row, _, _ in defined], "mode": "markers", "name": name,
        "marker": {"color": color, "size": 9}, "text": [text for _, _, text in defined],
        "error_x": error_bars(values, low, high, color), "hovertemplate": "%{text} %{x:.3f}<extra></extra>",
    }  # fmt: skip
