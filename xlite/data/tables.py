"""NIH's tables and those like them: both editions of the labels, the boxes, and lists of films."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd

from xlite.data.film_names import has_suffix, names_in, stem_of
from xlite.data.layout import table_files
from xlite.data.rows import IMAGE_COLUMNS, columns_of, read_header, read_rows, read_text, rows_of
from xlite.errors import DataError
from xlite.findings import FINDINGS, NO_FINDING, canonical
from xlite.patients import patient_ids
from xlite.text import UNKNOWN_EDITION, counted, from_cell

_COLUMNS = {
    "Image Index": "image",
    "Finding Labels": "labels",
    "Follow-up #": "follow_up",
    "Patient ID": "patient",
    "Patient Age": "age",
    "Patient Gender": "sex",
    "View Position": "view",
}
UNKNOWN_LABELS = "Unknown Labels"
"""The column, which NIH's tables lack, of the findings whose label is not known for a film."""
_NIH_HEADER = [*_COLUMNS, "OriginalImage[Width", "Height]", "OriginalImagePixelSpacing[x", "y]"]
BOX_COLUMNS = ["stem", "finding", "x", "y", "w", "h"]
_YEARS = {"": 1.0, "Y": 1.0, "M": 1 / 12, "D": 1 / 365.25}
_OLDEST = 100


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
    """The edition of the labels, "2017" or "2020", or "unknown" if it is not certain.

    The 2017 edition ends in an empty column, in the header, where pandas calls it `Unnamed: 11`, and in each
    row; but for that, the two are alike, and the 2020 edition is known by its file's name alone.
    """
    path = Path(table_path)
    header = read_header(path)
    width = len(header)
    if header[0] in ("", "Unnamed: 0"):  # row numbers, which pandas writes too
        header = header[1:]
    has_its_header = header[:-1] == _NIH_HEADER and re.fullmatch(r"(Unnamed: \d+)?", header[-1]) is not None
    is_2017 = has_its_header and all(len(row) == width and not row[-1].strip() for row in read_rows(path)[1])
    is_2020 = "v2020" in path.name
    if is_2017 == is_2020:
        return UNKNOWN_EDITION
    return "2017" if is_2017 else "2020"


def read_table(path: Path | str) -> pd.DataFrame:
    """NIH's table, a row for each film.

    Columns: image, stem, patient (as `patient_ids` gives it), follow_up (int), age (years; NaN if over 100 or
    not given), sex, view, and a column for each of the 14 findings: uint8 of 0 and 1, or, if the column
    UNKNOWN_LABELS names any, float32 with NaN for a label that is not known. Raises DataError if the table
    cannot be read, lacks a column, is empty, names an unknown finding or a film twice, gives a label that it
    calls unknown, or leaves a patient in doubt.
    """
    path = Path(path)
    header, rows = read_rows(path)
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise DataError(f"{path} lacks the column {missing[0]!r}; NIH's table has {', '.join(_COLUMNS)}")
    # The header may count fewer columns than the rows (NIH's Width,Height), but never before these.
    raw = pd.DataFrame(columns_of(path, header, rows, list(_COLUMNS))).rename(columns=_COLUMNS)
    unknown = _unknown_labels(path, header, rows)
    table = pd.DataFrame(
        {
            "image": raw["image"],
            "stem": [stem_of(name) for name in raw["image"].tolist()],
            "patient": _patients(path, raw["patient"].tolist()),
            "follow_up": _integers(path, raw["follow_up"], "Follow-up #"),
            "age": _each_once(raw["age"], _age),
            "sex": raw["sex"],
            "view": raw["view"],
        }
    )
    if "" in set(table["stem"]):
        raise DataError(f"{path} has rows without a film's name; fill in the column Image Index")
    twice = table["stem"][table["stem"].duplicated()]
    if len(twice):
        raise DataError(
            f"{path} lists {counted(len(twice), 'film')} more than once, {twice.iloc[0]} first; keep one "
            "row for each film"
        )
    labels = _label_matrix(path, raw["labels"])
    if unknown is not None:
        labels = _with_unknown(path, labels, unknown, raw["image"])
    return table.join(pd.DataFrame(labels, columns=list(FINDINGS)))


def read_boxes(path: Path | str) -> pd.DataFrame:
    """The radiologists' boxes: stem, finding (NIH name) and x, y, w, h in px of the 1024x1024 frame."""
    path = Path(path)
    _, rows = read_rows(path)
    short = next((row for row in rows if len(row) < len(BOX_COLUMNS)), None)
    if short:
        raise DataError(f"{path} has {len(short)} columns; expected Image Index, Finding Label, x, y, w, h")
    boxes = pd.DataFrame([row[: len(BOX_COLUMNS)] for row in rows], columns=BOX_COLUMNS)
    try:
        sides = {side: boxes[side].astype(float) for side in "xywh"}
        findings = [canonical(name) for name in boxes["finding"]]
    except ValueError as error:
        raise DataError(f"{path} is not a table of boxes: {error}") from error
    if not np.isfinite([*sides.values()]).all():
        raise DataError(f"{path} is not a table of boxes: x, y, w and h have to be finite numbers")
    return boxes.assign(stem=[stem_of(name) for name in boxes["stem"]], finding=findings, **sides)


