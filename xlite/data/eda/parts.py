"""Train, val and test as a folder's lists and splits give them: balance, shared patients, overlaps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xlite.data.eda.summary import CLASSES, indicators
from xlite.data.nih import NihFolder, read_list
from xlite.data.splits import PARTS, read_split

LISTS = {
    "official": {"train+val": "train_val_list.txt", "test": "test_list.txt"},
    "chexnet": {part: f"chexnet_{part}_list.txt" for part in PARTS},
}


@dataclass(frozen=True)
class Partition:
    """One way to divide films: its name and each part's stems; train comes first, `test` is always there."""

    name: str
    parts: dict[str, list[str]]


def partitions(folder: NihFolder) -> list[Partition]:
    """NIH's and CheXNet's lists where the folder has all their files, then each split written into `splits/`.

    Raises DataError where a list or a split cannot be read.
    """
    found = []
    for name, files in LISTS.items():
        paths = {part: folder.root / file for part, file in files.items()}
        if all(path.is_file() for path in paths.values()):
            found.append(Partition(name, {part: read_list(path) for part, path in paths.items()}))
    for written in sorted((folder.root / "splits").glob("*/split.json")):
        split = read_split(folder, written.parent.name, allow_leakage=True)
        found.append(Partition(f"splits/{split.name}", {part: split.stems(part) for part in PARTS}))
    return found


def balance(folder: NihFolder, partition: Partition) -> pd.DataFrame:
    """A row a part: films, patients, films per class (int), for the listed films that the table has."""
    present = indicators(folder.table).to_numpy()
    patients = folder.table["patient"].to_numpy()
    rows = {}
    for part, stems in partition.parts.items():
        known = rows_of(folder, stems)
        rows[part] = [len(known), len(np.unique(patients[known])), *present[known].sum(axis=0)]
    columns = ["films", "patients", *CLASSES]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).astype(np.int64)


def exposed(folder: NihFolder, seen: Sequence[str], judged: Sequence[str]) -> float:
    """The share (0-1) of the `judged` films whose patient also has a film among the `seen` ones; stems in."""
    patients = folder.table["patient"].to_numpy()
    tested = patients[rows_of(folder, judged)]
    return float(np.isin(tested, patients[rows_of(folder, seen)]).mean()) if len(tested) else 0.0


def overlaps(found: list[Partition]) -> pd.DataFrame:
    """Each partition's test part beside every other partition, a row a pair.

    Columns test, trained_on (names), films of the test part, in_train, in_train_or_val, clean (in neither).
    """
    rows = []
    for judged in found:
        test = set(judged.parts["test"])
        for other in found:
            if other is judged:
                continue
            train, *rest = (test.intersection(stems) for part, stems in other.parts.items() if part != "test")
            seen = train.union(*rest)
            rows.append((judged.name, other.name, len(test), len(train), len(seen), len(test) - len(seen)))
    columns = ["test", "trained_on", "films", "in_train", "in_train_or_val", "clean"]
    return pd.DataFrame(rows, columns=columns)


def rows_of(folder: NihFolder, stems: Sequence[str]) -> np.ndarray:
    """The rows of the table, int64 (n,), of those films among `stems` that it has."""
    return folder.rows([stem for stem in stems if stem in folder])
