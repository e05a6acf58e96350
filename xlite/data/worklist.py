"""A worklist: films in the order in which somebody should look at them, as a CSV."""

from pathlib import Path

import pandas as pd

from xlite.data.film_names import stem_of
from xlite.data.rows import columns_of, read_rows
from xlite.errors import DataError
from xlite.files import write_atomic
from xlite.text import as_cell, from_cell

FILM, PATIENT, RANK = "Image Index", "Patient ID", "Rank"
COLUMNS = (FILM, PATIENT, RANK)
"""What each worklist has; what made it may add columns of its own behind them."""


def write_worklist(path: Path, films: pd.DataFrame) -> None:
    """Writes films as they stand; `films` has FILM and PATIENT, and gets RANK from 1 on unless it has ranks.

    A film may stand in several rows, as it does in a list of doubtful labels.
    """
    ranked = films if RANK in films else films.assign(**{RANK: range(1, len(films) + 1)})
    table = ranked[[*COLUMNS, *(name for name in ranked if name not in COLUMNS)]].copy()
    for name in (FILM, PATIENT):
        table[name] = [as_cell(str(value)) for value in table[name]]
    write_atomic(Path(path), table.to_csv(index=False, lineterminator="\n", float_format="%.6g").encode())


def read_worklist(path: Path) -> list[str]:
    """The stems of a worklist's films by rank, each once, at its first rank.

    Raises DataError if the file is not a table with FILM and RANK, or if a rank is not a whole number.
    """
    header, rows = read_rows(Path(path))
    if missing := [name for name in (FILM, RANK) if name not in header]:
        raise DataError(
            f"{path} is not a worklist: it lacks the column {missing[0]!r}; make one with `xlite select`"
        )
    columns = columns_of(Path(path), header, rows, [FILM, RANK])
    if wrong := [rank for rank in columns[RANK] if not rank.isdecimal()]:
        raise DataError(f"{path} has the rank {wrong[0]!r}; expected whole numbers from 1 on")
    films = sorted(zip(map(int, columns[RANK]), columns[FILM], strict=True), key=lambda film: film[0])
    return list(dict.fromkeys(stem_of(from_cell(name)) for _, name in films))
