"""Counts, numbers, intervals and what programs said as text for people."""

import math

UNKNOWN_EDITION = "unknown"
"""The edition of labels of which nobody can tell which it is."""


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 film`, `22,433 films`; a plural of another kind is given: `2 boxes`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def verb(count: int, one: str, several: str) -> str:
    """The verb behind a count: `1 film has`, `2 films have`."""
    return one if count == 1 else several


def are(count: int) -> str:
    """The verb behind a count: `1 film is`, `2 films are`."""
    return verb(count, "is", "are")


def last_line(text: str, absent: str) -> str:
    """The last line of what a program said, without spaces around it; `absent` if it said nothing."""
    return (text.strip().splitlines() or [absent])[-1].strip()


def number(value: float | None, absent: str = "undefined", digits: int = 3) -> str:
    """`0.812`; `absent` if there is no value, or NaN."""
    return absent if value is None or math.isnan(value) else f"{value:.{digits}f}"


def interval(value: float | None, low: float | None, high: float | None) -> str:
    """`0.812 (0.790–0.834)`; `0.812` without an interval, `undefined` without a value."""
    if value is None or low is None or high is None:
        return number(value)
    return f"{number(value)} ({number(low)}–{number(high)})"


def difference(value: float, low: float, high: float, digits: int = 3) -> str:
    """`+0.012 (-0.003 to +0.027)`."""
    value_said, low_said, high_said = (f"{one:+.{digits}f}" for one in (value, low, high))
    return f"{value_said} ({low_said} to {high_said})"


def spread(mean: float | None, deviation: float | None, digits: int = 3) -> str:
    """`0.812 ± 0.004` of several seeds, `0.812` of one."""
    more = "" if deviation is None else f" ± {number(deviation, digits=digits)}"
    return number(mean, "–", digits) + more


def of_edition(edition: str) -> str:
    """What stands behind "labels": `2020`, or `of an unknown edition`."""
    return "of an unknown edition" if edition == UNKNOWN_EDITION else edition


def labels_of(edition: str) -> str:
    """`2020 labels`; `labels of an unknown edition`."""
    return "labels of an unknown edition" if edition == UNKNOWN_EDITION else f"{edition} labels"
