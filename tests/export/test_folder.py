"""Folders that an export writes whole."""

from pathlib import Path

import pytest

from xlite.errors import RunError
from xlite.export.folder import MADE, megabytes, replaced_folder


def write(folder, **files):
    with replaced_folder(folder) as draft:
        for name, text in files.items():
            path = draft / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def content(folder):
    names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_text() for name, path in names.items() if name != MADE}


def test_an_export_takes_the_place_of_an_earlier_one(tmp_path):
    folder = tmp_path / "new" / "folder"
    write(folder, page="one", inside__old="gone")
    write(folder, page="two", inside__new="here")
    assert content(folder) == {"page": "two", "inside/new": "here"}
    assert megabytes(folder) == (6 + (folder / MADE).stat().st_size + 1) / 1e6
    assert [path.name for path in folder.parent.iterdir()] == ["folder"]
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("of a clone")
    write(folder, page="three")
    assert content(folder) == {"page": "three", ".git/config": "of a clone"}


def refused(folder):
    before = content(folder)
    with pytest.raises(RunError) as error, replaced_folder(folder):
        pytest.fail("nothing may be written")
    assert content(folder) == before
    return str(error.value)


@pytest.mark.parametrize("damage", ["", "[", "[]", '{"page": 1}'])
def test_what_others_put_there_is_never_replaced(tmp_path, damage):
    other = "and would be lost: name a folder that is empty or not there yet"
    write(tmp_path / "a", page="one", inside__old="here")
    (tmp_path / "a" / "page").write_text("mine")
    assert refused(tmp_path / "a") == f"{tmp_path / 'a'} has page, which was changed since, {other}"
    write(tmp_path / "b", page="one")
    (tmp_path / "b" / "notes").mkdir()
    (tmp_path / "b" / "notes" / "mine").write_text("mine")
    said = f"{tmp_path / 'b'} has notes/mine, which is not of an earlier export, {other}"
    assert refused(tmp_path / "b") == said
    write(tmp_path / "c", page="one")
    (tmp_path / "c" / MADE).write_text(damage)
    assert "has page, which " in refused(tmp_path / "c")
    (tmp_path / "d").symlink_to(tmp_path / "nowhere")
    assert (
        refused(tmp_path / "d")
        == f"{tmp_path / 'd'} is not a folder; name one that is empty or not there yet"
    )


def test_the_current_folder_is_one(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for text in ("one", "two"):
        write(Path("."), page=text)
        assert content(tmp_path / "here") == {"page": text}


def test_what_fails_leaves_nothing(tmp_path):
    before = list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="half way"), replaced_folder(tmp_path / "folder") as draft:
        (draft / "page").write_text("half")
        raise ValueError("half way")
    assert list(tmp_path.iterdir()) == before
    (tmp_path / "file").write_text("a file")
    with pytest.raises(RunError, match="is not a folder; name one"), replaced_folder(tmp_path / "file"):
        pytest.fail("nothing may be written")
