"""What the columns of a table are taken for, and how a person corrects it."""

from pathlib import Path

import pytest
from foreign_sets import refused, write_own, write_own_in_words, write_picture, write_table

from xlite.data.folder import NihFolder
from xlite.data.importing.columns import Columns, corrected, guess_columns
from xlite.data.importing.sources import read_source
from xlite.data.importing.write import write_import


def findings(columns: Columns) -> dict[str, str]:
    return {rule.label: rule.finding for rule in columns.mapping}


def test_columns_of_0_and_1(tmp_path: Path) -> None:
    found = guess_columns(write_own(tmp_path))
    assert found.lines() == [
        "image     column 'file'",
        "patient   column 'MRN'",
        "view      column 'view'",
        "age       column 'age'",
        "sex       column 'sex'",
        "part      no column",
        "label     'pleural effusion' -> Effusion",
        "label     'pulmonary oedema' -> Edema",
        "label     'rib fracture' -> none of the 14",
    ]
    assert found.labels == ("pleural effusion", "pulmonary oedema", "rib fracture")


def test_a_column_of_words(tmp_path: Path) -> None:
    found = guess_columns(write_own_in_words(tmp_path))
    assert (found.image, found.patient, found.view) == ("film", "patient id", "projection")
    assert (found.names, found.separator, found.labels) == ("report says", ";", ())
    assert findings(found) == {
        "Pleural effusion": "Effusion",
        "Enlarged heart": "Cardiomegaly",
        "Normal": "No Finding",
    }
    assert {rule.blank for rule in found.mapping} == {"0"}  # what the words do not name is absent


def test_nihs_own_table(tmp_path: Path) -> None:
    header = ["Image Index", "Finding Labels", "Patient ID", "Patient Age", "Patient Gender", "View Position"]
    rows = [["a.png", "Mass|Nodule", 1, 50, "M", "PA"], ["b.png", "No Finding", 2, 60, "F", "AP"]]
    write_table(tmp_path / "t.csv", header, rows)
    found = guess_columns(tmp_path / "t.csv")
    assert (found.image, found.patient, found.age, found.sex, found.view) == (
        "Image Index",
        "Patient ID",
        "Patient Age",
        "Patient Gender",
        "View Position",
    )
    assert (found.names, found.separator) == ("Finding Labels", "|")
    assert findings(found) == {"Mass": "Mass", "Nodule": "Nodule", "No Finding": "No Finding"}


def test_a_guess_is_corrected(tmp_path: Path) -> None:
    rows = [["a.png", "w1", 1, 0, "x"], ["b.png", "w2", 0, 1, "y"]]
    write_table(tmp_path / "t.csv", ["scan", "ward", "heart", "water", "words"], rows)
    guess = guess_columns(tmp_path / "t.csv")
    assert (guess.image, guess.patient, findings(guess)) == ("scan", "", {"heart": "", "water": ""})
    found = corrected(guess, {"patient": "ward"}, ["Cardiomegaly=heart", "Effusion=water"])
    assert found.patient == "ward"
    assert findings(found) == {"heart": "Cardiomegaly", "water": "Effusion"}
    worded = corrected(guess, {"patient": "ward"}, ["Mass=x"], names="words", separator="|")
    assert (worded.names, worded.labels, findings(worded)) == ("words", (), {"x": "Mass", "y": ""})
    # A column of 0 and 1 that is said to be something else is not a label.
    other = corrected(guess, {"patient": "heart"})
    assert (other.labels, findings(other)) == (("water",), {"water": ""})


@pytest.mark.parametrize(
    ("header", "films", "wanted"),
    [
        pytest.param(
            "Dateiname;Patienten-ID;Alter;Geschlecht;Projektion;Pleuraerguss;Kardiomegalie;Lungenödem;Rundherd",
            "a.png;1;61;M;PA;1;0;0;1",
            {"Effusion", "Cardiomegaly", "Edema", "Nodule"},
            id="german",
        ),
        pytest.param(
            "Nom du fichier;ID patient;Âge;Sexe;Incidence;Épanchement pleural;Cardiomégalie;Œdème;Nodule",
            "a.png;1;61;M;PA;1;0;0;1",
            {"Effusion", "Cardiomegaly", "Edema", "Nodule"},
            id="french",
        ),
        pytest.param(
            "Archivo;ID_paciente;Edad;Sexo;Proyección;Derrame pleural;Cardiomegalia;Edema pulmonar;Nódulo",
            "a.png;1;61;M;PA;1;0;0;1",
            {"Effusion", "Cardiomegaly", "Edema", "Nodule"},
            id="spanish",
        ),
    ],
)
def test_usual_names_of_other_languages(tmp_path: Path, header: str, films: str, wanted: set[str]) -> None:
    lines = [header, films, films.replace("a.png;1", "b.png;2")]
    (tmp_path / "t.csv").write_text("\n".join(lines).replace(";", ","), encoding="utf-8")
    found = guess_columns(tmp_path / "t.csv")
    image, patient, age, sex, view, *labels = header.split(";")
    assert (found.image, found.patient, found.age, found.sex, found.view) == (image, patient, age, sex, view)
    assert found.labels == tuple(labels) and set(findings(found).values()) == wanted


