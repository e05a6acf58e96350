"""95 % intervals that hold what they claim, by one set of rules: how many patients bear which interval.

Percentiles of resampled patients alone are too narrow if few patients decide. What decides is k, the fewer of
the patients with a finding and of those without it. So an interval is the union of the percentile interval
and of a formula for independent cases that knows how skewed a metric near 0 or 1 is, for rankings while k is
small; and if it is very small, there is none. `benchmarks/interval_coverage.py` measures how many of the
intervals hold the true value; the numbers below are read off its tables.
"""

from dataclasses import astuple
from statistics import NormalDist

import numpy as np
from scipy.special import betaincinv, ndtr, stdtrit

from xlite.findings import FEW_POSITIVES
from xlite.metrics.estimate import Estimate

LEAST = 5
"""k: below it a ranking has no interval."""
ENOUGH, ENOUGH_FOR_AP = 30, 100
"""k: from it on percentiles alone hold an AUC, or an average precision. Calibration errors need the first."""
LEAST_IN_MEAN = FEW_POSITIVES
"""k: below it a finding is left out of the interval of a mean over findings."""
LEAST_FOR_MEAN, LEAST_FOR_ECE = 100, 1000
"""Patients in all: below it a mean over findings, or a calibration error, has no interval."""
Z = NormalDist().inv_cdf(0.975)

Interval = tuple[float, float] | None
"""Low and high; None if there is none."""


def percentile(drawn: np.ndarray, k: float = np.inf) -> Interval:
    """The 95 % percentile interval of the resamples (R,) that have the metric.

    Expanded for k cases, as resamples of few vary too little (Hesterberg, American Statistician 69 (2015)
    371, section 5.3).
    """
    defined = drawn[~np.isnan(drawn)]
    if not len(defined):
        return None
    tail = 0.025 if np.isinf(k) else float(ndtr(-_student(k)))
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def resampled(value: float, drawn: np.ndarray) -> Estimate:
    """A value with the percentile interval of its resamples (R,)."""
    return Estimate(float(value), *(percentile(drawn) or (None, None)))


def auc_interval(auc: float, drawn: np.ndarray, positive: int, negative: int) -> Interval:
    """Of an AUC, its resamples (R,), and how many patients have the finding and do not."""
    enough = min(positive, negative) >= LEAST and not np.isnan(auc)
    return any_auc_interval(auc, drawn, positive, negative) if enough else None


def any_auc_interval(auc: float, drawn: np.ndarray, positive: int, negative: int) -> Interval:
    """The same however few the patients are; one at least has the finding, and one has not."""
    k = min(positive, negative)
    if k >= ENOUGH and 0 < auc < 1:  # at its ends all resamples are alike
        return percentile(drawn, k)
    return union(percentile(drawn), newcombe(auc, positive, negative))


def ap_interval(ap: float, drawn: np.ndarray, positive: int, negative: int) -> Interval:
    """Of an average precision, its resamples (R,), and how many patients have the finding and do not.

    The positives are taken for the cases of a share (Boyd et al., ECML 2013), but by Wilson's interval.
    """
    k = min(positive, negative)
    if k < LEAST:
        return None
    if k >= ENOUGH_FOR_AP and ap < 1:
        return percentile(drawn, k)
    return union(percentile(drawn), wilson(ap, positive))


def rate_interval(rate: float, drawn: np.ndarray, patients: int) -> Interval:
    """Of a share of films, its resamples (R,), and how many patients have a film in the denominator.

    Wilson's interval takes as many cases as would vary as much as the resamples do (Korn & Graubard, Survey
    Methodology 24 (1998) 193), but no more than there are patients.
    """
    simple = percentile(drawn)
    return simple and union(simple, wilson(rate, min(patients, _cases(rate, drawn))))


def f1_interval(f1: float, drawn: np.ndarray, patients: int) -> Interval:
    """Of an F1, its resamples (R,), and how many patients have a film that is positive or called.

    Of these films F1 / (2 - F1), the Jaccard index, is the share that is both.
    """
    found = rate_interval(f1 / (2 - f1), drawn / (2 - drawn), patients)
    return found and (2 * found[0] / (1 + found[0]), 2 * found[1] / (1 + found[1]))


