"""Findings that are called for each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from xlite.data.eda.palette import SCREEN_DIVERGING
from xlite.findings import FINDINGS, spoken
from xlite.metrics.confusion import Confusion
from xlite.plots import style

if TYPE_CHECKING:  # loaded when a figure is made
    import plotly.graph_objects as go


def confusion_figure(
    confusion: Confusion, source: tuple[str, ...], colors: Sequence[str] = SCREEN_DIVERGING
) -> go.Figure:
    """Of the films with the row's finding, the share for which the column's is called, in %.

    The colour is that share less the share of them that truly has it, from few to many `colors`; none on the
    diagonal. Columns of findings without a threshold are bare, and so is a share that no film tells, as none
    has the row's finding and a label of the column's.
    """
    import plotly.graph_objects as go

    films = np.array([confusion.with_column(row) for row in range(len(FINDINGS))], float)
    bare = np.isin(FINDINGS, confusion.withheld) | ((films == 0) & (confusion.both is not None))
    films = np.maximum(films, 1)
    called, true = np.array(confusion.called) / films, np.array(confusion.together) / films
    shares = np.where(bare, "", (100 * called).round().astype(int).astype(str))
    excess = np.where(bare, np.nan, called - true)
    excess = np.where(np.eye(len(FINDINGS), dtype=bool), np.nan, excess)
    names = [spoken(name) for name in FINDINGS]
    figure = go.Figure(
        go.Heatmap(
            z=excess[::-1], x=names, y=names[::-1], zmin=-0.5, zmax=0.5, xgap=2, ygap=2,
            colorscale=list(colors),
            text=shares[::-1], texttemplate="%{text}", textfont={"size": 11},
            colorbar={"title": {"text": "called − true", "side": "right"}, "thickness": 10, "outlinewidth": 0,
                      "tickformat": "+.0%", "dtick": 0.25},
            customdata=true[::-1], hoverongaps=False,
            hovertemplate="with %{y}: %{x} called in %{text} %, true in %{customdata:.0%}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        annotations=[  # the diagonal has no colour, but a number: the sensitivity
            {"x": name, "y": name, "text": f"<b>{share}</b>", "showarrow": False, "font": {"size": 11}}
            for name, share in zip(names, shares.diagonal(), strict=True)
        ]
    )
    figure.update_xaxes(title="called", tickangle=-40)
    figure.update_yaxes(title="the film has")
    return style(figure, 600, source).update_xaxes(showgrid=False).update_yaxes(showgrid=False)
