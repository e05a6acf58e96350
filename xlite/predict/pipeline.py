"""Many films to files: threads decode ahead, the network reads batches, overlays are painted meanwhile.

Films wait in bounded queues, so memory does not grow with their number, and a batch holds the same films each
time: a network's last digits depend on what it reads together.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from xlite import __version__
from xlite.errors import ImageError, XliteError, sentence
from xlite.explain.methods import DEFAULT_METHOD
from xlite.files import Progress
from xlite.guarded import GuardedFilm, GuardedReading, judged, read_in, unread
from xlite.guards.verdict import offers
from xlite.images import read_image
from xlite.predict.films import Film
from xlite.predict.output import BATCH, Output, Work, opened
from xlite.predict.overlays import Painted, write_overlays
from xlite.predict.tables import (
    GUARDS,
    PREDICTIONS,
    TABLES,
    WORTH,
    Answer,
    Kept,
    Row,
    Said,
    kept_guards,
    kept_readings,
)
from xlite.processors import processors
from xlite.reading import Reading

if TYPE_CHECKING:  # they load an engine, and what was given is checked first
    from xlite.guarded import GuardedReader

MOST_THREADS = 16
_NOTHING = np.empty((0, 0), np.uint8)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReadOptions:
    """How films are read, and how many overlays of each are written, those of its likeliest findings.

    window: the one that DICOM films are shown by, as `read_image` takes it. fix: whether films are turned and
    inverted as their guards offer.
    """

    heatmaps: int = 0
    method: str = DEFAULT_METHOD
    window: str | None = None
    fix: bool = False

    @property
    def work(self) -> Work:
        """What makes two calls the same work in this."""
        return {"heatmaps": self.heatmaps, "map": self.method, "window": self.window, "fix": self.fix}


class FilmRefused(ImageError):
    """The only film was refused: `said` is what guards say of the film called `name`."""

    def __init__(self, message: str, name: str, said: Said) -> None:
        super().__init__(message)
        self.name, self.said = name, said


class Also(Protocol):
    """What else is written of each film, whether it is read or refused."""

    @property
    def work(self) -> Work:
        """What makes two calls the same work in this."""

    def write(self, film: Film, answer: GuardedReading) -> None:
        """Writes it, of a film that is refused, too. Raises OSError, XliteError."""


@dataclass(eq=False)
class FilmsRead:
    """What a model said of films: readings without maps, by name, in the order given.

    `guards` are those of these and of the films that were `refused`. `unreadable` counts the films that could
    not be read, `unpainted` the overlays whose map shows no place, `unwritten` the films whose overlays, or
    what else is made of them, could not be written.
    """

    found: dict[str, Reading] = field(default_factory=dict)
    guards: dict[str, Said] = field(default_factory=dict)
    unreadable: int = 0
    unpainted: int = 0
    unwritten: int = 0

    @property
    def names(self) -> list[str]:
        """The films that were read, by name."""
        return list(self.found)

    @property
    def refused(self) -> int:
        """How many films guards refused."""
        return len(self.guards) - len(self.found)


def predict_films(
    reader: "GuardedReader",
    films: Sequence[Film],
    out: Path,
    options: ReadOptions = ReadOptions(),
    progress: Progress | None = None,
    *,
    fresh: bool = False,
    also: Sequence[Also] = (),
) -> FilmsRead:
    """Reads films into the folder `out`: predictions.csv, guards.csv, worth.csv, and overlays of each.

    Each of `also` gets each film with its maps. A film that is refused, or cannot be read, is logged and left
    out; if it is the only one, that is a FilmRefused or another ImageError. A film whose files cannot be
    written is logged. Whatever ends this early, the tables have what was read, and the same call goes on from
    there, unless all is to be `fresh`.
    """
    classifier = reader.classifier
    work: Work = {
        "model": classifier.digest,
        "gate": reader.gate.digest,
        "version": __version__,
        "tta": classifier.tta,
        **options.work,
        **{name: value for one in also for name, value in one.work.items()},
    }
    with opened(out, films, work, fresh) as output:
        if output.done:
            log.info("Going on: %s of %s films are done", f"{len(output.done):,}", f"{len(films):,}")
        run = _Run(reader, films, output, options, progress, also)
        run.read()
        output.finish()
    return run.result()


@dataclass(frozen=True, eq=False)
class _Decoded:
    """A film that waits for the network: its input (1, 3, S, S), and what the gate said of it.

    Without an input that refuses it. The pixels of `seen` are kept for overlays alone.
    """

    film: Film
    seen: GuardedFilm
    x: np.ndarray | None = None


class _Run:
    """One call of predict_films: what it works with, what waits to be written, what it has counted."""

    def __init__(
        self,
        reader: "GuardedReader",
        films: Sequence[Film],
        output: Output,
        options: ReadOptions,
        progress: Progress | None,
        also: Sequence[Also],
    ) -> None:
        self.reader, self.classifier, self.films, self.output = reader, reader.classifier, films, output
        self.options, self.progress, self.also = options, progress, also
        self.left = [film for film in films if film.name not in output.done]
        self.counts = FilmsRead()
        self.steps = 0
        self.answers: list[Answer] = []
        self.painting: list[tuple[Film, Future[Painted]]] = []

    @property
    def has_maps(self) -> bool:
        """Whether maps are made, and a film's pixels are kept for them."""
        return bool(self.options.heatmaps or self.also)

    def read(self) -> None:
        """Reads the films that are not done yet."""
        threads = min(processors(), MOST_THREADS)
        batch: list[_Decoded] = []
        with ThreadPoolExecutor(threads) as pool:
            try:
                for film, future in _ahead(pool, self._decode, self.left, threads + BATCH):
                    if decoded := self._taken(film, future):
                        batch.append(decoded)
                    if len(batch) == BATCH:
                        whole, batch = batch, []
                        self._read_batch(whole, pool)
            finally:
                self._read_batch(batch, pool)
                self._settle()

    def result(self) -> FilmsRead:
        """What was read, now and by the calls before that were broken off."""
        kept = {table: self.output.kept.get(table.file, []) for table in TABLES}
        recalled = kept_readings(kept[PREDICTIONS], kept[WORTH])
        found = {name: self.classifier.recalled(*one) for name, one in recalled.items()} | self.counts.found
        guards = self._kept_guards(kept[GUARDS], recalled) | self.counts.guards
        return replace(
            self.counts,
            found={film.name: found[film.name] for film in self.films if film.name in found},
            guards={film.name: guards[film.name] for film in self.films if film.name in guards},
        )

    def _kept_guards(self, rows: Sequence[Row], readings: Mapping[str, Kept]) -> dict[str, Said]:
        """What guards said of films that are done, with what was fixed, which no table has.

        A film on which no guard fired as it was read was put right for each reason that offers that; another
        is asked about again.
        """
        said = kept_guards(rows)
        paths = {film.name: film.path for film in self.films}
        for name, one in said.items() if self.options.fix else ():
            if (mendable := offers(one.reasons)) and name in readings:
                if readings[name].void:
                    mendable = judged(
                        self.reader.gate, read_image(paths[name], self.options.window), True
                    ).undone
                said[name] = one._replace(fixed=mendable)
        return said

    def _decode(self, film: Film) -> _Decoded:
        seen = judged(self.reader.gate, read_image(film.path, self.options.window), self.options.fix)
        bare = replace(seen, film=_NOTHING)
        if seen.is_refused:
            return _Decoded(film, seen if self.also else bare)
        return _Decoded(film, seen if self.has_maps else bare, self.classifier.input(seen.film))

    def _taken(self, film: Film, future: "Future[_Decoded]") -> _Decoded | None:
        """The film once it is decoded; None if it cannot be read."""
        try:
            return future.result()
        except ImageError as error:
            if len(self.films) == 1:
                raise
            log.error("Error: %s", error)
            self.counts.unreadable += 1
            self._step()
            return None

    def _read_batch(self, batch: Sequence[_Decoded], pool: ThreadPoolExecutor) -> None:
        """Has the network read films and their overlays painted, while the films before are written."""
        readings = iter(self._compute([one for one in batch if one.x is not None]))
        answers: list[Answer] = []
        painting: list[tuple[Film, Future[Painted]]] = []
        for one in batch:
            found = unread(one.seen) if one.x is None else next(readings)
            answers.append(Answer(one.film, found.said, found.reading, found.undone))
            if self.also or (self.options.heatmaps and found.reading is not None):
                painting.append((one.film, pool.submit(self._paint, one.film, found)))
        self._settle()
        self.answers, self.painting = answers, painting
        if not painting:
            self._settle()

    def _paint(self, film: Film, found: GuardedReading) -> Painted:
        """Writes the overlays of a film, and what else is made of it."""
        painted = Painted()
        if self.options.heatmaps and found.reading is not None:
            painted = write_overlays(
                self.output.folder, film, found.film, found.reading, self.options.heatmaps
            )
        if painted.error is not None:
            return painted
        try:
            for one in self.also:
                one.write(film, found)
        except (OSError, XliteError) as error:
            return replace(painted, error=error)
        return painted

    def _compute(self, films: Sequence[_Decoded]) -> Iterator[GuardedReading]:
        """The readings of films that have an input; with maps only if these are painted."""
        if not films:
            return
        inputs = np.concatenate([one.x for one in films if one.x is not None])
        output = self.classifier.output(inputs, self.options.method if self.has_maps else None)
        for place, one in enumerate(films):
            yield read_in(
                self.classifier, one.seen, output.film(place), one.seen.film.shape, self.options.method
            )

    def _settle(self) -> None:
        """Writes the rows of the films whose overlays were being painted, and counts what became of them."""
        answers, painting = self.answers, self.painting
        self.answers, self.painting = [], []
        for film, future in painting:
            painted = future.result()
            self.counts.unpainted += painted.bare
            if painted.error:
                self.counts.unwritten += 1
                log.error("Error: %s: its files cannot be written: %s", film.path, sentence(painted.error))
        if answers:
            self.output.write(answers)
        for answer in answers:
            self._count(answer)
            self._step()

    def _count(self, answer: Answer) -> None:
        name, guards = answer.film.name, answer.guards
        self.counts.guards[name] = answer.said
        if answer.reading is not None:
            self.counts.found[name] = answer.reading.without_maps()
            return
        refusal = f"{answer.film.path}: {' '.join(guards.sentences)}"
        if len(self.films) == 1:
            raise FilmRefused(refusal, name, answer.said)
        log.error("Error: %s", refusal)

    def _step(self) -> None:
        self.steps += 1
        if self.progress:
            self.progress(self.steps, len(self.left))


def _ahead(
    pool: ThreadPoolExecutor, decode: Callable[[Film], _Decoded], films: Sequence[Film], ahead: int
) -> Iterator[tuple[Film, "Future[_Decoded]"]]:
    """Each film while threads decode it, in order; they are at most `ahead` films ahead of the one taken."""
    waiting: deque[tuple[Film, Future[_Decoded]]] = deque()
    for film in films:
        waiting.append((film, pool.submit(decode, film)))
        if len(waiting) > ahead:
            yield waiting.popleft()
    while waiting:
        yield waiting.popleft()
