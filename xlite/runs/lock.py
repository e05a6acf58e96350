"""A folder that at most one process works in, whom the operating system's lock tells. Imports no torch."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from xlite.errors import RunError
from xlite.files import tail_lines
from xlite.runs.launch import spawn

START_TIMEOUT_S = 60.0


def gate(folder: Path) -> FileLock:
    """Held for the moment in which a `.lock` is tried, so that no reader's look passes for the holder.

    It is one for all folders side by side and lies beside them, so that nobody comes while a folder moves.
    """
    return FileLock(folder.parent / ".gate.lock", timeout=10)


def is_locked(folder: Path) -> bool:
    """Whether `.lock` is held; to be asked behind the gate."""
    try:
        with FileLock(folder / ".lock", timeout=0):
            return False
    except Timeout:
        return True


def is_held(folder: Path) -> bool:
    """Whether a process holds the folder now."""
    if not (folder / ".lock").exists():
        return False
    with gate(folder):
        return is_locked(folder)


@contextmanager
def holding(folder: Path, busy: str) -> Iterator[None]:
    """Holds the folder; RunError with the sentence `busy` where another process does."""
    with ExitStack() as stack:
        try:
            with gate(folder):
                stack.enter_context(FileLock(folder / ".lock", timeout=0))
        except Timeout as error:
            raise RunError(busy) from error
        yield


def start_detached(folder: Path, words: Sequence[str], home: Path) -> None:
    """Starts `xlite WORDS` in a process of its own, its output in log.txt; returns once it holds the folder.

    The process outlives this one. RunError where it ends before, or does not hold the folder in time.
    """
    child = spawn([sys.executable, "-m", "xlite", *words], home, folder / "log.txt")
    deadline = time.monotonic() + START_TIMEOUT_S
    while not is_held(folder) and child.returncode != 0:
        if child.returncode is not None:
            raise RunError(f"{folder.name!r} did not start: {tail_lines(folder / 'log.txt', 1)}")
        if time.monotonic() > deadline:
            child.terminate()
            raise RunError(f"{folder.name!r} did not start within {START_TIMEOUT_S:.0f} s")
        time.sleep(0.05)
