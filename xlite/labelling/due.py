"""Which film comes next for a reader: by rank, some of them twice, and what readers disagree on once more."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from xlite.labelling.entry import Entry
from xlite.labelling.state import FilmState, LogState

HELD = timedelta(minutes=10)
"""So long a film that somebody has open is kept from others, unless nothing else is left for them."""


@dataclass(frozen=True)
class Rules:
    """How films are dealt out: the share that two people read, by which seed, and who settles disputes.

    Without an adjudicator's name anybody may settle what they have not read themselves.
    """

    double: float = 0.0
    seed: int = 0
    adjudicator: str = ""

    def is_double(self, film: str) -> bool:
        """Whether two people read a film: by its name and the seed, whatever else is in the list."""
        digest = hashlib.sha256(f"{self.seed}:{film}".encode()).digest()
        return int.from_bytes(digest[:8]) < self.double * 2**64

    def readers_needed(self, film: str) -> int:
        """How many people read the film before it is done."""
        return 2 if self.is_double(film) else 1

    def may_read(self, reader: str, film: str, state: FilmState) -> bool:
        """Whether the film still needs a reader and this one may be it.

        A named adjudicator reads no film that two people read: they would settle their own dispute.
        """
        is_free = reader not in state.readers and len(state.readings) < self.readers_needed(film)
        return is_free and not (reader == self.adjudicator and self.is_double(film))

    def may_settle(self, reader: str, state: FilmState) -> bool:
        """Whether readers disagree on the film, nobody has settled it, and this reader may."""
        is_open = bool(state.disputed) and not state.adjudications
        return is_open and reader not in state.readers and self.adjudicator in ("", reader)

    def is_done(self, film: str, state: FilmState) -> bool:
        """Whether the film needs nobody any more."""
        enough = len(state.readings) >= self.readers_needed(film)
        return enough and (not state.disputed or bool(state.adjudications))


@dataclass(frozen=True)
class Task:
    """A film for a reader; both answers for an adjudicator, what was taken back for who did so."""

    film: str
    others: tuple[Entry, ...] = ()
    before: Entry | None = None

    @property
    def is_dispute(self) -> bool:
        """Whether two readers disagree, and this one settles it."""
        return bool(self.others)


def next_task(films: Sequence[str], rules: Rules, state: LogState, reader: str, now: datetime) -> Task | None:
    """The film that the reader has open, else the first dispute, else the first by rank; None at the end.

    Films that others have open come last, as two people would do the work of one.
    """
    here = state.at.get(reader, "")
    if here in films and _is_due(rules, state.film(here), here, reader):
        return _task(rules, here, state.film(here), reader)
    due = [film for film in films if _is_due(rules, state.film(film), film, reader)]

    def place(film: str) -> tuple[bool, bool]:
        one = state.film(film)
        return _is_crowded(rules, film, one, reader, now), not one.disputed

    first = min(due, key=place, default=None)  # of equals the first by rank
    return None if first is None else _task(rules, first, state.film(first), reader)


def _is_due(rules: Rules, state: FilmState, film: str, reader: str) -> bool:
    return rules.may_settle(reader, state) or rules.may_read(reader, film, state)


def _task(rules: Rules, film: str, state: FilmState, reader: str) -> Task:
    others = tuple(state.readings[:2]) if rules.may_settle(reader, state) else ()
    return Task(film, others, state.undone.get(reader))


def _is_crowded(rules: Rules, film: str, state: FilmState, reader: str, now: datetime) -> bool:
    """Whether as many people have the film open as it still needs."""
    busy = sum(one != reader and now - when < HELD for one, when in state.opened.items())
    missing = 1 if rules.may_settle(reader, state) else rules.readers_needed(film) - len(state.readings)
    return busy >= missing
