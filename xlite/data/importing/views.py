"""Which films of a data set are frontal: by its table, by the header of a DICOM file, else by the gate."""

import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
from PIL import Image, UnidentifiedImageError
from pydicom.errors import InvalidDicomError

from xlite.data.importing.found import FRONTAL, LATERAL, age_of
from xlite.errors import ImageError
from xlite.files import Progress
from xlite.formats.dicom import looks_like_dicom
from xlite.guards.gate import Gate
from xlite.images import read_image

FRONTAL_VIEWS = ("PA", "AP", FRONTAL)
_LATERAL_VIEWS = ("LL", "RL", "LATERAL", "LLO", "RLO")
_PICTURES = (".png", ".jpg", ".jpeg")
_HEAD = 256
_TAGS = ["ViewPosition", "PatientSex", "PatientAge", "Rows", "Columns"]


def header_of(path: Path) -> pydicom.Dataset | None:
    """What the header of a DICOM film says of view, sex, age and size; None for any other file."""
    try:
        with open(path, "rb") as file:
            if not looks_like_dicom(file.read(_HEAD)):
                return None
        return pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS)
    except (OSError, InvalidDicomError, ValueError, AttributeError, KeyError):
        return None  # whoever reads the film says what is wrong


def size_of(path: Path) -> tuple[int, int] | None:
    """Width and height of a film in px, without decoding it; None if it cannot be told."""
    header = header_of(path)
    if header is not None:
        return (int(header.Columns), int(header.Rows)) if "Rows" in header and "Columns" in header else None
    try:
        with Image.open(path) as film:
            return film.size
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError):
        return None


def without_laterals(films: pd.DataFrame) -> tuple[pd.DataFrame, Counter[str]]:
    """The films that the table does not call anything but frontal, and how many it does."""
    keep = films["view"].isin([*FRONTAL_VIEWS, ""])
    words = films.loc[~keep, "view"].replace({LATERAL: "lateral films"})
    return films[keep], Counter({str(why): int(count) for why, count in words.value_counts().items()})


def by_header(films: pd.DataFrame, progress: Progress | None) -> pd.DataFrame:
    """The films, with view, sex and age of DICOM headers if the table has none; `path` is the file.

    Files that are pictures by their names are opened for the view alone: MIMIC has 377,110 without an age.
    """
    films = films.copy()
    picture = np.array([path.suffix.lower() in _PICTURES for path in films["path"]], bool)
    lacks = (films[["sex", "age"]] == "").any(axis=1)
    asked = films.index[(films["view"] == "") | lacks & ~picture]
    step = _steps(len(asked), progress)
    for row in asked:
        header = header_of(films.at[row, "path"])
        step()
        if header is None:
            continue
        if not films.at[row, "view"]:
            films.at[row, "view"] = _view(header)
        sex = _text(header, "PatientSex")
        if not films.at[row, "sex"] and sex in ("F", "M"):
            films.at[row, "sex"] = sex
        if not films.at[row, "age"]:
            films.at[row, "age"] = age_of(_text(header, "PatientAge"))
    return films


def _view(header: pydicom.Dataset) -> str:
    view = _text(header, "ViewPosition").upper()
    if view in _LATERAL_VIEWS:
        return LATERAL
    return view if view in ("PA", "AP") else ""


def _steps(total: int, progress: Progress | None) -> Callable[[], None]:
    """What to call after each of so many films."""
    done = itertools.count(1)

    def step() -> None:
        if progress:
            progress(next(done), total)

    return step


def _text(header: pydicom.Dataset, keyword: str) -> str:
    """A short text of a header as it was written: RSNA's ages are `61`, of which pydicom would warn."""
    element = header.get_item(keyword)
    value = getattr(element, "value", None) or b""
    return value.decode("ascii", "replace").strip(" \0") if isinstance(value, bytes) else str(value)


def by_gate(films: pd.DataFrame, progress: Progress | None) -> tuple[pd.DataFrame, Counter[str]]:
    """The films, without those of no known view that the gate takes for no frontal chest film, which it
    counts.

    Those that stay have no view: the gate's guess of PA or AP is not written down as if it were known.
    """
    left_out: Counter[str] = Counter()
    unknown = films.index[films["view"] == ""]
    if not len(unknown):
        return films, left_out
    gate, gone, step = Gate.load(), [], _steps(len(unknown), progress)
    for row in unknown:
        try:
            guards = gate.judge(read_image(films.at[row, "path"]))
        except ImageError:
            why = "films that cannot be read"
        else:
            lateral = "lateral" in guards.reasons
            why = "lateral films, by the gate" if lateral else ""
            if guards.verdict == "refuse":
                why = "no chest films, by the gate"
        if why:
            left_out[why] += 1
            gone.append(row)
        step()
    return films.drop(index=gone), left_out
