"""Splits: no patient in two parts, shares and strata kept, ids that mean something, leaks refused."""

import json
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tables import folder_of, many

from xlite.data.folder import NihFolder
from xlite.data.leakage import leakage_report
from xlite.data.split_files import load_split, read_split, write_split
from xlite.data.splits import PARTS, make_split, split_of_films
from xlite.data.tables import read_list
from xlite.errors import DataError

tables = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 14)), min_size=1, max_size=60)


@pytest.mark.slow
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


def test_image_needs_a_few_films():
    with pytest.raises(DataError, match="at least 20 films"):
        make_split(folder_of([1, 2, 3], [0, 0, 0]), "image", allow_leakage=True)


@pytest.mark.release
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


def test_a_split_of_chosen_films_holds_them_alone_and_is_read_back(large_table: NihFolder):
    chosen = large_table.table["stem"][large_table.table["Mass"] > 0].tolist()
    split = split_of_films(large_table, "masses", chosen)
    assert sorted(sum((split.stems(part) for part in PARTS), [])) == sorted(chosen)
    assert split.shared_patients(large_table) == 0 and split.id.startswith("masses-42-")
    shares = [len(split.parts[part]) / len(chosen) for part in PARTS]
    assert shares == pytest.approx([0.7, 0.15, 0.15], abs=0.05)
    whose = large_table.table.set_index("image")["patient"]
    sizes = {part: (len(films), whose[films].nunique()) for part, films in split.parts.items()}
    assert split.sizes(large_table) == sizes
    write_split(large_table, split)
    again = read_split(large_table, "masses")
    assert (again.id, again.parts, again.way) == (split.id, split.parts, "films")


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
