"""Statistics of a table: exact on one made by hand, consistent on any."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlite.data.eda import statistics
from xlite.data.eda.statistics import Facts, Imbalance, Meetings
from xlite.data.folder import NihFolder
from xlite.findings import FINDINGS, NO_FINDING


def meetings_of(table: pd.DataFrame) -> Meetings:
    return Meetings.of(statistics.label_array(table))


def test_counts_of_the_hand_made_table(hand: NihFolder):
    counts = statistics.finding_counts(hand.table)
    assert list(counts.index[:4]) == [NO_FINDING, "Mass", "Nodule", "Edema"]
    assert counts["films"].head(4).tolist() == [4, 3, 2, 2]
    assert counts["share"].head(4).tolist() == [0.5, 0.375, 0.25, 0.25]
    assert counts["patients"].head(4).tolist() == [4, 2, 2, 2]
    assert counts["alone"].iloc[1:4].tolist() == [1 / 3, 0.0, 0.5]
    assert counts["films"].iloc[4:].tolist() == [0] * 11
    assert statistics.imbalance(counts) == Imbalance(
        common="Mass",
        rare="Nodule",
        findings=1.5,
        with_no_finding=2.0,
        absent=[name for name in FINDINGS if name not in ("Mass", "Nodule", "Edema")],
    )


def test_tallies_of_the_hand_made_table(hand: NihFolder):
    assert statistics.findings_per_film(hand.table).to_dict() == {0: 4, 1: 2, 2: 1, 3: 1}
    assert statistics.findings_per_patient(hand.table).to_dict() == {0: 2, 1: 1, 2: 1, 3: 1}
    assert statistics.films_per_patient(hand.table).to_dict() == {1: 3, 2: 1, 3: 1}


def test_facts_of_the_hand_made_table(hand: NihFolder):
    assert statistics.facts(hand.table) == Facts(
        films=8,
        patients=5,
        sex={"M": 4, "F": 4},
        view={"PA": 4, "AP": 4},
        age_missing=1,
        age_median=44.0,
        age_min=17.0,
        age_max=61.0,
        patients_with_several=2,
        films_of_patients_with_several=5,
        most_films=3,
        follow_ups=3,
        several_findings=2,
        with_finding=4,
        several_decided=2,
        with_decided=4,
    )


def test_findings_together(hand: NihFolder):
    together = statistics.cooccurrence(hand.table)
    named = together.loc[["Mass", "Nodule", "Edema"], ["Mass", "Nodule", "Edema"]]
    assert named.to_numpy().tolist() == [[3, 2, 1], [2, 2, 1], [1, 1, 2]]
    assert together.to_numpy().sum() == named.to_numpy().sum()
    lifts = statistics.lift(together, meetings_of(hand.table))
    assert lifts.loc["Mass", "Nodule"] == 2 * 8 / (3 * 2)
    assert lifts.loc["Mass", "Edema"] == 1 * 8 / (3 * 2)
    assert np.isnan(lifts.loc["Mass", "Mass"]) and np.isnan(lifts.loc["Mass", "Hernia"])
    pairs = statistics.pairs(hand.table)
    assert pairs[["first", "second", "films"]].to_numpy().tolist() == [
        ["Mass", "Nodule", 2],
        ["Mass", "Edema", 1],
        ["Nodule", "Edema", 1],
    ]


def test_ages_by_group_and_by_width(hand: NihFolder):
    ages = pd.Series([0.0, 17.9, 18.0, 60.0, 60.5, np.nan])
    bands = ["under 18", "under 18", "18 to 60", "18 to 60", "over 60", "unknown"]
    assert statistics.age_groups(ages).tolist() == bands
    histogram = statistics.age_histogram(hand.table)
    assert histogram.index.tolist() == list(range(0, 65, 5))
    assert histogram.loc[[15, 40, 45, 60], ["F", "M"]].to_numpy().tolist() == [[0, 3], [0, 1], [1, 0], [2, 0]]
    assert histogram.to_numpy().sum() == 7


def test_prevalence_by_view(hand: NihFolder):
    by_view = statistics.prevalence_by(hand.table, hand.table["view"])
    assert by_view["films"].to_dict() == {"AP": 4, "PA": 4}
    assert by_view["Mass"].to_dict() == {"AP": 0.5, "PA": 0.25}
    assert by_view[NO_FINDING].to_dict() == {"AP": 0.25, "PA": 0.75}
    assert by_view["Hernia"].to_dict() == {"AP": 0.0, "PA": 0.0}


def test_box_sizes(hand: NihFolder):
    sizes = statistics.box_sizes(hand.boxes())
    assert sizes.index.tolist() == ["Infiltration", "Mass"]
    assert sizes.loc["Mass"].tolist() == [2, 2, 192, 64, 192 * 64 / 1024**2]
    assert sizes.loc["Infiltration"].tolist() == [1, 1, 1024, 512, 0.5]


def test_from_film_to_film(hand: NihFolder):
    """Patient 1: Mass|Nodule, Mass, nothing; patient 3: nothing, then three. Rows in any order."""
    changes = statistics.follow_ups(hand.table.sample(frac=1, random_state=0))
    named = changes.loc[[NO_FINDING, "Mass", "Nodule", "Edema"]]
    assert named["had"].tolist() == [1, 2, 1, 0]
    assert named["lacked"].tolist() == [2, 1, 2, 3]
    assert named["stays"].tolist()[:3] == [0, 0.5, 0] and np.isnan(named["stays"].iloc[3])
    assert named["appears"].tolist() == [0.5, 1, 0.5, 1 / 3]


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(st.lists(st.booleans(), min_size=14, max_size=14), min_size=1, max_size=12))
def test_pairs_films_and_tallies_agree_for_any_labels(labels: list[list[bool]]):
    table = pd.DataFrame(np.array(labels, dtype=np.uint8), columns=list(FINDINGS))
    table.insert(0, "patient", range(len(table)))
    number = np.array(labels).sum(axis=1)
    together = statistics.cooccurrence(table)
    assert statistics.findings_per_film(table).to_dict() == {
        n: int((number == n).sum()) for n in range(number.max() + 1)
    }
    assert np.diag(together).tolist() == np.array(labels).sum(axis=0).tolist()
    assert statistics.pairs(table)["films"].sum() == (number * (number - 1) // 2).sum()
    lifts = statistics.lift(together, meetings_of(table)).to_numpy()
    assert np.array_equal(lifts, lifts.T, equal_nan=True)