def read_list(path: Path | str, content: bytes | None = None) -> list[str]:
    """The stems of a list of films, in its order: names line by line, or a CSV with an image column.

    A line may hold several names, as `names_in` takes them. content: of a list that was uploaded, and lies
    nowhere. Raises DataError if the list cannot be read, if a CSV has no column `image` or `Image Index`, and
    for what may be one film or several.
    """
    path = Path(path)
    text = read_text(path, content)
    lines = [line for line in text.splitlines() if line.strip()]
    titles = {title.strip() for title in re.split(r"[,;\t]", lines[0])} if lines else set()
    if ".csv" in path.name.lower() or titles & set(IMAGE_COLUMNS):
        return [stem_of(name) for name in _image_column(path, text)]
    names = []
    for line in lines:
        names += names_in(line) or _in_doubt(path, line)
    return [stem_of(name) for name in names]


def _image_column(path: Path, text: str) -> list[str]:
    """The films of a list that is a CSV."""
    header, rows = rows_of(path, text)
    column = next((header.index(name) for name in IMAGE_COLUMNS if name in header), None)
    if any(map(has_suffix, header)):
        _in_doubt(path, ",".join(header))
    if column is None:
        raise DataError(f"{path} has no column 'image' or 'Image Index'; it has {', '.join(header)[:200]!r}")
    for row in rows:
        films = names_in(row[column]) if column < len(row) else []
        if any(map(has_suffix, row[len(header) :])) or (len(films) > 1 and all(map(has_suffix, films))):
            _in_doubt(path, ",".join(row))
    return [from_cell(name) for row in rows if (name := "".join(row[column : column + 1]).strip())]


def _in_doubt(path: Path, line: str) -> NoReturn:
    raise DataError(
        f"{path} is not a list with a film on each line: {line[:80]!r} may be one film, several or none; "
        "give a name on each line, with its suffix, or a CSV with a column 'image'"
    )


def _patients(path: Path, written: list[str]) -> list[str]:
    try:
        return patient_ids(written)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _integers(path: Path, values: pd.Series, name: str) -> np.ndarray:
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = values[numbers.isna() | (numbers % 1 != 0) | (numbers.abs() > 2**53)]
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
        names = [name.strip() for name in text.split("|")]
        try:
            found = {canonical(name) for name in names if name != NO_FINDING}
        except ValueError as error:
            raise DataError(f"{path}: the finding {error}, or {NO_FINDING}") from error
        if found and NO_FINDING in names:
            raise DataError(f"{path}: {text!r} contradicts itself; give a film its findings, or {NO_FINDING}")
        return [finding in found for finding in FINDINGS]

    return _each_once(labels, vector).astype(np.uint8)


def _unknown_labels(path: Path, header: list[str], rows: list[list[str]]) -> np.ndarray | None:
    """bool (N, 14) of the labels that the table calls unknown; None if it has no such column, or none is."""
    if UNKNOWN_LABELS not in header:
        return None
    if len(header) != len(rows[0]) and header.index(UNKNOWN_LABELS) > max(map(header.index, _COLUMNS)):
        raise DataError(
            f"{path} has {counted(len(header), 'column name')} over {counted(len(rows[0]), 'value')} in a "
            f"row, so nobody can tell which are the {UNKNOWN_LABELS}; put that column beside Finding Labels"
        )

    def vector(text: str) -> list[bool]:
        try:
            found = {canonical(name) for name in text.split("|")} if text else set()
        except ValueError as error:
            raise DataError(f"{path}: of the {UNKNOWN_LABELS} {error}, parted by |") from error
        return [finding in found for finding in FINDINGS]

    written = columns_of(path, header, rows, [UNKNOWN_LABELS])[UNKNOWN_LABELS]
    unknown = _each_once(pd.Series(written), vector)
    return unknown if unknown.any() else None


def _with_unknown(path: Path, labels: np.ndarray, unknown: np.ndarray, images: pd.Series) -> np.ndarray:
    """float32 (N, 14): the labels, NaN if they are unknown. DataError if one is given and unknown."""
    both = np.argwhere((labels > 0) & unknown)
    if len(both):
        row, column = both[0]
        raise DataError(
            f"{path}: {FINDINGS[column]} of {images.iloc[row]} is among its Finding Labels and among its "
            f"{UNKNOWN_LABELS}; leave it in one of them"
        )
    return np.where(unknown, np.float32(np.nan), labels.astype(np.float32))
