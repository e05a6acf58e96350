"""Which films of a data set are taken, and what they and their patients are called in the new folder."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from xlite.data.film_names import stem_of
from xlite.data.importing.found import Found, Places, none_left
from xlite.data.importing.views import by_gate, by_header, without_laterals
from xlite.errors import DataError
from xlite.files import Progress
from xlite.patients import patient_ids
from xlite.text import counted

_SUFFIXES = {".dicom": ".dcm", ".dic": ".dcm"}


def frontal_films(found: Found, progress: Progress | None) -> tuple[pd.DataFrame, Counter[str]]:
    """The frontal films that are there: `row` in the states, `path` of the file. The others are counted."""
    films = found.films.reset_index(drop=True).assign(row=np.arange(len(found.films)))
    films, left_out = without_laterals(films)
    if found.picture is not None:
        return films.assign(path=None), left_out
    everyone, films = len(films), _with_files(films, found)
    if absent := everyone - len(films):
        left_out["without a file"] = absent
    films, more = without_laterals(by_header(films, progress))
    left_out += more
    films, more = by_gate(films, progress)
    left_out += more
    if not len(films):
        reasons = ", ".join(f"{count:,} {why}" for why, count in left_out.items())
        raise none_left(found.root, reasons)
    return films, left_out


def _with_files(films: pd.DataFrame, found: Found) -> pd.DataFrame:
    """The films that are there, with their `path`. DataError if none is, or if one file is two films."""
    places = Places(found.root)
    placed = films.assign(path=[places.find(file) for file in films["file"]])
    there = placed[placed["path"].notna()]
    if len(films) and not len(there):
        raise DataError(
            f"none of the {counted(len(films), 'film')} that {found.tables[0]} names lies in "
            f"{places.root}: the first is {films['file'].iloc[0]!r}; put them there, or write paths that "
            "begin there"
        )
    twice = there[there["path"].duplicated(keep=False)]
    if len(twice):
        path = twice["path"].iloc[0]
        first, second = twice.loc[twice["path"] == path, "file"].iloc[:2]
        raise DataError(
            f"{found.tables[0]} names the film {path} in two rows, as {first!r} and as {second!r}; keep one "
            "row for each film"
        )
    return there


def named_films(films: pd.DataFrame, name: str, found: Found) -> pd.DataFrame:
    """The films with `image`, the name in the folder, and the patient of this data set alone.

    A film with a name in ChestX-ray14 keeps that, and its patient's: so all that knows it finds it.
    """
    stems = [re.sub(r"[^\w.+-]", "_", f"{name}-{one}") for one in films["name"]]
    stems = [nih or stem for nih, stem in zip(films["nih"], stems, strict=True)]
    try:
        ids = films["patient"].tolist()
        if found.has_patients:
            ids = patient_ids(ids, films["file"].tolist())  # rows of the table that have no film are gone
    except DataError as error:
        raise DataError(f"{found.tables[0]}: {error}") from error
    nihs = films["nih"].tolist()
    patients = [str(int(nih[:8])) if nih else f"{name}-{one}" for nih, one in zip(nihs, ids, strict=True)]
    twice = pd.Series(stems)[pd.Series(stems).duplicated()]
    if len(twice):
        raise DataError(
            f"{found.tables[0]} names {twice.iloc[0]!r} for several films; each film has to have a name of "
            "its own"
        )
    suffixes = [_suffix(path) for path in films["path"]]
    images = [stem + suffix for stem, suffix in zip(stems, suffixes, strict=True)]
    view = films["view"].where(films["view"].isin(["PA", "AP"]), "")
    shown = films["view"].replace({"": "frontal by the gate", "frontal": "frontal"})
    follow_up = pd.Series(patients, index=films.index).groupby(patients).cumcount()
    return films.assign(
        image=images,
        source_patient=films["patient"],
        patient=patients,
        view=view,
        shown=shown,
        follow_up=follow_up,
    )


def _suffix(path: Path | None) -> str:
    """The suffix of the link: that of the file, in a form that is known without opening it."""
    if path is None:
        return ".png"
    suffix = path.suffix.lower() if stem_of(path.name) != path.name else ""
    return _SUFFIXES.get(suffix, suffix)
