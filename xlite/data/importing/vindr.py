"""VinDr-CXR (Nguyen et al. 2022): DICOM films, each of train read by three of 17 radiologists.

PhysioNet: `annotations/image_labels_train.csv` (image_id, rad_id, a column of 0 and 1 for each label), one
row a reader, `image_labels_test.csv` with the consensus of five; boxes in `annotations_train.csv` and
`…_test.csv`. Kaggle: `train.csv`, a row a box or `No finding`. No patients are named, films are
`ID.dicom`, and all are PA, as the publisher says.
"""

from collections import Counter
from pathlib import Path

import pandas as pd

from xlite.data.importing.found import (
    BOX_COLUMNS,
    Found,
    file_of,
    films_of,
    label_states,
    not_that_kind,
    text_columns,
)
from xlite.data.importing.mapping import shipped_labels
from xlite.data.rows import read_header
from xlite.errors import DataError

_SIDES = ("x_min", "y_min", "x_max", "y_max")
_KAGGLE = (
    *(
        "Aortic enlargement",
        "Atelectasis",
        "Calcification",
        "Cardiomegaly",
        "Consolidation",
        "ILD",
        "Infiltration",
    ),
    *(
        "Lung Opacity",
        "Nodule/Mass",
        "Other lesion",
        "Pleural effusion",
        "Pleural thickening",
        "Pneumothorax",
    ),
    *("Pulmonary fibrosis", "No finding"),
)
"""What Kaggle's table can name."""
_ALL_PA = "All films count as PA, as the publisher says: neither headers nor the gate were asked."


def found_in(source: Path) -> Found:
    """What lies in a VinDr-CXR folder. Raises DataError if it is none, or a table cannot be read.

    A film has a label if most of its readers gave it; how many did is kept, and so is each box.
    """
    train, test = (file_of(source, f"image_labels_{part}.csv") for part in ("train", "test"))
    tables = [path for path in (train, test) if path]
    kaggle = None if tables else file_of(source, "train.csv")
    if kaggle and "rad_id" in read_header(kaggle):
        read = [("", _readings_of_boxes(kaggle))]
        tables, boxes = [kaggle], [_boxes(kaggle)]
    elif tables:
        read = [(part, _readings(path)) for part, path in (("train", train), ("test", test)) if path]
        drawn = [path for part in ("train", "test") if (path := file_of(source, f"annotations_{part}.csv"))]
        tables, boxes = [*tables, *drawn], [_boxes(path) for path in drawn]
    else:
        raise not_that_kind(
            source, "VinDr-CXR", "image_labels_train.csv, nor a train.csv with the column rad_id"
        )
    films, states, agreement, conflicts = [], [], [], Counter[str]()
    for part, readings in read:
        votes = readings.groupby("image_id", sort=False)
        share, readers = votes.mean(), votes.size()
        films += [
            {"file": name, "name": name, "patient": name, "part": part, "view": "PA"} for name in share.index
        ]
        states.append((share > 0.5).astype("float32"))
        agreement.append(_agreement(votes.sum(), readers))
        for wrong, count in _unusual(readers, part).items():
            conflicts[wrong] += count
    kept = pd.concat(agreement, ignore_index=True)
    split = int((kept["with_it"] * 2 <= kept["readers"]).sum())
    note = (
        f"A label counts if more than half of a film's readers gave it; {split:,} that fewer gave are in "
        "agreement.csv alone. Boxes of all readers stay where their finding does."
    )
    return Found(
        source,
        films_of(films),
        pd.concat(states, ignore_index=True).fillna(0),
        tables,
        boxes=pd.concat(boxes, ignore_index=True) if boxes else pd.DataFrame(columns=BOX_COLUMNS),
        conflicts=conflicts,
        notes=[note, _ALL_PA],
        has_patients=False,
        agreement=kept,
    )


def _readings(path: Path) -> pd.DataFrame:
    """A row for each film and reader, from a table of labels; image_id and a column for each label."""
    labels = [name for name in read_header(path) if name not in ("image_id", "rad_id", "rad_ID")]
    table = text_columns(path, ["image_id", *labels])
    return pd.concat([table["image_id"], label_states(path, table, labels).fillna(0)], axis=1)


def _readings_of_boxes(path: Path) -> pd.DataFrame:
    """The same from a table of boxes: a reader has a label if he drew a box of it."""
    table = text_columns(path, ["image_id", "class_name", "rad_id"])
    if unknown := sorted(set(table["class_name"]) - {*_KAGGLE, *shipped_labels("vindr")}):
        raise DataError(f"{path} has the class {unknown[0]!r}; expected one of {', '.join(_KAGGLE)}")
    there = pd.crosstab([table["image_id"], table["rad_id"]], table["class_name"]).gt(0).astype("float32")
    readings = there.reindex(columns=list(dict.fromkeys([*_KAGGLE, *there.columns])), fill_value=0)
    return readings.reset_index("rad_id", drop=True).reset_index()


def _boxes(path: Path) -> pd.DataFrame:
    """The boxes of a table, in px of the film."""
    table = text_columns(path, ["image_id", "class_name", *_SIDES], ["rad_id"])
    table = table[table["x_min"] != ""]
    sides = table[list(_SIDES)].apply(pd.to_numeric, errors="coerce")
    if sides.isna().any(axis=None):
        raise DataError(f"{path} has a box that is not four numbers: {', '.join(_SIDES)}")
    return pd.DataFrame(
        {
            "name": table["image_id"],
            "label": table["class_name"],
            "x": sides["x_min"],
            "y": sides["y_min"],
            "w": sides["x_max"] - sides["x_min"],
            "h": sides["y_max"] - sides["y_min"],
            "reader": table["rad_id"],
        }
    ).reindex(columns=BOX_COLUMNS)


def _agreement(votes: pd.DataFrame, readers: "pd.Series[int]") -> pd.DataFrame:
    """A row for each film and label that at least one reader gave."""
    given = votes.stack().rename("with_it").reset_index()
    given.columns = pd.Index(["name", "label", "with_it"])
    given = given[given["with_it"] > 0].astype({"with_it": int})
    return given.assign(readers=given["name"].map(readers))


def _unusual(readers: "pd.Series[int]", part: str) -> dict[str, int]:
    expected = 1 if part == "test" else 3
    wrong = int((readers != expected).sum())
    return (
        {f"films of {part or 'train'} with another number of readers than {expected}": wrong} if wrong else {}
    )
