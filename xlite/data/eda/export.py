"""A selection of films to take along: a table, a list of names, and the rows that a page shows."""

import numpy as np
import pandas as pd

from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.label_words import label_words
from xlite.findings import FINDINGS, NO_FINDING, spoken
from xlite.text import quoted_cell

COLUMNS = ("image", "patient", "follow_up", "age", "sex", "view", "findings")
UNKNOWN = "unknown"
"""One more column, if the folder has labels that are unknown: the findings of which they are."""


def labels_in_words(films: CodedFilms, rows: np.ndarray) -> list[str]:
    """Of each film at rows (n,) its findings: `Mass, Nodule`, `No finding`, `Mass; unknown: Nodule`."""
    if not films.all_known:
        return [label_words(label, films.labelled) for label in films.labels[rows]]
    names = np.array([spoken(name) for name in FINDINGS])
    return [", ".join(names[one]) or spoken(NO_FINDING) for one in films.present[rows, 1:]]


def rows_table(films: CodedFilms, rows: np.ndarray) -> pd.DataFrame:
    """The films at rows (n,) as a page shows them."""
    table = films.table.iloc[rows]
    return pd.DataFrame(
        {
            "Film": table["stem"],
            "Findings": labels_in_words(films, rows),
            "Patient": table["patient"],
            "Follow-up": table["follow_up"],
            "Age": table["age"].round().astype("Int64"),
            "Sex": table["sex"],
            "View": table["view"],
            "Films of the patient": films.series[rows],
            "Boxes": films.boxed[rows],
        }
    ).reset_index(drop=True)


def patients_table(films: CodedFilms, rows: np.ndarray) -> pd.DataFrame:
    """The patients of the films at rows, most films first: films chosen and in all, findings of those."""
    codes, first, places = np.unique(films.patients[rows], return_index=True, return_inverse=True)
    together = rows[np.argsort(places, kind="stable")]  # a patient's films stand side by side
    starts = np.searchsorted(np.sort(places), np.arange(len(codes)))
    ever = np.logical_or.reduceat(films.present[together, 1:], starts)
    never = np.logical_and.reduceat(films.present[together, 0], starts)
    none = np.where(never, spoken(NO_FINDING), "No known finding")
    names = np.array([spoken(name) for name in FINDINGS])
    table = films.table.iloc[rows[first]]
    patients = pd.DataFrame(
        {
            "Patient": table["patient"].to_numpy(),
            "Films chosen": np.bincount(places),
            "Films in all": films.series[rows[first]],
            "Sex": table["sex"].to_numpy(),
            "Findings on the chosen films": [
                ", ".join(names[has]) or str(without) for has, without in zip(ever, none, strict=True)
            ],
        }
    )
    return patients.sort_values("Films chosen", ascending=False, kind="stable", ignore_index=True)


def as_csv(films: CodedFilms, rows: np.ndarray) -> str:
    """The films at rows (n,) as a CSV that spreadsheets open: COLUMNS, findings as NIH's table joins them.

    And UNKNOWN, if labels of the folder are.
    """
    table = films.table.iloc[rows]
    names = np.array(FINDINGS)
    labels = ["|".join(names[one]) or NO_FINDING for one in films.present[rows, 1:]]
    ages = ["" if np.isnan(age) else f"{age:g}" for age in films.ages[rows]]
    header, columns = [*COLUMNS], [table["image"], table["patient"], table["follow_up"].astype(str), ages]
    columns += [table["sex"], table["view"], labels]
    if not films.all_known:
        header.append(UNKNOWN)
        columns.append(["|".join(names[~one]) for one in films.known[rows, 1:]])
    lines = [",".join(map(quoted_cell, cells)) for cells in zip(*columns, strict=True)]
    return "\n".join([",".join(header), *lines, ""])


def as_list(films: CodedFilms, rows: np.ndarray) -> str:
    """The names of the films at rows (n,), one on each line, as commands read lists."""
    return "\n".join([*films.table["image"].iloc[rows].tolist(), ""])
