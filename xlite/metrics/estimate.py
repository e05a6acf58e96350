"""A metric with its interval, of one finding or as a mean over some. Imports little."""

import math
from dataclasses import dataclass

from xlite.text import difference, interval


@dataclass(frozen=True)
class Estimate:
    """A metric on all films and its 95 % interval by resampling patients; None if it is undefined."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        return interval(self.value, self.low, self.high)

    @property
    def signed(self) -> str:
        """As a difference, which has a value: `+0.012 (-0.003 to +0.027)`."""
        assert self.value is not None
        return difference(self.value, self.low, self.high)


@dataclass(frozen=True)
class FixedMean:
    """The mean of a metric over findings that are the same in each resample, and which these are."""

    findings: tuple[str, ...] = ()
    estimate: Estimate = Estimate(None)


def independent_difference(first: Estimate, second: Estimate) -> Estimate:
    """The first less the second, of other patients each; without an interval if one of them has none.

    The interval is MOVER's without correlation (Zou & Donner, Statistics in Medicine 27 (2008) 1693): each
    side adds what its own interval, which is skewed near 0 and 1, says of that direction.
    """
    if first.value is None or second.value is None:
        return Estimate(None)
    value = first.value - second.value
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return Estimate(value)
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    return Estimate(value, value - below, value + above)
