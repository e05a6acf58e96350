"""Files that one process writes while others read them."""

import os
from pathlib import Path

import pytest

from xlite.data.folder import NihFolder
from xlite.data.split_files import read_split, write_split
from xlite.data.splits import make_split
from xlite.errors import DataError, RunError
from xlite.evaluation.films import read_labels
from xlite.files import read_file, read_whole, tail_lines, write_atomic
from xlite.metrics.thresholds import read_thresholds
from xlite.sweeps.plan import read_space


def test_write_atomic_keeps_the_old_file_if_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "file"
    write_atomic(target, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(target, b"new")
    assert target.read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["file", "home"]


def test_a_file_with_the_longest_name_there_can_be_is_replaced_too(tmp_path: Path) -> None:
    for name in ("a" * 251 + ".png", "胸" * 83 + ".png"):
        write_atomic(tmp_path / name, b"new")
        assert (tmp_path / name).read_bytes() == b"new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_pipe_or_a_device_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", Path("/dev/zero")):
        with pytest.raises(OSError, match="it is a pipe, a socket or a device, not a file"):
            read_file(path)
    with pytest.raises(IsADirectoryError):
        read_file(tmp_path)
    (tmp_path / "file").write_bytes(b"content")
    assert read_file(tmp_path / "file") == b"content"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders here")
def test_a_pipe_in_the_place_of_a_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "progress.json")
    with pytest.raises(OSError, match="it is a pipe, a socket or a device"):
        read_whole(tmp_path / "progress.json")
    with pytest.raises(OSError, match="it is a pipe, a socket or a device"):
        tail_lines(tmp_path / "progress.json", 3)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders here")
def test_whoever_reads_a_file_that_is_named_waits_for_no_pipe(tmp_path: Path, tiny_folder: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for read, error in ((read_thresholds, DataError), (read_labels, DataError), (read_space, RunError)):
        with pytest.raises(error, match=f"{pipe} cannot be read"):
            read(pipe)
    folder = NihFolder.open(tiny_folder)
    place = write_split(folder, make_split(folder))
    os.replace(pipe, place / "split.json")
    with pytest.raises(DataError, match=f"it is a pipe, .* not a file: {place}/split.json"):
        read_split(folder, "patient")
