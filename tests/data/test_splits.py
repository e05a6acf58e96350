"""Splits: no patient in two parts, shares and strata kept, ids that mean something, leaks refused."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from noise_folder import HEADER_2020

from xlite.data.folder import NihFolder
from xlite.data.leakage import leakage_report
from xlite.data.splits import (
    PARTS,
    leave_out,
    load_split,
    make_split,
    read_split,
    shrink_train,
    split_of_films,
    write_split,
)
from xlite.data.strategies import STRATEGIES
from xlite.data.tables import read_list
from xlite.errors import DataError
from xlite.findings import FINDINGS


def folder_of(patients: list[int], findings: list[int], root="nowhere", **more) -> NihFolder:
    """A folder whose film i is of patients[i] and has the first findings[i] of the 14 findings."""
    stems = [f"{patient:08d}_{film:03d}" for film, patient in enumerate(patients)]
    names, ids = [f"{stem}.png" for stem in stems], [str(patient) for patient in patients]
    table = pd.DataFrame({"image": names, "stem": stems, "patient": ids})
    for column in ("follow_up", "age", "sex", "view"):
        table[column] = "" if column in ("sex", "view") else 0
    for rank, finding in enumerate(FINDINGS):
        table[finding] = (np.array(findings) > rank).astype(np.uint8)
    return NihFolder(root, table, "2020", {}, **more)


def many(films: int = 2000, seed: int = 0) -> NihFolder:
    """A folder with NIH's habits: few patients have many films, and most films have few findings."""
    rng = np.random.RandomState(seed)  # its stream is frozen, and an id below stands on it
    patients = rng.geometric(0.004, films) * 7 % 5000 + 1
    return folder_of(patients.tolist(), rng.poisson(0.8, films).clip(0, 14).tolist())


tables = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 14)), min_size=1, max_size=60)


@settings(max_examples=80, deadline=None)
@given(films=tables, seed=st.integers(0, 2**31 - 1))
def test_any_table_is_split_whole_and_no_patient_twice(films, seed):
    folder = folder_of([p for p, _ in films], [n for _, n in films])
    split = make_split(folder, "patient", seed)
    assert sorted(sum(split.parts.values(), [])) == sorted(folder.table["image"])
    owners = [set(folder.patients(split.stems(part)).tolist()) for part in PARTS]
    assert sum(map(len, owners)) == folder.table["patient"].nunique()
    assert split.shared_patients(folder) == 0
    if len(set(folder.table["patient"])) >= 3 and len({n for _, n in films}) == 1:
        assert all(split.parts.values())


def test_shares_and_strata_are_kept():
    folder = many()
    split = make_split(folder)
    counts = folder.finding_counts(folder.table["stem"])
    for part, share in zip(PARTS, (0.70, 0.15, 0.15), strict=True):
        assert len(split.parts[part]) / 2000 == pytest.approx(share, abs=0.01)
        mine = folder.finding_counts(split.stems(part))
        for number in range(4):
            assert (mine == number).sum() / (counts == number).sum() == pytest.approx(share, abs=0.02)


def test_the_same_table_gives_the_same_split_in_any_order_of_rows():
    folder = many(300)
    shuffled = NihFolder(folder.root, folder.table.sample(frac=1, random_state=1), "2020", {})
    split = make_split(folder)
    assert split.id == "patient-42-12d9e14d"  # never changes: reports carry it
    assert make_split(shuffled) == split
    assert make_split(folder, seed=43).id.startswith("patient-43-")
    assert make_split(folder, seed=43).parts != split.parts


def test_official_keeps_nihs_test_and_deals_val_out_of_the_rest_by_patient(tiny_folder):
    folder = NihFolder.open(tiny_folder)
    split = make_split(folder, "official")
    assert split.stems("test") == read_list(tiny_folder / "test_list.txt")
    rest = split.stems("train") + split.stems("val")
    assert sorted(rest) == sorted(read_list(tiny_folder / "train_val_list.txt"))
    assert len(split.stems("val")) == 2 and split.shared_patients(folder) == 0


