"""Films read in one go: which files they are, what each is called, predictions.csv and overlays."""

import hashlib
import logging
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from xlite.data.film_files import find_film_files, passed_over_words
from xlite.data.film_names import stem_of
from xlite.data.predictions import write_predictions
from xlite.data.zipped import ZippedFilm, find_zipped_films, is_zip
from xlite.errors import DataError, ImageError, sentence
from xlite.explain.methods import DEFAULT_METHOD
from xlite.files import Progress
from xlite.findings import FINDINGS
from xlite.formats import FORMATS
from xlite.images import check_contrast, read_image
from xlite.text import printable

if TYPE_CHECKING:  # it loads torch, and what was given is checked first
    from xlite.classify import Classifier
    from xlite.reading import Reading

_PREDICTIONS = "predictions.csv"
_LONGEST_NAME = 255  # bytes, on all common file systems

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Film:
    """A file, and what it is called in predictions.csv and on its overlays."""

    path: Path | ZippedFilm
    name: str


@dataclass(frozen=True)
class FilmsFound:
    """The films to read, and what else lies in the folders given: {reason: count}."""

    films: list[Film]
    passed_over: Counter[str]


@dataclass(frozen=True, eq=False)
class FilmsRead:
    """What a model said of films: names (N,) and probabilities float32 (N, 14), as in predictions.csv.

    `unreadable` counts the films that could not be read, `unpainted` the overlays whose map shows no place,
    `unwritten` the films whose overlays could not be written.
    """

    names: list[str]
    probabilities: np.ndarray
    unreadable: int
    unpainted: int
    unwritten: int = 0

    def by_name(self) -> dict[str, dict[str, float]]:
        """{name: {finding: probability}}."""
        return {
            name: dict(zip(FINDINGS, map(float, row), strict=True))
            for name, row in zip(self.names, self.probabilities, strict=True)
        }


def find_films(given: Sequence[Path], out: Path) -> FilmsFound:
    """The files given, and the films in the folders given without what `predict_films` wrote into `out`.

    Raises DataError if a path does not exist, a folder holds no film, or a film is given twice.
    """
    found = [_films_of(path, out) for path in given]
    paths = [film for films, _ in found for film in films]
    keys = [(os.path.realpath(path), path.name) for path in paths]
    times = Counter(keys)
    if twice := [path for path, key in zip(paths, keys, strict=True) if times[key] > 1]:
        raise DataError(f"{twice[0]} was given twice: name each film once")
    films = [Film(path, name) for path, name in zip(paths, _names(paths), strict=True)]
    return FilmsFound(films, sum((passed_over for _, passed_over in found), Counter()))


def predict_films(
    classifier: "Classifier",
    films: Sequence[Film],
    out: Path,
    heatmaps: int = 0,
    method: str = DEFAULT_METHOD,
    progress: Progress | None = None,
    window: str | None = None,
) -> FilmsRead:
    """Reads films and writes predictions.csv and `heatmaps` overlays of each into `out`, likeliest first.

    `window` is the one that DICOM films are shown by, as `read_image` takes it.
    A film that cannot be read is logged and left out; if it is the only one, its ImageError is raised. A film
    whose overlays cannot be written is logged. Whatever ends this early, predictions.csv has what was read.
    """
    out.mkdir(parents=True, exist_ok=True)
    read: dict[str, np.ndarray] = {}
    unpainted = unwritten = 0
    try:
        for number, film in enumerate(films, 1):
            try:
                image = read_image(film.path, window)
                check_contrast(image, film.path)
                reading = classifier.read(image, method)
                read[film.name] = reading.probabilities
                unpainted += _write_overlays(out, film.name, image, reading, heatmaps)
            except ImageError as error:
                if len(films) == 1:
                    raise
                log.error("Error: %s", error)
            except OSError as error:
                unwritten += 1
                log.error("Error: %s: its overlays cannot be written: %s", film.path, sentence(error))
            if progress:
                progress(number, len(films))
    finally:
        probabilities = np.stack(list(read.values())) if read else np.empty((0, len(FINDINGS)), np.float32)
        if read:
            write_predictions(out / _PREDICTIONS, list(read), probabilities)
    return FilmsRead(list(read), probabilities, len(films) - len(read), unpainted, unwritten)


def _films_of(path: Path, out: Path) -> tuple[Sequence[Path | ZippedFilm], Counter[str]]:
    """The films at a path, and what else lies in a folder, zipped or not."""
    if not path.exists():
        raise DataError(f"there is no file or folder {path}")
    films: Sequence[Path | ZippedFilm]
    if path.is_dir():
        found = find_film_files([path], lambda file: _is_own(file, out))
        films, passed_over = sorted(found.films), found.passed_over
    elif is_zip(path):
        films, passed_over = find_zipped_films(path)
    else:
        return [path], Counter()
    if not films:
        others = passed_over_words(passed_over)
        besides = f"; {others}" if others else ""
        raise DataError(f"the folder {path} holds no film: expected {FORMATS} files{besides}")
    return films, passed_over


def _names(films: Sequence[Path | ZippedFilm]) -> list[str]:
    """What each film is called: its file name, if no other film's is alike.

    Alike are names that differ in suffix only, because tables know films without it. Such films get their
    folder's name in front, and if that does not tell them apart, the number of the film.
    """
    numbered = [f"{number}_{film.name}" for number, film in enumerate(films, 1)]
    names = [film.name for film in films]
    for others in ([f"{Path(film).absolute().parent.name}_{film.name}" for film in films], numbered):
        alike = _alike(names)
        names = [other if name in alike else name for name, other in zip(names, others, strict=True)]
    return numbered if _alike(names) else names


def _alike(names: Sequence[str]) -> set[str]:
    """The names that others share, but for suffix and case and how an accent is written."""
    stems = [unicodedata.normalize("NFC", stem_of(name).casefold()) for name in names]
    count = Counter(stems)
    return {name for name, stem in zip(names, stems, strict=True) if count[stem] > 1}


def _write_overlays(out: Path, name: str, image: np.ndarray, reading: "Reading", count: int) -> int:
    """Writes the likeliest findings over the film, as `<stem>_1_<finding>.png`.

    Returns how many of the maps show no place and were not painted. Raises OSError.
    """
    top = [finding for finding, _ in reading.top(count)]
    for rank, finding in enumerate(top, 1):
        pixels = cv2.cvtColor(reading.overlay(image, finding), cv2.COLOR_RGB2BGR)
        file = out / _overlay_name(stem_of(name), f"_{rank}_{finding}.png")
        file.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return sum(reading.fault(finding) is not None for finding in top)


def _overlay_name(stem: str, ending: str) -> str:
    """`<stem><ending>`; a stem that is too long or not printable is shortened to what can be a file's name.

    A digest of the whole stem then keeps it apart from others.
    """
    whole = os.fsencode(stem + ending)
    if len(whole) <= _LONGEST_NAME and printable(stem) == stem:
        return stem + ending
    ending = f"-{hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]}{ending}"
    shown = "".join(sign if printable(sign) == sign else "_" for sign in stem).encode()
    return shown[: _LONGEST_NAME - len(ending)].decode(errors="ignore") + ending


def _is_own(file: Path, out: Path) -> bool:
    """Whether a file lies in the folder `out` and is called as what `predict_films` writes there."""
    named = re.fullmatch(rf"{re.escape(_PREDICTIONS)}|.+_\d+_({'|'.join(FINDINGS)})\.png", file.name)
    return named is not None and file.parent.resolve() == out.resolve()
