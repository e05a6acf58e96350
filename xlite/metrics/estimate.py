"""A metric with its interval, of one finding or as a mean over some. Imports little."""

from dataclasses import dataclass

from xlite.text import interval


@dataclass(frozen=True)
class Estimate:
    """A metric on all films and its 95 % interval by resampling patients; None if it is undefined."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        return interval(self.value, self.low, self.high)


@dataclass(frozen=True)
class FixedMean:
    """The mean of a metric over findings that are the same in each resample, and which these are."""

    findings: tuple[str, ...] = ()
    estimate: Estimate = Estimate(None)
