"""doubts.csv: the labels of a folder that are probably wrong, as a worklist with a row for each of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from xlite.data.film_names import stem_of
from xlite.data.rows import columns_of, read_rows
from xlite.data.worklist import FILM, RANK
from xlite.errors import DataError
from xlite.findings import FINDINGS
from xlite.text import from_cell, has_plain_digits

DOUBTS_FILE = "doubts.csv"
FINDING, LABEL, PROBABILITY, SCORE, PLACE = "Finding", "Label", "Probability", "Score", "Rank in Finding"
"""The columns behind those of a worklist. Probability: of the finding, out of fold; Score: of the label."""
YES, NO = "yes", "no"
_READ = (FILM, RANK, FINDING, LABEL, PROBABILITY)


def read_doubts(path: Path) -> pd.DataFrame:
    """The doubtful labels of a doubts.csv by rank: stem, column (0-13 of the findings), label (0 or 1) and
    probability.

    Raises DataError if the file is none, names a label twice, or has a value that is none.
    """
    path = Path(path)
    header, rows = read_rows(path)
    if missing := [name for name in _READ if name not in header]:
        raise DataError(f"{path} lacks the column {missing[0]!r}; make the file with `xlite data doubts`")
    read = columns_of(path, header, rows, _READ)
    column_of = {finding: column for column, finding in enumerate(FINDINGS)}
    found = pd.DataFrame(
        {
            "stem": [stem_of(from_cell(name)) for name in read[FILM]],
            "column": [_value(path, FINDING, column_of, text) for text in read[FINDING]],
            "label": [_value(path, LABEL, {NO: 0, YES: 1}, text) for text in read[LABEL]],
            "probability": [_probability(path, text) for text in read[PROBABILITY]],
            "rank": [_rank(path, text) for text in read[RANK]],
        }
    )
    twice = found[found.duplicated(["stem", "column"])]
    if len(twice):
        film, finding = twice["stem"].iloc[0], FINDINGS[twice["column"].iloc[0]]
        raise DataError(f"{path} names {finding} of {film} twice; keep one row for each label")
    return found.sort_values("rank", kind="stable", ignore_index=True).drop(columns="rank")


def of_films(doubts: pd.DataFrame, stems: Sequence[str], labels: np.ndarray) -> pd.DataFrame:
    """The doubts about films (N,) whose labels (N, 14) are still as listed, with each film's `row`, by rank.

    A label that somebody has put right since is in no doubt any more.
    """
    row_of = {stem: row for row, stem in enumerate(stems)}
    mine = doubts[doubts["stem"].isin(row_of.keys())]
    rows = mine["stem"].map(row_of).astype(np.int64)
    return mine.assign(row=rows)[labels[rows, mine["column"]] == mine["label"]]


def _value(path: Path, name: str, values: dict[str, int], text: str) -> int:
    if text not in values:
        raise DataError(f"{path} has the {name.lower()} {text!r}; expected one of {', '.join(values)}")
    return values[text]


def _probability(path: Path, text: str) -> float:
    try:
        value = float(text) if has_plain_digits(text) else np.nan
    except ValueError:
        value = np.nan
    if not 0 <= value <= 1:
        raise DataError(f"{path} has the probability {text!r}; expected a number 0-1")
    return float(value)


def _rank(path: Path, text: str) -> int:
    if not text.isdecimal():
        raise DataError(f"{path} has the rank {text!r}; expected whole numbers from 1 on")
    return int(text)
