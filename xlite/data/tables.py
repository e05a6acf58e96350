"""NIH's tables and those like them: both editions of the labels, the boxes, and lists of films."""

import csv
import gzip
import io
import os
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from xlite.data.layout import table_files
from xlite.errors import DataError
from xlite.files import read_file
from xlite.findings import FINDINGS, NO_FINDING, canonical
from xlite.text import counted, from_cell

_COLUMNS = {
    "Image Index": "image",
    "Finding Labels": "labels",
    "Follow-up #": "follow_up",
    "Patient ID": "patient",
    "Patient Age": "age",
    "Patient Gender": "sex",
    "View Position": "view",
}
IMAGE_COLUMNS = ("image", "Image Index")
"""How a column of films may be called."""
BOX_COLUMNS = ["stem", "finding", "x", "y", "w", "h"]
_YEARS = {"": 1.0, "Y": 1.0, "M": 1 / 12, "D": 1 / 365.25}
_OLDEST = 100


def stem_of(name: str) -> str:
    """The name that a film is known by: `images/00000001_000.png` is `00000001_000`."""
    return os.path.splitext(os.path.basename(name.strip()))[0]


def find_table(root: Path | str) -> Path:
    """The folder's `Data_Entry_2017*.csv` or `.csv.gz`; the 2020 edition if both are there.

    Raises DataError if the folder or the table is missing.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError(f"there is no data folder {root}; give the folder that holds Data_Entry_2017*.csv")
    tables = table_files(root)
    if not tables:
        raise DataError(
            f"{root} holds no Data_Entry_2017*.csv (or .csv.gz); give a folder in the NIH layout, or make "
            "one with `xlite data download` or `xlite data phantom`"
        )
    return min(tables, key=lambda path: ("v2020" not in path.name, path.name))


def label_version(table_path: Path | str) -> str:
    """The edition of the labels, "2017" or "2020": 2017's header ends in an empty column."""
    header = _header(_read_text(Path(table_path)))
    return "2020" if "v2020" in Path(table_path).name or header[-1] else "2017"


def read_table(path: Path | str) -> pd.DataFrame:
    """NIH's table, a row for each film.

    Columns: image, stem, patient (int), follow_up (int), age (years; NaN if over 100 or not given), sex,
    view, and a uint8 column for each of the 14 findings. Raises DataError if the table cannot be read, lacks
    a column, is empty, or names an unknown finding or a film twice.
    """
    path = Path(path)
    header, rows = _read_rows(path)
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise DataError(f"{path} lacks the column {missing[0]!r}; NIH's table has {', '.join(_COLUMNS)}")
    # The header may count fewer columns than the rows (NIH's Width,Height), but never before these.
    positions = {header.index(name): column for name, column in _COLUMNS.items()}
    if rows.empty or rows.shape[1] <= max(positions):
        raise DataError(f"{path} lists no films; expected a row for each film under its header")
    raw = rows[sorted(positions)].rename(columns=positions)
    table = pd.DataFrame(
        {
            "image": raw["image"].str.strip(),
            "stem": [stem_of(name) for name in raw["image"].tolist()],
            "patient": _integers(path, raw["patient"], "Patient ID"),
            "follow_up": _integers(path, raw["follow_up"], "Follow-up #"),
            "age": _each_once(raw["age"], _age),
            "sex": raw["sex"].str.strip(),
            "view": raw["view"].str.strip(),
        }
    )
    twice = table["stem"][table["stem"].duplicated()]
    if len(twice):
        raise DataError(
            f"{path} lists {counted(len(twice), 'film')} more than once, {twice.iloc[0]} first; keep one "
            "row for each film"
        )
    return table.join(pd.DataFrame(_label_matrix(path, raw["labels"]), columns=list(FINDINGS)))


