"""What makes a figure doubtful, and which of its films are known to what is judged. Imports little."""

from collections.abc import Iterable
from typing import NamedTuple

TEACHER = "teacher contamination: "
"""How a report's warning of what a teacher knows begins."""


class Doubt(NamedTuple):
    """A sentence for the report, how many of its films are known to what is judged (0 where none, or it is
    not known), and their stems where it can be told which.
    """

    text: str
    known: int = 0
    stems: frozenset[str] = frozenset()

    @classmethod
    def on(cls, text: str, stems: Iterable[str]) -> "Doubt":
        """A doubt on these films."""
        stems = frozenset(stems)
        return cls(text, len(stems), stems)


def known_stems(doubts: Iterable[Doubt]) -> frozenset[str] | None:
    """The films that any doubt counts; None where one cannot tell which those are."""
    doubts = list(doubts)
    if any(doubt.known > len(doubt.stems) for doubt in doubts):
        return None
    return frozenset().union(*(doubt.stems for doubt in doubts))


def contaminated(doubts: Iterable[Doubt], films: int) -> dict | None:
    """{"films": how many are known, "of", "reasons"}, or None where no film is known to be so.

    Where it cannot be told which they are, the most that one doubt counts.
    """
    real = [doubt for doubt in doubts if doubt.known]
    if not real:
        return None
    which = known_stems(real)
    return {
        "films": max(doubt.known for doubt in real) if which is None else len(which),
        "of": films,
        "reasons": [doubt.text for doubt in real],
    }
