"""The lists and splits of a folder: balance of their parts, shared patients, overlaps."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xlite.data.eda.statistics import CLASSES, indicators, known_classes, label_array
from xlite.data.folder import NihFolder
from xlite.data.joined import JoinedFolder
from xlite.data.split_files import read_split
from xlite.data.splits import CHEXNET_LISTS, OFFICIAL_LISTS, PARTS, random_parts
from xlite.data.tables import read_list
from xlite.errors import DataError
from xlite.findings import FINDINGS

LISTS = {
    "official": dict(zip(("train+val", "test"), OFFICIAL_LISTS, strict=True)),
    "chexnet": dict(zip(PARTS, CHEXNET_LISTS, strict=True)),
}

Rows = Mapping[str, np.ndarray]
"""A partition's parts as rows of the table, int64 (n,) each."""


@dataclass(frozen=True)
class Partition:
    """One way to divide films: its name and each part's stems; train comes first, `test` is always there."""

    name: str
    parts: dict[str, list[str]]


@dataclass(frozen=True)
class Leakage:
    """What the parts of a partition share: patients, and films whose patient is in an earlier part.

    shared_patients: patients in more than one part. val_seen, test_seen: share (0-1) of val's and of test's
    films whose patient is in train; test_seen_or_val: in train or val. None if there is no such part.
    """

    shared_patients: int
    val_seen: float | None
    test_seen: float
    test_seen_or_val: float


def partitions(folder: NihFolder) -> list[Partition]:
    """NIH's and CheXNet's lists if the folder has all their files, then each split written into `splits/`.

    Of several folders, lists and splits of one name are one. Raises DataError if a list or a split cannot be
    read.
    """
    if isinstance(folder, JoinedFolder):
        return _joined_partitions(folder)
    found = []
    for name, files in LISTS.items():
        paths = {part: folder.root / file for part, file in files.items()}
        if all(path.is_file() for path in paths.values()):
            found.append(Partition(name, {part: read_list(path) for part, path in paths.items()}))
    for written in sorted((folder.root / "splits").glob("*/split.json")):
        split = read_split(folder, written.parent.name, allow_leakage=True)
        found.append(Partition(f"splits/{split.name}", {part: split.stems(part) for part in PARTS}))
    return found


def _joined_partitions(folder: JoinedFolder) -> list[Partition]:
    """The partitions of all folders by name, without films that no table lists: they have no name here."""
    found: dict[str, dict[str, list[str]]] = {}
    for one, names in zip(folder.folders, folder.stems, strict=True):
        for partition in partitions(one):
            parts = found.setdefault(partition.name, {})
            for part, stems in partition.parts.items():
                parts.setdefault(part, []).extend(names[stem] for stem in stems if stem in names)
    return [Partition(name, parts) for name, parts in found.items()]


def random_partition(folder: NihFolder, way: str, seed: int) -> Partition | None:
    """The random split that X-Lite would make of the table; None if the table has too few films."""
    try:
        return Partition(f"{way}, seed {seed}", random_parts(folder, way, seed))
    except DataError:
        return None


def locate(table: pd.DataFrame, found: list[Partition]) -> dict[str, Rows]:
    """The rows of each partition's films in the table, by name; films that the table lacks are left out."""
    row = {stem: at for at, stem in enumerate(table["stem"].tolist())}
    return {
        one.name: {
            part: np.array([row[stem] for stem in stems if stem in row], dtype=np.int64)
            for part, stems in one.parts.items()
        }
        for one in found
    }


def balance(table: pd.DataFrame, rows: Rows) -> pd.DataFrame:
    """A row for each part: films, patients, films per class (int)."""
    present, patients = indicators(table).to_numpy(), table["patient"].to_numpy()
    counts = {
        part: [len(at), len(np.unique(patients[at])), *present[at].sum(axis=0)] for part, at in rows.items()
    }
    columns = ["films", "patients", *CLASSES]
    return pd.DataFrame.from_dict(counts, orient="index", columns=columns).astype(np.int64)


def known_of_parts(table: pd.DataFrame, rows: Rows) -> pd.DataFrame:
    """A row for each part: of how many of its films each class is known (int). Shares are of these films."""
    told = known_classes(label_array(table))
    counts = {part: told[at].sum(axis=0) for part, at in rows.items()}
    return pd.DataFrame.from_dict(counts, orient="index", columns=list(CLASSES)).astype(np.int64)


def leakage(table: pd.DataFrame, rows: Rows) -> Leakage:
    """What the parts of a partition share."""
    patients = table["patient"].to_numpy()
    owners = {part: patients[at] for part, at in rows.items()}
    times = np.unique(np.concatenate([np.unique(part) for part in owners.values()]), return_counts=True)[1]
    train, test = next(iter(owners.values())), owners["test"]
    return Leakage(
        shared_patients=int((times > 1).sum()),
        val_seen=exposed(train, owners["val"]) if "val" in owners else None,
        test_seen=exposed(train, test),
        test_seen_or_val=exposed(np.concatenate([*owners.values()][:-1]), test),
    )


def exposed(seen: np.ndarray, judged: np.ndarray) -> float:
    """The share (0-1) of the `judged` films whose patient is among the `seen`, both as patients (n,)."""
    return float(pd.Series(judged).isin(seen).mean()) if len(judged) else 0.0


def widest_shift(parts: pd.DataFrame, told: pd.DataFrame) -> tuple[str, float, float] | None:
    """The finding whose share differs most, as a ratio, between train and test of `balance`, and both shares.

    told: from `known_of_parts`. Shares are 0-1. None if no finding is in both.
    """
    ends = parts.iloc[[0, parts.index.get_loc("test")]]
    shares = ends[list(FINDINGS)] / told.loc[ends.index, list(FINDINGS)].clip(lower=1)
    shares = shares.loc[:, (shares > 0).all()]
    if shares.empty:
        return None
    name = str(np.log(shares.iloc[1] / shares.iloc[0]).abs().idxmax())
    return name, float(shares[name].iloc[0]), float(shares[name].iloc[1])


def overlaps(found: list[Partition]) -> pd.DataFrame:
    """Each partition's test part beside every other partition, a row for each pair.

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
