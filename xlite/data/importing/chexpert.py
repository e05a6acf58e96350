"""CheXpert (Irvin et al. 2019) and CheXpert-small: patients and studies are told by the paths of the films.

`train.csv`, `valid.csv` and, if it is there, `test.csv`; Path is
`CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg`, labels are 1, 0, -1 or blank. The full
release spreads the patients of train over folders such as `CheXpert-v1.0 batch 2 (train 1)`.
"""

import re
from collections import Counter
from pathlib import Path

import pandas as pd

from xlite.data.importing.found import (
    FRONTAL,
    LATERAL,
    Found,
    file_of,
    films_of,
    label_states,
    not_that_kind,
    sex_of,
    text_columns,
)
from xlite.data.importing.mapping import shipped_labels
from xlite.errors import DataError

_PARTS = {"train": ("train.csv",), "val": ("valid.csv",), "test": ("test.csv", "test_labels.csv")}
_PATH = re.compile(r"(?:^|/)(patient\d+)/(study\d+)/(view\d+_(frontal|lateral))\.\w+$")
_WANTED = ("Sex", "Age", "Frontal/Lateral", "AP/PA")


def found_in(source: Path) -> Found:
    """What lies in a CheXpert folder. Raises DataError if it is none, or a path or label cannot be read."""
    source = source.absolute()  # batches lie beside it: to the root, the path of one is no path below
    tables = {part: path for part, names in _PARTS.items() if (path := file_of(source, *names))}
    if "train" not in tables and "val" not in tables:
        raise not_that_kind(source, "CheXpert", "train.csv or valid.csv")
    labels = shipped_labels("chexpert")
    conflicts: Counter[str] = Counter()
    films: list[dict[str, str]] = []
    states = []
    for part, path in tables.items():
        there = [*_WANTED, *labels]
        table = text_columns(path, ["Path"], there)
        batches = [folder for folder in path.parent.parent.glob("*batch*") if folder.is_dir()]
        if (path.parent / part.replace("val", "valid")).is_dir():
            batches = []
        for row in table.to_dict("records"):
            films.append(_film(row, part, path, source, batches, conflicts))
        states.append(label_states(path, table, labels))
    found = pd.concat(states, ignore_index=True)
    order = sorted(range(len(films)), key=lambda place: films[place]["order"])
    return Found(
        source,
        films_of(films[place] for place in order),
        found.iloc[order].reset_index(drop=True),
        list(tables.values()),
        conflicts=conflicts,
    )


def _film(
    row: dict[str, str], part: str, table: Path, source: Path, batches: list[Path], conflicts: Counter[str]
) -> dict[str, str]:
    named = _PATH.search(row["Path"])
    if named is None:
        raise DataError(
            f"{table} has the path {row['Path']!r}; expected one such as "
            "CheXpert-v1.0/train/patient00001/study1/view1_frontal.jpg"
        )
    patient, study, view, kind = named.groups()
    said = row["Frontal/Lateral"].lower()
    if said and said != kind:
        conflicts[
            "frontal or lateral: the column says otherwise than the file's name; the column counts"
        ] += 1
    frontal = (said or kind) == FRONTAL
    exact = row["AP/PA"] if row["AP/PA"] in ("AP", "PA") else FRONTAL
    age = row["Age"].partition(".")[0]
    return {
        "file": _file(row["Path"], table, source, batches),
        "name": f"{patient}_{study}_{view}",
        "patient": patient.removeprefix("patient"),
        "age": "" if age == "0" else age,  # 0 stands for not known
        "sex": sex_of(row["Sex"]),
        "view": exact if frontal else LATERAL,
        "part": part,
        "order": f"{patient} {int(study.removeprefix('study')):06d} {view}",
    }


def _file(path: str, table: Path, source: Path, batches: list[Path]) -> str:
    """Where the film lies below the source: the path without its first folder, or in one of the batches."""
    inside = path.split("/", 1)[1] if path.startswith("CheXpert") else path
    place = table.parent / inside
    if batches:
        rest = inside.split("/", 1)[-1]
        place = next((folder / rest for folder in batches if (folder / rest).is_file()), place)
    return str(place.relative_to(source) if place.is_relative_to(source) else place)
