"""Several data folders as one: what films and patients are called, pixels, and what is refused."""

import pickle
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from judged import BOXES
from noise_folder import write_noise_folder
from unknown_labels import hide_labels

from xlite.data.cache import fingerprint
from xlite.data.dataset import open_films
from xlite.data.folder import NihFolder
from xlite.data.joined import JoinedFolder, doubtful_patients, open_data
from xlite.data.layout import data_roots, joined_data, table_files
from xlite.data.split_files import load_split
from xlite.errors import DataError
from xlite.findings import FINDINGS
from xlite.images import Preprocess


def test_one_folder_is_opened_as_it_always_was(west: Path, tmp_path: Path) -> None:
    assert type(open_data(west)) is NihFolder
    comma = tmp_path / "a,b"
    shutil.copytree(west, comma)
    assert type(open_data(comma)) is NihFolder and data_roots(comma) == [comma]
    assert data_roots("one, two") == [Path("one"), Path("two")]
    with pytest.raises(DataError, match="a,b has a comma in its path"):
        joined_data([comma, west])


def test_equal_numbers_of_two_hospitals_are_two_patients(both: JoinedFolder) -> None:
    assert len(both.table) == 54 and both.titles == ("west", "east")
    assert both.table["folder"].tolist() == ["west"] * 24 + ["east"] * 30
    films = ["west~00000001_000", "east~00000001_000", "00000013_001"]
    assert both.patients(films).tolist() == ["west~1", "east~1", "east~13"]
    assert len(set(both.table["patient"])) == 12 + 15
    # Only films whose names both folders have are called otherwise.
    assert both.names(films) == ["west~00000001_000.png", "east~00000001_000.png", "00000013_001.png"]
    assert both.paths["east~00000001_000"] == both.folders[1].root / "images" / "00000001_000.png"
    assert "00000001_000" not in both and len(both.paths) == 54
    assert both.labels(films).tolist() == [
        one.labels([film.split("~")[-1]])[0].tolist()
        for one, film in zip([both.folders[0], both.folders[1], both.folders[1]], films, strict=True)
    ]
    assert both.here(["00000001_000", "00000013_001", "other"]) == [*films, "other"]


def test_what_is_known_of_one_folder_alone_stays_unknown(west: Path, east: Path) -> None:
    hide_labels(west, dict.fromkeys(NihFolder.open(west).table["stem"], ("Mass",)))
    both = open_data(f"{west},{east}")
    labels = both.labels(both.table["stem"].tolist())
    assert np.isnan(labels[:24, FINDINGS.index("Mass")]).all() and np.isnan(labels).sum() == 24
    assert "Mass" in both.labelled and "Mass" not in both.parts[0].labelled


def test_films_come_from_the_caches_of_their_own_folders(both: JoinedFolder) -> None:
    split, preprocess = load_split(both, "patient"), Preprocess(32)
    films, labels, stems = open_films(both, split, "test", preprocess)
    alone = [open_films(one, load_split(one, "patient"), "test", preprocess) for one in both.folders]
    pixels = np.concatenate([mine[list(range(len(mine)))] for mine, _, _ in alone])
    assert np.array_equal(films[list(range(len(films)))], pixels) and films.shape == pixels.shape
    assert np.array_equal(films[len(films) - 1], pixels[-1]) and films[0].shape == (32, 32)
    assert np.array_equal(labels, np.concatenate([mine for _, mine, _ in alone]))
    assert fingerprint(films.facts()) == fingerprint(*(mine.facts() for mine, _, _ in alone))
    state = pickle.dumps(films)
    assert len(state) < 5000 and np.array_equal(pickle.loads(state)[[0, len(films) - 1]], pixels[[0, -1]])
    assert [len([*one.root.glob("cache/*.npy")]) for one in both.folders] == [1, 1]


def test_boxes_follow_their_films(west: Path, east: Path) -> None:
    (west / "BBox_List_2017.csv").write_text(BOXES)
    boxes = open_data(f"{west},{east}").boxes()
    assert boxes["stem"].tolist() == [f"west~000000{number}_000" for number in ("01", "02", "03", "04", "99")]
    assert boxes["w"].tolist() == [700, 400, 512, 40, 40]
    assert open_data(f"{east},{write_noise_folder(west.parent / 'none', seed=2)}").boxes().empty


def test_two_folders_of_one_name_or_with_the_same_film_are_refused(west: Path, tmp_path: Path) -> None:
    other = write_noise_folder(tmp_path / "elsewhere" / "west", seed=1)
    with pytest.raises(DataError, match="two of the data folders are called 'west'"):
        open_data(f"{west},{other}")
    copy = tmp_path / "copy"
    shutil.copytree(west, copy)
    with pytest.raises(DataError, match=r"have both the film 00000001_000, .*24 names in both"):
        open_data(f"{west},{copy}")
    # The same pictures as other files.
    for path in (copy / "images").iterdir():
        cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path)), (96, 96)))
    with pytest.raises(DataError, match="have both the film 00000001_000"):
        open_data(f"{west},{copy}")


def test_folders_of_one_films_folder_whose_tables_share_no_film_are_joined(
    west: Path, tmp_path: Path
) -> None:
    (table,) = table_files(west)
    header, *rows = table.read_text().splitlines()
    parts = {"first": rows[:10], "second": rows[10:], "more": rows[9:]}
    for name, own in parts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / table.name).write_text("\n".join([header, *own]) + "\n")
        (tmp_path / name / "images").symlink_to(west / "images")
    both = open_data(f"{tmp_path / 'first'},{tmp_path / 'second'}")
    assert both.table["stem"].tolist() == NihFolder.open(west).table["stem"].tolist()
    with pytest.raises(DataError, match=r"have both the film 00000005_001, .*\(1 name in both\)"):
        open_data(f"{tmp_path / 'first'},{tmp_path / 'more'}")


def test_equal_numbers_under_names_of_one_hospital_are_said(both: JoinedFolder, west: Path) -> None:
    assert doubtful_patients(both) == (
        "several of the data folders have films called as NIH's are, and 12 patients with the same number in "
        "two of them, taken for different people; if these folders hold films of one hospital, make one "
        "folder of them"
    )
    assert doubtful_patients(NihFolder.open(west)) == ""


def test_a_list_of_own_names_means_the_films_of_each_folder(both: JoinedFolder) -> None:
    judged = both.table["stem"].tolist()
    shared = both.sharing_patients(["00000013_000", "00000002_007", "99999999_000"], judged)
    # The first is a film of the east; 2 is a patient of both, by name; the last nobody has.
    assert shared.films == [
        *("west~00000002_000", "west~00000002_001", "east~00000002_000", "east~00000002_001"),
        *("00000013_000", "00000013_001"),
    ]
    assert (shared.outside, shared.untold) == (2, 0)
    assert both.sharing_patients(["west~00000003_001"], judged).films == [
        "west~00000003_000",
        "west~00000003_001",
    ]
