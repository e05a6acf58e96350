"""RSNA Pneumonia Detection Challenge (Shih et al. 2019): NIH's films again, under other names.

`stage_2_train_labels.csv` (patientId, x, y, width, height, Target), a row a box, and
`stage_2_train_images/PATIENTID.dcm` of 1024 px. patientId names a film, not a patient. If RSNA's
`pneumonia-challenge-dataset-mappings_2018.json` (img_id, subset_img_id) lies there too, films and patients
get their names of ChestX-ray14, so that whatever knows these finds them.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xlite.data.film_names import stem_of
from xlite.data.importing.found import (
    BOX_COLUMNS,
    Found,
    file_of,
    films_of,
    json_of,
    label_states,
    not_that_kind,
    text_columns,
)
from xlite.errors import DataError
from xlite.text import counted

_SIDE = 1024


def found_in(source: Path) -> Found:
    """What lies in a folder of the challenge. Raises DataError if it is none, or a table cannot be read."""
    path = file_of(source, "*train_labels.csv")
    if path is None:
        raise not_that_kind(source, "the RSNA challenge", "stage_2_train_labels.csv")
    sides = ["x", "y", "width", "height"]
    table = text_columns(path, ["patientId", *sides, "Target"])
    states = label_states(path, table, ["Target"]).assign(name=table["patientId"])
    target = states.groupby("name", sort=False)["Target"].max()
    boxed = table[table["x"] != ""]
    numbers = boxed[sides].apply(pd.to_numeric, errors="coerce")
    if numbers.isna().any(axis=None):
        raise DataError(f"{path} has a box that is not four numbers: {', '.join(sides)}")
    boxes = pd.DataFrame({"name": boxed["patientId"], "label": "Target", "width": _SIDE, "height": _SIDE})
    boxes = boxes.assign(**dict(zip("xywh", numbers.to_numpy().T, strict=True)))
    tables, names = [path], dict[str, str]()
    if (mapped := file_of(source, "*mapping*.json")) is not None:
        tables, names = [path, mapped], _nih_names(mapped)
    films = films_of(
        {"file": f"{name}.dcm", "name": name, "patient": name, "nih": names.get(name, "")}
        for name in target.index
    )
    return Found(
        source,
        films,
        target.reset_index(drop=True).to_frame().astype(np.float32),
        tables,
        boxes=boxes.reindex(columns=BOX_COLUMNS),
        notes=[_note(int((films["nih"] != "").sum()), len(films))],
        has_patients=False,
    )


def _note(known: int, films: int) -> str:
    if not known:
        return (
            "All films are of ChestX-ray14, and nothing here says which: put RSNA's mapping "
            "pneumonia-challenge-dataset-mappings_2018.json into the folder, or models that know NIH's "
            "films are judged on what they know."
        )
    others = f"; {counted(films - known, 'film')} without" if known < films else ""
    return (
        f"{counted(known, 'film')} with the name and the patient of ChestX-ray14{others}: models and "
        "teachers that know them are found by contamination reports."
    )


def _nih_names(path: Path) -> dict[str, str]:
    """For each film of the challenge its stem in ChestX-ray14."""
    entries: Any = json_of(path, json.loads)
    try:
        return {entry["subset_img_id"]: stem_of(entry["img_id"]) for entry in entries}
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path} is not a mapping of RSNA: each entry has img_id and subset_img_id"
        ) from error
