"""Two models on the same films: a paired test, each on the same resamples of patients."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xlite.metrics.bootstrap import Resamples, or_none
from xlite.metrics.estimate import Estimate
from xlite.metrics.looks import ALPHA, alone
from xlite.metrics.per_finding import auc_per_class, macro


@dataclass(frozen=True)
class PairedDifference:
    """Macro AUC of two models and their difference, the first less the second.

    p, two-sided, and the interval as `alone` gives them; tie: p >= ALPHA.
    """

    first: float
    second: float
    difference: Estimate
    p: float
    tie: bool


class Compared(NamedTuple):
    """The findings (C,) bool that a comparison is over, and whether every resample has an AUC of each."""

    findings: np.ndarray
    in_every_resample: bool


def compared_findings(labels: np.ndarray, resamples: Resamples) -> Compared:
    """The findings that every resample has an AUC of, so that all resamples speak of the same ones.

    If there are none, those that the films have an AUC of. labels (N, C), 0 or 1.
    """
    in_all = np.asarray(~np.isnan(resamples.auc(labels, labels)).any(axis=0))
    return Compared(in_all, True) if in_all.any() else Compared(_both_ways(labels), False)


def _both_ways(labels: np.ndarray) -> np.ndarray:
    """The findings (C,) bool that are there on some of the films and absent on others."""
    return np.asarray(labels.any(axis=0) & ~labels.all(axis=0))


def macro_auc(labels: np.ndarray, scores: np.ndarray, resamples: Resamples) -> tuple[float, np.ndarray]:
    """Macro AUC of scores (N, C) on all films, and (R,) on resampled patients."""
    return float(macro(auc_per_class(labels, scores))), macro(resamples.auc(labels, scores))


def paired_difference(first: tuple[float, np.ndarray], second: tuple[float, np.ndarray]) -> PairedDifference:
    """The first model less the second, each as `macro_auc` gives it for the same films and resamples."""
    found = alone(first[1] - second[1])
    difference = Estimate(first[0] - second[0], or_none(found.low), or_none(found.high))
    return PairedDifference(first[0], second[0], difference, found.p, tie=found.p >= ALPHA)
