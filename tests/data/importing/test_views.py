"""Which films are frontal, if no table says so: the header of a DICOM file, else the gate."""

import csv
from pathlib import Path

import pytest
from foreign_sets import write_dicom, write_picture, write_table
from gates import Played

from xlite.data.folder import NihFolder
from xlite.data.importing.sources import read_source
from xlite.data.importing.views import size_of
from xlite.data.importing.write import write_import
from xlite.guards.gate import Gate
from xlite.guards.verdict import Check, Guards, Reason


def guards(reason: Reason) -> Guards:
    return Guards((Check(reason, "probability", 0.9, 0.5),))


def test_headers_tell_before_the_gate_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = tmp_path / "source", tmp_path / "own"
    write_dicom(source / "a.dcm", ViewPosition="AP", PatientSex="F", PatientAge="050Y")
    write_dicom(source / "b.dcm", ViewPosition="LL")
    for name in "cdef":
        write_picture(source / f"{name}.png")
    (source / "g.png").write_bytes(b"no film")
    rows = [
        [name, number, number % 2]
        for number, name in enumerate(["a.dcm", "b.dcm", *(f"{c}.png" for c in "cdefg")])
    ]
    write_table(source / "films.csv", ["film", "patient", "mass"], rows)
    gate = Played(Guards(), guards("lateral"), guards("not_chest"), guards("cut"))
    monkeypatch.setattr(Gate, "load", lambda: gate)
    found, mapping = read_source("csv", source)
    steps: list[tuple[int, int]] = []
    record = write_import(
        "csv", source, found, mapping, out, progress=lambda done, total: steps.append((done, total))
    )
    assert record.left_out == {
        "lateral films": 1,
        "lateral films, by the gate": 1,
        "no chest films, by the gate": 1,
        "films that cannot be read": 1,
    }
    assert record.views == {"AP": 1, "frontal by the gate": 2}
    table = NihFolder.open(out).table
    assert table[["stem", "view", "sex"]].to_numpy().tolist() == [
        ["own-a", "AP", "F"],
        ["own-c", "", ""],
        ["own-f", "", ""],
    ]
    assert table["age"].tolist()[0] == 50 and table["age"].isna().tolist() == [False, True, True]
    # Headers of 7 films, the gate for the 5 that they tell nothing of, links to 3.
    assert steps == [
        *((n, 7) for n in range(1, 8)),
        *((n, 5) for n in range(1, 6)),
        *((n, 3) for n in (1, 2, 3)),
    ]


def test_headers_tell_sex_and_age_also_if_the_view_is_known(tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "own"
    for number, age in enumerate(("063Y", "051", "")):
        write_dicom(source / f"{number}.dcm", ViewPosition="LL", PatientSex="F", PatientAge=age)
    write_picture(source / "3.png")
    rows = [[f"{number}{'.dcm' if number < 3 else '.png'}", number, "PA", "", 1] for number in range(4)]
    write_table(source / "films.csv", ["film", "patient", "view", "age", "mass"], rows)
    found, mapping = read_source("csv", source)
    steps: list[tuple[int, int]] = []
    write_import("csv", source, found, mapping, out, progress=lambda done, total: steps.append((done, total)))
    with open(next(out.glob("Data_Entry*")), newline="") as file:
        rows_of = [
            (row["View Position"], row["Patient Gender"], row["Patient Age"]) for row in csv.DictReader(file)
        ]
    assert rows_of == [("PA", "F", "63"), ("PA", "F", "51"), ("PA", "F", ""), ("PA", "", "")]
    assert steps[:4] == [(1, 3), (2, 3), (3, 3), (1, 4)]  # the picture is not opened


def test_the_size_of_a_film(tmp_path: Path) -> None:
    write_dicom(tmp_path / "a.dicom")
    write_picture(tmp_path / "b.png")
    (tmp_path / "c.png").write_bytes(b"no film")
    assert [size_of(tmp_path / name) for name in ("a.dicom", "b.png", "c.png", "gone")] == [
        (64, 48),
        (40, 40),
        None,
        None,
    ]
