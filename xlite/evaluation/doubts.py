"""What makes a figure doubtful, and how many of its films are known to what is judged. Imports little."""

from collections.abc import Iterable
from typing import NamedTuple


class Doubt(NamedTuple):
    """A sentence for the report, and how many of its films were learned from (0 where none, or not known)."""

    text: str
    known: int = 0


def contamination(doubts: Iterable[Doubt], films: int) -> dict | None:
    """{"films": the most that one doubt counts, "of", "reasons"}, or None where no film is known to be so."""
    real = [doubt for doubt in doubts if doubt.known]
    if not real:
        return None
    return {
        "films": max(doubt.known for doubt in real),
        "of": films,
        "reasons": [doubt.text for doubt in real],
    }
