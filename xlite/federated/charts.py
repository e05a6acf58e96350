"""The rounds of a federation as a figure and as rows for people. No torch, no Flower."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from xlite.plots import QUIET, plain_label, style
from xlite.public import without_paths
from xlite.runs.charts import lines, shortened
from xlite.text import counted, number

if TYPE_CHECKING:  # loaded when a figure is made
    import plotly.graph_objects as go

PANELS = {"val_auc": "Validation AUC", "val_loss": "Validation loss"}
MEAN = "all, by films"
"""What the line is called that averages clients, each with the weight of its training films."""

_WIDE_PX = 3
_MOST_REFUSALS = 5


def rounds_figure(rounds: pd.DataFrame, metrics: pd.DataFrame) -> go.Figure:
    """Validation AUC (left) and loss (right) of the server's student by round, a line for each client.

    rounds: of rounds.csv; metrics: of metrics.csv, whose thick line is the mean over clients.
    """
    from plotly.subplots import make_subplots

    figure = make_subplots(1, 2, subplot_titles=list(PANELS.values()), horizontal_spacing=0.16)
    clients = sorted(rounds["client"].unique())
    drawn = [(shortened(name), rounds[rounds["client"] == name], "round") for name in clients]
    looks: list[dict[str, Any]] = [{**line, "width": 1.5} for line in lines(len(clients))]
    drawn.append((MEAN, metrics, "epoch"))
    looks.append({"color": QUIET, "width": _WIDE_PX})
    for panel, column in enumerate(PANELS, 1):
        for (name, table, by), look in zip(drawn, looks, strict=True):
            figure.add_scatter(
                x=table[by], y=table[column], name=plain_label(name), legendgroup=name, line=look, row=1,
                col=panel, mode="lines+markers", marker={"size": 5}, showlegend=panel == 1,
                hovertemplate=f"{plain_label(name)}, round %{{x}}: %{{y:.4f}}<extra></extra>",
            )  # fmt: skip
    last = int(rounds["round"].max())
    room = 0.04 * max(1, last - 1)
    figure.update_xaxes(title="round", tickformat="d", dtick=max(1, last // 5), range=[1 - room, last + room])
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": -0.3, "yanchor": "top", "entrywidth": 0})
    return style(figure, 320 + 18 * math.ceil(len(drawn) / 4))


def figure_told(rounds: pd.DataFrame, metrics: pd.DataFrame) -> str:
    """The figure in words: how many rounds and clients, and where the last round stands."""
    last = metrics.iloc[-1] if len(metrics) else {}
    return (
        f"Validation AUC and loss of the server's student by round, on the films of each of "
        f"{counted(rounds['client'].nunique(), 'client')}, {counted(int(rounds['round'].max()), 'round')} so "
        f"far; the last has a mean AUC of {number(last.get('val_auc'))}. The table below has the same."
    )


def round_facts(rounds: pd.DataFrame) -> dict[str, str]:
    """What a federation sent, and how often a round went on without a client, as titles and texts."""
    sent, received = (float(rounds[name].mean()) / 1e6 for name in ("bytes_sent", "bytes_received"))
    total = float(rounds[["bytes_sent", "bytes_received"]].to_numpy().sum()) / 1e6
    return {
        "Clients": str(rounds["client"].nunique()),
        "A client sends a round": f"{sent:.2f} MB",
        "And receives": f"{received:.2f} MB",
        "Sent and received in all": f"{total:,.1f} MB",
        "Refused replies": str(int((rounds["refused"] != "").sum())),
    }


def refusals(rounds: pd.DataFrame) -> list[str]:
    """Which rounds went on without whom, and why, in a sentence each: the last few, and how many before."""
    refused = rounds[rounds["refused"] != ""]
    sentences = [
        f"Round {row.round} went on without {row.client}: {row.refused}."
        for row in refused.iloc[-_MOST_REFUSALS:].itertuples()
    ]
    before = len(refused) - len(sentences)
    return (
        [f"{counted(before, 'earlier reply', 'earlier replies')} refused too."] if before else []
    ) + sentences


def round_rows(rounds: pd.DataFrame) -> list[dict[str, Any]]:
    """A row for each round and client, the last round first; None for what is not known."""
    shown = rounds.sort_values(["round", "client"], ascending=[False, True])
    return [
        {
            "Round": row.round,
            "Client": row.client,
            "Validation AUC": _known(row.val_auc),
            "Validation loss": _known(row.val_loss),
            "Training loss": _known(row.loss),
            "Films": row.films,
            "Sent (MB)": row.bytes_sent / 1e6,
            "Received (MB)": row.bytes_received / 1e6,
            "Seconds": _known(row.seconds),
            "Refused because": without_paths(row.refused) or None,
        }
        for row in shown.itertuples()
    ]


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
