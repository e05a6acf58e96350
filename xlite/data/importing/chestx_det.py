"""ChestX-Det (Lian et al. 2021) and ChestX-Det10 (Liu et al. 2020): films of NIH with radiologists' boxes.

`ChestX_Det_train.json` and `ChestX_Det_test.json`, or `train.json` and `test.json`: a list of
`{"file_name": "36199.png", "syms": ["Effusion"], "boxes": [[x1, y1, x2, y2]]}` in px of 1024 x 1024.
"""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd

from xlite.data.film_names import stem_of
from xlite.data.importing.found import (
    BOX_COLUMNS,
    FRONTAL,
    Found,
    file_of,
    films_of,
    json_of,
    not_that_kind,
    states_of_names,
)
from xlite.data.importing.mapping import shipped_labels
from xlite.errors import DataError

_NIH_NAME = re.compile(r"\d{8}_\d{3}")
_SIDE = 1024
_NOT_IN_10 = {"Cardiomegaly", "Diffuse Nodule", "Pleural Thickening"}


def found_in(source: Path) -> Found:
    """What lies in a ChestX-Det folder. Raises DataError if it is none, or an entry is not as documented."""
    tables = {
        part: path
        for part in ("train", "test")
        if (path := file_of(source, f"ChestX_Det_{part}.json", f"{part}.json"))
    }
    if not tables:
        raise not_that_kind(source, "ChestX-Det", "ChestX_Det_train.json or train.json")
    rows, boxes, named = list[dict[str, str]](), list[dict[str, object]](), list[list[str]]()
    for part, path in tables.items():
        for entry in _entries(path):
            name = stem_of(entry["file_name"])
            nih = name if _NIH_NAME.fullmatch(name) else ""
            rows.append({"file": entry["file_name"], "name": name, "patient": name, "part": part, "nih": nih})
            named.append(entry["syms"])
            for label, (left, top, right, bottom) in zip(entry["syms"], entry["boxes"], strict=True):
                side = {
                    "x": left,
                    "y": top,
                    "w": right - left,
                    "h": bottom - top,
                    "width": _SIDE,
                    "height": _SIDE,
                }
                boxes.append({"name": name, "label": label, **side})
    seen = {label for labels in named for label in labels}
    is_10 = not seen & _NOT_IN_10 and not any(path.name.startswith("ChestX_Det_") for path in tables.values())
    labels = [label for label in shipped_labels("chestx-det") if not (is_10 and label in _NOT_IN_10)]
    return Found(
        source,
        films_of({**row, "view": FRONTAL} for row in rows),
        states_of_names(named, labels).fillna(0),  # radiologists marked all that they saw
        list(tables.values()),
        boxes=pd.DataFrame(boxes, columns=BOX_COLUMNS),
        notes=[_note(sum(row["nih"] != "" for row in rows), len(rows))],
        has_patients=False,
    )


def _note(known: int, films: int) -> str:
    if known == films:
        return "All films have their names of ChestX-ray14: reports find what models know."
    return (
        f"All films are of ChestX-ray14, and for {films - known:,} of {films:,} the name does not say "
        "which: models that know NIH's films may know these."
    )


def _entries(path: Path) -> list[dict[str, Any]]:
    entries: Any = json_of(path, json.loads)
    try:
        for entry in entries:
            if len(entry["syms"]) != len(entry["boxes"]) or any(len(box) != 4 for box in entry["boxes"]):
                raise ValueError(entry["file_name"])
    except (TypeError, KeyError, ValueError) as error:
        raise DataError(
            f"{path} is not a table of ChestX-Det ({error}): each film has file_name, syms and a box for "
            "each of them"
        ) from error
    return list(entries)
