"""What a log says of each film: answers that count, changed minds, disputes, and who has it open."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from xlite.findings import FINDINGS
from xlite.labelling.entry import ANSWERED, Entry


@dataclass
class FilmState:
    """A film's entries that nobody took back, in the order of the log.

    opened: when a reader who has not answered since opened it; opinions: by reader, whose opinion
    they have seen: a model's, or that of a list of doubts.
    """

    readings: list[Entry] = field(default_factory=list)
    changed: list[Entry] = field(default_factory=list)
    adjudications: list[Entry] = field(default_factory=list)
    undone: dict[str, Entry] = field(default_factory=dict)
    opened: dict[str, datetime] = field(default_factory=dict)
    opinions: dict[str, set[str]] = field(default_factory=dict)

    @property
    def readers(self) -> list[str]:
        """Who has read the film, the first reader first."""
        return [entry.reader for entry in self.readings]

    @property
    def adjudication(self) -> Entry | None:
        """What an adjudicator has said."""
        return self.adjudications[0] if self.adjudications else None

    @property
    def disputed(self) -> list[str]:
        """The findings to which the first two readers gave different answers; none if one has read it."""
        if len(self.readings) < 2:
            return []
        first, second = self.readings[:2]
        return [finding for finding in FINDINGS if first.answers[finding] != second.answers[finding]]

    def of(self, act: str) -> list[Entry]:
        """The entries of an act of ANSWERED that count."""
        return {"reading": self.readings, "adjudication": self.adjudications, "changed": self.changed}[act]

    def answered_by(self, reader: str) -> Entry | None:
        """What the reader said of the film before they changed their mind, as reader or adjudicator."""
        said = (entry for entry in [*self.adjudications, *self.readings] if entry.reader == reader)
        return next(said, None)


@dataclass
class LogState:
    """All films of a log by their stems, and what each reader did last."""

    films: dict[str, FilmState] = field(default_factory=dict)
    at: dict[str, str] = field(default_factory=dict)
    """The film that a reader opened last."""
    _last: dict[str, list[Entry]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "LogState":
        """The state after these entries, oldest first."""
        state = cls()
        for entry in entries:
            state._take(entry)
        return state

    def film(self, stem: str) -> FilmState:
        """What is known of a film, which may be nothing."""
        return self.films.get(stem) or FilmState()

    def last_answer(self, reader: str) -> Entry | None:
        """The reader's last answer that was not taken back."""
        given = self._last.get(reader)
        return given[-1] if given else None

    def _take(self, entry: Entry) -> None:
        film, reader = self.films.setdefault(entry.film, FilmState()), entry.reader
        if entry.act in ANSWERED:
            film.of(entry.act).append(entry)
            film.opened.pop(reader, None)
            film.undone.pop(reader, None)
            self._last.setdefault(reader, []).append(entry)
        elif entry.act == "opened":
            film.opened[reader] = entry.when
            self.at[reader] = entry.film
        elif entry.act == "opinion":
            film.opinions.setdefault(reader, set()).add(entry.model)
        elif (last := self.last_answer(reader)) and last.film == entry.film:
            self._last[reader].pop()
            film.of(last.act).remove(last)
            film.undone[reader] = last
            film.opened[reader] = entry.when
            self.at[reader] = entry.film
