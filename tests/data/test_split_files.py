"""Splits written to a data folder and read back."""

import json
import re

import pytest
from noise_folder import HEADER_2020

from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split, read_split, write_split
from xlite.data.splits import PARTS, make_split
from xlite.errors import DataError
from xlite.split_names import SPLITS


@pytest.mark.parametrize("name", list(SPLITS)[:2])
def test_a_split_is_made_once_and_then_read(tiny_folder, name):
    folder = NihFolder.open(tiny_folder)
    made = load_split(folder, name, seed=7)
    place = tiny_folder / "splits" / name
    assert sorted(path.name for path in place.iterdir()) == ["split.json", "test.csv", "train.csv", "val.csv"]
    assert (place / "val.csv").read_text().splitlines() == ["image", *made.parts["val"]]
    assert read_split(folder, name) == made
    assert load_split(folder, name) == made  # the one on disk counts, whatever the seed
    said = json.loads((place / "split.json").read_text())
    assert said["id"] == made.id and said["seed"] == 7 and said["leaky"] is False
    assert said["images"] == {part: len(made.parts[part]) for part in PARTS}
    assert sum(map(sum, said["images_by_number_of_findings"].values())) == 24
    assert [path.name for path in place.parent.iterdir()] == [name]


def test_writing_again_replaces_the_lists_and_nothing_else(tiny_folder):
    folder = NihFolder.open(tiny_folder)
    place = write_split(folder, make_split(folder, seed=1))
    (place / "notes.txt").write_text("mine")
    again = make_split(folder, seed=2)
    assert write_split(folder, again) == place
    assert read_split(folder, "patient") == again and (place / "notes.txt").read_text() == "mine"


def test_ones_own_split_is_read_and_refused_if_it_shares_patients(tiny_folder):
    folder = NihFolder.open(tiny_folder)
    place = tiny_folder / "splits" / "mine"
    place.mkdir(parents=True)
    (place / "train.csv").write_text("image\n00000001_000.png\n00000002_000.jpg\n")
    (place / "val.csv").write_text("image\n00000003_000\n")
    (place / "test.csv").write_text("image\n00000004_000.png\n")
    split = load_split(folder, "mine")
    assert split.way == "own" and split.id.startswith("mine-0-")
    assert split.parts["train"] == ["00000001_000.png", "00000002_000.png"]

    (place / "test.csv").write_text("image\n00000004_000.png\n00000001_001.png\n00000002_001.png\n")
    with pytest.raises(DataError, match=r"has 2 patients in more than one part \(66.7%") as refused:
        load_split(folder, "mine")
    assert refused.value.settings == ("allow_leakage",)
    leaky = load_split(folder, "mine", allow_leakage=True)
    assert leaky.id.endswith("-leaky") and leaky.shared_patients(folder) == 2

    (place / "val.csv").unlink()
    with pytest.raises(DataError, match="lacks splits/mine/val.csv"):
        load_split(folder, "mine")


def test_names_with_commas_come_back_from_a_written_split(tiny_folder):
    table = tiny_folder / "Data_Entry_2017_v2020.csv"
    table.write_text(re.sub(r"(?m)^([0-9]{8})_([0-9]{3}).png", r'"Doe, \1, ""\2"".png"', table.read_text()))
    folder = NihFolder.open(tiny_folder)
    split = make_split(folder)
    write_split(folder, split)
    assert read_split(folder, "patient") == split
    assert sum(map(len, split.parts.values())) == 24


def test_a_damaged_split_json_is_named(tiny_folder):
    folder = NihFolder.open(tiny_folder)
    (write_split(folder, make_split(folder)) / "split.json").write_text('{"strategy": "patient"')
    with pytest.raises(DataError, match="split.json is damaged"):
        load_split(folder, "patient")


@pytest.mark.parametrize("name", ["../patient", "a/b", "", ".hidden"])
def test_a_name_that_is_no_folder_name_is_refused(tiny_folder, name):
    with pytest.raises(DataError, match="cannot be a split's name"):
        load_split(NihFolder.open(tiny_folder), name)


def test_an_unknown_name_is_answered_with_what_there_is(tiny_folder):
    (tiny_folder / "splits" / "mine").mkdir(parents=True)
    with pytest.raises(
        DataError, match="no split 'yours'; expected one of patient, official, chexnet, unseen, image, mine"
    ):
        load_split(NihFolder.open(tiny_folder), "yours")
    with pytest.raises(DataError, match="'fold' is not a way to split"):
        make_split(NihFolder.open(tiny_folder), "fold")


def test_a_folder_that_cannot_be_written_to_is_split_all_the_same(tiny_folder):
    folder = NihFolder.open(tiny_folder)
    (tiny_folder / "splits").write_text("a file where the folder should be")
    split = load_split(folder, "patient")
    assert split == make_split(folder)
    with pytest.raises(DataError, match="File exists: .*splits"):
        write_split(folder, split)


def test_lists_keep_names_that_a_spreadsheet_would_run_or_part(tmp_path):
    names = ["=1+1.png", "a,b.png", "c;d.png", "'e.png", *(f"{number}.png" for number in range(30))]
    rows = [f'"{name}",Mass,0,{number},58,M,PA,64,64,.1,.1' for number, name in enumerate(names)]
    (tmp_path / "Data_Entry_2017_v2020.csv").write_text("\n".join([HEADER_2020, *rows]) + "\n")
    folder = NihFolder.open(tmp_path)
    split = make_split(folder)
    place = write_split(folder, split)
    texts = [(place / f"{part}.csv").read_text() for part in PARTS]
    assert "\n'=1+1.png\n" in "".join(texts) and '\n"c;d.png"\n' in "".join(texts)
    assert read_split(folder, "patient").parts == split.parts