def brier_interval(brier: float, drawn: np.ndarray, positive: int, negative: int) -> Interval:
    """Of a Brier score, its resamples (R,), and how many patients have the finding and do not."""
    if min(positive, negative) < LEAST:
        return None
    return union(percentile(drawn), wilson(brier, _cases(brier, drawn)))


def ece_interval(ece: float, drawn: np.ndarray, patients: int, k: float) -> Interval:
    """Of a calibration error, its resamples (R,), the number of patients, and k, or of a mean their effective
    number.

    Resampling adds noise, which a sum of distances counts as error: percentiles would lie above the truth.
    The basic interval turns their distances round (Davison & Hinkley, Bootstrap Methods, 1997, 5.2), which
    makes the longer tail the shorter one: hence its union with Student's t about the error less its bias.
    """
    found = percentile(drawn, k) if patients >= LEAST_FOR_ECE else None
    if found is None:
        return None
    half, middle = _student(k) * float(drawn.std()), 2 * ece - float(drawn.mean())
    low, high = min(2 * ece - found[1], middle - half), max(2 * ece - found[0], middle + half)
    return max(0.0, low), max(0.0, high)


def mean_interval(
    values: np.ndarray, limits: np.ndarray, drawn: np.ndarray, patients: int, effective: float
) -> Interval:
    """Of the mean of several metrics (M,), their limits (2, M), resamples (R, M) and the number of patients.

    From the limits of each and the correlations of the resamples: MOVER (Zou & Donner, Statistics in Medicine
    27 (2008) 1693), which keeps what each interval knows that percentiles of the mean would not. Expanded as
    percentiles are, for `effective` patients (see `effective_number`): a few patients with many films move
    all findings at once.
    """
    enough = patients >= LEAST_FOR_MEAN and len(values)
    return moved(values, limits, correlations(drawn), effective) if enough else None


def moved(values: np.ndarray, limits: np.ndarray, alike: np.ndarray, effective: float) -> tuple[float, float]:
    """The interval of `mean_interval`, whatever the number of patients; alike (M, M): correlations."""
    below, above = values - limits[0], limits[1] - values
    wider = _student(effective) / Z
    low, high = (wider * float(np.sqrt(max(0.0, far @ alike @ far))) / len(values) for far in (below, above))
    return float(values.mean()) - low, float(values.mean()) + high


def correlations(drawn: np.ndarray) -> np.ndarray:
    """The correlations (M, M) of several metrics by their resamples (R, M); 0 with one that does not vary."""
    spread = drawn - drawn.mean(axis=0)
    size = np.sqrt((spread**2).sum(axis=0))
    spread = spread / np.where(size > 0, size, 1)
    alike: np.ndarray = spread.T @ spread
    np.fill_diagonal(alike, 1)
    return alike


def difference_interval(values: np.ndarray, limits: np.ndarray, drawn: np.ndarray) -> tuple[float, float]:
    """Of the first of two metrics less the second, values (2,), their limits (2, 2) and resamples (R, 2).

    Both lie in 0-1 and are of the same patients. MOVER as for means, so that the difference has what each
    interval knows of its patients; of two shares it is method 10 of Newcombe, Statistics in Medicine 17
    (1998) 2635.
    """
    both = drawn[~np.isnan(drawn).any(axis=1)]
    alike = float(correlations(both)[0, 1]) if len(both) else 0.0
    value, below, above = float(values[0] - values[1]), values - limits[0], limits[1] - values
    low, high = (
        float(np.sqrt(max(0.0, one**2 - 2 * alike * one * other + other**2)))
        for one, other in ((below[0], above[1]), (above[0], below[1]))
    )
    return max(-1.0, value - low), min(1.0, value + high)


def paired_estimate(first: Estimate, second: Estimate, drawn: np.ndarray) -> Estimate:
    """The first of two metrics less the second, with `difference_interval` if both have an interval.

    Both lie in 0-1 and are of the same patients; drawn (R, 2) their resamples. Undefined if one of them is.
    """
    values, *limits = np.array([astuple(one) for one in (first, second)], np.float64).T
    if np.isnan(values).any():
        return Estimate(None)
    found = None if np.isnan(limits).any() else difference_interval(values, np.array(limits), drawn)
    return Estimate(float(values[0] - values[1]), *(found or ()))


