"""Lists and splits of a folder: balance, shared patients, overlaps."""

from pathlib import Path

import numpy as np

from xlite.data.eda import statistics
from xlite.data.eda.partitions import (
    Leakage,
    Partition,
    balance,
    exposed,
    known_of_parts,
    leakage,
    locate,
    overlaps,
    partitions,
    random_partition,
    widest_shift,
)
from xlite.data.folder import NihFolder
from xlite.data.joined import JoinedFolder
from xlite.data.split_files import write_split
from xlite.data.splits import make_split
from xlite.findings import FINDINGS, NO_FINDING


def row(**films: int) -> list[int]:
    """The 15 class counts in order, 0 if not given."""
    return [films.get(name, 0) for name in statistics.CLASSES]


def test_balance_leaves_out_films_that_the_table_lacks(hand: NihFolder):
    (official,) = partitions(hand)
    assert official.name == "official"
    balanced = balance(hand.table, locate(hand.table, [official])["official"])
    no_finding = NO_FINDING
    assert balanced.loc["train+val"].tolist() == [4, 2, *row(**{no_finding: 1}, Mass=2, Nodule=1, Edema=1)]
    assert balanced.loc["test"].tolist() == [4, 3, *row(**{no_finding: 3}, Mass=1, Nodule=1, Edema=1)]


def test_written_splits_are_found_after_the_lists(hand: NihFolder):
    write_split(hand, make_split(hand, "official"))
    assert [one.name for one in partitions(hand)] == ["official", "splits/official"]


def test_exposed_counts_films_whose_patient_was_seen():
    assert exposed(np.array([1, 3]), np.array([1, 1, 3, 4])) == 0.75
    assert exposed(np.array([1]), np.array([], dtype=int)) == 0.0


def test_leakage_of_parts_that_share_patients(hand: NihFolder):
    parts = {"train": ["1_0", "3_1", "unknown"], "val": ["1_1", "2_0"], "test": ["1_2", "3_0", "4_0", "2_0"]}
    shared = locate(hand.table, [Partition("own", parts)])["own"]
    assert leakage(hand.table, shared) == Leakage(
        shared_patients=3,  # 1, 2 and 3
        val_seen=0.5,
        test_seen=0.5,
        test_seen_or_val=0.75,
    )
    official = locate(hand.table, partitions(hand))["official"]
    assert leakage(hand.table, official) == Leakage(
        shared_patients=0, val_seen=None, test_seen=0.0, test_seen_or_val=0.0
    )


def test_the_widest_shift_is_a_ratio(hand: NihFolder):
    rows = locate(hand.table, partitions(hand))["official"]
    parts, told = balance(hand.table, rows), known_of_parts(hand.table, rows)
    assert widest_shift(parts, told) == ("Mass", 0.5, 0.25)
    assert widest_shift(parts.assign(**dict.fromkeys(FINDINGS, 0)), told) is None


def test_splits_that_are_drawn(tiny_folder: Path, hand: NihFolder):
    folder = NihFolder.open(tiny_folder)
    for way in ("patient", "image"):
        made = make_split(folder, way, 42, allow_leakage=True)
        one = random_partition(folder, way, 42)
        assert (one.name, one.parts) == (
            f"{way}, seed 42",
            {part: made.stems(part) for part in ("train", "val", "test")},
        )
    assert random_partition(hand, "image", 42) is None


def test_overlaps_of_two_lists():
    one = Partition("one", {"train": ["a", "b"], "val": ["c"], "test": ["d", "e"]})
    other = Partition("other", {"train+val": ["a", "d"], "test": ["b", "c", "e"]})
    assert overlaps([one, other]).to_numpy().tolist() == [
        ["one", "other", 2, 1, 1, 1],
        ["other", "one", 3, 1, 2, 1],
    ]


def test_lists_of_one_name_in_several_folders_are_one(joined: JoinedFolder) -> None:
    hand, other = joined.parts
    write_split(other, make_split(other, "official"))
    official, split = partitions(joined)
    assert (official.name, split.name) == ("official", "splits/official")
    # The list names 9_9, too, of which no table says anything.
    assert official.parts["train+val"] == [
        f"{title}~{stem}" for title in ("hand", "other") for stem in ("1_0", "1_1", "1_2", "2_0")
    ]
    assert official.parts["test"][::4] == ["hand~3_0", "other~3_0"]
    assert {stem.partition("~")[0] for part in split.parts.values() for stem in part} == {"other"}
    assert leakage(joined.table, locate(joined.table, [official])["official"]).shared_patients == 0
