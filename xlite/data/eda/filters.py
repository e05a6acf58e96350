"""Films of a table by view, sex, age, findings, and part of a list or split."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xlite.data.eda.partitions import partitions
from xlite.data.folder import NihFolder
from xlite.findings import FINDINGS, NO_FINDING


@dataclass(frozen=True)
class Filter:
    """The films to look at; an empty field lets all through. `findings`: a film must have each of them."""

    views: tuple[str, ...] = ()
    sexes: tuple[str, ...] = ()
    ages: tuple[int, int] | None = None  # years, both ends included; None lets missing ages through too
    findings: tuple[str, ...] = ()
    part: str = ""


def parts_of(folder: NihFolder) -> dict[str, list[str]]:
    """Every part of every list and split of the folder: {"official test": its stems}."""
    return {
        f"{partition.name} {part}": stems
        for partition in partitions(folder)
        for part, stems in partition.parts.items()
    }


def having(table: pd.DataFrame, findings: Sequence[str]) -> pd.DataFrame:
    """The films that have each of `findings`, NIH names or No Finding."""
    for name in findings:
        table = table[~table[list(FINDINGS)].any(axis=1) if name == NO_FINDING else table[name] > 0]
    return table


def among(table: pd.DataFrame, stems: Collection[str]) -> pd.DataFrame:
    """The films of a table that are among `stems`."""
    return table[table["stem"].isin(stems)]


def page_count(table: pd.DataFrame, size: int) -> int:
    """How many pages of `size` films a table fills; an empty one has a page too."""
    return max(-(-len(table) // size), 1)


def page(table: pd.DataFrame, number: int, size: int) -> pd.DataFrame:
    """The films on a page, numbered from 1."""
    return table.iloc[(number - 1) * size : number * size]


def matching(table: pd.DataFrame, wanted: Filter, parts: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """The rows of a folder's table that a filter lets through; `parts` as from `parts_of`."""
    keep = np.ones(len(table), dtype=bool)
    if wanted.views:
        keep &= table["view"].isin(wanted.views).to_numpy()
    if wanted.sexes:
        keep &= table["sex"].isin(wanted.sexes).to_numpy()
    if wanted.ages is not None:
        keep &= table["age"].between(*wanted.ages).to_numpy()
    if wanted.part:
        stems = set(parts[wanted.part])
        keep &= np.fromiter((stem in stems for stem in table["stem"]), dtype=bool, count=len(table))
    return having(table[keep], wanted.findings)
