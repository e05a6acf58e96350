"""A folder that at most one process works in, as the operating system's lock tells. Imports no torch."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from xlite.errors import RunError
from xlite.file_lock import file_lock

if TYPE_CHECKING:
    from filelock import FileLock


def mutex(folder: Path) -> "FileLock":
    """Held for the moment in which a `.lock` is tried, so that no reader's look passes for the holder.

    All folders side by side have one, and it lies beside them, so that nobody comes while a folder moves.
    """
    return file_lock(folder.parent / ".gate.lock", 10)


def is_taken(lock: Path) -> bool:
    """Whether a process holds a lock; ask behind the mutex, as the look takes the lock for a moment."""
    try:
        with file_lock(lock, 0):
            return False
    except TimeoutError:
        return True


def is_locked(folder: Path) -> bool:
    """Whether a process holds the folder; ask behind the mutex."""
    return is_taken(folder / ".lock")


def is_held(folder: Path) -> bool:
    """Whether a process holds the folder now."""
    if not (folder / ".lock").exists():
        return False
    with mutex(folder):
        return is_locked(folder)


@contextmanager
def holding(folder: Path, busy: str) -> Iterator[None]:
    """Holds the folder; RunError with the sentence `busy` if another process does."""
    with ExitStack() as stack:
        try:
            with mutex(folder):
                stack.enter_context(file_lock(folder / ".lock", 0))
        except TimeoutError as error:
            raise RunError(busy) from error
        yield
