"""What a page keeps of the films it has read, and what it hands out of them: no file, no widget, no torch.

film = view(reader, "film.png", read_upload(data, "film.png"))
film.answer.reading.overlay(film.answer.film, "Mass")
film.turned().answer  # the same film turned or inverted back, if its guards offer that
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from xlite.classify import Classifier, read_upload
from xlite.errors import ImageError
from xlite.explain.drawing import SCREEN_SIDE, shrink
from xlite.explain.methods import METHODS
from xlite.findings import FINDINGS
from xlite.guarded import GuardedReader, GuardedReading
from xlite.messages import in_words
from xlite.metrics.worth import COLUMNS
from xlite.predict.tables import fact_cell
from xlite.serving.answers import Answer, FilmAnswer, GuardsAnswer, ModelAnswer


@dataclass(frozen=True, eq=False)
class ViewedFilm:
    """A film in memory: of the picture no more than a screen shows, and than the model takes in.

    `answer` has its film uint8 (h, w) and its maps in the frame of the screen; `square` is the film uint8
    (S, S) as the model was given it, so that maps of another kind need no other copy.
    """

    answer: GuardedReading
    square: np.ndarray

    @classmethod
    def of(cls, classifier: Classifier, answer: GuardedReading, side: int) -> "ViewedFilm":
        """What stays of an answer, its film at most `side` px on its longer side."""
        film = shrink(answer.film, side)
        reading = answer.reading and answer.reading.in_frame(film.shape)
        return cls(
            replace(answer, film=film, reading=reading), classifier.info.preprocess.resize(answer.film)
        )

    def with_maps(self, classifier: Classifier, method: str) -> "ViewedFilm":
        """The same with maps of that kind; probabilities do not depend on it."""
        reading = self.answer.reading
        if reading is None or reading.method == method:
            return self
        maps = classifier.read(self.square, method).maps
        return replace(self, answer=replace(self.answer, reading=replace(reading, maps=maps, method=method)))


@dataclass(frozen=True, eq=False)
class FilmView:
    """A film by its name, as it came and, if the guards offer that, turned or inverted back; or its `error`.

    `is_turned`: whether the second is shown.
    """

    name: str
    came: ViewedFilm | None = None
    mended: ViewedFilm | None = None
    is_turned: bool = False
    error: str | None = None

    @property
    def answer(self) -> GuardedReading | None:
        """What is shown; None for a file that could not be read."""
        seen = self.mended if self.is_turned else self.came
        return seen.answer if seen else None

    def turned(self) -> "FilmView":
        """The other of the two; the same if there is but one."""
        return replace(self, is_turned=self.mended is not None and not self.is_turned)

    def with_maps(self, classifier: Classifier, method: str) -> "FilmView":
        """The same, what is shown of it with maps of that kind."""
        if self.is_turned:
            return replace(self, mended=self.mended and self.mended.with_maps(classifier, method))
        return replace(self, came=self.came and self.came.with_maps(classifier, method))


def with_own_names(films: Mapping[str, FilmView]) -> dict[str, FilmView]:
    """The same, each with a name of its own: the second `film.png` is `film.png (2)`."""
    taken: set[str] = set()
    named = {}
    for key, film in films.items():
        tries = (film.name if number == 1 else f"{film.name} ({number})" for number in itertools.count(1))
        name = next(name for name in tries if name not in taken)
        taken.add(name)
        named[key] = film if name == film.name else replace(film, name=name)
    return named


def map_methods(classifier: Classifier) -> list[str]:
    """The kinds of map that the model can make: an export or an ensemble has no weights for the others."""
    return [name for name in METHODS if classifier.has_weights or name in classifier.engine.methods]


def view_upload(reader: GuardedReader, name: str, data: bytes, side: int = SCREEN_SIDE) -> FilmView:
    """The film of an uploaded file, with an `error` if it cannot be read. Raises CheckpointError."""
    try:
        image = read_upload(data, name)
    except ImageError as error:
        return FilmView(name, error=in_words(error))
    return view(reader, name, image, side)


def view(reader: GuardedReader, name: str, image: np.ndarray, side: int = SCREEN_SIDE) -> FilmView:
    """A film uint8 (H, W) read as it came, and turned or inverted back if its guards offer that."""
    classifier, answer = reader.classifier, reader.read(image)
    came = ViewedFilm.of(classifier, answer, side)
    if answer.guards.verdict != "offer":
        return FilmView(name, came)
    return FilmView(name, came, ViewedFilm.of(classifier, reader.mended(answer), side))


def films_csv(films: Iterable[FilmView]) -> str:
    """What is shown of the films as worth.csv has it, with their guards: a row a finding, one if refused.

    A file that could not be read has no row.
    """
    lines = [",".join(("image", "verdict", "reasons", "fixed", *COLUMNS))]
    lines += [",".join(map(fact_cell, row)) for film in films for row in _rows(film)]
    return "\n".join([*lines, ""])


def films_json(classifier: Classifier, films: Iterable[FilmView]) -> str:
    """What is shown of the films as the API answers, without pictures."""
    answers = [_answer(film) for film in films]
    return Answer(model=ModelAnswer.of(classifier), films=answers).model_dump_json(indent=1)


def films_pdf(
    classifier: Classifier, films: Iterable[FilmView], learned: Sequence[Sequence[str]], when: datetime
) -> bytes:
    """What is shown of the films as a PDF, a page each; `learned` is what the model knows of each of them."""
    from xlite.report import film_pdf

    pages = [
        film_pdf.FilmPage(film.name, film.answer or film.error or "", known)
        for film, known in zip(films, learned, strict=True)
    ]
    return film_pdf.films_pdf(classifier, pages, when)


def _answer(film: FilmView) -> FilmAnswer:
    if film.answer is None:
        return FilmAnswer(name=film.name, error=film.error)
    return FilmAnswer.of(film.name, film.answer, film.answer.reading)


def _rows(film: FilmView) -> Iterator[list[object]]:
    answer = film.answer
    if answer is None:
        return
    guards = GuardsAnswer.of(answer)
    known = [film.name, guards.verdict, ";".join(guards.reasons), ";".join(guards.fixed)]
    if answer.reading is None:
        yield [*known, *[None] * len(COLUMNS)]
        return
    for finding in FINDINGS:
        yield [*known, *answer.reading.worth(finding).row().values()]
