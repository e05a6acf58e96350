"""A share of the train part: whole patients, in proportion, the same for all."""

from dataclasses import replace

import numpy as np

from xlite.data.folder import NihFolder
from xlite.data.splits import make_split, shrink_train


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
