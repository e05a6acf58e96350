"""What a public deployment offers strangers, and what it hides."""

import os
from pathlib import Path

import pytest

from xlite.errors import DataError, RunError
from xlite.messages import as_code, literal, page_sentence, said
from xlite.public import folder_of, is_public, listed_folders, refuse_in_public, without_paths


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two data folders that the owner lists, and a home around one of them."""
    paths = [tmp_path / "home" / "NIH", tmp_path / "phantoms"]
    for path in paths:
        path.mkdir(parents=True)
    monkeypatch.setenv("XLITE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XLITE_DATA", os.pathsep.join(map(str, paths)))
    return paths


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLITE_PUBLIC", "1")


def test_the_owner_of_a_machine_names_any_folder(folders: list[Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("XLITE_PUBLIC", raising=False)
    assert not is_public()
    assert folder_of("/somewhere/else") == Path("/somewhere/else")
    assert folder_of("~") == Path.home()
    refuse_in_public("delete runs")
    assert without_paths(f"{folders[0]} is empty") == f"{folders[0]} is empty"


@pytest.mark.usefixtures("public")
def test_a_stranger_has_the_listed_folders_by_name(folders: list[Path]):
    assert listed_folders() == {"NIH": folders[0], "phantoms": folders[1]}
    assert folder_of("NIH") == folders[0]
    for other in ("/etc", str(folders[0]), "../phantoms", "NIH/..", ""):
        with pytest.raises(DataError) as refusal:
            folder_of(other)
        assert str(refusal.value) == (
            f"there is no data folder {other!r} here; the owner of this app offers NIH, phantoms"
        )


@pytest.mark.usefixtures("public")
def test_without_a_list_a_stranger_has_no_folder(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("XLITE_DATA", raising=False)
    assert listed_folders() == {}
    with pytest.raises(DataError, match="the owner of this app offers none"):
        folder_of("/etc")


def test_two_folders_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    paths = [str(tmp_path / "a" / "films"), str(tmp_path / "b" / "films")]
    monkeypatch.setenv("XLITE_DATA", os.pathsep.join(paths))
    with pytest.raises(DataError, match="two folders of XLITE_DATA have the same name"):
        listed_folders()


@pytest.mark.usefixtures("public")
def test_a_stranger_can_do_nothing_to_runs():
    with pytest.raises(RunError) as refusal:
        refuse_in_public("delete runs")
    assert str(refusal.value) == "nobody can delete runs here: this is a public deployment, which only reads"


@pytest.mark.usefixtures("public")
def test_no_path_of_the_machine_is_shown(folders: list[Path], tmp_path: Path):
    home = tmp_path / "home"
    assert without_paths(f"{folders[0]}/images/1.png") == "NIH/images/1.png"
    assert without_paths(f"{home}/checkpoints/a and {folders[1]}") == "home/checkpoints/a and phantoms"
    assert literal(str(folders[1])) == "phantoms"
    assert as_code(str(folders[1])) == "`phantoms`"
    assert said(f"try `ls {folders[1]}`") == "try `ls phantoms`"
    assert page_sentence(DataError(f"no table in {folders[1]}")) == "No table in phantoms"
    assert page_sentence(FileNotFoundError(2, "No such file", str(folders[1]))).count(str(tmp_path)) == 0


@pytest.mark.usefixtures("public")
def test_of_any_other_path_the_name_is_left_and_no_address_is_touched():
    shown = {
        "no such file: '/srv/films/a.png'": "no such file: 'a.png'",
        "data=/opt/nih;teacher=/opt/nets/x.pt": "data=nih;teacher=x.pt",
        "from C:\\films\\ward\\a.png": "from a.png",
        "see https://example.org/a/b and 1/2/3": "see https://example.org/a/b and 1/2/3",
        "positives and/or negatives / all": "positives and/or negatives / all",
    }
    assert {text: without_paths(text) for text in shown} == shown
