"""Folders some of whose labels are unknown, for every test that needs one."""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from xlite.data.film_names import stem_of
from xlite.data.folder import NihFolder
from xlite.data.tables import UNKNOWN_LABELS, find_table
from xlite.findings import FINDINGS, NO_FINDING

LACKING = ("Fibrosis", "Hernia")
"""What the folders of `hide_some` do not label at all."""


def hide_labels(root: Path, unknown: Mapping[str, tuple[str, ...]]) -> NihFolder:
    """Rewrites a folder's table: the labels of these findings are unknown of the films with these stems."""
    path = find_table(root)
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    labels = header.index("Finding Labels")
    for row in rows:
        hidden = unknown.get(stem_of(row[0]), ())
        found = [name for name in row[labels].split("|") if name not in hidden]
        row[labels] = "|".join(found) or NO_FINDING
        row.append("|".join(hidden))
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([[*header, UNKNOWN_LABELS], *rows])
    return NihFolder.open(root)


def hide_some(root: Path, share: float = 0.3, seed: int = 0) -> NihFolder:
    """Rewrites a folder's table: LACKING is not labelled, and so is a share of the other labels at random."""
    rng = np.random.default_rng(seed)
    stems = NihFolder.open(root).table["stem"].tolist()
    hidden = {
        stem: tuple(name for name in FINDINGS if name in LACKING or rng.random() < share) for stem in stems
    }
    return hide_labels(root, hidden)
