"""The lock of a folder: one process at a time, told apart from a file that is left over."""

import subprocess
import sys
from pathlib import Path

import pytest

from xlite.errors import RunError
from xlite.runs.lock import holding, is_held, is_taken, mutex

HOLDING = """
import sys
from pathlib import Path
from xlite.runs.lock import holding
with holding(Path(sys.argv[1]), "busy"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "runs" / "one"
    made.mkdir(parents=True)
    return made


def test_a_folder_that_nobody_ever_held_is_free_and_stays_empty(folder: Path) -> None:
    assert not is_held(folder)
    assert list(folder.iterdir()) == []


def test_a_folder_is_held_by_one_process_and_free_when_that_is_gone(folder: Path) -> None:
    words = [sys.executable, "-c", HOLDING, str(folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        assert is_held(folder) and is_taken(folder / ".lock")
        assert not is_taken(folder.parent / ".gate.lock")  # only tried in passing
        with pytest.raises(RunError, match="^one is busy$"), holding(folder, "one is busy"):
            pytest.fail("two hold it")
        other.kill()
    assert (folder / ".lock").exists() and not is_held(folder)
    with holding(folder, "busy"):
        assert is_held(folder)
    assert not is_held(folder)


def test_all_folders_side_by_side_have_one_mutex(folder: Path) -> None:
    assert mutex(folder).lock_file == mutex(folder.parent / "two").lock_file
