"""What a model says of one film beyond the worth of each verdict, in words for pages and demo. No torch."""

from xlite.findings import spoken
from xlite.reading import Reading


def also_above_sentence(reading: Reading) -> str | None:
    """Which findings behind the three likeliest reach their threshold; None if there is none."""
    also = [f"{spoken(finding)} ({p:.1%})" for finding, p in reading.also_above()]
    return f"Beyond these three, above the model's threshold: {', '.join(also)}." if also else None


def thresholds_sentence(reading: Reading) -> str:
    """Which findings have no threshold, or that none has; empty if each has one."""
    if reading.thresholds is None:
        return "This model has no thresholds yet: read the order of the findings, not their probabilities."
    return reading.withheld()


def map_sentence(reading: Reading, finding: str) -> str | None:
    """Why the map of a finding is not painted, or what it cannot show; None if it is as maps are."""
    if fault := reading.fault(finding):
        return f"Not painted: the map of {spoken(finding).lower()} {fault}."
    return reading.caution(finding)
