"""The experiment log `experiments/results.csv`: a row for each finished one, from any number of processes."""

import csv
import errno
import io
import logging
import math
import os
from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from xlite.errors import DataError, sentence
from xlite.file_lock import file_lock
from xlite.files import read_file
from xlite.places import results_csv
from xlite.public import without_paths
from xlite.runs.notes import Notes
from xlite.text import as_cell, counted, from_cell, has_plain_digits, verb

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Experiment:
    """A finished experiment, a row of the log; numbers are None if they are not known.

    date: ISO 8601; kd_temp, kd_alpha: temperature and alpha, of distilled students; notes: what `Notes`
    reads, and what else a person may have written there.
    """

    experiment_id: str
    date: str = ""
    model: str = ""
    backbone: str = ""
    attention: str = ""
    kd_temp: float | None = None
    kd_alpha: float | None = None
    train_loss: float | None = None
    val_auc: float | None = None
    test_auc: float | None = None
    inference_time_ms: float | None = None
    model_size_mb: float | None = None
    notes: str = ""


COLUMNS = tuple(field.name for field in fields(Experiment))
_TEXT = {field.name for field in fields(Experiment) if field.type is str}
_AUCS = ("val_auc", "test_auc")
_NUMBERED = 5
"""How many damaged lines a warning names by their numbers, besides the first."""


def append_result(
    experiment: Experiment, notes: Notes, path: Path | None = None, unless_there: bool = False
) -> None:
    """Adds one experiment, whose notes are given apart; None and NaN stay empty.

    The notes begin with the split's id: metrics on different splits must never be ranked unawares. The row is
    on disk when this returns. `unless_there` is for one that may have been added before: a row that equals it
    to the letter then stays alone. Raises ValueError if the notes lack the split, DataError if the file holds
    another table.
    """
    if not notes.split_id:
        raise ValueError("a row of results.csv needs the id of the split that its metrics were made on")
    if experiment.notes:
        raise ValueError(f"the notes of a row are given apart: {experiment.notes!r} would be lost")
    path = Path(path or results_csv())
    path.parent.mkdir(parents=True, exist_ok=True)
    line = _csv_line(map(_cell, astuple(replace(experiment, notes=str(notes)))))
    # Long: with many at once one may be unlucky for a while, and its row must not be lost.
    lock = file_lock(path.with_name(f".{path.name}.lock"), 600)
    with lock, open(path, "a+b", buffering=0) as file:
        _check_header(path, file)
        if unless_there and line in file.readlines():
            return
        end = file.seek(0, os.SEEK_END)
        lead = _csv_line(COLUMNS) if end == 0 else b"" if _ends_whole(file) else b"\n"
        try:
            if file.write(lead + line) != len(lead + line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            os.fsync(file.fileno())
        except OSError:
            file.truncate(end)
            raise


def to_csv(experiments: Iterable[Experiment]) -> bytes:
    """The log's header and rows of these experiments, as the log itself has them; in public without paths."""
    rows = [map(without_paths, map(_cell, astuple(experiment))) for experiment in experiments]
    return b"".join(map(_csv_line, [COLUMNS, *rows]))


def read_results(path: Path | None = None) -> "pd.DataFrame":
    """The log as a table, columns as COLUMNS: texts as str and numbers as floats; empty without a file.

    Damaged rows and errors as in `read_experiments`.
    """
    import pandas as pd

    table = pd.DataFrame(map(asdict, read_experiments(path)), columns=list(COLUMNS))
    return table.astype({name: str if name in _TEXT else float for name in COLUMNS})


def read_experiments(path: Path | None = None) -> list[Experiment]:
    """Every experiment in the order of its row, but damaged rows, of which it warns; none without a file.

    Raises DataError if the file holds another table, or cannot be read.
    """
    found, damage = readable_and_damaged(path)
    if damage:
        log.warning("Warning: %s", sentence(damage))
    return found


def readable_and_damaged(path: Path | None = None) -> tuple[list[Experiment], DataError | None]:
    """What `read_experiments` gives, and what it warns of: the damaged lines, None if there are none."""
    path = Path(path or results_csv())
    try:
        content = read_file(path) if path.exists() else b""
    except OSError as error:
        raise DataError(f"the experiment log cannot be read: {sentence(error, path)}") from error
    whole = content[: content.rfind(b"\n") + 1]  # without a row that is being written at this moment
    if not whole:
        return [], None
    _check_header(path, io.BytesIO(whole))
    found, damaged = [], {}
    for number, line in enumerate(whole.split(b"\n"), 1):  # a row is one line: no cell has a line end
        if number > 1 and line.strip():
            try:
                found.append(_read_row(line.removesuffix(b"\r")))
            except ValueError as error:
                damaged[number] = str(error)
    return found, _damage(path, damaged) if damaged else None


def _damage(path: Path, damaged: dict[int, str]) -> DataError:
    """The one sentence about all damaged lines, whose numbers come with what is wrong with them."""
    first, *others = damaged
    named = ", ".join(map(str, others[:_NUMBERED])) + (", …" if others[_NUMBERED:] else "")
    more = f" (and {len(others):,} more: {named})" if others else ""
    them = verb(len(damaged), "it", "them")
    return DataError(f"line {first} of {path} {damaged[first]}; it is left out{more}: mend or delete {them}")


def _read_row(line: bytes) -> Experiment:
    """The experiment of a row; ValueError with what is wrong with it."""
    if b"\0" in line:
        raise ValueError("has a NUL byte")
    try:
        [cells] = csv.reader([line.decode()], strict=True)
    except UnicodeDecodeError as error:
        raise ValueError("is not text in UTF-8") from error
    except csv.Error as error:
        raise ValueError(f"is not CSV ({error})") from error
    if len(cells) != len(COLUMNS):
        raise ValueError(f"has {counted(len(cells), 'cell')} and should have {len(COLUMNS)}")
    values: dict[str, Any] = {
        name: from_cell(cell) if name in _TEXT else _number(name, cell)
        for name, cell in zip(COLUMNS, cells, strict=True)
    }
    return Experiment(**values)


def _number(name: str, cell: str) -> float | None:
    expected = "a number 0-1" if name in _AUCS else "a number"
    try:
        value = float(cell or "nan")
    except ValueError:
        value = math.inf
    if math.isinf(value) or not has_plain_digits(cell) or (name in _AUCS and not _is_auc(value)):
        raise ValueError(f"has {cell!r:.80} for {name} and should have {expected} or nothing")
    return None if math.isnan(value) else value


def _is_auc(value: float) -> bool:
    return math.isnan(value) or 0 <= value <= 1


def _check_header(path: Path, file: BinaryIO) -> None:
    file.seek(0)
    header = file.readline()
    if header and header.rstrip(b"\r\n") != _csv_line(COLUMNS).rstrip(b"\n"):
        raise DataError(
            f"{path} is not an experiment log (its first line is not {','.join(COLUMNS)}): move it away"
        )


def _ends_whole(file: BinaryIO) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _cell(value: object) -> str:
    """A value's text on one line; nothing for None and NaN."""
    text = " ".join(str(value).split())
    if text in ("None", "nan"):
        return ""
    return as_cell(text) if isinstance(value, str) else text


def _csv_line(cells: Iterable[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()
