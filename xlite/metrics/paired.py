"""Two models on the same films: a paired test, each on the same resamples of patients."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xlite.labels import known, negative, positive
from xlite.metrics.bootstrap import Resamples, or_none
from xlite.metrics.estimate import Estimate
from xlite.metrics.intervals import LEAST_FOR_MEAN
from xlite.metrics.per_finding import auc_per_class, macro
from xlite.metrics.significance import ALPHA, Alone, Look, alone, shared
from xlite.patients import fewer_patients, patients_with


@dataclass(frozen=True)
class PairedDifference:
    """Mean AUC of two models and their difference, the first less the second.

    p, two-sided; tie: p >= ALPHA, and the interval reaches zero.
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

    If there are none, those that the films have an AUC of. labels (N, C), 0, 1 or NaN.
    """
    in_all = np.asarray(~np.isnan(resamples.auc(labels, labels)).any(axis=0))
    return Compared(in_all, True) if in_all.any() else Compared(_both_ways(labels), False)


def _both_ways(labels: np.ndarray) -> np.ndarray:
    """The findings (C,) bool that are there on some of the films and absent on others."""
    return np.asarray(positive(labels).any(axis=0) & negative(labels).any(axis=0))


def macro_auc(labels: np.ndarray, scores: np.ndarray, resamples: Resamples) -> tuple[float, np.ndarray]:
    """Mean AUC of scores (N, C) on all films, and (R,) on resampled patients."""
    return float(macro(auc_per_class(labels, scores))), macro(resamples.auc(labels, scores))


def paired_test(
    labels: np.ndarray, first: np.ndarray, second: np.ndarray, resamples: Resamples, compared: Compared
) -> PairedDifference:
    """The first model's scores (N, C) less the second's, over the findings compared; labels (N, C).

    Each finding by the films whose label is known, the same for both models.
    Percentiles of few patients claim too much: below LEAST_FOR_MEAN, or if no finding is in every resample,
    p and interval are those of a single one of `shared` looks.
    """
    over = compared.findings
    one, two = (macro_auc(labels[:, over], scores[:, over], resamples) for scores in (first, second))
    if compared.in_every_resample and fewest_patients(labels[:, over], resamples) >= LEAST_FOR_MEAN:
        return paired_difference(one, two)
    return paired_difference(one, two, fewer_patients(labels[:, over], resamples.owner))


def fewest_patients(labels: np.ndarray, resamples: Resamples) -> int:
    """How many patients have a film whose label is known, of the finding that fewest have; labels (N, C)."""
    here = known(labels)
    return resamples.patients if here.all() else int(patients_with(here, resamples.owner).min())


def paired_difference(
    first: tuple[float, np.ndarray], second: tuple[float, np.ndarray], few: np.ndarray | None = None
) -> PairedDifference:
    """The first model less the second, each as `macro_auc` gives it for the same films and resamples.

    few: k of each finding (C,), by which Student's t widens the interval and lifts p; None if not to be.
    """
    value, drawn = first[0] - second[0], first[1] - second[1]
    if few is None or np.isnan(drawn).all():
        found = alone(drawn)
    else:
        [look] = shared([Look(value, drawn, few)])
        ends = (look.difference.low, look.difference.high)
        found = Alone(look.p, *(np.nan if end is None else end for end in ends))
    difference = Estimate(value, or_none(found.low), or_none(found.high))
    return PairedDifference(first[0], second[0], difference, found.p, tie=found.p >= ALPHA)
