"""What a run trains on of a split's train part."""

from dataclasses import replace

import numpy as np
from made_tables import many

from xlite.data.folder import NihFolder
from xlite.data.splits import make_split
from xlite.data.train_part import leave_out, shrink_train


def test_folds_of_the_train_part_are_whole_patients_and_all_of_it():
    folder = many()
    split = make_split(folder)
    without, folds = zip(*(leave_out(folder, split, f"{number}/3") for number in (1, 2, 3)), strict=True)
    assert sorted(stem for fold in folds for stem in fold) == sorted(split.stems("train"))
    for kept, fold in zip(without, folds, strict=True):
        assert sorted([*kept.stems("train"), *fold]) == sorted(split.stems("train"))
        assert not set(folder.patients(kept.stems("train"))) & set(folder.patients(fold))
        assert (kept.id, kept.parts["val"], kept.parts["test"]) == (
            split.id,
            split.parts["val"],
            split.parts["test"],
        )
        assert abs(len(fold) - len(split.parts["train"]) / 3) < 5
    assert leave_out(folder, split, "2/3") == (without[1], folds[1])


def test_a_share_of_train_is_whole_patients_in_proportion_and_the_same_for_all(
    large_table: NihFolder,
) -> None:
    folder, split = large_table, make_split(large_table)
    kept = shrink_train(folder, split, 0.2)
    assert kept == shrink_train(folder, split, 0.2)
    assert replace(kept, parts=split.parts) == split
    assert [kept.parts[part] == split.parts[part] for part in ("train", "val", "test")] == [False, True, True]
    assert set(kept.parts["train"]) < set(split.parts["train"])
    inside, outside = kept.stems("train"), sorted(set(split.stems("train")) - set(kept.stems("train")))
    assert not set(folder.patients(inside)) & set(folder.patients(outside))
    assert abs(len(inside) / len(split.parts["train"]) - 0.2) < 0.005
    shares = [np.bincount(folder.finding_counts(stems)) / len(stems) for stems in (inside, outside)]
    np.testing.assert_allclose(*shares, atol=0.01)
    assert shrink_train(folder, split, 1) is split
    other = shrink_train(folder, replace(split, id="another"), 0.2)
    assert other.parts["train"] != kept.parts["train"]
