"""One rule for what is a difference of AUCs and what is noise: p, interval and tie, of one or of many looks.

Of many differences that are none, some lie beyond their own 95 % interval. So α is shared over all of them
by max-t (Westfall and Young 1993): a difference, in its own standard deviations, has to be larger than the
largest of them all is on 95 % of the resamples, which keeps what they have in common. The resamples have the
tails of a normal; with few patients the truth has longer ones, so each difference is measured by Student's t.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from xlite.metrics.estimate import Estimate

ALPHA = 0.05
"""How often something may be called a difference if there is none: once in a test, or in all its looks."""

_ROUNDING = 1e-9


class Alone(NamedTuple):
    """Two-sided p of one difference, and its interval, which reaches 0 if and only if p >= ALPHA."""

    p: float
    low: float
    high: float


def alone(drawn: np.ndarray) -> Alone:
    """What a difference's resamples (R,) say of it by themselves, those that have it; p 1 if none has it.

    p is at least 2 / (R + 1). The ends are the resamples at which it would pass ALPHA; they are the first
    and the last if there are too few resamples for that.
    """
    drawn = np.sort(drawn[~np.isnan(drawn)])
    tail = int(min(np.sum(drawn <= 0), np.sum(drawn >= 0)))
    most = max(0, math.ceil(ALPHA * (len(drawn) + 1) / 2) - 2)  # the largest tail with p < ALPHA
    low, high = (drawn[most], drawn[-1 - most]) if len(drawn) else (np.nan, np.nan)
    return Alone(min(1.0, 2 * (tail + 1) / (len(drawn) + 1)), float(low), float(high))


@dataclass(frozen=True, eq=False)
class Look:
    """A difference on all films and on the resamples (R,), NaN if undefined.

    patients: of each finding that it is a mean over, how many are positive or negative, the fewer.
    """

    value: float
    drawn: np.ndarray
    patients: np.ndarray

    @property
    def freedom(self) -> float:
        """Degrees of freedom: of two samples a finding, pooled over the findings after Satterthwaite."""
        each = 1 / np.maximum(self.patients, 2)
        return float(each.sum() ** 2 / np.sum(each**2 / (2 / each - 2)))


@dataclass(frozen=True)
class Found:
    """A difference with its 95 % interval and p, which both hold for all looks together: p < .05 if and only
    if the interval leaves out 0. The interval is None if there are too few resamples for one.
    """

    difference: Estimate
    p: float

    @property
    def larger_than_noise(self) -> bool:
        """Whether it is one that chance does not give, in all looks, more often than ALPHA."""
        return self.p < ALPHA


def shared(looks: Sequence[Look], kept: Sequence[Look] | None = None) -> list[Found]:
    """What there is to each of the looks, or to those of them that are kept; all on the same resamples.

    Neither p nor interval claims more than they do `alone`.
    """
    if not looks:
        return []
    largest = np.sort(np.max([_steps(look) for look in looks], axis=0))[::-1]
    # As many resamples may reach further than a difference of p < ALPHA: (reach + 1) / (R + 1) < ALPHA.
    reach = math.ceil(ALPHA * (len(largest) + 1)) - 2
    enough = 2 / (len(largest) + 1) < ALPHA  # resamples for p to pass it, be it alone
    cut = float(largest[reach]) if enough else np.inf
    return [_found(look, largest, cut) for look in (looks if kept is None else kept)]


def _steps(look: Look) -> np.ndarray:
    """How far each resample lies from the middle, in standard deviations (R,); 0 if undefined."""
    spread = _spread(look)
    if not spread:
        return np.zeros(len(look.drawn))
    steps: np.ndarray = np.nan_to_num(np.abs(look.drawn - np.nanmean(look.drawn)) / spread)
    return steps


def _spread(look: Look) -> float:
    """The standard deviation of the resamples; 0 if they are alike but for rounding."""
    spread = float(np.nanstd(look.drawn))
    return spread if spread > _ROUNDING else 0.0


def _found(look: Look, largest: np.ndarray, cut: float) -> Found:
    spread, freedom, by_itself = _spread(look), look.freedom, alone(look.drawn)
    if spread:  # a step of Student's t becomes the step of the normal that is as rare
        step = -ndtri(stdtr(freedom, -abs(look.value) / spread))
    else:
        step = np.inf if abs(look.value) > _ROUNDING else 0.0
    p = (np.count_nonzero(largest >= step) + 1) / (len(largest) + 1)
    half = -float(stdtrit(freedom, ndtr(-cut))) * spread
    low, high = (
        max(-1.0, min(look.value - half, by_itself.low)),
        min(1.0, max(look.value + half, by_itself.high)),
    )
    ends = (low, high) if math.isfinite(half) else (None, None)
    return Found(Estimate(look.value, *ends), max(float(p), by_itself.p))
