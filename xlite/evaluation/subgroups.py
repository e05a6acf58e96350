"""Metrics by view, sex and age, and which gaps between them are larger than the noise of the patients."""

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from xlite.data.ages import AGE_BANDS, age_band
from xlite.data.joined import FOLDER
from xlite.evaluation.subgroups_report import Gap, Group, GroupFinding, NotCompared, Subgroups
from xlite.findings import FEW_POSITIVES, FINDINGS
from xlite.labels import films_known, positive
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate
from xlite.metrics.finding_estimates import PatientCounts, finding_estimate, fixed_mean, mean_estimate
from xlite.metrics.per_finding import auc_per_class, rates_at
from xlite.metrics.significance import Found, Look, shared


class _Measured(NamedTuple):
    """One group: its films (N,) bool, AUC (14,) and its resamples (R, 14), its patients for each finding.

    recall, specificity: of each finding, at the thresholds.
    """

    films: np.ndarray
    auc: np.ndarray
    drawn: np.ndarray
    patients: list[PatientCounts]
    recall: list[Estimate]
    specificity: list[Estimate]

    @property
    def k(self) -> np.ndarray:
        """How many of its patients have each finding or do not, the fewer (14,)."""
        return np.array([one.k for one in self.patients])

    @property
    def counts(self) -> np.ndarray:
        """The findings (14,) bool that there is something to say of."""
        return self.k >= FEW_POSITIVES


class _Seen(NamedTuple):
    """A gap that is looked at: between which groups, of which findings (14,) bool, and the AUC of each."""

    between: tuple[str, str]
    findings: np.ndarray
    values: tuple[float, float]
    look: Look
    of_mean: bool


def film_groups(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """View, sex and age band of each film, (N,) strings, empty if the table does not say.

    table as `read_table` gives it; of several folders the folder, too.
    """
    bands = age_band(table["age"])
    groups = {"view": table["view"].to_numpy(str), "sex": table["sex"].to_numpy(str), "age": bands}
    return groups | ({FOLDER: table[FOLDER].to_numpy(str)} if FOLDER in table else {})


def subgroups(
    labels: np.ndarray,
    scores: np.ndarray,
    groups: dict[str, np.ndarray],
    resamples: Resamples,
    cuts: np.ndarray | None = None,
) -> dict[str, Subgroups]:
    """The groups that each attribute makes, and their gaps; labels and scores (N, 14), groups each (N,).

    Each finding by the films whose label of it is known, not NaN. cuts: thresholds (14,) of the scores, NaN
    if withheld; without any there are no rates.
    A group's AUC is the mean of the findings that FEW_POSITIVES of its patients have, and as many have not; a
    gap is taken over the findings that both groups have so many of, on the same resamples of patients. All
    gaps of all attributes are looked at together: `shared` says which are larger than noise.
    """
    cuts = np.full(labels.shape[1], np.nan) if cuts is None else cuts
    measured = {
        attribute: _by_group(attribute, labels, scores, cuts, values, resamples)
        for attribute, values in groups.items()
    }
    seen = {attribute: _gaps_of(found) for attribute, found in measured.items()}
    found = iter(shared([one.look for gaps in seen.values() for one in gaps]))
    return {
        attribute: Subgroups(
            groups={name: _group(one, labels, resamples) for name, one in measured[attribute].items()},
            gaps=tuple(_told([(one, next(found)) for one in gaps])),
            looks=len(gaps),
            not_compared=None if gaps else _why_not(len(measured[attribute])),
        )
        for attribute, gaps in seen.items()
    }


def _by_group(
    attribute: str,
    labels: np.ndarray,
    scores: np.ndarray,
    cuts: np.ndarray,
    values: np.ndarray,
    resamples: Resamples,
) -> dict[str, _Measured]:
    names = [name for name in (AGE_BANDS if attribute == "age" else np.unique(values)) if name]
    films = {str(name): values == name for name in names if (values == name).any()}
    return {name: _measure(labels, scores, cuts, mask, resamples) for name, mask in films.items()}


def _measure(
    labels: np.ndarray, scores: np.ndarray, cuts: np.ndarray, films: np.ndarray, resamples: Resamples
) -> _Measured:
    labels, scores, some = labels[films], scores[films], resamples.of(films)
    patients = PatientCounts.per_finding(labels, scores >= cuts, some.owner)
    values, drawn = rates_at(labels, scores, cuts), some.rates(labels, scores, cuts)
    recall, specificity = (
        [finding_estimate(name, values[name][c], drawn[name][:, c], one) for c, one in enumerate(patients)]
        for name in ("recall", "specificity")
    )
    auc, drawn_auc = auc_per_class(labels, scores), some.auc(labels, scores)
    return _Measured(films, auc, drawn_auc, patients, recall, specificity)


def _group(one: _Measured, labels: np.ndarray, resamples: Resamples) -> Group:
    aucs = [
        finding_estimate("auc", one.auc[c], one.drawn[:, c], one.patients[c]) for c in range(len(one.auc))
    ]
    fixed = fixed_mean("auc", aucs, one.drawn, one.patients)
    return Group(
        images=int(one.films.sum()),
        patients=resamples.of(one.films).patients,
        auc=mean_estimate(np.where(one.counts, one.auc, np.nan), fixed),
        findings=int(one.counts.sum()),
        per_class={
            finding: GroupFinding(
                positives=int(positive(labels[one.films, c]).sum()),
                auc=aucs[c],
                films=int(films_known(labels[one.films, c])),
                recall=one.recall[c],
                specificity=one.specificity[c],
            )
            for c, finding in enumerate(FINDINGS)
        },
    )


def _why_not(groups: int) -> NotCompared:
    """Why an attribute that makes so many groups has no gap."""
    few: tuple[NotCompared, ...] = ("no_groups", "one_group")
    return few[groups] if groups < len(few) else "few_patients"


def _gaps_of(found: Mapping[str, _Measured]) -> list[_Seen]:
    """Between each two groups the gap of the mean, and of each finding that it is a mean of."""
    gaps = []
    for between in combinations(found, 2):
        both = np.logical_and(*(found[name].counts for name in between))
        if both.any():
            gaps.append(_seen(between, found, both, of_mean=True))
            gaps += [_seen(between, found, one, of_mean=False) for one in np.diag(both)[both]]
    return gaps


def _seen(
    between: tuple[str, str], found: Mapping[str, _Measured], findings: np.ndarray, *, of_mean: bool
) -> _Seen:
    a, b = (found[name] for name in between)
    first, second = (float(one.auc[findings].mean()) for one in (a, b))
    drawn = np.mean(a.drawn[:, findings] - b.drawn[:, findings], axis=1)
    look = Look(first - second, drawn, np.minimum(a.k, b.k)[findings])
    return _Seen(between, findings, (first, second), look, of_mean)


def _told(gaps: list[tuple[_Seen, Found]]) -> list[Gap]:
    """The gaps of means, and of single findings those that are larger than noise."""
    return [
        Gap(
            between=seen.between,
            finding=None if seen.of_mean else FINDINGS[int(np.flatnonzero(seen.findings)[0])],
            findings=int(seen.findings.sum()),
            values=seen.values,
            difference=found.difference,
            p=found.p,
            larger_than_noise=found.larger_than_noise,
        )
        for seen, found in gaps
        if seen.of_mean or found.larger_than_noise
    ]