def test_chexnet_takes_its_three_lists_and_counts_what_the_table_lacks(tiny_folder):
    lists = {
        "train": ["00000002_000", "00000001_000"],
        "val": ["00000003_000", "99999999_000", "99999999_001"],
        "test": ["00000004_001"],
    }
    for part, stems in lists.items():
        (tiny_folder / f"chexnet_{part}_list.txt").write_text("\n".join(f"{stem}.png" for stem in stems))
    split = make_split(NihFolder.open(tiny_folder), "chexnet")
    assert split.parts == {
        "train": ["00000002_000.png", "00000001_000.png"],
        "val": ["00000003_000.png"],
        "test": ["00000004_001.png"],
    }
    assert split.dropped == {"train": 0, "val": 2, "test": 0}


def test_a_list_that_is_not_there_is_named(tiny_folder):
    folder = NihFolder.open(tiny_folder)
    with pytest.raises(DataError, match="lacks chexnet_train_list.txt"):
        make_split(folder, "chexnet")
    (tiny_folder / "test_list.txt").unlink()
    with pytest.raises(DataError, match="lacks test_list.txt"):
        make_split(folder, "official")


def test_lists_of_another_data_set_are_refused(tiny_folder):
    for name in ("train_val_list.txt", "test_list.txt"):
        (tiny_folder / name).write_text("99999999_000.png\n")
    with pytest.raises(DataError, match="names no film"):
        make_split(NihFolder.open(tiny_folder), "official")


def test_image_is_refused_and_else_says_that_it_leaks(tmp_path):
    folder = many(400)
    with pytest.raises(DataError, match="--allow-leakage") as refused:
        make_split(folder, "image")
    assert refused.value.settings == ("allow_leakage",)
    split = make_split(folder, "image", allow_leakage=True)
    assert [len(split.parts[part]) for part in PARTS] == [280, 60, 60]
    assert split.id.startswith("image-42-") and split.id.endswith("-leaky")
    counts, tested = (folder.finding_counts(stems) for stems in (folder.table["stem"], split.stems("test")))
    for number in range(3):
        assert abs((tested == number).sum() - 0.15 * (counts == number).sum()) <= 1
    here = NihFolder(tmp_path, folder.table, "2020", {})
    said = json.loads((write_split(here, split) / "split.json").read_text())
    assert said["leaky"] is True and said["shared_patients"] == split.shared_patients(folder) > 0
    with pytest.raises(DataError, match="patients in more than one part"):
        read_split(here, "image")
    assert load_split(here, "image", allow_leakage=True) == split


def test_unseen_tests_on_patients_of_the_list_alone(tmp_path):
    everyone = many(films=400)
    folder = NihFolder(tmp_path, everyone.table, "2020", {})
    owner = dict(zip(folder.table["stem"], folder.patients(folder.table["stem"]).tolist(), strict=True))
    listed = [stem for stem, patient in owner.items() if int(patient) % 3 == 0]
    half_listed = next(patient for patient in owner.values() if list(owner.values()).count(patient) > 1)
    own = [stem for stem, patient in owner.items() if patient == half_listed]
    listed = [stem for stem in listed if stem not in own] + own[:1]
    (tmp_path / "chexnet_test_list.txt").write_text("\n".join(f"{stem}.png" for stem in listed))
    split = make_split(folder, "unseen")
    assert split.id.startswith("unseen-42-") and split.shared_patients(folder) == 0
    assert {stem for part in PARTS for stem in split.stems(part)} == set(owner)
    assert set(split.stems("test")) < set(listed) - set(own)
    assert abs(len(split.parts["test"]) - 60) <= 5 and abs(len(split.parts["val"]) - 60) <= 5


def test_unseen_needs_enough_films_of_the_list(tiny_folder):
    (tiny_folder / "chexnet_test_list.txt").write_text("00000001_000.png\n")
    with pytest.raises(DataError, match=r"needs 4 films of patients .* the table has \d"):
        make_split(NihFolder.open(tiny_folder), "unseen")


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


def test_image_needs_a_few_films():
    with pytest.raises(DataError, match="at least 20 films"):
        make_split(folder_of([1, 2, 3], [0, 0, 0]), "image", allow_leakage=True)


