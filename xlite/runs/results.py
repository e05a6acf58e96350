"""The experiment log `experiments/results.csv`: a row a finished experiment, from any number of processes."""

import csv
import errno
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from filelock import FileLock

from xlite.config import results_csv
from xlite.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "experiment_id",
    "date",
    "model",
    "backbone",
    "attention",
    "kd_temp",
    "kd_alpha",
    "train_loss",
    "val_auc",
    "test_auc",
    "inference_time_ms",
    "model_size_mb",
    "notes",
)
_TEXT = ("experiment_id", "date", "model", "backbone", "attention", "notes")


def append_result(
    row: Mapping[str, object], split_id: str, path: Path | None = None, unless_there: bool = False
) -> None:
    """Adds one experiment, keys from COLUMNS; what is missing, None or NaN stays empty.

    Its notes begin with the split's id: figures of different splits must never be ranked unawares. The row is
    on disk when this returns. `unless_there` is for one that may have been added before: a row that equals it
    to the letter then stays alone. Raises ValueError for a key that is no column or an empty id, DataError
    where the file holds another table.
    """
    if not split_id:
        raise ValueError("a row of results.csv needs the id of the split that its figures were made on")
    row = {**row, "notes": "; ".join(filter(None, [f"split {split_id}", _cell(row.get("notes"))]))}
    unknown = set(row) - set(COLUMNS)
    if unknown:
        raise ValueError(f"{sorted(unknown)} are no columns of results.csv; expected some of {COLUMNS}")
    path = Path(path or results_csv())
    path.parent.mkdir(parents=True, exist_ok=True)
    line = _csv_line(_cell(row.get(column)) for column in COLUMNS)
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


def read_results(path: Path | None = None) -> "pd.DataFrame":
    """Every experiment in the order of its row, texts as str and figures as floats; empty without a file.

    Raises DataError with the number of the line where a row is damaged.
    """
    import pandas as pd

    path = Path(path or results_csv())
    content = path.read_bytes() if path.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]  # without a row that is being written at this moment
    if not whole:
        return pd.DataFrame(columns=list(COLUMNS))
    _check_header(path, io.BytesIO(whole))
    rows = []
    for number, line in enumerate(whole.splitlines(), 1):  # a row is one line: no cell has a line end
        if number > 1 and line:
            try:
                rows.append(_read_row(line))
            except ValueError as error:
                raise DataError(f"line {number} of {path} {error}: mend or delete that line") from error
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype({name: str if name in _TEXT else float for name in COLUMNS})


def _read_row(line: bytes) -> list[str | float]:
    """The cells of a row, texts as str and figures as floats; ValueError with what is wrong with it."""
    try:
        [cells] = csv.reader([line.decode()], strict=True)
    except UnicodeDecodeError as error:
        raise ValueError("is not text in UTF-8") from error
    except csv.Error as error:
        raise ValueError(f"is not CSV ({error})") from error
    if len(cells) != len(COLUMNS):
        raise ValueError(f"has {len(cells)} cells and should have {len(COLUMNS)}")
    return [cell if name in _TEXT else _figure(name, cell) for name, cell in zip(COLUMNS, cells, strict=True)]


def _figure(name: str, cell: str) -> float:
    try:
        return float(cell or "nan")
    except ValueError as error:
        raise ValueError(f"has {cell!r} for {name} and should have a number or nothing") from error


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
    return "" if text in ("None", "nan") else text


def _csv_line(cells: Iterable[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()
