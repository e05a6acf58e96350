"""Tables with rows for each film, which only ever gain whole rows: predictions.csv, guards.csv, worth.csv."""

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from errno import ENOSPC
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from xlite.data.predictions import HEADER, PREDICTIONS_FILE, prediction_line
from xlite.files import read_whole, write_atomic
from xlite.findings import FINDINGS
from xlite.guards.verdict import FIXED, REASONS, VERDICTS, Guards, Reason, Verdict, sentence_of
from xlite.metrics.worth import COLUMNS
from xlite.predict.films import GUARDS_FILE, WORTH_FILE, Film
from xlite.reading import Reading, worth_rows
from xlite.text import from_cell, quoted_cell


@dataclass(frozen=True, eq=False)
class Answer:
    """What was found in a film: what guards say of it, and its reading, None if they refuse it.

    `undone`: the reasons for which it was turned or inverted before it was read.
    """

    film: Film
    guards: Guards
    reading: Reading | None = None
    undone: tuple[Reason, ...] = ()

    @property
    def said(self) -> "Said":
        """What guards say of it, in short."""
        return Said(self.guards.verdict, self.guards.reasons, self.undone, self.guards.sentences)


@dataclass(frozen=True)
class Table:
    """A table: its file, its header, and its lines for an answer, which begin with the film's name."""

    file: str
    header: str
    lines: Callable[[Answer], Sequence[str]]


class Said(NamedTuple):
    """What guards said of a film, and for which of the reasons it was put right before it was read.

    `measured` is a sentence for each reason, with its value and its limit; of rows of guards.csv, which hold
    neither, it is empty.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...]
    fixed: tuple[Reason, ...] = ()
    measured: tuple[str, ...] = ()

    @property
    def sentences(self) -> list[str]:
        """A sentence for each reason, and one that says if any was undone."""
        said = list(self.measured) or [f"{sentence_of(reason)}." for reason in self.reasons]
        return [*said, FIXED] if self.fixed else said

    def facts(self) -> dict[str, object]:
        """All of it as JSON has it."""
        return {
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "fixed": list(self.fixed),
            "sentences": self.sentences,
        }


class Row(NamedTuple):
    """A row of a table: whose it is, its cells, and the line that they stand in."""

    name: str
    cells: list[str]
    line: str


def _prediction_lines(answer: Answer) -> list[str]:
    if answer.reading is None:
        return []
    return [prediction_line(answer.film.name, answer.reading.probabilities.tolist())]


def _guard_lines(answer: Answer) -> list[str]:
    reasons = quoted_cell(";".join(answer.guards.reasons))
    return [f"{quoted_cell(answer.film.name)},{answer.guards.verdict},{reasons}"]


def _worth_lines(answer: Answer) -> list[str]:
    if answer.reading is None:
        return []
    rows = worth_rows(answer.film.name, answer.reading)
    return [",".join(map(fact_cell, row.values())) for row in rows]


def fact_cell(value: object) -> str:
    """A fact as a cell: empty if it is not known; nine digits, so that float32 survives."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.9g}" if isinstance(value, float) else quoted_cell(str(value))


PREDICTIONS = Table(PREDICTIONS_FILE, HEADER, _prediction_lines)
GUARDS = Table(GUARDS_FILE, "image,verdict,reasons", _guard_lines)
WORTH = Table(WORTH_FILE, ",".join(("image", *COLUMNS)), _worth_lines)
TABLES = (GUARDS, WORTH, PREDICTIONS)
_VOID, _APART = (WORTH.header.split(",").index(name) for name in ("void", "disagreement"))


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
    rows = ((_cells_of(line), line) for line in lines[:-1])
    return [Row(from_cell(cells[0]), cells, line) for cells, line in rows if len(cells) == columns]


def _cells_of(line: str) -> list[str]:
    """The cells of a line; none if it is not a line of a CSV."""
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []


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


def settled(rows: Mapping[Table, Sequence[Row]]) -> set[str]:
    """The films that nothing more is to be done for: refused, or in all tables, in none of them twice."""
    judged = {row.name: row.cells[1] for row in _once(rows[GUARDS]) if _is_said(row.cells)}
    predicted = {row.name for row in _once(rows[PREDICTIONS]) if _are_probabilities(row.cells[1:])}
    worth = Counter(row.name for row in rows[WORTH])
    broken = {row.name for row in rows[WORTH] if not _are_probabilities([row.cells[_APART] or "0"])}
    whole = {name for name in predicted - broken if worth[name] == len(FINDINGS)}
    return {name for name, verdict in judged.items() if verdict == "refuse" or name in whole}


def _once(rows: Sequence[Row]) -> Iterator[Row]:
    """The rows of films that have no other."""
    times = Counter(row.name for row in rows)
    return (row for row in rows if times[row.name] == 1)


def _is_said(cells: Sequence[str]) -> bool:
    _, verdict, reasons = cells
    return verdict in VERDICTS and set(filter(None, reasons.split(";"))) <= set(REASONS)


def _are_probabilities(cells: Sequence[str]) -> bool:
    try:
        return all(0 <= float(cell) <= 1 for cell in cells)
    except ValueError:
        return False


def kept_guards(rows: Iterable[Row]) -> dict[str, Said]:
    """What rows of guards.csv say, by film, if they are `settled`; what was fixed does not stand there."""
    parts = {row.name: (row.cells[1], filter(None, row.cells[2].split(";"))) for row in rows}
    return {
        name: Said(cast(Verdict, verdict), tuple(cast(Reason, reason) for reason in reasons))
        for name, (verdict, reasons) in parts.items()
    }


class Kept(NamedTuple):
    """What the tables hold of a film's reading: what `Classifier.recalled` takes."""

    probabilities: np.ndarray
    disagreement: np.ndarray | None
    void: bool


def kept_readings(predictions: Iterable[Row], worth: Iterable[Row]) -> dict[str, Kept]:
    """What rows of predictions.csv and worth.csv say, by film, if they are `settled`."""
    facts: dict[str, list[Row]] = {}
    for row in worth:
        facts.setdefault(row.name, []).append(row)
    return {
        row.name: Kept(
            np.array(row.cells[1:], np.float32),
            _disagreement([one.cells[_APART] for one in facts[row.name]]),
            facts[row.name][0].cells[_VOID] == "true",
        )
        for row in predictions
    }


def _disagreement(cells: Sequence[str]) -> np.ndarray | None:
    return np.array(cells, np.float32) if all(cells) else None
