"""What an import writes into: folders that are taken, names, and two data sets beside each other."""

from pathlib import Path

from foreign_sets import importing, refused, write_own

from xlite.data.importing.sources import read_source
from xlite.data.importing.write import Choices, name_of, write_import


def test_a_folder_that_is_taken(tmp_path: Path) -> None:
    source = write_own(tmp_path / "source")
    out = tmp_path / "data" / "own"
    importing("csv", source, out)()
    assert refused(importing("csv", source, out)) == (
        f"{out} is there already and not an empty folder; choose a new folder"
    )


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    out = tmp_path / "own"
    out.mkdir()
    importing("csv", write_own(tmp_path / "source"), out)()
    assert (out / "import.json").exists()


def test_two_data_sets_of_one_name(tmp_path: Path) -> None:
    source, other = write_own(tmp_path / "source"), write_own(tmp_path / "other")
    importing("csv", source, tmp_path / "data" / "clinic")()
    found, mapping = read_source("csv", other)
    again = Choices(name="clinic")
    out = tmp_path / "data" / "second"
    assert refused(lambda: write_import("csv", other, found, mapping, out, again)) == (
        f"{tmp_path}/data/clinic is another data set called 'clinic', whose patients would be taken for "
        "these; give this one another name with --name"
    )
    found, mapping = read_source("csv", source)  # the same one again, with another policy say, is not another
    assert write_import("csv", source, found, mapping, out, again).name == "clinic"


def test_a_name_that_cannot_be_one(tmp_path: Path) -> None:
    assert "'a b' cannot be a data set's name" in refused(lambda: name_of("csv", tmp_path / "a b"))
    assert name_of("chexpert", tmp_path / "a b") == "chexpert"
