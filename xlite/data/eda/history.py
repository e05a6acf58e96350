"""One film among its patient's: the films in order, what came and went, near duplicates."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.export import labels_in_words
from xlite.findings import FINDINGS, spoken
from xlite.images import read_image

ALIKE = 0.98
"""Two films whose greys correlate so much at SIDE px are near duplicates."""
SIDE = 32


def patient_rows(films: CodedFilms, row: int) -> np.ndarray:
    """The rows of all films of a film's patient by follow-up number, int64 (n,)."""
    rows = np.flatnonzero(films.patients == films.patients[row])
    found: np.ndarray = rows[np.argsort(films.follow_ups[rows], kind="stable")]
    return found


def around(rows: np.ndarray, row: int, size: int) -> np.ndarray:
    """At most `size` neighbouring rows of a patient with `row` among them, in the middle if there is room."""
    at = int(np.flatnonzero(rows == row)[0])
    start = max(0, min(at - size // 2, len(rows) - size))
    return rows[start : start + size]


def timeline(films: CodedFilms, rows: np.ndarray) -> pd.DataFrame:
    """A patient's films at rows (n,): what each has, and what came and went since the one before.

    Nothing is said to have come or gone of which one of two films has no known label.
    """
    table, present, absent = films.table.iloc[rows], films.present[rows, 1:], films.labels[rows] == 0
    names = np.array([spoken(name) for name in FINDINGS])
    came = ["", *(", ".join(names[one]) for one in present[1:] & absent[:-1])]
    gone = ["", *(", ".join(names[one]) for one in present[:-1] & absent[1:])]
    return pd.DataFrame(
        {
            "Follow-up": table["follow_up"],
            "Film": table["stem"],
            "Findings": labels_in_words(films, rows),
            "New": came,
            "Gone": gone,
            "Age": table["age"].round().astype("Int64"),
            "View": table["view"],
        }
    ).reset_index(drop=True)


def parts_with(films: CodedFilms, row: int) -> list[str]:
    """The parts of lists and splits that a film is in."""
    return [name for name, mask in films.parts.items() if mask[row]]


def near_duplicates(paths: Mapping[str, Path], stem: str) -> list[tuple[str, float]]:
    """Which other films look like the film `stem` at SIDE px, and the correlation of their greys, most first.

    Raises ImageError for a film that cannot be read.
    """
    small = {name: _small(path) for name, path in paths.items()}
    found = [(name, float((small[stem] * grey).mean())) for name, grey in small.items() if name != stem]
    return sorted((one for one in found if one[1] >= ALIKE), key=lambda one: -one[1])


def _small(path: Path) -> np.ndarray:
    """A film at SIDE px, with mean 0 and deviation 1; zeros if it has no contrast."""
    grey = cv2.resize(read_image(path), (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    spread = grey.std()
    found: np.ndarray = (grey - grey.mean()) / spread if spread else np.zeros_like(grey)
    return found
