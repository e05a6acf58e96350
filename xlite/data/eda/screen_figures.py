"""The interactive figures of the Explore page: small frames in, plotly figures out. No streamlit."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from xlite.data.eda import palette
from xlite.findings import FINDINGS, NO_FINDING, spoken
from xlite.plots import BARE_AXIS, GRID, PALETTE, QUIET, bare_layout

MAIN = PALETTE[0]
SEX = {"F": PALETTE[3], "M": PALETTE[2]}
VIEW = {"AP": PALETTE[1], "PA": PALETTE[0]}


def findings(counts: pd.DataFrame) -> go.Figure:
    """Films per class as bars, from `finding_counts`; a bar's customdata is the class's NIH name."""
    names = list(counts.index)
    figure = go.Figure(
        go.Bar(
            x=counts["films"],
            y=[spoken(name) for name in names],
            orientation="h",
            customdata=names,
            text=[f"{n:,}  {share:.1%}" for n, share in zip(counts["films"], counts["share"], strict=True)],
            textposition="outside",
            cliponaxis=False,
            marker={
                "color": [QUIET if name == NO_FINDING else MAIN for name in names],
                "cornerradius": 3,
            },
            hovertemplate="%{y}: %{x:,} films<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(range=[0, max(counts["films"].max(), 1) * 1.25], showticklabels=False, showgrid=False)
    return _style(figure, 460).update_layout(bargap=0.3)


def tally_bars(tally: pd.Series, title: str, unit: str) -> go.Figure:
    """A tally such as films by number of findings, as bars on a log scale with their numbers on top."""
    figure = go.Figure(
        go.Bar(
            x=tally.index,
            y=tally,
            text=[f"{n:,}" if n else "" for n in tally],
            textposition="outside",
            cliponaxis=False,
            marker={
                "color": [QUIET] + [MAIN] * (len(tally) - 1),
                "cornerradius": 3,
            },
            hovertemplate="%{x}: %{y:,} " + unit + "<extra></extra>",
        )
    )
    figure.update_xaxes(title=title, dtick=1, showgrid=False)
    top = np.log10(max(tally.max(), 1)) + 0.25
    figure.update_yaxes(type="log", title=f"{unit} (log)", dtick=1, tickformat=",d", range=[-0.3, top])
    return _style(figure, 340)


def films_per_patient(tally: pd.Series) -> go.Figure:
    """Patients by their number of films, a dot for each number, both axes log."""
    tally = tally[tally > 0]
    figure = go.Figure(
        go.Scatter(
            x=tally.index,
            y=tally,
            mode="markers",
            marker={"color": MAIN, "size": 7, "opacity": 0.8},
            hovertemplate="%{y:,} patients with %{x} films<extra></extra>",
        )
    )
    figure.update_xaxes(type="log", title="films of the patient (log)", dtick=1, tickformat=",d")
    figure.update_yaxes(type="log", title="patients (log)", dtick=1, tickformat=",d")
    return _style(figure, 340)


def cooccurrence(counts: pd.DataFrame, lifts: pd.DataFrame, by: str) -> go.Figure:
    """The 14 x 14 matrix of films with both findings, coloured `by` "lift" or "films"; NaN is grey.

    A cell's customdata is its pair of NIH names; on the diagonal twice the same.
    """
    names = [spoken(name) for name in FINDINGS]
    films, ratio = counts.to_numpy(dtype=float), lifts.to_numpy()
    scale: tuple[str, ...]
    limits: tuple[float, float]
    if by == "lift":
        with np.errstate(divide="ignore"):
            colours = np.clip(np.log2(ratio), -2, 2)
        text = [["" if np.isnan(value) else f"{value:.1f}" for value in row] for row in ratio]
        scale, limits = palette.SCREEN_DIVERGING, (-2, 2)
    else:
        colours = np.where(films > 0, np.log10(np.maximum(films, 1)), np.nan)
        text = [[f"{value:,.0f}" if value else "" for value in row] for row in films]
        scale, limits = palette.SCREEN_SEQUENTIAL, (0, max(float(np.log10(max(films.max(), 10))), 1))
    ground = go.Heatmap(
        z=np.zeros_like(films),
        x=names,
        y=names,
        colorscale=[(0, palette.SCREEN_GROUND), (1, palette.SCREEN_GROUND)],
        showscale=False,
        hoverinfo="skip",
        xgap=1,
        ygap=1,
    )
    figure = go.Figure(ground)
    figure.add_trace(
        go.Heatmap(
            z=colours,
            x=names,
            y=names,
            text=text,
            texttemplate="%{text}",
            textfont={"size": 9, "color": "#e4e9ee"},
            zmin=limits[0],
            zmax=limits[1],
            colorscale=list(scale),
            showscale=False,
            hoverinfo="skip",
            xgap=1,
            ygap=1,
        )
    )
    figure.add_trace(_cells(names, films, ratio))
    figure.update_xaxes(tickangle=-45, showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return _style(figure, 560)


def _cells(names: Sequence[str], films: np.ndarray, ratio: np.ndarray) -> go.Scatter:
    """Invisible markers over a heat map's cells: plotly reports clicks on markers, not on cells."""
    cells = list(np.ndindex(*films.shape))
    return go.Scatter(
        x=[names[column] for _, column in cells],
        y=[names[row] for row, _ in cells],
        mode="markers",
        marker={"symbol": "square", "size": 26, "opacity": 0},
        selected={"marker": {"opacity": 0.35, "color": "white"}},
        unselected={"marker": {"opacity": 0}},
        customdata=[(FINDINGS[row], FINDINGS[column]) for row, column in cells],
        hovertext=[
            _hover(names[row], names[column], float(films[row, column]), float(ratio[row, column]))
            for row, column in cells
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
    )


def _hover(first: str, second: str, films: float, ratio: float) -> str:
    """The text of a cell under the pointer; the ratio is NaN if there are too few films for one."""
    if first == second:
        return f"{first}: {films:,.0f} films"
    times = "" if np.isnan(ratio) else f",<br>{ratio:.2f} times as often as by chance"
    return f"{first} with {second}: {films:,.0f} films{times}"


def ages(histogram: pd.DataFrame) -> go.Figure:
    """Films by age and sex, from `age_histogram`: women to the left, men to the right."""
    figure = go.Figure()
    for sex, sign in (("F", -1), ("M", 1)):
        if sex in histogram:
            figure.add_bar(
                x=sign * histogram[sex],
                y=histogram.index,
                orientation="h",
                name=sex,
                marker={"color": SEX[sex]},
                customdata=histogram[sex],
                hovertemplate="from %{y} years: %{customdata:,} films<extra>" + sex + "</extra>",
            )
    most = int(histogram.max().max()) if len(histogram) else 1
    ticks = _both_ways(most)
    figure.update_xaxes(tickvals=ticks, ticktext=[f"{abs(tick):,}" for tick in ticks], title="films")
    figure.update_yaxes(title="age in years", showgrid=False)
    return _style(figure, 420, top=32).update_layout(barmode="relative", bargap=0.12, legend=_ABOVE)


def views(prevalence: pd.DataFrame) -> go.Figure:
    """Each finding's prevalence in AP and PA films: a dot for each view, joined by a line; log scale."""
    shares = prevalence.reindex(list(VIEW))[list(FINDINGS)]
    shares = shares.where(shares > 0)
    order = list(shares.max().fillna(0).sort_values().index)
    names = [spoken(name) for name in order]
    figure = go.Figure()
    for name in order:
        figure.add_scatter(
            x=shares[name],
            y=[spoken(name)] * len(shares),
            mode="lines",
            line={"color": GRID, "width": 4},
            hoverinfo="skip",
            showlegend=False,
        )
    for view, colour in VIEW.items():
        figure.add_scatter(
            x=shares.loc[view, order],
            y=names,
            mode="markers",
            name=view,
            marker={"color": colour, "size": 11},
            hovertemplate="%{y} on %{x:.2%} of " + view + " films<extra></extra>",
        )
    figure.update_xaxes(type="log", tickformat="~p", dtick=1, title="share of the view's films (log)")
    figure.update_yaxes(showgrid=False)
    return _style(figure, 420, top=32).update_layout(legend=_ABOVE)


def _both_ways(most: int) -> list[int]:
    """Round tick values from -most to most, on each side two or more if there is room."""
    power = 10 ** (len(str(most)) - 1)
    step = next(step for step in (power // 2, power, 2 * power, 5 * power) if step and most <= 3 * step)
    return list(range(-(most // step) * step, most + 1, step))


_ABOVE = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}


def _style(figure: go.Figure, height: int, top: int = 8) -> go.Figure:
    """The quiet style without a title: a figure that is clicked or hovered over, never dragged."""
    figure.update_layout(**bare_layout(height, top), hoverlabel={"font": {"size": 12}}, dragmode=False)
    figure.update_xaxes(**BARE_AXIS)
    return figure.update_yaxes(**BARE_AXIS)
