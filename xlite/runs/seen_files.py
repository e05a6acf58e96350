"""Files that are looked at again and again, and read only if they have changed. No torch."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from xlite.errors import XliteError

T = TypeVar("T")
Stamp = tuple[int, int, int] | None
"""What tells two contents of a file apart: its number, size and time of change; None if there is no file."""


@dataclass(frozen=True)
class _Kept:
    """What reading a file gave at one of its stamps: a value or an error."""

    stamp: Stamp
    value: Any = None
    error: XliteError | OSError | None = None


class SeenFiles:
    """What files held when they were read last. Threads may share it: at worst two of them read."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Path, Callable[[Path], Any]], _Kept] = {}

    def read(self, path: Path, reader: Callable[[Path], T]) -> T:
        """What the reader gives of the file, or raises; it is asked again only if the file has changed.

        The reader is a function of a module: one made anew for each call would be asked each time.
        """
        stamp = stamp_of(path)
        kept = self._kept.get((path, reader))
        if kept is None or kept.stamp != stamp:
            kept = self._kept[path, reader] = _read(path, reader, stamp)
        if kept.error is not None:
            raise kept.error.with_traceback(None)  # else it would grow by each time that it is raised
        value: T = kept.value
        return value


def stamp_of(path: Path) -> Stamp:
    """The stamp of a file as it is now."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _read(path: Path, reader: Callable[[Path], Any], stamp: Stamp) -> _Kept:
    try:
        return _Kept(stamp, reader(path))
    except (XliteError, OSError) as error:
        return _Kept(stamp, error=error)
