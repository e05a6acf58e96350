"""Figures of the EDA report as they are drawn."""

import pandas as pd

from xlite.data.eda.paper_figures import tallies


def test_the_bars_of_a_tally_start_at_one_and_every_axis_says_what_it_counts() -> None:
    per_film, per_patient = pd.Series([50, 7, 1]), pd.Series([900, 300, 4])
    figure = tallies(per_film, per_patient, pd.Series([0, 5, 2, 1]))
    panels = figure.axes
    assert [axes.get_ylim() for axes in panels[:2]] == [(1, 100), (1, 1800)]
    assert [(axes.get_xlabel(), axes.get_ylabel()) for axes in panels] == [
        ("findings", "films"),
        ("different findings", "patients"),
        ("films", "patients"),
    ]
