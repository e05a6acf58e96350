"""Films beside what a model says of them: the rows of a table, scores and probabilities, in one order."""

from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from xlite.data.film_names import stem_of
from xlite.data.rows import read_text
from xlite.errors import DataError
from xlite.files import write_atomic
from xlite.findings import FINDINGS
from xlite.labels import known
from xlite.text import as_cell, from_cell

_KEPT = ["image", "patient", *FINDINGS]


@dataclass(frozen=True, eq=False)
class Films:
    """Films with their rows of NIH's table (as `read_table` gives them) and a model's answers.

    names (N,) as predictions.csv writes them; logits (N, 14) before any calibration; probs (N, 14) in 0-1.
    """

    table: pd.DataFrame
    names: list[str]
    logits: np.ndarray
    probs: np.ndarray

    @property
    def labels(self) -> np.ndarray:
        """float32 (N, 14) of 0 and 1, NaN if a label is unknown."""
        return np.asarray(self.table[list(FINDINGS)], np.float32)

    @property
    def patients(self) -> np.ndarray:
        """(N,) ids as text."""
        return np.asarray(self.table["patient"])

    @property
    def stems(self) -> list[str]:
        """(N,) names without folder and suffix."""
        return list(self.table["stem"])

    def __len__(self) -> int:
        return len(self.table)


@dataclass(frozen=True, eq=False)
class FilmLogits:
    """Logits and labels (N, 14), NaN if unknown, and patients (N,) of films."""

    logits: np.ndarray
    labels: np.ndarray
    patients: np.ndarray

    def beside(self, others: "FilmLogits") -> "FilmLogits":
        """These films and the others."""
        pairs = (
            (self.logits, others.logits),
            (self.labels, others.labels),
            (self.patients, others.patients),
        )
        return FilmLogits(*map(np.concatenate, pairs))


def write_labels(path: Path, films: Films) -> None:
    """Writes the films' names, patients and labels as a CSV, to compare models later; atomic.

    A label is 1 or 0; the cell of an unknown one is empty.
    """
    patients = films.table["patient"].astype(str).map(as_cell)
    table = films.table.assign(image=[*map(as_cell, films.names)], patient=patients)[_KEPT]
    if not known(films.labels).all():
        table = table.astype(dict.fromkeys(FINDINGS, "Int8"))  # 1 and not 1.0
    write_atomic(path, table.to_csv(index=False, lineterminator="\n").encode())


def read_labels(path: Path) -> pd.DataFrame:
    """What `write_labels` wrote, by stem: a label that is unknown is NaN. Raises DataError."""
    try:
        content = StringIO(read_text(path))
        table = pd.read_csv(content, dtype={"image": str, "patient": str}, keep_default_na=False)[_KEPT]
        table = table.assign(**{finding: _numbers(table[finding]) for finding in FINDINGS})
    except (DataError, ValueError, KeyError) as error:
        raise DataError(f"the labels {path} cannot be read: {error}") from error
    for column in ("image", "patient"):
        table[column] = table[column].map(from_cell)
    return table.set_index(table["image"].map(stem_of))


def _numbers(cells: pd.Series) -> pd.Series:
    """A column as it is if all are numbers; else float, NaN if a cell is empty. Raises ValueError."""
    if pd.api.types.is_numeric_dtype(cells):
        return cells
    return pd.to_numeric(cells.where(cells != ""))
