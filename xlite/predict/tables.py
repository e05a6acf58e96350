"""Tables with rows for each film, which only ever gain whole rows: predictions.csv, guards.csv."""

import csv
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from errno import ENOSPC
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from xlite.data.predictions import HEADER, prediction_line
from xlite.files import read_whole, write_atomic
from xlite.predict.films import GUARDS_FILE, PREDICTIONS_FILE, Film
from xlite.text import from_cell, quoted_cell


class Verdict(Protocol):
    """What guards say of a film."""

    @property
    def verdict(self) -> str:
        """`pass`, `caution`, `offer` or `refuse`."""
        ...

    @property
    def reasons(self) -> Sequence[str]:
        """The codes of the reasons."""
        ...

    @property
    def sentences(self) -> Sequence[str]:
        """A sentence for each reason."""
        ...


@dataclass(frozen=True, eq=False)
class Answer:
    """What was found in a film: probabilities float32 (14,), none if its guards refuse it."""

    film: Film
    probabilities: np.ndarray | None
    guards: Verdict | None = None


@dataclass(frozen=True)
class Table:
    """A table: its file, its header, and its lines for an answer, which begin with the film's name as a cell.

    `settles`: whether a row, as cells, means that nothing more is to be done for its film.
    """

    file: str
    header: str
    lines: Callable[[Answer], Sequence[str]]
    settles: Callable[[Sequence[str]], bool] = lambda cells: False


class Row(NamedTuple):
    """A row of a table: whose it is, its cells, and the line that they stand in."""

    name: str
    cells: list[str]
    line: str


def _prediction_lines(answer: Answer) -> list[str]:
    if answer.probabilities is None:
        return []
    return [prediction_line(answer.film.name, answer.probabilities.tolist())]


def _guard_lines(answer: Answer) -> list[str]:
    if answer.guards is None:
        return []
    reasons = quoted_cell(";".join(answer.guards.reasons))
    return [f"{quoted_cell(answer.film.name)},{answer.guards.verdict},{reasons}"]


def _are_probabilities(cells: Sequence[str]) -> bool:
    try:
        return all(0 <= float(cell) <= 1 for cell in cells[1:])
    except ValueError:
        return False


PREDICTIONS = Table(PREDICTIONS_FILE, HEADER, _prediction_lines, _are_probabilities)
GUARDS = Table(GUARDS_FILE, "image,verdict,reasons", _guard_lines, lambda cells: cells[1] == "refuse")


def read_table(folder: Path, table: Table) -> list[Row]:
    """The whole rows of a table; a last one without its line end was cut. None of another header."""
    try:
        text = read_whole(folder / table.file).decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    header, *lines = text[: text.rfind("\n") + 1].split("\n")
    if header != table.header:
        return []
    columns = table.header.count(",") + 1
    cells = [next(csv.reader([line])) for line in lines[:-1] if line]
    rows = [Row(from_cell(row[0]), row, line) for row, line in zip(cells, filter(None, lines), strict=True)]
    return [row for row in rows if len(row.cells) == columns]


def write_table(folder: Path, table: Table, rows: Iterable[Row]) -> None:
    """Replaces a table by these rows."""
    text = "\n".join([table.header, *(row.line for row in rows), ""])
    write_atomic(folder / table.file, text.encode())


def add_rows(folder: Path, table: Table, answers: Iterable[Answer]) -> None:
    """Adds the rows of answers, in one write. Raises OSError, and then none of them is there."""
    text = "".join(f"{line}\n" for answer in answers for line in table.lines(answer)).encode()
    path = folder / table.file
    with open(path, "ab", buffering=0) as file:
        before = file.tell()
        try:
            if file.write(text) < len(text):
                raise OSError(ENOSPC, os.strerror(ENOSPC))
        except OSError as error:
            file.truncate(before)
            raise OSError(error.errno, error.strerror, str(path)) from error
