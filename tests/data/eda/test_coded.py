"""The table as numbers gives what the statistics of the table itself give."""

import numpy as np
import pandas as pd
import pytest

from xlite.data.eda import statistics
from xlite.data.eda.coded import CodedFilms
from xlite.data.folder import NihFolder


@pytest.mark.parametrize("kept", [slice(None), slice(0, 3), slice(5, 6), slice(0, 0)])
def test_counts_are_those_of_the_table(hand: NihFolder, coded: CodedFilms, kept: slice):
    keep = np.zeros(len(hand.table), dtype=bool)
    keep[kept] = True
    table = hand.table[keep]
    assert coded.facts(keep) == statistics.facts(table)
    assert coded.classes(keep).tolist() == statistics.indicators(table).sum().tolist()
    pd.testing.assert_frame_equal(coded.together(keep), statistics.cooccurrence(table))


def test_prevalence_is_that_of_the_table(hand: NihFolder, coded: CodedFilms):
    everything = np.ones(len(hand.table), dtype=bool)
    for groups, column in (
        (coded.views, hand.table["view"]),
        (coded.sexes, hand.table["sex"]),
        (coded.age_groups(), statistics.age_groups(hand.table["age"])),
    ):
        expected = statistics.prevalence_by(hand.table, column)
        found = coded.prevalence(everything, groups)
        assert found.index.tolist() == expected.index.tolist()
        assert found.columns.tolist() == expected.columns.tolist()
        np.testing.assert_allclose(found.to_numpy(), expected.to_numpy())


def test_what_each_film_is(coded: CodedFilms):
    assert len(coded) == 8
    assert coded.amounts.tolist() == [2, 1, 0, 1, 0, 3, 0, 0]
    assert coded.series.tolist() == [3, 3, 3, 1, 2, 2, 1, 1]
    assert coded.boxed.tolist() == [True, True, False, True, False, False, False, False]
    assert {name: mask.nonzero()[0].tolist() for name, mask in coded.parts.items()} == {
        "official train+val": [0, 1, 2, 3],
        "official test": [4, 5, 6, 7],
    }
    assert coded.views.counts(np.ones(8, dtype=bool)) == {"AP": 4, "PA": 4}
    assert coded.sexes.among(["F"]).tolist() == [False, False, False, True, True, True, False, True]


def test_a_film_is_found_by_its_stem(hand: NihFolder, coded: CodedFilms):
    assert [coded.row_of(stem) for stem in hand.table["stem"]] == list(range(8))
    assert coded.row_of("another") is None