def test_a_column_of_german_words(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "Datei,Befund\na.png,Pleuraerguss; Ödem\nb.png,ohne Befund\nc.png,Oedem\n", encoding="utf-8"
    )
    found = guess_columns(tmp_path / "t.csv")
    assert (found.image, found.names, found.separator) == ("Datei", "Befund", ";")
    assert findings(found) == {
        "Pleuraerguss": "Effusion",
        "Ödem": "Edema",
        "ohne Befund": "No Finding",
        "Oedem": "Edema",
    }


@pytest.mark.parametrize("others", [["pneumonia"], []])
def test_a_stray_value_is_told_instead_of_the_finding_left_out(others: list[str], tmp_path: Path) -> None:
    rows = [["a.png", "1", "1", "0"], ["b.png", "2", "maybe", "1"], ["c.png", "3", "0", "1"]]
    table = tmp_path / "t.csv"
    header = ["image", "patient", "effusion", *others]
    write_table(table, header, [row[: len(header)] for row in rows])
    assert guess_columns(table).labels == ("effusion", *others)
    assert refused(lambda: read_source("csv", table)) == (
        f"the column 'effusion' of {table} holds 'maybe' in row 2; a label is 1, 0, -1 (uncertain) or blank"
    )


@pytest.mark.parametrize("name", ["effusion", "Pleuraerguss"])
def test_a_column_called_as_a_finding_is_a_label_whatever_it_holds(name: str, tmp_path: Path) -> None:
    rows = [["a.png", "1", "maybe", "0", "1", ""], ["b.png", "2", "3", "2", "0", ""]]
    table = tmp_path / "t.csv"
    write_table(table, ["image", "patient", name, "drains", "mass", "hernia"], rows)
    found = guess_columns(table)
    assert (found.labels, found.unused) == ((name, "mass"), ["drains", "hernia"])
    assert refused(lambda: read_source("csv", table)) == (
        f"the column {name!r} of {table} holds 'maybe' in row 1; a label is 1, 0, -1 (uncertain) or blank"
    )


def test_a_strangers_export(tmp_path: Path) -> None:
    """Dots in titles, semicolons, film names in other letters, ages with a unit, words, NaN, lost films."""
    for name in ("IMG_1.JPG", "IMG_2.JPG", "IMG_3.JPG"):
        write_picture(tmp_path / "Bilder" / name)
    table = tmp_path / "Export 2021 (final).CSV"
    table.write_text(
        "\ufeffBild-Nr.;Pat.-Nr;Conclusion;Alter;View\nIMG_1.JPG;7;pleural fluid, Atelectasis ;62 y;pa\n"
        "img_2.jpg;8;NAD;51 y;ap\nIMG_3.JPG;9;NaN;40 y;pa\nIMG_4.JPG;9;NAD;40 y;pa\n"
    )
    columns = guess_columns(tmp_path)
    assert (columns.image, columns.patient, columns.names) == ("Bild-Nr.", "Pat.-Nr", "Conclusion")
    columns = corrected(columns, {}, ["effusion=pleural fluid", "No Finding=NAD"])
    found, mapping = read_source("csv", tmp_path, columns)
    record = write_import("csv", tmp_path, found, mapping, tmp_path / "out")
    assert (record.films, record.left_out) == (2, {"without labels": 1, "without a file": 1})
    folder = NihFolder.open(tmp_path / "out")
    assert folder.table["age"].tolist() == [62, 51]
    assert folder.labels(folder.table["stem"].tolist())[:, :3].tolist()[0][::2] == [1, 1]
    assert {path.resolve().name for path in folder.paths.values()} == {"IMG_1.JPG", "IMG_2.JPG"}


def test_views_and_parts_as_tables_write_them(tmp_path: Path) -> None:
    cells = [("PA", "train"), ("postero-anterior", "Validation"), ("AP supine", "valid")]
    cells += [
        ("antero-posterior", "val"),
        ("lateral", "test"),
        ("frontal", "TEST"),
        ("oblique", "other"),
        ("", ""),
    ]
    table = tmp_path / "films.csv"
    rows = [[f"{number}.png", number, view, part, 1] for number, (view, part) in enumerate(cells)]
    write_table(table, ["file", "patient", "view", "split", "Mass"], rows)
    found, _ = read_source("csv", table)
    assert found.films["view"].tolist() == [
        "PA", "PA", "AP", "AP", "lateral", "frontal", "other views", "",
    ]  # fmt: skip
    assert found.films["part"].tolist() == ["train", "val", "val", "val", "test", "test", "", ""]