def effective_number(owner: np.ndarray) -> float:
    """How many patients with as many films each tell as much as these, owner (N,) int of each film.

    Kish, Survey Sampling (1965) 8.2. 0 without films.
    """
    films = np.bincount(owner).astype(np.float64)
    return float(films.sum() ** 2 / (films**2).sum()) if len(owner) else 0.0


def promised_interval(right: np.ndarray, owner: np.ndarray) -> Interval:
    """Of the share that a threshold will truly get right, from the films that it was chosen on.

    right (N,) bool: which of the films with the finding are called, or of those without it are not; owner
    (N,): their patients. The true share above the j-th of n independent cases is Beta(j, n + 1 - j), and a
    threshold half-way to the next case lies between this and the next order statistic: together they are the
    interval of Clopper & Pearson, Biometrika 26 (1934) 404. Films of a patient are alike, so the cases are
    half-way between as many as vary like these films (Korn & Graubard 1998), which is itself an estimate, and
    as few as there are if a patient's films are all the same. None without films.
    """
    if not len(right):
        return None
    _, places, films = np.unique(owner, return_inverse=True, return_counts=True)
    share, fewest = float(right.mean()), effective_number(places)
    spread = float(((np.bincount(places, right) - share * films) ** 2).sum()) / len(right) ** 2
    alike = share * (1 - share) / spread if spread else fewest
    cases = (fewest + min(len(films), max(fewest, alike))) / 2
    j = share * cases
    low = 0.0 if j <= 0 else float(betaincinv(j, cases + 1 - j, 0.025))
    return low, 1.0 if share >= 1 else float(betaincinv(j + 1, cases - j, 0.975))


def newcombe(auc: float, positive: int, negative: int) -> Interval:
    """Method 5 of Newcombe, Statistics in Medicine 25 (2006) 559, for an AUC of so many independent cases."""
    from scipy.optimize import brentq  # takes a while to import, and few need it

    balanced = (positive + negative) / 2 - 1

    def beyond(theta: float) -> float:
        """How far theta is from the AUC, beyond Z of its standard errors."""
        spread = 1 + balanced * (1 - theta) / (2 - theta) + balanced * theta / (1 + theta)
        return abs(theta - auc) - Z * float(np.sqrt(theta * (1 - theta) * spread / (positive * negative)))

    # At 0 and 1 themselves the standard error is 0 too, which is not a limit.
    low = 0.0 if auc <= 0 else float(brentq(beyond, 0, min(auc, 1 - 1e-12)))
    return low, 1.0 if auc >= 1 else float(brentq(beyond, max(auc, 1e-12), 1))


def wilson(share: float, cases: float) -> Interval:
    """Wilson's score interval of a share of independent cases, JASA 22 (1927) 209."""
    if not cases or np.isnan(share):
        return None
    centre = (share + Z**2 / (2 * cases)) / (1 + Z**2 / cases)
    half = Z * float(np.sqrt(share * (1 - share) / cases + Z**2 / (4 * cases**2))) / (1 + Z**2 / cases)
    return max(0.0, centre - half), min(1.0, centre + half)


def union(first: Interval, second: Interval) -> Interval:
    """The interval from the lower of two lows to the higher of two highs; the other one if one is missing."""
    if first is None or second is None:
        return first or second
    return min(first[0], second[0]), max(first[1], second[1])


def _student(k: float) -> float:
    """How many standard deviations of the resamples of k cases a 95 % interval reaches to each side."""
    return -float(np.sqrt(k / (k - 1)) * stdtrit(k - 1, 0.025))


def _cases(share: float, drawn: np.ndarray) -> float:
    """How many independent cases would make the share vary as its resamples (R,) do."""
    defined = drawn[~np.isnan(drawn)]
    variance = float(defined.var()) if len(defined) else 0.0
    spread = share * (1 - share)  # at 0 and 1 the share itself says nothing of its cases
    return spread / variance if spread and variance else np.inf
