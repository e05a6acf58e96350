"""One finding at one threshold: its rates with intervals, and what a call is worth at a given prevalence."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xlite.findings import FEW_POSITIVES
from xlite.labels import negative, positive
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate
from xlite.metrics.finding_estimates import PatientCounts, finding_estimate
from xlite.metrics.per_finding import rates_at
from xlite.patients import patients_with


class PredictiveValues(NamedTuple):
    """The share of calls that are right (ppv), and of films without a call that are (npv)."""

    ppv: Estimate
    npv: Estimate


@dataclass(frozen=True)
class OperatingPoint:
    """A finding at a threshold on some films: what is called, and its rates with 95 % intervals by patient.

    positive, negative: films with the finding and without it; found, alarms: how many of each reach the
    threshold. positive_patients, negative_patients: whose films they are.
    """

    cut: float
    positive: int
    negative: int
    found: int
    alarms: int
    positive_patients: int
    negative_patients: int
    sensitivity: Estimate
    specificity: Estimate

    @property
    def prevalence(self) -> float:
        """The share of the films that have the finding."""
        return self.positive / (self.positive + self.negative)

    @property
    def precision(self) -> float | None:
        """The share of the films called that have the finding; None if nothing is called."""
        called = self.found + self.alarms
        return self.found / called if called else None


def too_few(labels: np.ndarray, patients: np.ndarray) -> tuple[int, int] | None:
    """How many patients have the finding and lack it, if that is too few to choose a threshold by.

    labels (N,), NaN if unknown, patients (N,): the rule by which thresholds are withheld on validation films.
    """
    kinds = np.stack([positive(labels), negative(labels)], axis=1)
    have, lack = patients_with(kinds, patients).tolist()
    return (have, lack) if min(have, lack) < FEW_POSITIVES else None


def operating_point(
    labels: np.ndarray, probs: np.ndarray, resamples: Resamples, cut: float
) -> OperatingPoint:
    """A finding called at `cut` and above, by the films whose label is known.

    labels (N,) 0 or 1, NaN if unknown, and probs (N,) of the films of `resamples`.
    """
    labels, scores, cuts = labels[:, None], probs[:, None], np.array([cut])
    called = scores >= cuts
    [counts] = PatientCounts.per_finding(labels, called, resamples.owner)
    values, drawn = rates_at(labels, scores, cuts), resamples.rates(labels, scores, cuts)
    sensitivity, specificity = (
        finding_estimate(name, float(values[name][0]), drawn[name][:, 0], counts)
        for name in ("recall", "specificity")
    )
    return OperatingPoint(
        cut=float(cut),
        positive=int(positive(labels).sum()),
        negative=int(negative(labels).sum()),
        found=int((positive(labels) & called).sum()),
        alarms=int((negative(labels) & called).sum()),
        positive_patients=counts.positive,
        negative_patients=counts.negative,
        sensitivity=sensitivity,
        specificity=specificity,
    )


def predictive_values(sensitivity: Estimate, specificity: Estimate, prevalence: float) -> PredictiveValues:
    """What a call, and none, are worth if the share `prevalence` (0-1) has the finding: Bayes' theorem.

    Both rise with either rate, so their intervals reach from the low ends of both rates to the high ends,
    which holds however the two rates go together, and is wider than need be if they do not. None is undefined
    without a call, or with nothing but calls.
    """
    rates = [(getattr(sensitivity, end), getattr(specificity, end)) for end in ("value", "low", "high")]
    ppv = [_share(_times(s, prevalence), _times(_rest(c), 1 - prevalence)) for s, c in rates]
    npv = [_share(_times(c, 1 - prevalence), _times(_rest(s), prevalence)) for s, c in rates]
    return PredictiveValues(_estimate(*ppv), _estimate(*npv))


def _estimate(value: float | None, low: float | None, high: float | None) -> Estimate:
    """The three together; without an interval, if there is no value or an end is undefined."""
    if value is None or low is None or high is None:
        return Estimate(value)
    return Estimate(value, low, high)


def _share(right: float | None, wrong: float | None) -> float | None:
    return None if right is None or wrong is None or right + wrong == 0 else right / (right + wrong)


def _times(rate: float | None, share: float) -> float | None:
    return None if rate is None else rate * share


def _rest(rate: float | None) -> float | None:
    return None if rate is None else 1 - rate
