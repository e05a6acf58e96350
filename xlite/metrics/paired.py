"""Two models on the same films: a paired test, each on the same resamples of patients."""

from dataclasses import dataclass

import numpy as np

from xlite.metrics.bootstrap import Resamples, estimate
from xlite.metrics.estimate import Estimate
from xlite.metrics.per_finding import auc_per_class, macro


@dataclass(frozen=True)
class PairedDifference:
    """Macro AUC of two models and their difference, the first less the second.

    p: two-sided, at least 2 / (R + 1); tie: the interval of the difference reaches zero, or is undefined.
    """

    first: float
    second: float
    difference: Estimate
    p: float
    tie: bool


def macro_auc(labels: np.ndarray, scores: np.ndarray, resamples: Resamples) -> tuple[float, np.ndarray]:
    """Macro AUC of scores (N, 14) on all films, and (R,) on resampled patients."""
    return float(macro(auc_per_class(labels, scores))), macro(resamples.auc(labels, scores))


def paired_difference(first: tuple[float, np.ndarray], second: tuple[float, np.ndarray]) -> PairedDifference:
    """The first model less the second, each as `macro_auc` gives it for the same films and resamples."""
    drawn = first[1] - second[1]
    difference = estimate(first[0] - second[0], drawn)
    tail = min(np.sum(drawn <= 0), np.sum(drawn >= 0))
    low, high = difference.low, difference.high
    return PairedDifference(
        first=first[0],
        second=second[0],
        difference=difference,
        p=float(min(1, 2 * (tail + 1) / (len(drawn) + 1))),
        tie=low is None or high is None or low <= 0 <= high,
    )
