"""The experiment log `experiments/results.csv`: a row for each finished one, from any number of processes."""

import csv
import errno
import io
import math
import os
from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from filelock import FileLock

from xlite.errors import DataError
from xlite.places import results_csv
from xlite.runs.notes import Notes
from xlite.text import as_cell, from_cell

if TYPE_CHECKING:
    import pandas as pd


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
    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=600)
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
    """The log's header and rows of these experiments, as the log itself has them."""
    rows = [map(_cell, astuple(experiment)) for experiment in experiments]
    return b"".join(map(_csv_line, [COLUMNS, *rows]))


def read_results(path: Path | None = None) -> "pd.DataFrame":
    """The log as a table, columns as COLUMNS: texts as str and numbers as floats; empty without a file.

    Raises DataError with the number of the line if a row is damaged.
    """
    import pandas as pd

    table = pd.DataFrame(map(asdict, read_experiments(path)), columns=list(COLUMNS))
    return table.astype({name: str if name in _TEXT else float for name in COLUMNS})


def read_experiments(path: Path | None = None) -> list[Experiment]:
    """Every experiment in the order of its row; none without a file.

    Raises DataError with the number of the line if a row is damaged.
    """
    path = Path(path or results_csv())
    content = path.read_bytes() if path.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]  # without a row that is being written at this moment
    if not whole:
        return []
    _check_header(path, io.BytesIO(whole))
    found = []
    for number, line in enumerate(whole.splitlines(), 1):  # a row is one line: no cell has a line end
        if number > 1 and line:
            try:
                found.append(_read_row(line))
            except ValueError as error:
                raise DataError(f"line {number} of {path} {error}: mend or delete that line") from error
    return found


def _read_row(line: bytes) -> Experiment:
    """The experiment of a row; ValueError with what is wrong with it."""
    try:
        [cells] = csv.reader([line.decode()], strict=True)
    except UnicodeDecodeError as error:
        raise ValueError("is not text in UTF-8") from error
    except csv.Error as error:
        raise ValueError(f"is not CSV ({error})") from error
    if len(cells) != len(COLUMNS):
        raise ValueError(f"has {len(cells)} cells and should have {len(COLUMNS)}")
    values: dict[str, Any] = {
        name: from_cell(cell) if name in _TEXT else _number(name, cell)
        for name, cell in zip(COLUMNS, cells, strict=True)
    }
    return Experiment(**values)


def _number(name: str, cell: str) -> float | None:
    try:
        value = float(cell or "nan")
    except ValueError as error:
        raise ValueError(f"has {cell!r} for {name} and should have a number or nothing") from error
    return None if math.isnan(value) else value


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
