"""Any table of films, by what its columns are said to mean; and tables in torchxrayvision's label order."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from xlite.data.film_names import stem_of
from xlite.data.importing.columns import Columns, split_names
from xlite.data.importing.found import (
    FRONTAL,
    LATERAL,
    Found,
    age_of,
    films_of,
    label_states,
    sex_of,
    states_of_names,
    text_columns,
)
from xlite.data.importing.mapping import shipped, shipped_labels
from xlite.data.importing.options import COLUMNS, LABEL, NAMES
from xlite.data.rows import read_header
from xlite.data.splits import PARTS
from xlite.errors import DataError

_VIEWS = {
    **dict.fromkeys(("pa", "postero-anterior", "posteroanterior"), "PA"),
    **dict.fromkeys(("ap", "antero-posterior", "anteroposterior", "ap supine", "ap_horizontal"), "AP"),
    **dict.fromkeys(("l", "ll", "rl", "lat", "lateral"), LATERAL),
    "frontal": FRONTAL,
    **dict.fromkeys(("", "unknown", "unk", "nan"), ""),
}
_PARTS = {
    **{part: part for part in PARTS},
    "valid": "val",
    "validation": "val",
    "validate": "val",
}
_SUFFIX = re.compile(r"\.\w{1,5}$")
_ORDERED = "labels"
"""A column that holds all labels of a film in their order, as torchxrayvision prints an array."""


def found_in_table(source: Path, columns: Columns) -> Found:
    """What lies in a table of films. Raises DataError if a column is not named, or a label cannot be read."""
    path = columns.table
    for role, what in (("image", "the films' files"), ("patient", "the patients")):
        if not getattr(columns, role):
            other = "; if none does, name the column of films, and each film counts as a patient"
            raise DataError(
                f"no column of {path} is known to name {what}: say which with ",
                COLUMNS[role],
                other if role == "patient" else "",
            )
    if not any(rule.finding for rule in columns.mapping):
        raise DataError(
            f"no column of {path} is known to hold one of the 14 findings: say which with ",
            LABEL,
            ", or name a column of findings in words with ",
            NAMES,
        )
    roles = (columns.image, columns.patient, columns.view, columns.age, columns.sex, columns.part)
    there = dict.fromkeys(name for name in (*roles, *columns.labels, columns.names) if name)
    table = text_columns(path, list(there))
    left_out: Counter[str] = Counter()
    states = label_states(path, table, columns.labels) if columns.labels else pd.DataFrame(index=table.index)
    if columns.names:
        cells = [split_names(text, columns.separator) for text in table[columns.names]]
        named = states_of_names(
            cells, [rule.label for rule in columns.mapping if rule.label not in columns.labels]
        )
        states = pd.concat([states, named], axis=1)
        has = np.array([bool(cell) for cell in cells])
        left_out["without labels"] = int((~has).sum())
        table, states = table[has], states[has].reset_index(drop=True)
    films = films_of(_film(row, columns) for row in table.to_dict("records"))
    if films["name"].duplicated().any():  # folders tell them apart: patient1/view1.png
        films["name"] = [re.sub(r"[/\\]", "_", _SUFFIX.sub("", file)) for file in films["file"]]
    return Found(
        path.parent,
        films,
        states,
        [path],
        left_out=left_out,
        has_patients=columns.patient != columns.image,
    )


def _film(row: dict[str, str], columns: Columns) -> dict[str, str]:
    cells = {
        role: row.get(getattr(columns, role), "")
        for role in ("image", "patient", "view", "age", "sex", "part")
    }
    return {
        "file": cells["image"],
        "name": stem_of(cells["image"]),
        "patient": cells["patient"],
        "age": age_of(cells["age"]),
        "sex": sex_of(cells["sex"]),
        "view": _VIEWS.get(cells["view"].casefold(), "other views"),
        "part": _PARTS.get(cells["part"].casefold(), ""),
    }


def found_in_order(columns: Columns) -> Found:
    """A table whose labels are torchxrayvision's: a column for each, or `labels` with all in its order.

    Raises DataError if it has neither.
    """
    path, order = columns.table, shipped_labels("xrv")
    header = read_header(path)
    own = [label for label in order if label in header]
    if own:
        return found_in_table(path, replace(columns, labels=tuple(own), names="", mapping=shipped("xrv")))
    if _ORDERED not in header:
        raise DataError(
            f"{path} has neither a column for a label of torchxrayvision nor one called {_ORDERED!r} with "
            f"all {len(order)} of a film"
        )
    plain = replace(columns, labels=(), names="", mapping=shipped("xrv"))
    found = found_in_table(path, plain)
    texts = text_columns(path, [_ORDERED])[_ORDERED]
    vectors = [re.sub(r"[\[\],;]", " ", text).split() for text in texts]
    wrong = next((row for row, vector in enumerate(vectors) if len(vector) != len(order)), None)
    if wrong is not None:
        raise DataError(
            f"the column {_ORDERED!r} of {path} has {len(vectors[wrong])} values in row {wrong + 1}; "
            f"expected {len(order)}, in the order of torchxrayvision"
        )
    found.states = label_states(path, pd.DataFrame(vectors, columns=order), order)
    return found
