"""What all importers read alike: the sex of a patient, and where films lie."""

import shutil
from pathlib import Path

import pytest
from foreign_sets import SETS, write_picture, write_table

from xlite.data.importing.columns import guess_columns
from xlite.data.importing.found import Places, age_of, sex_of
from xlite.data.importing.sources import read_source


@pytest.mark.parametrize(
    ("words", "sex"),
    [
        (("F", "f", " Female ", "W", "weiblich", "Femme", "Mujer"), "F"),
        (("M", "male", "Männlich", "homme", "Hombre"), "M"),
        (("", "D", "divers", "O", "unknown", "1", "X"), ""),
    ],
)
def test_a_sex_is_read_from_its_letter_or_word(words: tuple[str, ...], sex: str) -> None:
    assert [sex_of(word) for word in words] == [sex] * len(words)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("063Y", "63"),
        ("051", "51"),
        ("61.0", "61"),
        ("100y", "100"),
        ("62 y", "62"),
        ("62 years old", "62"),
        ("62 J", "62"),
        ("62 Jahre", "62"),
        ("62 ans", "62"),
        ("62 años", "62"),
        ("6 months", "6 months"),
        ("000Y", "0"),
        ("008M", "008M"),
        ("61.5", "61.5"),
        ("", ""),
        ("old", "old"),
    ],
)
def test_an_age_is_read_in_years(text: str, years: str) -> None:
    assert age_of(text) == years


def test_a_german_table_keeps_its_women(tmp_path: Path) -> None:
    rows = [[f"{number}.png", str(number), sex, "1"] for number, sex in enumerate("WMD")]
    table = tmp_path / "filme.csv"
    write_table(table, ["Bild", "Patient", "Geschlecht", "Pneumothorax"], rows)
    found, _ = read_source("csv", table, guess_columns(table))
    assert found.films["sex"].tolist() == ["F", "M", ""]


def places_of(root: Path, *films: str) -> Places:
    for film in films:
        write_picture(root / film)
    return Places(root)


def found(places: Places, *cells: str) -> list[str | None]:
    return [path and path.relative_to(places.root).as_posix() for path in map(places.find, cells)]


def test_a_film_of_another_folder_is_not_the_one_that_is_named(tmp_path: Path) -> None:
    places = places_of(tmp_path, "A/000.png", "A/001.png")
    assert found(places, "A/000.png", "B/000.png", "A/001.png") == ["A/000.png", None, "A/001.png"]
    # A name alone, or the end of a path, says enough if only one film has it.
    assert found(places, "001.png", "001", "A/001", f"{tmp_path.name}/A/001.png") == ["A/001.png"] * 4
    assert found(places, "", " ", "A/ ", "A/") == [None] * 4
    deep = places_of(tmp_path / "deep", "x/A/000.png", "x/B/000.png")
    assert found(deep, "A/000.png", "B/000", "000.png", "C/000.png") == [
        "x/A/000.png",
        "x/B/000.png",
        None,
        None,
    ]


def test_paths_as_windows_writes_them(tmp_path: Path) -> None:
    places = places_of(tmp_path, "A/000.png", "B/000.png")
    cells = (r"A\000.png", r"B\000.png", r"B\000", r"C\000.png")
    assert found(places, *cells) == ["A/000.png", "B/000.png", "B/000.png", None]


def test_names_in_other_letters_are_found_if_only_one_film_has_them(tmp_path: Path) -> None:
    places = places_of(tmp_path, "A/IMG_1.PNG", "B/img_1.png", "A/IMG_2.PNG", "A/img_2.png")
    assert found(places, "a/img_1.png", "b/IMG_1", r"A\Img_1.Png", "A/img_2.png", "a/IMG_2.PNG") == [
        "A/IMG_1.PNG",
        "B/img_1.png",
        "A/IMG_1.PNG",
        "A/img_2.png",
        None,
    ]
    assert found(places, "img_1.png", "Img_1.png") == ["B/img_1.png", None]


def test_paths_of_another_machines_disk(tmp_path: Path) -> None:
    places = places_of(tmp_path, "A/000.png", "A/001.png")
    cells = (r"D:\study\A\000.png", "/mnt/study/A/001.png", r"\\server\study\A\001.png")
    assert found(places, *cells) == ["A/000.png", "A/001.png", "A/001.png"]
    assert found(places, r"D:\study\B\001.png", "/mnt/study/001.png", "", "/") == [None] * 4


@pytest.mark.parametrize("kind", ["padchest", "mimic"])
def test_films_that_lie_all_in_one_folder(kind: str, tmp_path: Path) -> None:
    source = SETS[kind](tmp_path)
    folders = [path for path in source.iterdir() if path.is_dir()]
    (source / "all").mkdir()
    for film in [film for folder in folders for film in folder.rglob("*.*g")]:
        film.rename(source / "all" / film.name)
    for folder in folders:
        shutil.rmtree(folder)
    data, _ = read_source(kind, source)
    places = Places(data.root)
    assert sum(places.find(file) is not None for file in data.films["file"]) >= 24
