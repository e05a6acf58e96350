"""How far a labelling is, what a film takes, and how far readers agree."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from xlite.labelling.agreement import PairAgreement, agreement
from xlite.labelling.entry import Entry
from xlite.labelling.labelling import Labelling
from xlite.labelling.state import LogState


@dataclass(frozen=True)
class ReaderSummary:
    """What one reader did: films read and settled, the median time of a film in s, changed minds.

    after_opinion: answers to films of which they had seen the model's opinion, after taking one back.
    """

    reader: str
    films: int
    settled: int
    median_s: float | None
    changed: int
    after_opinion: int


@dataclass(frozen=True)
class Summary:
    """A labelling in numbers of films: of the list, done, read twice by plan, in dispute, settled."""

    name: str
    data: str
    films: int
    done: int
    double: int
    disputes: int
    settled: int
    readers: tuple[ReaderSummary, ...]
    pairs: tuple[PairAgreement, ...]

    @classmethod
    def of(cls, labelling: Labelling, state: LogState) -> "Summary":
        """The numbers of a labelling at that state."""
        rules, films = labelling.rules, labelling.films
        states = [state.film(film) for film in films]
        names = sorted({entry.reader for one in states for entry in [*one.readings, *one.adjudications]})
        return cls(
            name=labelling.name,
            data=labelling.settings.data,
            films=len(films),
            done=sum(rules.is_done(film, one) for film, one in zip(films, states, strict=True)),
            double=sum(map(rules.is_double, films)),
            disputes=sum(bool(one.disputed) and not one.adjudications for one in states),
            settled=sum(bool(one.adjudications) for one in states),
            readers=tuple(_readers(names, state)),
            pairs=tuple(agreement(state, films)),
        )

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return asdict(self)


def _readers(names: Iterable[str], state: LogState) -> Iterator[ReaderSummary]:
    films = state.films.values()
    read = _by_reader(entry for one in films for entry in one.readings)
    ruled = _by_reader(entry for one in films for entry in one.adjudications)
    changed = Counter(entry.reader for one in films for entry in one.changed)
    for name in names:
        answers = [*read[name], *ruled[name]]
        times = [entry.given.seconds for entry in answers if entry.given]
        yield ReaderSummary(
            reader=name,
            films=len(read[name]),
            settled=len(ruled[name]),
            median_s=round(median(times), 1) if times else None,
            changed=changed[name],
            after_opinion=sum(entry.after_opinion for entry in answers),
        )


def _by_reader(entries: Iterable[Entry]) -> defaultdict[str, list[Entry]]:
    found = defaultdict[str, list[Entry]](list)
    for entry in entries:
        found[entry.reader].append(entry)
    return found
