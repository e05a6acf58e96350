"""Many films to files: threads decode ahead, the network reads batches, overlays are painted meanwhile.

Films wait in bounded queues, so memory does not grow with their number, and a batch holds the same films each
time: a network's last digits depend on what it reads together.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from xlite import __version__
from xlite.errors import ImageError, sentence
from xlite.explain.methods import DEFAULT_METHOD
from xlite.files import Progress, digest_of
from xlite.findings import FINDINGS
from xlite.images import check_contrast, read_image
from xlite.predict.films import Film
from xlite.predict.output import BATCH, Output, Work, opened
from xlite.predict.overlays import Painted, write_overlays
from xlite.predict.tables import GUARDS, PREDICTIONS, Answer, Table, Verdict
from xlite.processors import processors
from xlite.reading import Reading

if TYPE_CHECKING:  # it loads an engine, and what was given is checked first
    from xlite.classify import Classifier

Judge = Callable[[np.ndarray], Verdict]
"""What guards say of an image uint8 (H, W); threads share it."""
MOST_THREADS = 16

log = logging.getLogger(__name__)


@dataclass(eq=False)
class FilmsRead:
    """What a model said of films: {name: probabilities float32 (14,)}, in the order given.

    `unreadable` counts the films that could not be read, `refused` those that guards refused, `unpainted` the
    overlays whose map shows no place, `unwritten` the films whose overlays could not be written.
    """

    found: dict[str, np.ndarray] = field(default_factory=dict)
    unreadable: int = 0
    refused: int = 0
    unpainted: int = 0
    unwritten: int = 0

    @property
    def names(self) -> list[str]:
        """The films that were read, by name."""
        return list(self.found)

    def by_name(self) -> dict[str, dict[str, float]]:
        """{name: {finding: probability}}."""
        return {name: dict(zip(FINDINGS, row.tolist(), strict=True)) for name, row in self.found.items()}


def predict_films(
    classifier: "Classifier",
    films: Sequence[Film],
    out: Path,
    heatmaps: int = 0,
    method: str = DEFAULT_METHOD,
    progress: Progress | None = None,
    *,
    window: str | None = None,
    fresh: bool = False,
    judge: Judge | None = None,
    tables: Sequence[Table] = (),
) -> FilmsRead:
    """Reads films and writes predictions.csv and `heatmaps` overlays of each into `out`, likeliest first.

    `window` is the one that DICOM films are shown by, as `read_image` takes it. With `judge` also guards.csv;
    a film that it refuses is not read. `tables` are written beside them. A film that cannot be read is logged
    and left out; if it is the only one, or the only one is refused, that is an ImageError. A film whose
    overlays cannot be written is logged. Whatever ends this early, the tables have what was read, and the
    same call goes on from there, unless all is to be `fresh`.
    """
    work: Work = {
        "model": digest_of(classifier.path),
        "version": __version__,
        "heatmaps": heatmaps,
        "map": method,
        "window": window,
    }
    guards = [GUARDS] if judge else []
    with opened(out, films, work, [*guards, *tables, PREDICTIONS], fresh) as output:
        if output.done:
            log.info("Going on: %s of %s films are done", f"{len(output.done):,}", f"{len(films):,}")
        reader = _Reader(classifier, films, output, heatmaps, method, window, judge, progress)
        reader.read()
        output.finish()
    return reader.result()


@dataclass(frozen=True, eq=False)
class _Decoded:
    """A film that waits for the network: its input (1, 3, S, S), its pixels (H, W) for overlays, its guards.

    Without an input its guards refuse it.
    """

    film: Film
    x: np.ndarray | None = None
    image: np.ndarray | None = None
    guards: Verdict | None = None


class _Reader:
    """One call of predict_films: what it works with, what waits to be written, what it has counted."""

    def __init__(
        self,
        classifier: "Classifier",
        films: Sequence[Film],
        output: Output,
        heatmaps: int,
        method: str,
        window: str | None,
        judge: Judge | None,
        progress: Progress | None,
    ) -> None:
        self.classifier, self.films, self.output = classifier, films, output
        self.heatmaps, self.method, self.window = heatmaps, method, window
        self.judge, self.progress = judge, progress
        self.left = [film for film in films if film.name not in output.done]
        self.counts = FilmsRead()
        self.steps = 0
        self.answers: list[Answer] = []
        self.painting: list[tuple[Film, Future[Painted]]] = []

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
        """What was read, now and by the runs before that were broken off."""
        found = {**self.output.kept_probabilities(), **self.counts.found}
        refused = self.counts.refused + len(self.output.done - found.keys())
        ordered = {film.name: found[film.name] for film in self.films if film.name in found}
        return replace(self.counts, found=ordered, refused=refused)

    def _decode(self, film: Film) -> _Decoded:
        image = read_image(film.path, self.window)
        guards = self.judge(image) if self.judge else None
        if guards is None:
            check_contrast(image, film.path)
        elif guards.verdict == "refuse":
            return _Decoded(film, guards=guards)
        return _Decoded(film, self.classifier.input(image), image if self.heatmaps else None, guards)

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
        read = iter(self._compute([one.x for one in batch if one.x is not None]))
        answers: list[Answer] = []
        painting: list[tuple[Film, Future[Painted]]] = []
        for one in batch:
            probabilities, maps = (None, None) if one.x is None else next(read)
            answers.append(Answer(one.film, probabilities, one.guards))
            if one.image is not None and probabilities is not None and maps is not None:
                reading = Reading(probabilities, maps, one.image.shape, self.method)
                job = pool.submit(
                    write_overlays, self.output.folder, one.film, one.image, reading, self.heatmaps
                )
                painting.append((one.film, job))
        self._settle()
        self.answers, self.painting = answers, painting
        if not painting:
            self._settle()

    def _compute(self, inputs: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """Probabilities (14,) and, for overlays, maps (14, h, w) of each input (1, 3, S, S)."""
        if not inputs:
            return []
        x = np.concatenate(inputs)
        if not self.heatmaps:
            return [(row, None) for row in self.classifier.probabilities(self.classifier.logits(x))]
        output = self.classifier.output(x, self.method)
        return list(zip(self.classifier.probabilities(output.logits), output.maps, strict=True))

    def _settle(self) -> None:
        """Writes the rows of the films whose overlays were being painted, and counts what became of them."""
        answers, painting = self.answers, self.painting
        self.answers, self.painting = [], []
        for film, future in painting:
            painted = future.result()
            self.counts.unpainted += painted.bare
            if painted.error:
                self.counts.unwritten += 1
                log.error("Error: %s: its overlays cannot be written: %s", film.path, sentence(painted.error))
        if answers:
            self.output.write(answers)
        for answer in answers:
            self._count(answer)
            self._step()

    def _count(self, answer: Answer) -> None:
        if answer.probabilities is not None:
            self.counts.found[answer.film.name] = answer.probabilities
        elif answer.guards:
            refusal = f"{answer.film.path}: {' '.join(answer.guards.sentences)}"
            if len(self.films) == 1:
                raise ImageError(refusal)
            log.error("Error: %s", refusal)
            self.counts.refused += 1

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
