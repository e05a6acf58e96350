"""Means of metrics of maps over targets, which are all boxes of one finding on one film, with intervals."""

from dataclasses import dataclass

import numpy as np

from xlite.metrics import intervals
from xlite.metrics.bootstrap import Resamples, or_none
from xlite.metrics.estimate import Estimate
from xlite.metrics.intervals import LEAST, LEAST_IN_MEAN, Interval
from xlite.metrics.per_finding import ratio


@dataclass(frozen=True)
class BoxSummary:
    """A metric of maps: over all targets, the mean of the findings' means, and each finding."""

    all: Estimate
    mean: Estimate
    per_finding: dict[str, Estimate]


@dataclass(frozen=True, eq=False)
class _Mean:
    """A mean, its resamples (R,) and the patients who bear it, of whom there is an interval from LEAST on."""

    value: float
    drawn: np.ndarray
    patients: int
    rate: bool

    def interval(self) -> Interval:
        if self.patients < LEAST:
            return None
        if self.rate:
            return intervals.rate_interval(self.value, self.drawn, self.patients)
        return intervals.percentile(self.drawn, self.patients)

    def estimate(self) -> Estimate:
        return Estimate(or_none(self.value), *(self.interval() or ()))


def summarise(values: np.ndarray, findings: np.ndarray, resamples: Resamples, rate: bool) -> BoxSummary:
    """The summary of a metric (N,) of targets of findings (N,), on resampled patients of these targets.

    rate: whether the metric is a share of the targets that hit, rather than a mean of other numbers.
    """
    names = [str(name) for name in np.unique(findings)]
    means = {name: _mean(values, findings == name, resamples, rate) for name in names}
    return BoxSummary(
        all=_mean(values, np.full(len(values), True), resamples, rate).estimate(),
        mean=_mean_of_findings(list(means.values()), resamples),
        per_finding={name: mean.estimate() for name, mean in means.items()},
    )


def _mean(values: np.ndarray, chosen: np.ndarray, resamples: Resamples, rate: bool) -> _Mean:
    """The mean over the chosen targets."""
    owner, patients = resamples.owner[chosen], len(resamples.counts)
    weights = np.concatenate([np.ones((patients, 1)), resamples.counts], axis=1)
    sums = np.bincount(owner, values[chosen], minlength=patients) @ weights
    means = ratio(sums, np.bincount(owner, minlength=patients) @ weights)
    return _Mean(float(means[0]), means[1:], len(np.unique(owner)), rate)


def _mean_of_findings(means: list[_Mean], resamples: Resamples) -> Estimate:
    """The mean of the findings' means; with an interval if enough patients bear each of them."""
    values, drawn = np.array([mean.value for mean in means]), np.stack([mean.drawn for mean in means], axis=1)
    found: Interval = None
    if min(mean.patients for mean in means) >= LEAST_IN_MEAN and not np.isnan(drawn).any():
        limits = np.array([mean.interval() for mean in means], np.float64).T
        effective = intervals.effective_number(resamples.owner)
        found = intervals.mean_interval(values, limits, drawn, resamples.patients, effective)
    return Estimate(sum(values.tolist()) / len(values), *(found or ()))
