"""The log of a labelling on the disk: JSON lines, each written whole and kept before anybody is told so."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from xlite.errors import DataError, RunError, objection
from xlite.file_lock import locked
from xlite.files import read_file
from xlite.labelling.entry import Entry

PATIENCE_S = 10.0
"""How long a line waits for those of other readers; each takes milliseconds."""


@dataclass(frozen=True)
class AnswerLog:
    """A file that several processes append to, and that survives a kill or a power cut at any moment."""

    path: Path

    def read(self) -> list[Entry]:
        """All entries, oldest first. A last line that was torn while it was written counts as never written.

        Raises DataError for any other line that is not an entry, and OSError.
        """
        return self._parsed(read_file(self.path))[0]

    def append(self, make: Callable[[list[Entry]], Entry | None]) -> Entry | None:
        """Writes what `make` says to the entries so far, unless that is None; it is on the disk on return.

        No other entry comes between what `make` sees and what it says. Raises RunError if others hold the log
        for too long, DataError as `read`, OSError if the disk takes no more, and whatever `make` raises; then
        nothing is written.
        """
        busy = RunError(
            f"{self.path} has been held by another process for {PATIENCE_S:.0f} s, so the answer was not "
            "kept: try again"
        )
        with locked(self.path.with_suffix(".lock"), busy, PATIENCE_S):
            return self._append(make)

    def _append(self, make: Callable[[list[Entry]], Entry | None]) -> Entry | None:
        entries, whole, lacks_end = self._parsed(read_file(self.path))
        entry = make(entries)
        if entry is None:
            return None
        line = b"\n" * lacks_end + entry.model_dump_json(exclude_defaults=True).encode() + b"\n"
        with open(self.path, "r+b", buffering=0) as file:
            file.truncate(whole)  # a torn line: nobody was told that it is kept
            file.seek(whole)
            try:
                _write_all(file.fileno(), line)
                os.fsync(file.fileno())
            except OSError:
                file.truncate(whole)
                raise
        return entry

    def _parsed(self, content: bytes) -> tuple[list[Entry], int, bool]:
        """The entries, the bytes that they take, and whether the last of them lacks the end of its line."""
        lines, at, entries = content.split(b"\n"), 0, []
        for number, line in enumerate(lines, 1):
            is_last = number == len(lines)
            if line or not is_last:
                try:
                    entries.append(Entry.model_validate_json(line))
                except ValidationError as error:
                    if is_last:
                        return entries, at, False
                    why = objection(error, show=False)  # a reader's answers are nobody else's to see
                    raise DataError(
                        f"line {number} of {self.path} is not an entry of the log ({why}): "
                        "take it out, or put a copy of the file back"
                    ) from error
            at += len(line) + (not is_last)
        return entries, at, bool(lines[-1])


def _write_all(file: int, data: bytes) -> None:
    """Writes all bytes: a disk that is nearly full takes a part of them first."""
    while data:
        data = data[os.write(file, data) :]
