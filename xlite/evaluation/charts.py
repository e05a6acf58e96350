"""Plotly figures of a report, for dark pages and for white paper: the palette makes the difference."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from xlite.data.eda.palette import DIVERGING, SCREEN_DIVERGING
from xlite.findings import FINDINGS, spoken
from xlite.plots import PALETTE, QUIET, style

PAPER = (
    "#2f6690", "#c8702a", "#3a8f87", "#b0587a", "#7a8f2c", "#7a5fb0", "#a8593a",
    "#3f7cac", "#8c7f2a", "#8a4f7d", "#4f7a5f", "#5560b0", "#96604f", "#5d6b78",
)  # fmt: skip
LEAST_IN_BIN = 10
_COLUMNS = 4


@dataclass(frozen=True)
class Curve:
    """A line of a figure: its label, x and y 0-1, and a band of y over x {"x", "low", "high"}."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    band: Mapping[str, Sequence[float]] = field(default_factory=lambda: {"x": [], "low": [], "high": []})


def roc_curve(points: dict, label: str) -> Curve:
    """A finding's ROC curve from its entry in curves.json."""
    return _curve(points["roc"], "fpr", "tpr", label)


def pr_curve(points: dict, label: str) -> Curve:
    """A finding's precision-recall curve from its entry in curves.json."""
    return _curve(points["pr"], "recall", "precision", label)


def _curve(line: dict, x: str, y: str, label: str) -> Curve:
    band = line["band"]
    return Curve(label, line[x], line[y], {"x": band[x], "low": band["low"], "high": band["high"]})


def curves_figure(
    curves: Sequence[Curve], source: str, kind: str = "roc", palette: Sequence[str] = PALETTE
) -> go.Figure:
    """ROC ("roc") or precision-recall ("pr") curves in one square, with their bands."""
    figure = go.Figure()
    if kind == "roc":
        figure.add_scatter(x=[0, 1], y=[0, 1], **_chance())
    for curve, color in zip(curves, _colors(palette, len(curves)), strict=True):
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
            figure.add_scatter(x=[0, 1], y=[0, 1], **_chance(), **place)
        for line, (curve, color) in enumerate(zip(curves, _colors(palette, len(curves)), strict=True)):
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
        figure.add_scatter(x=[0, top], y=[0, top], **_chance(), **place)
        for one, color in zip(shown[::-1], (QUIET, palette[0])[-len(shown) :], strict=True):
            _bins(figure, one, color, place, hollow=color == QUIET)
        figure.update_xaxes(range=[0, top], nticks=3, **place)
        figure.update_yaxes(range=[0, top], nticks=3, **place)

    return _grid(list(curves), fill, source).update_xaxes(tickformat=".2~f").update_yaxes(tickformat=".2~f")


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
    for place, (model, color) in enumerate(zip(models, _colors(palette, len(models)), strict=True)):
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
            ticks.append((row, f"{name}  ({group['images']:,} films)"))
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
    for place, name in enumerate(names):  # the diagonal has no colour, but a number: the sensitivity
        figure.add_annotation(
            x=name,
            y=name,
            text=f"<b>{100 * called[place, place]:.0f}</b>",
            showarrow=False,
            font={"size": 11},
        )
    figure.update_xaxes(title="called", tickangle=-40, showgrid=False)
    figure.update_yaxes(title="the film has", showgrid=False)
    return style(figure, 600, source).update_xaxes(showgrid=False).update_yaxes(showgrid=False)


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
        error_y=None if hollow else _bars(share, low, high, color),
        hovertemplate="%{x:.3f}: %{y:.3f} of %{text} films<extra></extra>", **place,
    )  # fmt: skip


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
        error_x=_bars(values, low, high, color), hovertemplate="%{text} %{x:.3f}<extra></extra>",
    )  # fmt: skip


def _filled(bins: dict) -> dict[str, list]:
    """The bins with enough films to show."""
    keep = [place for place, films in enumerate(bins["films"]) if films >= LEAST_IN_BIN]
    return {name: [values[place] for place in keep] for name, values in bins.items()}


def _bars(values: np.ndarray, low: np.ndarray, high: np.ndarray, color: str) -> dict:
    """Error bars from low to high, none where they are NaN."""
    return {
        "array": np.nan_to_num(high - values),
        "arrayminus": np.nan_to_num(values - low),
        "color": color,
        "thickness": 1.5,
        "width": 0,
    }


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
    return style(figure, 80 + 200 * rows, source).update_layout(margin={"t": 80})


def _write(figure: go.Figure, text: str, color: str, high: float, anchor: str, place: dict[str, int]) -> None:
    figure.add_annotation(
        text=text, x=0.98, y=high, xanchor="right", yanchor=anchor, showarrow=False,
        font={"size": 11, "color": color}, **place,
    )  # fmt: skip


def _faint(color: str) -> str:
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"


def _chance() -> dict:
    return {
        "mode": "lines",
        "line": {"color": QUIET, "width": 1, "dash": "dot"},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _colors(palette: Sequence[str], count: int) -> list[str]:
    return [palette[place % len(palette)] for place in range(count)]
