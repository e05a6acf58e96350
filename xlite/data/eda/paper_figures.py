"""The figures of the report, a matplotlib Figure from each function; no pyplot, so no global state."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from xlite.data.eda import palette
from xlite.data.eda.label_words import untold
from xlite.data.eda.statistics import LEAST_EXPECTED
from xlite.findings import FINDINGS, NO_FINDING, spoken
from xlite.pixels import RELEASE_SIDE

DPI = 110


def save(figure: Figure, path: Path) -> None:
    """Writes a figure as PNG; the same figure gives the same bytes."""
    figure.savefig(path, dpi=DPI, facecolor="white", metadata={"Software": None})


def findings(counts: pd.DataFrame) -> Figure:
    """Bars of films per class, from `finding_counts`, with number and share beside each."""
    figure, axes = _canvas(8.6, 4.9)
    names, films = list(counts.index), counts["films"].to_numpy()
    colours = [palette.REST if name == NO_FINDING else palette.MAIN for name in names]
    axes.barh(range(len(names)), films, color=colours, height=0.72)
    for row, (name, number, share) in enumerate(zip(names, films, counts["share"], strict=True)):
        axes.annotate(
            untold(name) if pd.isna(share) else f"{number:,}  ({share:.2%})",
            (number, row),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=palette.INK,
        )
    axes.set_yticks(range(len(names)), [spoken(name) for name in names])
    axes.invert_yaxis()
    axes.set_xlim(0, max(films.max(), 1) * 1.2)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("films")
    _title(axes, "Films per finding")
    return figure


def tallies(per_film: pd.Series, per_patient: pd.Series, films_each: pd.Series) -> Figure:
    """Three log-scale panels: findings per film, different findings per patient, films per patient."""
    figure = Figure(figsize=(11, 3.6))
    panels = figure.subplots(1, 3, width_ratios=[3.6, 4.4, 2.6])
    figure.subplots_adjust(left=0.07, right=0.985, bottom=0.15, top=0.89, wspace=0.28)
    for axes, tally, title in (
        (panels[0], per_film, "Findings per film"),
        (panels[1], per_patient, "Different findings per patient"),
    ):
        axes.bar(tally.index, tally, color=[palette.REST] + [palette.MAIN] * (len(tally) - 1), width=0.72)
        for number, count in tally[tally > 0].items():
            axes.annotate(
                f"{count:,}",
                (number, count),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=6.2,
                color=palette.INK,
            )
        axes.set_xticks(tally.index)
        _title(axes, title)
    panels[2].scatter(films_each.index[films_each > 0], films_each[films_each > 0], s=9, color=palette.MAIN)
    panels[2].set_xscale("log")
    panels[2].xaxis.set_major_formatter("{x:,.0f}")
    _title(panels[2], "Films per patient")
    units = ("findings", "films"), ("different findings", "patients"), ("films", "patients")
    for axes, (across, unit) in zip(panels, units, strict=True):
        axes.set_yscale("log")
        axes.set_xlabel(across)
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_ylabel(unit)
        axes.minorticks_off()
        _quiet(axes)
    for axes, tally in zip(panels, (per_film, per_patient), strict=False):
        axes.set_ylim(1, 2 * max(tally.max(), 1))  # from 1 the length of a bar is the logarithm of its number
    return figure


def cooccurrence(counts: pd.DataFrame, lifts: pd.DataFrame) -> Figure:
    """The 14 x 14 matrix: colour is lift (log2), NaN is grey; a cell's number is films with both findings."""
    figure, axes = _canvas(9.2, 7.4, bottom=1.1, right=0.9)
    with np.errstate(divide="ignore"):
        colours = np.clip(np.log2(lifts.to_numpy()), -2, 2)
    scale = LinearSegmentedColormap.from_list("lift", palette.DIVERGING, bad=palette.UNKNOWN)
    image = axes.imshow(colours, cmap=scale, vmin=-2, vmax=2)
    for (row, column), number in np.ndenumerate(counts.to_numpy()):
        dark = row != column and abs(colours[row, column]) > 1.4
        axes.text(
            column,
            row,
            f"{number:,}",
            ha="center",
            va="center",
            fontsize=6.5,
            color="white" if dark else palette.INK,
        )
    names = [spoken(name) for name in FINDINGS]
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.grid(False)
    bar = figure.colorbar(image, ax=axes, shrink=0.6, fraction=0.05, ticks=[-2, -1, 0, 1, 2])
    bar.ax.set_yticklabels(["¼ or less", "½", "as by chance", "2 times", "4 or more"], fontsize=8)
    bar.outline.set_visible(False)
    _title(axes, f"Films with both; colour: how often against chance, grey: under {LEAST_EXPECTED} by chance")
    return figure


