"""A sheet of maps over their films: what the metrics of a localisation report are made of."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from xlite.evaluation.localisation.maps import Tile
from xlite.explain import draw_cell, map_fault, overlay, upsample_map
from xlite.findings import spoken
from xlite.metrics.localisation import peaks, points_into
from xlite.report.caveat_sentences import map_name

HIT, MISS = "#3fd07a", "#ff4d4d"
INCHES = 1.7  # of a tile


def draw_sheet(rows: Sequence[Sequence[Tile]], file: Path) -> None:
    """A PNG with a row a target and a column a method: its boxes, the map's peaks, and whether one hits.

    As everywhere a map with a fault is named and not painted.
    """
    columns = len(rows[0])
    figure = Figure(figsize=(INCHES * columns, INCHES * len(rows) + 0.7), layout="constrained")
    figure.set_facecolor("#111418")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes, tiles in zip(grid, rows, strict=True):
        for axis, tile in zip(axes, tiles, strict=True):
            _draw(axis, tile)
        axes[0].set_ylabel(spoken(tiles[0].finding), color="white", fontsize=9)
    for axis, tile in zip(grid[0], rows[0], strict=True):
        axis.set_title(map_name(tile.method), color="white", fontsize=9)
    figure.supxlabel(
        "Outlined: the boxes, green if a peak of the map (cross) lies in one, else red. "
        "Lower left: one cell of a map.",
        color="white",
        fontsize=8,
    )
    figure.savefig(file, dpi=110)


def _draw(axis: Axes, tile: Tile) -> None:
    heat, fault = upsample_map(tile.coarse, tile.image.shape), map_fault(tile.coarse)
    colour = HIT if points_into(heat, tile.boxes) > 0 else MISS
    painted = np.repeat(tile.image[..., None], 3, axis=2)
    if not fault:
        painted = overlay(tile.image, tile.coarse)
        draw_cell(painted, tuple(np.divide(tile.image.shape, tile.coarse.shape)))
    height, width = tile.image.shape
    axis.imshow(painted, extent=(0, width, height, 0))
    for x, y, w, h in tile.boxes:
        axis.add_patch(Rectangle((x, y), w, h, fill=False, edgecolor=colour, linewidth=1.4))
    for points in peaks(heat):
        axis.plot(*points.T, "+", color=colour, markersize=9, markeredgewidth=1.8)
    if fault:
        axis.text(width / 2, 0.07 * height, fault, color="white", fontsize=8, ha="center", va="center")
    axis.set_xticks([])
    axis.set_yticks([])
