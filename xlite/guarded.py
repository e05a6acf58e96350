"""GuardedReader: a classifier behind the gate, which says what a picture is before anything is read in it.

Whether it is unlike the model's own training films, the network itself says as it reads.

reader = GuardedReader.load("student")
answer = reader.read(read_image("film.png"), fix=True)
answer.said.verdict, answer.fixed, answer.reading  # None if the picture is refused
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xlite.classify import Classifier
from xlite.engines.engine import Output
from xlite.explain.methods import DEFAULT_METHOD
from xlite.guards.gate import Gate
from xlite.guards.verdict import Guards, Reason, fixed
from xlite.reading import Reading


@dataclass(frozen=True, eq=False)
class GuardedFilm:
    """A picture that the gate has judged: `film` uint8 (H, W) as it is to be read, and its `guards`.

    `before` are the guards of the picture as it came, if it was turned or inverted since; None otherwise.
    """

    film: np.ndarray
    guards: Guards
    before: Guards | None = None

    @property
    def fixed(self) -> bool:
        """Whether the film was turned or inverted."""
        return self.before is not None

    @property
    def undone(self) -> tuple[Reason, ...]:
        """The reasons for which it was."""
        return self.before.offers if self.before else ()

    @property
    def said(self) -> Guards:
        """All that is to be said of the picture: what was undone, and what holds of the film as it is read.

        Only the refusal, if the film is refused even so.
        """
        if self.before is None or self.guards.verdict == "refuse":
            return self.guards
        said = self.guards
        for check in self.before.checks:
            if check.reason in self.undone and check.reason not in said.reasons:
                said = said.with_check(check)
        return said

    @property
    def is_refused(self) -> bool:
        """Whether nothing may be read in it."""
        return self.guards.verdict == "refuse"

    @property
    def is_void(self) -> bool:
        """Whether a guard fires on the film as it is read: no guarantee of validation films holds then."""
        return self.guards.verdict != "pass"


@dataclass(frozen=True, eq=False)
class GuardedReading(GuardedFilm):
    """What a model sees in a picture that the gate has judged; `reading` is None if it is refused."""

    reading: Reading | None = None


def judged(gate: Gate, image: np.ndarray, fix: bool = False) -> GuardedFilm:
    """What the gate says of a picture uint8 (H, W); with `fix` it is put right as by `mended`."""
    seen = GuardedFilm(image, gate.judge(image))
    return mended(gate, seen) if fix else seen


def mended(gate: Gate, seen: GuardedFilm) -> GuardedFilm:
    """A film that looks turned or inverted, put right as its guards offer and judged anew; else the same."""
    if seen.guards.verdict != "offer":
        return seen
    film = fixed(seen.film, seen.guards)
    return GuardedFilm(film, gate.judge(film), seen.guards)


@dataclass(frozen=True, eq=False)
class GuardedReader:
    """A model and a gate. Nothing in it changes after loading: threads may share one."""

    classifier: Classifier
    gate: Gate

    @classmethod
    def load(cls, spec: str | Path, device: str = "cpu", has_maps: bool = True) -> "GuardedReader":
        """A model as `Classifier.load` takes it, and the gate that comes with X-Lite. Raises as that does."""
        return cls(Classifier.load(spec, device, has_maps), Gate.load())

    def read(self, image: np.ndarray, method: str = DEFAULT_METHOD, fix: bool = False) -> GuardedReading:
        """Verdict, probabilities and maps of a picture uint8 (H, W); `method` as for `Classifier.read`."""
        return self._read(judged(self.gate, image, fix), method)

    def mended(self, answer: GuardedReading, method: str = DEFAULT_METHOD) -> GuardedReading:
        """The same film turned or inverted back, if its guards offer that, and read."""
        return self._read(mended(self.gate, answer), method)

    def _read(self, seen: GuardedFilm, method: str) -> GuardedReading:
        if seen.is_refused:
            return unread(seen)
        output = self.classifier.output(self.classifier.input(seen.film), method).film(0)
        return read_in(self.classifier, seen, output, seen.film.shape, method)


def unread(seen: GuardedFilm) -> GuardedReading:
    """The answer to a picture that is refused: no reading."""
    return GuardedReading(seen.film, seen.guards, seen.before)


def read_in(
    classifier: Classifier,
    seen: GuardedFilm,
    output: Output,
    shape: tuple[int, ...],
    method: str = DEFAULT_METHOD,
) -> GuardedReading:
    """The reading of a film that is not refused, from the network's output for it alone, maps in `shape`.

    Whether the film is unlike those of training can be told only now: a guard as the gate's are.
    """
    guards, unlike = seen.guards, classifier.unlike(output)
    if unlike and unlike.reason not in guards.reasons:
        guards = guards.with_check(unlike)
    answer = GuardedReading(seen.film, guards, seen.before)
    reading = classifier.reading(output, shape, method)
    return replace(answer, reading=replace(reading, void=answer.is_void))
