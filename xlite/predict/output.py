"""The folder that films are read into: its tables, its record, and what a killed call left to go on from.

predictions.json, the record, says of which work the tables are. While that has not finished, it also has a
digest of each film's file: a film is done if its row is there and its file is as it was.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from xlite.data.zipped import ZippedFilm
from xlite.errors import DataError
from xlite.file_lock import locked
from xlite.files import read_whole, write_atomic
from xlite.predict.films import LOCK_FILE, RECORD_FILE, Film
from xlite.predict.tables import TABLES, Answer, Row, add_rows, read_table, settled, write_table
from xlite.text import as_cell

BATCH = 4
"""Films that the network reads together, and whose rows come together; more save little, and hold pixels."""
Work = Mapping[str, str | int | bool | None]
"""What makes two calls the same work, by name: digests of model and gate, X-Lite's version, its options."""


class Record(BaseModel):
    """predictions.json: the work, whether it has finished, and if not, a digest of each film by its name."""

    model_config = ConfigDict(frozen=True)

    format: Literal["xlite-predict-1"] = "xlite-predict-1"
    work: dict[str, str | int | bool | None]
    finished: bool = False
    films: dict[str, str] = {}


@dataclass(eq=False)
class Output:
    """The folder, while a command writes into it. `kept` are the rows of films that are done, by table."""

    folder: Path
    films: Sequence[Film]
    work: Work
    done: frozenset[str] = frozenset()
    kept: dict[str, list[Row]] = field(default_factory=dict)
    _has_begun: bool = False

    def write(self, answers: Sequence[Answer]) -> None:
        """Adds the rows of films."""
        if not self._has_begun:
            self._begin()
        for table in TABLES:
            add_rows(self.folder, table, answers)

    def finish(self) -> None:
        """Puts the rows into the order of the films, and notes that all is done.

        If no film could be read, what was in the folder before stays.
        """
        if not self._has_begun and not self.done:
            return
        if not self._has_begun:
            self._begin()
        if self.done:
            places = {film.name: place for place, film in enumerate(self.films)}
            for table in TABLES:
                rows = sorted(read_table(self.folder, table), key=lambda row: places[row.name])
                write_table(self.folder, table, rows)
        self._note(Record(work=dict(self.work), finished=True))

    def go_on(self) -> None:
        """Finds what a call for the same work left, if it has not finished; one that has is done anew.

        Raises DataError if it was of other work.
        """
        record = _read_record(self.folder / RECORD_FILE)
        if record is None or record.finished:
            return
        keys = self.work.keys() | record.work.keys()
        if other := sorted(key for key in keys if self.work.get(key) != record.work.get(key)):
            raise DataError(
                f"{self.folder} holds the work of a command that has not finished and differs from this "
                f"one in {', '.join(other)}: repeat that command to go on with it, or add --fresh to "
                "start over"
            )
        digests = record.films
        same = {film.name for film in self.films if digests.get(as_cell(film.name)) == _digest(film.path)}
        rows = {table: read_table(self.folder, table) for table in TABLES}
        ready = settled(rows) & same
        done = [film.name for film in self.films if film.name in ready]
        # Whole batches only, so that each film has the same company as in a call that nothing broke off.
        self.done = frozenset(done[: len(done) - len(done) % BATCH])
        self.kept = {
            table.file: [row for row in found if row.name in self.done] for table, found in rows.items()
        }

    def _begin(self) -> None:
        """Leaves in the tables what is done, and only then says whose they are."""
        for table in TABLES:
            write_table(self.folder, table, self.kept.get(table.file, []))
        films = {as_cell(film.name): _digest(film.path) for film in self.films}
        self._note(Record(work=dict(self.work), films=films))
        self._has_begun = True

    def _note(self, record: Record) -> None:
        text = record.model_dump_json(indent=2)
        write_atomic(self.folder / RECORD_FILE, f"{text}\n".encode())


@contextmanager
def opened(
    folder: Path,
    films: Sequence[Film],
    work: Work,
    fresh: bool = False,
) -> Iterator[Output]:
    """The folder, which it makes and holds, with what an unfinished call left unless all is to be fresh.

    Raises DataError if another process writes into it, or the unfinished call is of other work.
    """
    folder.mkdir(parents=True, exist_ok=True)
    busy = DataError(f"another xlite predict writes into {folder}: wait until it ends, or give another --out")
    with locked(folder / LOCK_FILE, busy):
        output = Output(folder, films, work)
        if not fresh:
            output.go_on()
        yield output


def _digest(film: Path | ZippedFilm) -> str:
    """Which file a film is, and whether it is as it was: of its path, its size and when it changed."""
    file = film.archive if isinstance(film, ZippedFilm) else film
    try:
        state = os.stat(file)
    except OSError:  # which whoever reads it will say
        return ""
    known = f"{os.path.abspath(film)}\0{state.st_size}\0{state.st_mtime_ns}"
    return hashlib.sha256(os.fsencode(known)).hexdigest()[:16]


def _read_record(path: Path) -> Record | None:
    """The record; None if there is none. Raises DataError if the file is another's."""
    try:
        return Record.model_validate_json(read_whole(path))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise DataError(
            f"{path} is not a record of xlite predict: give another --out, or add --fresh to replace it"
        ) from error
