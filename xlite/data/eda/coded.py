"""A folder's table as arrays of numbers, so that a page counts any of its 112,120 films in milliseconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from xlite.data.ages import AGE_BANDS, age_band
from xlite.data.eda.doubted import Doubted
from xlite.data.eda.embedded import Embedded
from xlite.data.eda.statistics import (
    CLASSES,
    UNKNOWN_AGE,
    Facts,
    Meetings,
    indicators,
    known_classes,
    label_array,
)
from xlite.data.joined import FOLDER
from xlite.findings import FINDINGS


@dataclass(frozen=True, eq=False)
class Codes:
    """A column of text as numbers: `names` in order, and for each film the place of its name, int32 (N,)."""

    names: tuple[str, ...]
    of: np.ndarray

    @classmethod
    def code(cls, column: pd.Series) -> "Codes":
        """The column's values, sorted."""
        codes, names = pd.factorize(column, sort=True)
        return cls(tuple(map(str, names)), codes.astype(np.int32))

    def counts(self, keep: np.ndarray) -> dict[str, int]:
        """How many of the films that are kept, bool (N,), have each value; also those that none has."""
        found = np.bincount(self.of[keep], minlength=len(self.names))
        return dict(zip(self.names, found.tolist(), strict=True))

    def among(self, names: Sequence[str]) -> np.ndarray:
        """Which films have one of these values, bool (N,)."""
        wanted = np.array([name in names for name in self.names], dtype=bool)
        kept: np.ndarray = wanted[self.of]
        return kept


