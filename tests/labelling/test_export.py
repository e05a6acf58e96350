from pathlib import Path

import numpy as np
import pytest
from app_pages import write_boxes
from labelled import given, labelling_of
from tiny_runs import config, run_to_end

from xlite.data.folder import NihFolder
from xlite.data.rows import columns_of, read_rows
from xlite.data.split_files import load_split, write_split
from xlite.data.splits import make_split
from xlite.data.tables import find_table
from xlite.errors import DataError
from xlite.findings import FINDINGS
from xlite.labelling.entry import DrawnBox
from xlite.labelling.export import WHO_HEADER, export_labels, labels_csv
from xlite.labelling.labelling import Labelling

BOX = DrawnBox(finding="Mass", x=100, y=200, w=300, h=400)
ONE, TWO, THREE = "00000001_000", "00000001_001", "00000002_000"


def labels(folder: NihFolder, film: str) -> dict[str, float | None]:
    """The labels of a film that are not 0: 1, or None if unknown."""
    [row] = folder.labels([film])
    return {
        name: None if np.isnan(value) else float(value)
        for name, value in zip(FINDINGS, row, strict=True)
        if value != 0
    }


@pytest.fixture
def ward(tiny_folder: Path) -> Labelling:
    """Film one is read once, film two twice with a dispute, film three settled, the others by nobody."""
    write_boxes(tiny_folder, f"{ONE}.png,Edema,1,2,3,4", "00000005_000.png,Edema,5,6,7,8")
    ward = labelling_of(tiny_folder, double=1.0)
    ward.answer("Ann", ONE, given(Mass="yes", Hernia="unsure", boxes=[BOX]))
    for film in (TWO, THREE):
        ward.answer("Ann", film, given(Mass="yes", Edema="yes", boxes=[BOX]))
        ward.answer("Bob", film, given(Edema="yes", Nodule="unsure"))
    ward.answer("Cleo, MD", THREE, given(Mass="yes", Nodule="unsure"), settles=True)
    return ward


def test_films_labelled_here_have_these_labels_and_the_others_keep_theirs(ward: Labelling, tmp_path: Path):
    made = export_labels(ward, ward.state(), tmp_path / "out")
    folder, before = NihFolder.open(tmp_path / "out"), NihFolder.open(ward.settings.data)
    assert (made.films, made.labelled, made.known, made.boxes) == (24, 3, 13 + 12 + 13, 1)
    assert labels(folder, ONE) == {"Mass": 1.0, "Hernia": None}
    assert labels(folder, TWO) == {"Mass": None, "Edema": 1.0, "Nodule": None}
    assert labels(folder, THREE) == {"Mass": 1.0, "Nodule": None}
    others = [stem for stem in folder.table["stem"] if stem not in (ONE, TWO, THREE)]
    assert np.array_equal(folder.labels(others), before.labels(others)) and len(others) == 21
    same = ["image", "patient", "follow_up", "age", "sex", "view"]
    assert folder.table[same].equals(before.table[same])
    assert folder.paths.keys() == before.paths.keys()
    assert folder.paths[ONE].read_bytes() == before.paths[ONE].read_bytes()
    boxes = folder.boxes()[["stem", "finding", "x", "y", "w", "h"]]
    assert boxes.to_numpy().tolist() == [
        ["00000005_000", "Edema", 5, 6, 7, 8],
        [ONE, "Mass", 100, 200, 300, 400],
    ]
    assert (tmp_path / "out" / "answers.jsonl").read_bytes() == ward.log.path.read_bytes()


def test_the_table_says_who_labelled_when_and_who_agreed(ward: Labelling):
    lines = labels_csv(ward, ward.state()).splitlines()
    assert lines[0].split(",")[-len(WHO_HEADER) :] == WHO_HEADER
    when = [entry.when.isoformat(timespec="seconds") for entry in ward.log.read()]
    assert [line.partition("Hernia,")[2] or line.partition("Nodule,")[2] for line in lines[1:]] == [
        f"Ann,,{when[0]},,no",
        f"Ann|Bob,,{when[2]},12 of 14,no",
        f'Ann|Bob,"Cleo, MD",{when[5]},12 of 14,no',
    ]


def test_a_labelling_of_an_export_keeps_who_labelled_the_other_films(ward: Labelling, tmp_path: Path):
    export_labels(ward, ward.state(), tmp_path / "first")
    next_ward = labelling_of(tmp_path / "first", "next")
    next_ward.answer("Dan", TWO, given(Mass="yes"))
    next_ward.note_opinion("Dan", "00000002_001", "demo")
    next_ward.answer("Dan", "00000002_001", given())
    made = export_labels(next_ward, next_ward.state(), tmp_path / "second")
    first, second = (_who_of(tmp_path / name) for name in ("first", "second"))
    assert {film for film, who in first.items() if any(who)} == {ONE, TWO, THREE}
    when = [entry.when.isoformat(timespec="seconds") for entry in next_ward.log.read()]
    assert second == first | {
        TWO: ["Dan", "", when[0], "", "no"],
        "00000002_001": ["Dan", "", when[2], "", "yes"],
    }
    folder = NihFolder.open(tmp_path / "second")
    assert (labels(folder, ONE), labels(folder, TWO)) == ({"Mass": 1.0, "Hernia": None}, {"Mass": 1.0})
    assert (made.labelled, made.films) == (2, 24)
    logs = ward.log.path.read_bytes() + next_ward.log.path.read_bytes()
    assert (tmp_path / "second" / "answers.jsonl").read_bytes() == logs


def _who_of(root: Path) -> dict[str, list[str]]:
    """Of each film what the table says of who labelled it."""
    header, rows = read_rows(find_table(root))
    written = columns_of(root, header, rows, WHO_HEADER)
    films = (Path(row[0]).stem for row in rows)
    return dict(zip(films, map(list, zip(*written.values(), strict=True)), strict=True))


def test_only_the_labelled_films(ward: Labelling, tmp_path: Path):
    made = export_labels(ward, ward.state(), tmp_path / "out", only=True)
    folder = NihFolder.open(tmp_path / "out")
    assert made.films == 3 and folder.table["stem"].tolist() == [ONE, TWO, THREE]
    assert sorted(folder.paths) == [ONE, TWO, THREE]


def test_a_split_that_was_made_stays_the_same(ward: Labelling, tmp_path: Path):
    before = NihFolder.open(ward.settings.data)
    write_split(before, make_split(before, "patient"))
    export_labels(ward, ward.state(), tmp_path / "out")
    folder = NihFolder.open(tmp_path / "out")
    assert load_split(folder, "patient").parts == load_split(before, "patient").parts
    assert load_split(folder, "official").stems("test") == load_split(before, "official").stems("test")


def test_nothing_labelled_and_a_folder_that_is_taken(tiny_folder: Path, ward: Labelling, tmp_path: Path):
    empty = labelling_of(tiny_folder, "empty")
    with pytest.raises(DataError, match="nobody has labelled a film of empty yet"):
        export_labels(empty, empty.state(), tmp_path / "out")
    with pytest.raises(DataError, match="is there already and not an empty folder"):
        export_labels(ward, ward.state(), tiny_folder)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_training_takes_the_folder(films: Path, tmp_path: Path, quick_report: None):
    ward = labelling_of(films, films=40)
    for film in ward.films:
        ward.answer("Ann", film, given(Mass="unsure", Edema="yes"))
    export_labels(ward, ward.state(), tmp_path / "out")
    run, _ = run_to_end(config(tmp_path / "out", "one", epochs=1))
    assert run.path("model.safetensors").is_file()
