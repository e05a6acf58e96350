"""The interactive figures: what a click on them means, and what they leave out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from xlite.data.eda import screen_figures, statistics
from xlite.data.eda.overview import overview
from xlite.data.folder import NihFolder
from xlite.findings import FINDINGS


def test_bars_and_cells_carry_the_findings_they_stand_for(tiny_folder: Path):
    table = NihFolder.open(tiny_folder).table
    counts = statistics.finding_counts(table)
    assert list(screen_figures.findings(counts).data[0].customdata) == list(counts.index)
    together = statistics.cooccurrence(table)
    for by in ("lift", "films"):
        cells = screen_figures.cooccurrence(together, statistics.lift(together, 24), by).data[-1]
        pairs = [tuple(pair) for pair in cells.customdata]
        assert pairs == [(row, column) for row in FINDINGS for column in FINDINGS]
        # a cell lies where its customdata says: x is the column, y the row
        assert (cells.x[1], cells.y[1]) == ("Cardiomegaly", "Atelectasis")


def test_cells_of_too_few_films_are_empty(tiny_folder: Path):
    table = NihFolder.open(tiny_folder).table.iloc[[0] * 200].assign(**dict.fromkeys(FINDINGS, 0))
    for finding, films in (("Mass", 40), ("Nodule", 25), ("Edema", 24)):
        table.iloc[:films, table.columns.get_loc(finding)] = 1
    table.iloc[:, table.columns.get_loc("Hernia")] = [0] * 195 + [
        1
    ] * 5  # together with none of them, though chance gives 1
    data = overview(table)
    shown = screen_figures.cooccurrence(data.cooccurrence, data.lift, "lift").data[1]
    cell = {name: place for place, name in enumerate(FINDINGS)}
    texts = {other: shown.text[cell["Mass"]][cell[other]] for other in ("Mass", "Nodule", "Edema", "Hernia")}
    assert texts == {"Mass": "", "Nodule": "5.0", "Edema": "", "Hernia": ""}  # 5, 4.8 and 1 are expected
    assert np.isnan(shown.z[cell["Mass"]][cell["Hernia"]])


@pytest.mark.parametrize(
    ("most", "ticks"),
    [(0, [0]), (2, [-2, -1, 0, 1, 2]), (104, [-100, -50, 0, 50, 100]), (8243, [-5000, 0, 5000])],
)
def test_ages_has_round_ticks_both_ways(most: int, ticks: list[int]):
    histogram = pd.DataFrame({"F": [most], "M": [0]}, index=[0])
    assert list(screen_figures.ages(histogram).layout.xaxis.tickvals) == ticks
