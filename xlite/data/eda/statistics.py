"""Statistics of a table of films: counts, prevalence, co-occurrence, ages. Tables in, small frames out.

A label that is unknown (NaN) is neither a positive nor a negative: shares are of the films whose label is
known, and NaN of a finding that no film's label tells, which is not labelled here. Whether a film is without
finding, or has several, is taken as known if all of its findings that are labelled here are: to count a film
with one known finding besides would lower the share of those without.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from xlite.data.ages import AGE_BANDS, age_band
from xlite.findings import FINDINGS, NO_FINDING
from xlite.labels import known, positive
from xlite.pixels import RELEASE_SIDE

CLASSES = (NO_FINDING, *FINDINGS)
UNKNOWN_AGE = "unknown"
LEAST_EXPECTED = 5
"""Films that chance must give for a ratio to mean something (Cochran's rule for 2 x 2 tables)."""


@dataclass(frozen=True)
class Facts:
    """The plain facts of a table; ages in years, None if no age is given.

    several_findings and with_finding count the films that are known to have them, several_decided and
    with_decided those of the films all of whose labels are known; undecided: the other films.
    """

    films: int
    patients: int
    sex: dict[str, int]
    view: dict[str, int]
    age_missing: int
    age_median: float | None
    age_min: float | None
    age_max: float | None
    patients_with_several: int
    films_of_patients_with_several: int
    most_films: int
    follow_ups: int
    several_findings: int
    with_finding: int
    several_decided: int
    with_decided: int
    undecided: int = 0

    @property
    def decided(self) -> int:
        """Films all of whose labels are known, of the findings that are labelled here."""
        return self.films - self.undecided

    @property
    def without_share(self) -> float:
        """The share (0-1) of the decided films that are without finding; NaN if there are none."""
        return 1 - self.with_decided / self.decided if self.decided else np.nan

    @property
    def several_share(self) -> float:
        """The share (0-1) of the decided films that have several findings; NaN if there are none."""
        return self.several_decided / self.decided if self.decided else np.nan


@dataclass(frozen=True)
class Imbalance:
    """The most and the least frequent finding that occurs and their ratio; None if no finding occurs.

    with_no_finding: films without a finding for each film of the least frequent one, None if of no film is
    known whether it is without; absent: findings
    that are labelled here, without a film.
    """

    common: str | None
    rare: str | None
    findings: float | None
    with_no_finding: float | None
    absent: list[str]


def label_array(table: pd.DataFrame) -> np.ndarray:
    """The labels of a table, (N, 14) of 0 and 1, NaN if unknown."""
    labels: np.ndarray = table[list(FINDINGS)].to_numpy()
    return labels


def indicators(table: pd.DataFrame) -> pd.DataFrame:
    """A bool column for No Finding and each of the 14 findings; a row for each film, in the table's order.

    What is unknown is not there: see `known_classes`.
    """
    labels = label_array(table)
    have = positive(labels)
    columns = np.column_stack([~have.any(axis=1) & known_classes(labels)[:, 0], have])
    return pd.DataFrame(columns, index=table.index, columns=list(CLASSES))


def known_classes(labels: np.ndarray) -> np.ndarray:
    """Of which films it is known whether they have No Finding and each finding: bool (N, 15) of (N, 14)."""
    here = known(labels)
    decided = here[:, here.any(axis=0)].all(axis=1) & here.any()
    return np.column_stack([decided, here])


def finding_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Per class: films, share (0-1), patients, alone (share of its films with no other finding), known.

    No Finding stands first, then the findings from common to rare. known: films of which the class is known,
    those that the share is of.
    """
    present = indicators(table)
    films, known_films = present.sum(), known_classes(label_array(table)).sum(axis=0)
    single = (present[list(FINDINGS)].sum(axis=1) == 1).to_numpy()
    shares = films / np.maximum(known_films, 1)
    counts = pd.DataFrame(
        {
            "films": films,
            "share": shares.where((known_films > 0) | (len(table) == 0)),
            "patients": [table.loc[present[name], "patient"].nunique() for name in CLASSES],
            "alone": [single[present[name]].mean() if films[name] else np.nan for name in CLASSES],
            "known": known_films,
        }
    )
    counts.loc[NO_FINDING, "alone"] = np.nan
    findings = counts.loc[list(FINDINGS)].sort_values("films", ascending=False, kind="stable")
    return pd.concat([counts.loc[[NO_FINDING]], findings])


def not_labelled(counts: pd.DataFrame) -> list[str]:
    """The findings that no film's label tells, in NIH order, from `finding_counts`."""
    return [name for name in FINDINGS if counts.loc[name, "known"] == 0]


def imbalance(counts: pd.DataFrame) -> Imbalance:
    """How unevenly findings occur, from `finding_counts`."""
    films = counts.loc[list(FINDINGS), "films"]
    occurring = films[films > 0]
    absent = [name for name in FINDINGS if films[name] == 0 and counts.loc[name, "known"] > 0]
    if occurring.empty:
        return Imbalance(None, None, None, None, absent)
    rarest, without = int(occurring.min()), counts.loc[NO_FINDING]
    return Imbalance(
        common=str(occurring.idxmax()),
        rare=str(occurring.idxmin()),
        findings=float(occurring.max() / rarest),
        with_no_finding=float(without["films"] / rarest) if without["known"] else None,
        absent=absent,
    )


def findings_per_film(table: pd.DataFrame) -> pd.Series:
    """Films by their number of known findings, from 0 to the largest number that occurs."""
    return _tally(pd.Series(positive(label_array(table)).sum(axis=1)), start=0)


def findings_per_patient(table: pd.DataFrame) -> pd.Series:
    """Patients by the number of different findings known over all their films, from 0."""
    ever = indicators(table)[list(FINDINGS)].groupby(table["patient"]).any()
    return _tally(ever.sum(axis=1), start=0)


def films_per_patient(table: pd.DataFrame) -> pd.Series:
    """Patients by their number of films, from 1 to the largest number that occurs."""
    return _tally(table["patient"].value_counts(), start=1)


def follow_ups(table: pd.DataFrame) -> pd.DataFrame:
    """From each film of a patient to the next one, a row for each class: had, stays, lacked, appears.

    had and lacked count the first films of such pairs; stays and appears are the shares (0-1) of the next
    films that then have the class, NaN if there is no pair. Only pairs count of both of which the class is
    known. Films are ordered by their follow-up number.
    """
    ordered = table.sort_values(["patient", "follow_up"], kind="stable")
    patients, present = ordered["patient"].to_numpy(), indicators(ordered).to_numpy()
    pairs = patients[1:] == patients[:-1]
    told = known_classes(label_array(ordered))
    both = (told[:-1] & told[1:])[pairs]
    before, after = present[:-1][pairs] & both, present[1:][pairs] & both
    had, stays, appears = before.sum(0), (before & after).sum(0), (~before & after).sum(0)
    lacked = both.sum(0) - had
    shares = [
        np.divide(part, whole, out=np.full(len(CLASSES), np.nan), where=whole > 0)
        for part, whole in ((stays, had), (appears, lacked))
    ]
    return pd.DataFrame(
        {"had": had, "stays": shares[0], "lacked": lacked, "appears": shares[1]}, index=list(CLASSES)
    )


def _tally(numbers: pd.Series, start: int) -> pd.Series:
    counts = np.bincount(numbers.to_numpy(dtype=np.int64), minlength=start)[start:]
    return pd.Series(counts, index=range(start, start + len(counts)), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Meetings:
    """What chance makes of two findings, (14, 14) each: of the films of which both are known, how many they
    are, and how many of these have the finding of the row.
    """

    films: np.ndarray
    alone: np.ndarray

    @classmethod
    def of(cls, labels: np.ndarray) -> "Meetings":
        """By labels (N, 14), NaN if unknown."""
        here, have = known(labels).astype(np.float64), positive(labels).astype(np.float64)
        return cls(here.T @ here, have.T @ here)

    def expected(self) -> np.ndarray:
        """How many films have both if the findings are independent, (14, 14)."""
        return np.asarray(self.alone * self.alone.T / np.maximum(self.films, 1))


def cooccurrence(table: pd.DataFrame) -> pd.DataFrame:
    """Films that have both findings, int (14, 14); the diagonal holds the films that have the finding."""
    have = positive(label_array(table)).astype(np.float64)
    return pd.DataFrame((have.T @ have).astype(np.int64), index=FINDINGS, columns=FINDINGS)


def lift(together: pd.DataFrame, meetings: Meetings, least: float = 0.0) -> pd.DataFrame:
    """How many times more often than by chance two findings meet, float (14, 14); 1 if they are independent.

    `meetings` is of the same films as `together`. NaN on the diagonal, if a finding does not occur, and if
    chance gives fewer than `least` films.
    """
    expected = meetings.expected()
    ratio = np.full(expected.shape, np.nan)
    enough = (expected > 0) & (expected >= least)
    np.divide(together.to_numpy(dtype=np.float64), expected, out=ratio, where=enough)
    np.fill_diagonal(ratio, np.nan)
    return pd.DataFrame(ratio, index=together.index, columns=together.columns)


def pairs(table: pd.DataFrame) -> pd.DataFrame:
    """Each pair of findings that meets at least once: first, second, films, lift; most films first."""
    together = cooccurrence(table)
    lifts = lift(together, Meetings.of(label_array(table))).to_numpy()
    rows, columns = np.triu_indices(len(FINDINGS), k=1)
    found = pd.DataFrame(
        {
            "first": np.array(FINDINGS)[rows],
            "second": np.array(FINDINGS)[columns],
            "films": together.to_numpy()[rows, columns],
            "lift": lifts[rows, columns],
        }
    )
    return found[found["films"] > 0].sort_values("films", ascending=False, kind="stable", ignore_index=True)


def age_groups(ages: pd.Series) -> pd.Series:
    """The band of each age in years, in order of age; UNKNOWN_AGE, the last one, if the age is missing."""
    bands = np.where(ages.isna(), UNKNOWN_AGE, age_band(ages))
    ordered = pd.Categorical(bands, categories=[*AGE_BANDS, UNKNOWN_AGE], ordered=True)
    return pd.Series(ordered, index=ages.index, name="age band")


def age_histogram(table: pd.DataFrame, width: int = 5) -> pd.DataFrame:
    """Films by sex (columns) in bins of `width` years, indexed by their first year, without missing ages."""
    aged = table[table["age"].notna()]
    bins = (aged["age"] // width * width).astype(int)
    if aged.empty:
        return pd.DataFrame(index=pd.Index([], dtype=int, name="age"))
    counted = pd.crosstab(bins, aged["sex"])
    counted.index.name = "age"
    return counted.reindex(range(0, int(bins.max()) + width, width), fill_value=0)


def prevalence_by(table: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    """A row for each group: films, then the share (0-1) of No Finding and each finding among them.

    A share is of the films of the group of which the class is known, NaN if there is none.
    """
    present = indicators(table)
    told = pd.DataFrame(known_classes(label_array(table)), index=table.index, columns=present.columns)
    films, known_films = (frame.groupby(groups, observed=True).sum() for frame in (present, told))
    rows = films / known_films.where(known_films > 0)
    rows.insert(0, "films", present.groupby(groups, observed=True).size())
    return rows


def box_sizes(boxes: pd.DataFrame) -> pd.DataFrame:
    """Per finding that has boxes: boxes, films, and the median width, height (px of 1024) and area.

    The area is a share of the frame, 0-1.
    """
    area = (boxes["w"] * boxes["h"] / RELEASE_SIDE**2).rename("area")
    grouped = boxes.assign(area=area).groupby("finding")
    sizes = pd.DataFrame(
        {
            "boxes": grouped.size(),
            "films": grouped["stem"].nunique(),
            "width": grouped["w"].median(),
            "height": grouped["h"].median(),
            "area": grouped["area"].median(),
        }
    )
    return sizes.reindex([name for name in FINDINGS if name in sizes.index])


def facts(table: pd.DataFrame) -> Facts:
    """The plain facts of a table, as `read_table` gives it."""
    each, labels = table["patient"].value_counts(), label_array(table)
    number, decided = positive(labels).sum(axis=1), known_classes(labels)[:, 0]
    several = each[each > 1]
    ages = table["age"].dropna()
    return Facts(
        films=len(table),
        patients=len(each),
        sex={str(k): int(v) for k, v in table["sex"].value_counts().items()},
        view={str(k): int(v) for k, v in table["view"].value_counts().items()},
        age_missing=int(table["age"].isna().sum()),
        age_median=float(ages.median()) if len(ages) else None,
        age_min=float(ages.min()) if len(ages) else None,
        age_max=float(ages.max()) if len(ages) else None,
        patients_with_several=len(several),
        films_of_patients_with_several=int(several.sum()),
        most_films=int(each.max()) if len(each) else 0,
        follow_ups=int((table["follow_up"] > 0).sum()),
        several_findings=int((number > 1).sum()),
        with_finding=int((number > 0).sum()),
        several_decided=int((number[decided] > 1).sum()),
        with_decided=int((number[decided] > 0).sum()),
        undecided=int((~decided).sum()),
    )