@dataclass(frozen=True, eq=False)
class CodedFilms:
    """The films of a table, in its order (N).

    labels: float32 (N, 14), NaN if unknown; present: bool (N, 15), No Finding and the 14 findings, and known:
    whether that is known; amounts: known findings of each film; patients: a number for each patient; series:
    films of the film's patient; follow_ups; ages: years, NaN if missing; folders: of which data folder a film
    is, None if one alone is open; boxed: whether the film has boxes; parts: for each part of a list or split,
    which films are in it, bool (N,), and lists: the name of that list or split; embedded: where the films lie
    by a model's features, if there is such an embedding; doubted: their labels in doubt, if they are listed.
    """

    table: pd.DataFrame
    labels: np.ndarray
    present: np.ndarray
    known: np.ndarray
    amounts: np.ndarray
    patients: np.ndarray
    series: np.ndarray
    follow_ups: np.ndarray
    ages: np.ndarray
    sexes: Codes
    views: Codes
    folders: Codes | None
    boxed: np.ndarray
    parts: dict[str, np.ndarray]
    lists: dict[str, str]
    embedded: Embedded | None = None
    doubted: Doubted | None = None

    @classmethod
    def code(
        cls,
        table: pd.DataFrame,
        boxes: pd.DataFrame,
        parts: Mapping[str, Mapping[str, Sequence[str]]],
        doubted: Doubted | None = None,
    ) -> "CodedFilms":
        """The films of a table as from `read_table`; boxes as from `read_boxes`.

        parts: the stems of each part by the name of its list or split: {"official": {"test": stems}}.
        """
        present, labels = indicators(table).to_numpy(), label_array(table)
        patients = pd.factorize(table["patient"])[0].astype(np.int32)
        rows = {stem: row for row, stem in enumerate(table["stem"].tolist())}
        return cls(
            table=table,
            labels=labels.astype(np.float32),
            present=present,
            known=known_classes(labels),
            amounts=present[:, 1:].sum(axis=1),
            patients=patients,
            series=np.bincount(patients)[patients],
            follow_ups=table["follow_up"].to_numpy(),
            ages=table["age"].to_numpy(np.float64),
            sexes=Codes.code(table["sex"]),
            views=Codes.code(table["view"]),
            folders=Codes.code(table[FOLDER]) if FOLDER in table else None,
            boxed=_marked(rows, boxes["stem"].tolist()),
            parts={
                f"{name} {part}": _marked(rows, stems)
                for name, stems_of in parts.items()
                for part, stems in stems_of.items()
            },
            lists={f"{name} {part}": name for name, stems_of in parts.items() for part in stems_of},
            doubted=doubted,
        )

    def __len__(self) -> int:
        return len(self.table)

    def row_of(self, stem: str) -> int | None:
        """The row of a film in the table, None if it is not there."""
        found = np.flatnonzero(self.table["stem"].to_numpy() == stem)
        return int(found[0]) if len(found) else None

    @cached_property
    def all_known(self) -> bool:
        """Whether every label is known."""
        return bool(self.known.all())

    @cached_property
    def labelled(self) -> tuple[str, ...]:
        """The findings whose label is known of at least one film; the others are not labelled here."""
        some = np.asarray(self.known[:, 1:].any(axis=0))
        return tuple(finding for finding, one in zip(FINDINGS, some, strict=True) if one)

    @cached_property
    def partly_unknown(self) -> tuple[str, ...]:
        """The findings whose label is known of some films and unknown of others."""
        whole = np.asarray(self.known[:, 1:].all(axis=0))
        return tuple(name for name in self.labelled if not whole[FINDINGS.index(name)])

    def classes(self, keep: np.ndarray) -> np.ndarray:
        """Films of each of the 15 classes, int64 (15,), of those that are kept, bool (N,)."""
        found: np.ndarray = self.present[keep].sum(axis=0)
        return found

    def known_counts(self, keep: np.ndarray) -> np.ndarray:
        """Of how many of the films that are kept, bool (N,), each of the 15 classes is known, int64 (15,)."""
        found: np.ndarray = self.known[keep].sum(axis=0)
        return found

    def meetings(self, keep: np.ndarray) -> Meetings:
        """`statistics.Meetings` of the films that are kept, bool (N,)."""
        return Meetings.of(self.labels[keep])

    def together(self, keep: np.ndarray) -> pd.DataFrame:
        """`statistics.cooccurrence` of the films that are kept, bool (N,)."""
        positive = self.present[keep, 1:].astype(np.float32)  # counts below 2**24 are exact
        return pd.DataFrame((positive.T @ positive).astype(np.int64), index=FINDINGS, columns=FINDINGS)

    def facts(self, keep: np.ndarray) -> Facts:
        """`statistics.facts` of the films that are kept, bool (N,)."""
        each = np.bincount(self.patients[keep])
        each = each[each > 0]
        amounts, decided = self.amounts[keep], self.known[keep, 0]
        ages = self.ages[keep]
        missing, ages = int(np.isnan(ages).sum()), ages[~np.isnan(ages)]
        return Facts(
            films=int(keep.sum()),
            patients=len(each),
            sex=_common_first(self.sexes.counts(keep)),
            view=_common_first(self.views.counts(keep)),
            age_missing=missing,
            age_median=float(np.median(ages)) if len(ages) else None,
            age_min=float(ages.min()) if len(ages) else None,
            age_max=float(ages.max()) if len(ages) else None,
            patients_with_several=int((each > 1).sum()),
            films_of_patients_with_several=int(each[each > 1].sum()),
            most_films=int(each.max()) if len(each) else 0,
            follow_ups=int((self.follow_ups[keep] > 0).sum()),
            several_findings=int((amounts > 1).sum()),
            with_finding=int((amounts > 0).sum()),
            several_decided=int((amounts[decided] > 1).sum()),
            with_decided=int((amounts[decided] > 0).sum()),
            undecided=int((~decided).sum()),
        )

    def prevalence(self, keep: np.ndarray, groups: Codes) -> pd.DataFrame:
        """`statistics.prevalence_by` of the films that are kept, bool (N,), by a column, no group empty."""
        rows = {}
        for place, name in enumerate(groups.names):
            inside = keep & (groups.of == place)
            if films := int(inside.sum()):
                told = self.known_counts(inside)
                rows[name] = [films, *(self.classes(inside) / np.where(told, told, np.nan))]
        return pd.DataFrame.from_dict(rows, orient="index", columns=["films", *CLASSES])

    def age_groups(self) -> Codes:
        """The band of each film's age, in order of age; UNKNOWN_AGE, the last one, if it is missing."""
        names = (*AGE_BANDS, UNKNOWN_AGE)
        bands = np.where(np.isnan(self.ages), UNKNOWN_AGE, age_band(self.ages))
        return Codes(names, np.select([bands == name for name in names], range(len(names))).astype(np.int32))


def _marked(rows: Mapping[str, int], stems: Sequence[str]) -> np.ndarray:
    """Which of the films in `rows` are among the stems, bool (N,)."""
    marked = np.zeros(len(rows), dtype=bool)
    marked[[rows[stem] for stem in stems if stem in rows]] = True
    return marked


def _common_first(counts: Mapping[str, int]) -> dict[str, int]:
    """The values that occur, the most frequent first."""
    return dict(sorted(((name, films) for name, films in counts.items() if films), key=lambda one: -one[1]))
