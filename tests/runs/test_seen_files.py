"""Files that are read again only if they have changed."""

import os
from pathlib import Path

import pytest

from xlite.errors import RunError
from xlite.files import write_atomic
from xlite.runs.seen_files import SeenFiles, stamp_of

asked: list[str] = []


def text_of(path: Path) -> str:
    asked.append(path.name)
    return path.read_text()


def refuse(path: Path) -> str:
    asked.append(path.name)
    raise RunError(f"{path.name} is damaged")


@pytest.fixture(autouse=True)
def nothing_asked() -> None:
    asked.clear()


def test_a_file_is_read_once_until_it_is_replaced(tmp_path: Path) -> None:
    files, path = SeenFiles(), tmp_path / "a"
    path.write_text("one")
    assert [files.read(path, text_of) for _ in range(3)] == ["one"] * 3
    before = path.stat()
    write_atomic(path, b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # a clock that stands still
    assert [files.read(path, text_of) for _ in range(3)] == ["two"] * 3
    assert asked == ["a", "a"]


def test_a_file_that_comes_and_goes_is_noticed(tmp_path: Path) -> None:
    files, path = SeenFiles(), tmp_path / "a"
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            files.read(path, text_of)
    path.write_text("here")
    assert (stamp_of(path) is None, files.read(path, text_of)) == (False, "here")
    path.unlink()
    with pytest.raises(FileNotFoundError):
        files.read(path, text_of)
    assert (stamp_of(path), asked) == (None, ["a"] * 3)


def test_an_error_is_kept_too_and_does_not_grow(tmp_path: Path) -> None:
    files, path = SeenFiles(), tmp_path / "a"
    path.write_text("odd")
    depths = set()
    for _ in range(5):
        with pytest.raises(RunError, match="a is damaged") as caught:
            files.read(path, refuse)
        depths.add(len(caught.traceback))
    assert (asked, len(depths)) == (["a"], 1)


def test_two_readers_of_one_file_do_not_get_each_others_values(tmp_path: Path) -> None:
    files, path = SeenFiles(), tmp_path / "a"
    path.write_text("one")
    assert (files.read(path, text_of), files.read(path, stamp_of)) == ("one", stamp_of(path))
