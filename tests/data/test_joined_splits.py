"""The splits of several data folders as one."""

from pathlib import Path

import pytest

from xlite.data.folder import NihFolder
from xlite.data.joined import JoinedFolder, join
from xlite.data.joined_splits import ids_in
from xlite.data.split_files import load_split
from xlite.data.splits import PARTS, Split
from xlite.data.train_part import as_trained
from xlite.errors import DataError


def test_the_joined_split_is_that_of_each_folder(both: JoinedFolder) -> None:
    split = load_split(both, "patient")
    own = [load_split(one, "patient") for one in both.folders]
    for part in PARTS:
        expected = [
            names[stem] for one, names in zip(own, both.stems, strict=True) for stem in one.stems(part)
        ]
        assert split.stems(part) == expected
    assert split.id == "+".join(sorted(one.id for one in own)) and split.name == "patient"
    assert split.shared_patients(both) == 0
    assert split.joined == tuple(own) and ids_in(split.id) == {one.id: 1 for one in own}
    turned = join(both.folders[::-1])
    assert load_split(turned, "patient").id == split.id and turned.fingerprint() == both.fingerprint()


def test_each_folder_may_have_a_split_of_another_name(both: JoinedFolder) -> None:
    split = load_split(both, "official,patient")
    assert split.joined == (load_split(both.folders[0], "official"), load_split(both.folders[1], "patient"))
    assert split.name == "official,patient"
    with pytest.raises(DataError, match="names 3 splits for 2 data folders"):
        load_split(both, "official,patient,patient")
    with pytest.raises(DataError, match="has no split 'mine'"):
        load_split(both, "mine")


def test_a_share_or_fold_of_train_is_that_of_each_folder(both: JoinedFolder) -> None:
    split = load_split(both, "patient")
    for share, fold in ((0.5, ""), (1.0, "1/3"), (0.8, "2/2")):
        some, left_out = as_trained(both, split, share, fold)
        alone = [as_trained(one, load_split(one, "patient"), share, fold) for one in both.folders]
        assert some.id == split.id and some.parts["val"] == split.parts["val"]
        kept: list[str] = []
        apart: list[str] = []
        for (mine, left), names in zip(alone, both.stems, strict=True):
            kept += [names[stem] for stem in mine.stems("train")]
            apart += [names[stem] for stem in left]
        assert (some.stems("train"), left_out) == (kept, apart)


def test_a_split_of_one_folder_is_in_no_other_way_a_joined_one(west: Path) -> None:
    split = load_split(NihFolder.open(west), "patient")
    assert split.joined == () and ids_in(split.id) == {split.id: 1}
    assert isinstance(split, Split)