def ages(histogram: pd.DataFrame) -> Figure:
    """Films by age and sex, from `age_histogram`: women to the left, men to the right."""
    figure, axes = _canvas(7.2, 4.2)
    width = int(histogram.index[1] - histogram.index[0]) if len(histogram) > 1 else 5
    middles = histogram.index.to_numpy(dtype=float) + width / 2
    for sex, sign in (("F", -1), ("M", 1)):
        if sex in histogram:
            axes.barh(middles, sign * histogram[sex], height=width * 0.86, color=palette.SEX[sex], label=sex)
    axes.axvline(0, color="white", linewidth=1)
    axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
    axes.set_xlabel("films")
    axes.set_ylabel("age in years")
    axes.grid(axis="y", visible=False)
    axes.legend(frameon=False, loc="upper right", fontsize=9)
    _title(axes, "Age and sex")
    return figure


def views(prevalence: pd.DataFrame) -> Figure:
    """Prevalence of each finding in AP and in PA films: a dot for each view, joined by a line; log scale."""
    figure, axes = _canvas(8.6, 4.9)
    shares = prevalence.reindex(["AP", "PA"])[list(FINDINGS)].dropna(axis="columns", how="all")
    order = shares.max().sort_values(ascending=False).index
    for row, name in enumerate(order):
        ends = shares[name].dropna()
        axes.plot(ends, [row] * len(ends), color=palette.LINE, linewidth=3, zorder=1)
    for view, colour in palette.VIEW.items():
        axes.scatter(shares.loc[view, order], range(len(order)), color=colour, s=42, label=view, zorder=2)
    axes.set_yticks(range(len(order)), [spoken(name) for name in order])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.2%}" if value < 0.01 else f"{value:.0%}")
    axes.minorticks_off()
    axes.set_xlabel("share of the view's films")
    axes.legend(frameon=False, loc="lower right", title="view", fontsize=9)
    _title(axes, "Prevalence by view")
    return figure


def boxes(sizes: pd.DataFrame) -> Figure:
    """The median box of each finding in the 1024 px frame, over the 7 x 7 cells of a 224 px model's map."""
    rows = -(-len(sizes) // 4)
    height = 0.3 + 2.8 * rows
    figure = Figure(figsize=(10, height))
    panels = figure.subplots(rows, 4, squeeze=False).ravel()
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=1 - 0.5 / height, hspace=0.25, wspace=0.1)
    for axes in panels:
        axes.axis("off")
    for axes, (name, size) in zip(panels, sizes.iterrows(), strict=False):
        lines = np.linspace(0, RELEASE_SIDE, 8)
        axes.vlines(lines, 0, RELEASE_SIDE, color=palette.LINE, linewidth=0.7)
        axes.hlines(lines, 0, RELEASE_SIDE, color=palette.LINE, linewidth=0.7)
        corner = ((RELEASE_SIDE - size["width"]) / 2, (RELEASE_SIDE - size["height"]) / 2)
        axes.add_patch(
            Rectangle(corner, size["width"], size["height"], color=palette.ACCENT, alpha=0.75, linewidth=0)
        )
        axes.set_aspect("equal")
        axes.set_title(
            f"{spoken(str(name))}: {size['area']:.2%}\n{size['boxes']:,.0f} boxes, "
            f"{size['width']:.0f} × {size['height']:.0f} px",
            fontsize=9,
            color=palette.INK,
        )
    return figure


def _canvas(width: float, height: float, bottom: float = 0.55, right: float = 0.15) -> tuple[Figure, Axes]:
    """A figure with room for finding names at the left, all in inches.

    The margins are fixed because a layout engine draws everything twice.
    """
    figure = Figure(figsize=(width, height))
    axes = figure.subplots()
    figure.subplots_adjust(1.4 / width, bottom / height, 1 - right / width, 1 - 0.4 / height)
    _quiet(axes)
    return figure, axes


def _quiet(axes: Axes) -> None:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(palette.LINE)
    axes.tick_params(colors=palette.MUTED, labelcolor=palette.INK, labelsize=8.5, length=0)
    axes.grid(axis="both", color=palette.LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.xaxis.label.set_color(palette.MUTED)
    axes.yaxis.label.set_color(palette.MUTED)


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=11, color=palette.INK, pad=8)
