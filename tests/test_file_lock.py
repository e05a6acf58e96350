"""The lock on a file: one process holds it, others hear so in their own words, and it ends with it."""

import subprocess
import sys
from pathlib import Path

import pytest

from xlite.errors import DataError
from xlite.file_lock import file_lock, locked

HOLDING = """
import sys
from pathlib import Path
from xlite.errors import XliteError
from xlite.file_lock import locked
with locked(Path(sys.argv[1]), XliteError("busy")):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_one_process_holds_it_and_the_next_has_it_when_that_is_gone(tmp_path: Path) -> None:
    path, busy = tmp_path / "a.lock", DataError("somebody writes")
    words = [sys.executable, "-c", HOLDING, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout and other.stdout.readline() == "held\n"
        with pytest.raises(DataError, match="^somebody writes$"), locked(path, busy):
            pytest.fail("two hold it")
        with pytest.raises(DataError, match="^somebody writes$"), locked(path, busy, timeout=0.05):
            pytest.fail("two hold it")
        other.kill()
    with locked(path, busy):
        pass


def test_it_is_let_go_whatever_happens_inside(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    # What the work itself raises stays what it is, a TimeoutError too.
    with pytest.raises(TimeoutError, match="of the work"), locked(path, DataError("busy")):
        raise TimeoutError("of the work")
    with file_lock(path, 0):
        pass
