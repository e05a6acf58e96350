"""The NIH folder: its layouts, its films, and what it knows of them."""

import gzip
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from noise_folder import HEADER_2020, write_noise_folder
from unknown_labels import hide_labels, hide_some

from xlite.data.folder import NihFolder, changes, changes_for_training
from xlite.data.splits import PARTS, make_split
from xlite.errors import DataError
from xlite.findings import FINDINGS


def test_no_folder_and_no_table_get_one_sentence(tmp_path):
    with pytest.raises(DataError, match="there is no data folder"):
        NihFolder.open(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds no Data_Entry_2017"):
        NihFolder.open(tmp_path)


def test_the_twelve_folder_layout_with_other_suffixes(tmp_path):
    rows = [
        f"{stem}.png,Mass,0,1,58,M,PA,64,64,0.14,0.14"
        for stem in ("00000001_000", "00000001_001", "00000002_000")
    ]
    (tmp_path / "Data_Entry_2017.csv").write_text("\n".join([HEADER_2020, *rows]) + "\n")
    files = ["images_001/images/00000001_000.jpg", "images_012/images/00000001_001.JPEG", "images/other.png"]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "images_001" / "images" / "readme.txt").touch()
    folder = NihFolder.open(tmp_path)
    stems = ["00000001_000", "00000001_001", "other"]
    assert folder.paths == {stem: tmp_path / name for stem, name in zip(stems, files, strict=True)}
    assert folder.missing() == ["00000002_000"]
    assert folder.have_files(["00000002_000", "00000001_001"]).tolist() == [False, True]


def test_labels_patients_and_names_follow_the_stems_asked_for(tiny_folder):
    folder = NihFolder.open(tiny_folder)
    stems = ["00000003_000", "00000001_001", "00000001_000"]
    labels = np.zeros((3, 14), np.float32)
    labels[0, 3] = labels[2, 1] = 1
    np.testing.assert_array_equal(folder.labels(stems), labels)
    assert folder.labels(stems).dtype == np.float32
    assert folder.finding_counts(stems).tolist() == [1, 0, 1]
    assert folder.patients(stems).tolist() == ["3", "1", "1"]
    assert folder.names(stems) == [f"{stem}.png" for stem in stems]
    with pytest.raises(DataError, match="lists no film nobody"):
        folder.labels(["nobody"])


def test_the_fingerprint_is_of_content_not_of_form(tmp_path, tiny_folder):
    (tmp_path / "other").mkdir()
    header, *rows = (tiny_folder / "Data_Entry_2017_v2020.csv").read_text().splitlines()
    other = tmp_path / "other" / "Data_Entry_2017_v2020.csv.gz"
    other.write_bytes(gzip.compress("\n".join([header, *reversed(rows)]).encode()))
    fingerprint = NihFolder.open(tiny_folder).fingerprint()
    assert len(fingerprint) == 12 and NihFolder.open(other.parent).fingerprint() == fingerprint
    other.write_bytes(gzip.compress("\n".join([header, *rows]).replace("Mass", "Nodule").encode()))
    assert NihFolder.open(other.parent).fingerprint() != fingerprint


@pytest.mark.parametrize("resaved", ["{}.0", "{:0>8}", " {} "])
def test_a_program_that_writes_numbers_anew_changes_no_patient(tiny_folder, resaved):
    folder = NihFolder.open(tiny_folder)
    table, split = tiny_folder / "Data_Entry_2017_v2020.csv", make_split(folder)
    header, *rows = (line.split(",") for line in table.read_text().splitlines())
    lines = [",".join([*row[:3], resaved.format(row[3]), *row[4:]]) for row in rows]
    table.write_text("\n".join([",".join(header), *lines]) + "\n")
    again = NihFolder.open(tiny_folder)
    assert again.table.equals(folder.table)
    assert again.fingerprint() == folder.fingerprint() == "69aba022ee5c"
    assert make_split(again) == split and split.id == "patient-42-362c028c"


@pytest.mark.parametrize("numbered", ["3219028876720669899512818192021423{:04}", "PAT-{}", "1.2.840.{}"])
def test_other_ids_are_as_many_patients_in_folder_and_split(tiny_folder, numbered):
    table = tiny_folder / "Data_Entry_2017_v2020.csv"
    header, *rows = (line.split(",") for line in table.read_text().splitlines())
    lines = [",".join([*row[:3], numbered.format(int(row[3])), *row[4:]]) for row in rows]
    table.write_text("\n".join([",".join(header), *lines]) + "\n")
    folder = NihFolder.open(tiny_folder)
    assert folder.table["patient"].nunique() == 12
    assert folder.patients(["00000003_000"]).tolist() == [numbered.format(3)]
    split = make_split(folder)
    owners = [set(folder.patients(split.stems(part)).tolist()) for part in PARTS]
    assert sum(map(len, owners)) == 12 and split.shared_patients(folder) == 0
    first = folder.fingerprint()
    table.write_text(table.read_text().replace(numbered.format(3), numbered.format(13)))
    assert NihFolder.open(tiny_folder).fingerprint() != first