def read_boxes(path: Path | str) -> pd.DataFrame:
    """The radiologists' boxes: stem, finding (NIH name) and x, y, w, h in px of the 1024x1024 frame."""
    path = Path(path)
    _, rows = _read_rows(path)
    if rows.empty:
        return pd.DataFrame(columns=BOX_COLUMNS)
    if rows.shape[1] < len(BOX_COLUMNS):
        raise DataError(
            f"{path} has {rows.shape[1]} columns; expected Image Index, Finding Label, x, y, w, h"
        )
    boxes = rows.iloc[:, : len(BOX_COLUMNS)].set_axis(BOX_COLUMNS, axis=1)
    try:
        return boxes.assign(
            stem=[stem_of(name) for name in boxes["stem"]],
            finding=[canonical(name) for name in boxes["finding"]],
            **{side: boxes[side].astype(float) for side in "xywh"},
        )
    except ValueError as error:
        raise DataError(f"{path} is not a table of boxes: {error}") from error


def read_list(path: Path | str) -> list[str]:
    """The stems of a list of films, in its order: a name on each line, or a CSV with an image column.

    Raises DataError if it cannot be read or a CSV has no column `image` or `Image Index`.
    """
    path = Path(path)
    if ".csv" not in path.suffixes:
        return [stem_of(line) for line in _read_text(path).splitlines() if line.strip()]
    header, rows = _read_rows(path)
    column = next((header.index(name) for name in IMAGE_COLUMNS if name in header), None)
    if column is None:
        raise DataError(f"{path} has no column 'image' or 'Image Index'; it has {', '.join(header)}")
    return [stem_of(from_cell(name)) for name in rows[column].tolist() if name.strip()] if len(rows) else []


def _read_text(path: Path) -> str:
    """A text file, plain or .gz, in UTF-8 with or without a byte-order mark."""
    try:
        content = read_file(path)
        return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}") from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as text: {error}") from error


def _read_rows(path: Path) -> tuple[list[str], pd.DataFrame]:
    """A table's header and the rows under it, all text, columns numbered from 0."""
    text = _read_text(path)
    header, _, body = text.partition("\n")
    if not header.strip():
        raise DataError(f"{path} is empty; expected a header and a row for each film")
    try:
        rows = pd.read_csv(io.StringIO(body), header=None, dtype=str, keep_default_na=False)
    except pd.errors.EmptyDataError:
        rows = pd.DataFrame()
    except pd.errors.ParserError as error:
        raise DataError(f"{path} cannot be read as a table: {str(error).strip()}") from error
    return _header(text), rows


def _header(text: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([text.partition("\n")[0]]), [""])]


def _integers(path: Path, values: pd.Series, name: str) -> np.ndarray:
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = values[numbers.isna() | (numbers % 1 != 0)]
    if len(wrong):
        raise DataError(f"{path}: {name} {wrong.iloc[0]!r} in row {wrong.index[0] + 1} is not a whole number")
    integers: np.ndarray = numbers.to_numpy(np.int64)
    return integers


def _age(text: str) -> float:
    """Years from `58`, `058Y`, `013M` or `020D`; NaN over 100, which is a slip of the pen in NIH's table."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([YMD]?)", text.strip().upper())
    years = float(match[1]) * _YEARS[match[2]] if match else np.nan
    return years if years <= _OLDEST else np.nan


def _each_once(values: pd.Series, function: Callable[[str], object]) -> np.ndarray:
    """`function` of each value, called once for each different one."""
    codes, different = pd.factorize(values)
    results: np.ndarray = np.array([function(value) for value in different])[codes]
    return results


def _label_matrix(path: Path, labels: pd.Series) -> np.ndarray:
    """uint8 (N, 14) from `Mass|Nodule`, `No Finding`."""

    def vector(text: str) -> list[bool]:
        try:
            found = {canonical(name) for name in text.split("|") if name.strip() != NO_FINDING}
        except ValueError as error:
            raise DataError(f"{path}: the finding {error}, or {NO_FINDING}") from error
        return [finding in found for finding in FINDINGS]

    return _each_once(labels, vector).astype(np.uint8)
