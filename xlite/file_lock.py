"""The operating system's lock on a file: at most one process holds it, and loses it when it dies."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from xlite.errors import XliteError

if TYPE_CHECKING:
    from filelock import FileLock


def file_lock(path: Path, timeout: float = -1) -> "FileLock":
    """The lock on a file; whoever enters it waits for `timeout` s, less than 0 for ever.

    Entering it raises TimeoutError.
    """
    from filelock import FileLock  # it imports asyncio, which no `--help` needs to wait for

    return FileLock(path, timeout)


@contextmanager
def locked(path: Path, busy: XliteError, timeout: float = 0) -> Iterator[None]:
    """Holds the lock on a file; raises `busy` if another process holds it for longer than `timeout` s."""
    lock = file_lock(path, timeout)
    try:
        lock.acquire()
    except TimeoutError as error:
        raise busy from error
    try:
        yield
    finally:
        lock.release()
