"""Which interval goes with which metric of a finding, and the mean over those findings that can bear one."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

from xlite.findings import FINDINGS
from xlite.labels import known, negative, positive
from xlite.metrics import intervals
from xlite.metrics.bootstrap import or_none
from xlite.metrics.estimate import Estimate, FixedMean
from xlite.metrics.intervals import ENOUGH, LEAST_IN_MEAN, Interval
from xlite.patients import patients_with


class PatientCounts(NamedTuple):
    """How many patients have a film that is positive, negative, called, positive or called; and any film.

    Of the films whose label is known. effective: `intervals.effective_number` of their patients.
    """

    positive: int
    negative: int
    called: int
    either: int
    all: int
    effective: float

    @classmethod
    def per_finding(cls, labels: np.ndarray, called: np.ndarray, owner: np.ndarray) -> list[Self]:
        """Of each finding: labels (N, C), NaN if unknown, called (N, C) bool, owner (N,) int: patients."""
        here, truly = known(labels), positive(labels)
        called = called & here
        kinds = (truly, negative(labels), called, truly | called)
        have, lack, marked, either = (patients_with(films, owner).tolist() for films in kinds)
        every = _all_patients(here, owner)
        return [cls(have[c], lack[c], marked[c], either[c], *every[c]) for c in range(labels.shape[1])]

    @property
    def k(self) -> int:
        """What decides how well a ranking is known: the fewer of positive and negative patients."""
        return min(self.positive, self.negative)


def _all_patients(here: np.ndarray, owner: np.ndarray) -> list[tuple[int, float]]:
    """How many patients have films, and their effective number, of each finding (C,); here (N, C) bool."""
    if here.all():
        return [(len(np.unique(owner)), intervals.effective_number(owner))] * here.shape[1]
    owners = [owner[column] for column in here.T]
    return [(len(np.unique(one)), intervals.effective_number(one)) for one in owners]


def fewest(counts: Sequence[PatientCounts]) -> tuple[int, float]:
    """What a mean over findings has of patients, and their effective number: those of its least known one."""
    return min(one.all for one in counts), min(one.effective for one in counts)


def finding_estimate(name: str, value: float, drawn: np.ndarray, counts: PatientCounts) -> Estimate:
    """The named metric of one finding with its interval, from its resamples (R,); None if undefined."""
    if np.isnan(value):
        return Estimate(None)
    return Estimate(float(value), *(_interval(name, value, drawn, counts) or ()))


def _interval(name: str, value: float, drawn: np.ndarray, counts: PatientCounts) -> Interval:
    denominators = {
        "precision": counts.called,
        "recall": counts.positive,
        "specificity": counts.negative,
    }
    match name:
        case "auc":
            return intervals.auc_interval(value, drawn, counts.positive, counts.negative)
        case "ap":
            return intervals.ap_interval(value, drawn, counts.positive, counts.negative)
        case "brier":
            return intervals.brier_interval(value, drawn, counts.positive, counts.negative)
        case "ece":
            enough = counts.k >= ENOUGH
            return intervals.ece_interval(value, drawn, counts.all, counts.k) if enough else None
        case "f1":
            return intervals.f1_interval(value, drawn, counts.either)
        case _:
            return intervals.rate_interval(value, drawn, denominators[name])


def fixed_mean(
    name: str, estimates: Sequence[Estimate], drawn: np.ndarray, counts: Sequence[PatientCounts]
) -> FixedMean:
    """The mean of the named metric over the findings that all resamples have and enough patients bear.

    estimates: of each finding, as `finding_estimate` gives them; drawn (R, 14).
    """
    defined = ~np.isnan(drawn).any(axis=0)
    chosen = [
        c
        for c, (one, count) in enumerate(zip(estimates, counts, strict=True))
        if one.value is not None and defined[c] and count.k >= LEAST_IN_MEAN
    ]
    if not chosen:
        return FixedMean()
    some = [estimates[c] for c in chosen], drawn[:, chosen], [counts[c] for c in chosen]
    return FixedMean(tuple(FINDINGS[c] for c in chosen), mean_over(name, *some))


def mean_over(
    name: str, estimates: Sequence[Estimate], drawn: np.ndarray, counts: Sequence[PatientCounts]
) -> Estimate:
    """The mean of the named metric, with an interval if there are patients enough and no NaN in drawn (R, M).

    Each estimate has an interval, if it is not of a calibration error; drawn: their resamples.
    """
    values = np.array([one.value for one in estimates], np.float64)
    mean, (patients, effective) = float(values.mean()), fewest(counts)
    if np.isnan(drawn).any():
        return Estimate(mean)
    if name == "ece":
        return Estimate(mean, *(intervals.ece_interval(mean, drawn.mean(axis=1), patients, effective) or ()))
    limits = np.array([(one.low, one.high) for one in estimates], np.float64).T
    found = intervals.mean_interval(values, limits, drawn, patients, effective)
    return Estimate(mean, *(found or ()))


def mean_estimate(values: np.ndarray, fixed: FixedMean) -> Estimate:
    """The mean of a metric (14,) over the findings that have it; with an interval if these are the fixed."""
    defined = values[~np.isnan(values)]
    if len(defined) == len(fixed.findings):
        return fixed.estimate
    return Estimate(or_none(float(np.mean(defined))) if len(defined) else None)


def whole_mean_auc(auc: np.ndarray, drawn: np.ndarray, counts: Sequence[PatientCounts]) -> Estimate:
    """The mean AUC over all findings that have one, however few patients bear them; auc (14,), drawn (R, 14).

    For files, whose readers rely on an interval. It is wide if few patients bear findings: each has
    Newcombe's, and correlations below 0, which would narrow that of the mean, count as 0.
    """
    chosen = np.flatnonzero(~np.isnan(auc))
    some = drawn[:, chosen]
    if not len(chosen) or np.isnan(some).all(axis=0).any():  # one patient, or nothing to resample
        return Estimate(or_none(float(np.mean(auc[chosen]))) if len(chosen) else None)
    some = np.where(np.isnan(some), np.nanmean(some, axis=0), some)
    bearing = [counts[int(c)] for c in chosen]
    limits = [
        intervals.any_auc_interval(auc[c], drawn[:, c], one.positive, one.negative)
        for c, one in zip(chosen, bearing, strict=True)
    ]
    ends = np.array(limits, np.float64).T
    alike = np.maximum(intervals.correlations(some), 0)
    low, high = intervals.moved(auc[chosen], ends, alike, fewest(bearing)[1])
    return Estimate(float(np.mean(auc[chosen])), max(0.0, low), min(1.0, high))


def fixed_mean_of(
    name: str, values: np.ndarray, drawn: np.ndarray, counts: Sequence[PatientCounts]
) -> FixedMean:
    """The mean of the named metric over the fixed findings, from its values (14,) and resamples (R, 14)."""
    found = [finding_estimate(name, value, drawn[:, c], counts[c]) for c, value in enumerate(values)]
    return fixed_mean(name, found, drawn, counts)
