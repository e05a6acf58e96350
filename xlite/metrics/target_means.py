"""Means of metrics of maps over targets, which are all boxes of one finding on one film, with intervals."""

from collections.abc import Callable
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

    estimate: Estimate
    drawn: np.ndarray
    patients: int

    def less(self, other: "_Mean") -> "_Mean":
        """How far it is above another one of the same targets."""
        drawn = np.stack([self.drawn, other.drawn], axis=1)
        gap = intervals.paired_estimate(self.estimate, other.estimate, drawn)
        return _Mean(gap, self.drawn - other.drawn, self.patients)


def summarise(values: np.ndarray, findings: np.ndarray, resamples: Resamples, rate: bool) -> BoxSummary:
    """The summary of a metric (N,) of targets of findings (N,), on resampled patients of these targets.

    rate: whether the metric is a share of the targets that hit, rather than a mean of other numbers.
    """
    return _summary(lambda chosen: _mean(values, chosen, resamples, rate), findings, resamples)


def summarise_gap(
    first: np.ndarray, second: np.ndarray, findings: np.ndarray, resamples: Resamples
) -> BoxSummary:
    """`summarise` of how far the first of two rates (N,) of the same targets is above the second."""

    def gap(chosen: np.ndarray) -> _Mean:
        one, other = (_mean(values, chosen, resamples, rate=True) for values in (first, second))
        return one.less(other)

    return _summary(gap, findings, resamples)


def _summary(mean: Callable[[np.ndarray], _Mean], findings: np.ndarray, resamples: Resamples) -> BoxSummary:
    """From the mean over chosen targets (N,) bool."""
    means = {str(name): mean(findings == name) for name in np.unique(findings)}
    return BoxSummary(
        all=mean(np.full(len(findings), True)).estimate,
        mean=_mean_of_findings(list(means.values()), resamples),
        per_finding={name: one.estimate for name, one in means.items()},
    )


def _mean(values: np.ndarray, chosen: np.ndarray, resamples: Resamples, rate: bool) -> _Mean:
    """The mean over the chosen targets."""
    owner, patients = resamples.owner[chosen], len(resamples.counts)
    weights = np.concatenate([np.ones((patients, 1)), resamples.counts], axis=1)
    sums = np.bincount(owner, values[chosen], minlength=patients) @ weights
    means = ratio(sums, np.bincount(owner, minlength=patients) @ weights)
    value, drawn, bearing = float(means[0]), means[1:], len(np.unique(owner))
    found: Interval = None
    if bearing >= LEAST:
        found = (
            intervals.rate_interval(value, drawn, bearing) if rate else intervals.percentile(drawn, bearing)
        )
    return _Mean(Estimate(or_none(value), *(found or ())), drawn, bearing)


def _mean_of_findings(means: list[_Mean], resamples: Resamples) -> Estimate:
    """The mean of the findings' means; with an interval if enough patients bear each of them."""
    values = np.array([mean.estimate.value for mean in means], np.float64)
    drawn = np.stack([mean.drawn for mean in means], axis=1)
    found: Interval = None
    if min(mean.patients for mean in means) >= LEAST_IN_MEAN and not np.isnan(drawn).any():
        limits = np.array([(mean.estimate.low, mean.estimate.high) for mean in means], np.float64).T
        effective = intervals.effective_number(resamples.owner)
        found = intervals.mean_interval(values, limits, drawn, resamples.patients, effective)
    return Estimate(sum(values.tolist()) / len(values), *(found or ()))