def test_a_folder_without_boxes_has_none(tiny_folder):
    boxes = NihFolder.open(tiny_folder).boxes()
    assert list(boxes.columns) == ["stem", "finding", "x", "y", "w", "h"] and boxes.empty


def test_a_change_is_seen_whichever_way_the_clock_goes(tiny_folder):
    before = changes(tiny_folder)
    assert changes(tiny_folder) == before and changes(tiny_folder / "nowhere") == []
    table = tiny_folder / "Data_Entry_2017_v2020.csv"
    content = table.read_bytes()
    table.write_bytes(content.replace(b",PA,", b",AP,"))
    os.utime(table, (1e9, 1e9))  # as of a clock that was put back, or of an older copy
    assert changes(tiny_folder) != before


def test_a_change_of_any_of_several_folders_is_seen(tiny_folder, tmp_path):
    other = write_noise_folder(tmp_path / "other")
    both = Path(f"{tiny_folder}, {other}")
    before = changes(both)
    assert before == sorted(changes(tiny_folder) + changes(other)) and len(before) > len(changes(other)) > 0
    (other / "doubts.csv").touch()
    assert changes(both) != before


def test_a_change_of_what_is_trained_on_is_seen(tiny_folder, tmp_path):
    other = write_noise_folder(tmp_path / "other")
    both = Path(f"{tiny_folder}, {other}")
    before = changes_for_training(both)
    each = [one for folder in (tiny_folder, other) for one in changes_for_training(folder)]
    assert changes_for_training(both) == before == each
    next((other / "images").glob("*.png")).unlink()
    fewer = changes_for_training(both)
    (tiny_folder / "splits" / "mine").mkdir(parents=True)
    empty = changes_for_training(both)
    (tiny_folder / "splits" / "mine" / "train_list.txt").touch()
    seen = [before, fewer, empty, changes_for_training(both)]
    assert all(one != next for one, next in pairwise(seen))


def test_unknown_labels_are_nan_and_what_no_row_knows_is_not_labelled(tiny_folder):
    whole = NihFolder.open(tiny_folder)
    assert whole.labelled == FINDINGS
    stems = whole.table["stem"].tolist()
    hidden = dict.fromkeys(stems, ("Mass", "Hernia")) | {stems[0]: ("Mass", "Hernia", "Edema")}
    folder = hide_labels(tiny_folder, hidden)
    assert folder.labelled == tuple(name for name in FINDINGS if name not in ("Mass", "Hernia"))
    labels, before = folder.labels(stems), whole.labels(stems)
    unknown = np.isnan(labels)
    assert labels.dtype == np.float32
    assert unknown.sum(axis=0).tolist() == [
        24 if name in ("Mass", "Hernia") else int(name == "Edema") for name in FINDINGS
    ]
    np.testing.assert_array_equal(labels[~unknown], before[~unknown])
    known = np.where(unknown, 0, before)
    np.testing.assert_array_equal(folder.finding_counts(stems), known.sum(axis=1))


def test_the_fingerprint_tells_what_is_unknown_from_what_is_absent(tiny_folder):
    whole = NihFolder.open(tiny_folder)
    bare = whole.table["stem"][whole.finding_counts(whole.table["stem"]) == 0].tolist()
    known = whole.fingerprint()
    table = tiny_folder / "Data_Entry_2017_v2020.csv"
    content = table.read_text()
    assert hide_labels(tiny_folder, {}).fingerprint() == known  # the column is there, and empty
    prints = {known}
    for stems in (bare[:1], bare[1:2], bare):
        table.write_text(content)
        prints.add(hide_labels(tiny_folder, dict.fromkeys(stems, ("Hernia",))).fingerprint())
    assert len(prints) == 4


def test_a_split_stratifies_by_what_is_known(films):
    """Unknown labels move no film of a patient elsewhere: each number of known findings keeps its share."""
    folder = hide_some(films)
    split = make_split(folder)
    assert split.shared_patients(folder) == 0
    shares = [(folder.finding_counts(split.stems(part)) > 0).mean() for part in PARTS]
    whole = (folder.finding_counts(folder.table["stem"].tolist()) > 0).mean()
    assert max(abs(share - whole) for share in shares) < 0.1