@pytest.mark.parametrize("strategy", STRATEGIES[:2])
def test_a_split_is_made_once_and_then_read(tiny_folder, strategy):
    folder = NihFolder.open(tiny_folder)
    made = load_split(folder, strategy, seed=7)
    place = tiny_folder / "splits" / strategy
    assert sorted(path.name for path in place.iterdir()) == ["split.json", "test.csv", "train.csv", "val.csv"]
    assert (place / "val.csv").read_text().splitlines() == ["image", *made.parts["val"]]
    assert read_split(folder, strategy) == made
    assert load_split(folder, strategy) == made  # the one on disk counts, whatever the seed
    said = json.loads((place / "split.json").read_text())
    assert said["id"] == made.id and said["seed"] == 7 and said["leaky"] is False
    assert said["images"] == {part: len(made.parts[part]) for part in PARTS}
    assert sum(map(sum, said["images_by_number_of_findings"].values())) == 24
    assert [path.name for path in place.parent.iterdir()] == [strategy]


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
    assert split.strategy == "own" and split.id.startswith("mine-0-")
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
    with pytest.raises(DataError, match="'fold' is no way to split"):
        make_split(NihFolder.open(tiny_folder), "fold")


def test_a_folder_that_cannot_be_written_to_is_split_all_the_same(tiny_folder):
    folder = NihFolder.open(tiny_folder)
    (tiny_folder / "splits").write_text("a file where the folder should be")
    split = load_split(folder, "patient")
    assert split == make_split(folder)
    with pytest.raises(DataError, match="File exists: .*splits"):
        write_split(folder, split)


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


@pytest.mark.slow
def test_the_real_splits(shared_data, tmp_path):
    for file in (shared_data / "nih_tables").iterdir():
        shutil.copy(file, tmp_path)
    folder = NihFolder.open(tmp_path)

    official = make_split(folder, "official")
    assert [len(official.parts[part]) for part in PARTS] == [75705, 10819, 25596]
    chexnet = make_split(folder, "chexnet")
    assert [len(chexnet.parts[part]) for part in PARTS] == [78468, 11219, 22433]
    patient = make_split(folder)
    assert [round(len(patient.parts[part]) / 112120, 3) for part in PARTS] == [0.7, 0.15, 0.15]
    assert [official.id, chexnet.id, patient.id] == [
        "official-42-eec36911",
        "chexnet-42-b9743fd4",
        "patient-42-23c459e8",
    ]
    image = make_split(folder, "image", allow_leakage=True)
    report = leakage_report(image.stems("train"), image.stems("test"), folder.table)
    assert round(report.affected_share, 3) == 0.815

    train, val = (chexnet.stems(part) for part in ("train", "val"))
    seen = leakage_report(train, official.stems("test"), folder.table, teacher_list=train + val)
    assert seen.shared_images == 17920
    assert seen.teacher and (seen.teacher.teacher_seen_images, seen.teacher.clean_images) == (20383, 5213)


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


def test_a_split_of_chosen_films_holds_them_alone_and_is_read_back(large_table: NihFolder):
    chosen = large_table.table["stem"][large_table.table["Mass"] > 0].tolist()
    split = split_of_films(large_table, "masses", chosen)
    assert sorted(sum((split.stems(part) for part in PARTS), [])) == sorted(chosen)
    assert split.shared_patients(large_table) == 0 and split.id.startswith("masses-42-")
    shares = [len(split.parts[part]) / len(chosen) for part in PARTS]
    assert shares == pytest.approx([0.7, 0.15, 0.15], abs=0.05)
    write_split(large_table, split)
    again = read_split(large_table, "masses")
    assert (again.id, again.parts, again.strategy) == (split.id, split.parts, "films")


def test_a_split_of_chosen_films_takes_no_other_s_place_and_leaves_no_part_empty(large_table: NihFolder):
    stems = large_table.table["stem"].tolist()
    write_split(large_table, split_of_films(large_table, "mine", stems))
    for name in ("mine", "official", "image"):
        with pytest.raises(DataError, match=f"the name '{name}' is taken by another split"):
            split_of_films(large_table, name, stems)
    with pytest.raises(DataError, match="cannot be a split's name"):
        split_of_films(large_table, "../mine", stems)
    with pytest.raises(DataError, match="the part 'val' would be empty, since patients stay whole"):
        split_of_films(large_table, "one", stems[:1])
