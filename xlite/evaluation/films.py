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
        """float32 (N, 14) of 0 and 1."""
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


def write_labels(path: Path, films: Films) -> None:
    """Writes the films' names, patients and labels as a CSV, to compare models later; atomic."""
    patients = films.table["patient"].astype(str).map(as_cell)
    table = films.table.assign(image=[*map(as_cell, films.names)], patient=patients)[_KEPT]
    write_atomic(path, table.to_csv(index=False, lineterminator="\n").encode())


def read_labels(path: Path) -> pd.DataFrame:
    """What `write_labels` wrote, by stem. Raises DataError."""
    try:
        content = StringIO(read_text(path))
        table = pd.read_csv(content, dtype={"image": str, "patient": str}, keep_default_na=False)[_KEPT]
    except (DataError, ValueError, KeyError) as error:
        raise DataError(f"the labels {path} cannot be read: {error}") from error
    for column in ("image", "patient"):
        table[column] = table[column].map(from_cell)
    return table.set_index(table["image"].map(stem_of))
