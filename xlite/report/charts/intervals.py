"""Dots with intervals: the AUC of findings, and of groups of films."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xlite.evaluation.report import Reference
from xlite.evaluation.subgroups_report import Subgroups
from xlite.findings import FINDINGS, spoken
from xlite.metrics.estimate import Estimate
from xlite.plots import PALETTE, QUIET, style
from xlite.report.charts.paper import colors
from xlite.text import NOT_LABELLED, counted

if TYPE_CHECKING:  # loaded when a figure is made
    import plotly.graph_objects as go

GREY = "#748290"  # seen on white paper and on dark pages
_SHAPES = ("diamond-open", "square-open", "triangle-up-open", "circle-open")
_LOWEST = 0.4  # where the axis of AUC begins, unless there are lower ones


def auc_figure(
    models: Mapping[str, Mapping[str, Estimate]],
    source: tuple[str, ...],
    references: Sequence[Reference] = (),
    palette: Sequence[str] = PALETTE,
    not_labelled: Collection[str] = (),
) -> go.Figure:
    """AUC of each finding with its interval, a colour a model: {model: {finding: AUC}}.

    not_labelled: findings whose label is known of none of the films. Published results that name each
    finding's AUC have a shape each, grey if they are of other films.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    names = list(FINDINGS)[::-1]
    told = [(reference, reference.per_class) for reference in references if reference.per_class is not None]
    for (reference, per_class), shape in zip(told, cycle(_SHAPES), strict=False):
        figure.add_scatter(**_published(reference, per_class, names, palette, shape))
    shown: dict[float, Estimate] = {}
    for place, (model, color) in enumerate(zip(models, colors(palette, len(models)), strict=True)):
        shift = (place - (len(models) - 1) / 2) * -0.6 / max(len(models), 1)
        rows = {names.index(name) + shift: models[model][name] for name in names}
        shown |= rows
        figure.add_scatter(**_dots(rows, color, model, [spoken(name) for name in names]))
    bare = {names.index(name) for name in not_labelled}
    _axes(figure, shown, [spoken(name) for name in names], "AUC with 95 % interval", bare)
    figure.update_layout(
        # At the foot of the figure, however many lines it takes: plotly keeps it clear of the axis title.
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
        showlegend=len(models) > 1 or bool(told),
    )
    return style(figure, 600, source)


def groups_figure(
    subgroups: Mapping[str, Subgroups], source: tuple[str, ...], palette: Sequence[str] = PALETTE
) -> go.Figure:
    """Mean AUC of each group with its interval, a row a group, a colour an attribute."""
    import plotly.graph_objects as go

    figure = go.Figure()
    shown: dict[float, Estimate] = {}
    texts: list[str] = []  # from the lowest row up, as the rows are numbered
    for color, found in list(zip(palette, subgroups.values(), strict=False))[::-1]:
        groups = dict(reversed(found.groups.items()))
        rows = {float(len(texts) + place): group.auc for place, group in enumerate(groups.values())}
        shown |= rows
        texts += [f"{name}  ({counted(group.images, 'film')})" for name, group in groups.items()]
        figure.add_scatter(**_dots(rows, color, "", list(groups)))
    _axes(figure, shown, texts, "mean AUC with 95 % interval")
    figure.update_layout(showlegend=False)
    return style(figure, 130 + 30 * len(texts), source)


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


def _axes(
    figure: go.Figure,
    shown: Mapping[float, Estimate],
    texts: Sequence[str],
    title: str,
    not_labelled: Collection[int] = (),
) -> None:
    """An axis of AUC from `_LOWEST`, or less if need be, to 1; a row a text, even of an undefined AUC.

    not_labelled: the rows of findings that are undefined as nobody knows them.
    """
    ends = [end for one in shown.values() for end in (one.value, one.low) if end is not None]
    figure.update_xaxes(title=title, range=[min(_LOWEST, *ends) - 0.02 if ends else _LOWEST, 1.02])
    figure.update_yaxes(
        tickvals=list(range(len(texts))), ticktext=list(texts), range=[-0.6, len(texts) - 0.4]
    )
    figure.add_vline(x=0.5, line={"color": QUIET, "width": 1, "dash": "dot"})
    for row, one in shown.items():
        if one.value is None:  # a little above the line of its row, which would strike it through
            why = NOT_LABELLED if round(row) in not_labelled else "undefined"
            figure.add_annotation(
                text=why, x=0, xref="x domain", xanchor="left", y=row, yshift=8, showarrow=False,
                font={"size": 11, "color": GREY},
            )  # fmt: skip


def _published(
    reference: Reference,
    per_class: Mapping[str, float],
    names: Sequence[str],
    palette: Sequence[str],
    shape: str,
) -> dict[str, Any]:
    color = palette[1] if reference.comparable else GREY
    return {
        "x": [per_class[name] for name in names], "y": list(range(len(names))), "mode": "markers",
        "name": reference.name + ("" if reference.comparable else " (other films)"),
        "marker": {"symbol": shape, "size": 8, "color": color, "line": {"width": 1.5}},
        "hovertemplate": "%{x:.3f}",
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
