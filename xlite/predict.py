"""Films read in one go: which files they are, what each is called, predictions.csv and overlays."""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from xlite.data.predictions import write_predictions
from xlite.data.tables import stem_of
from xlite.errors import DataError, ImageError
from xlite.explain.methods import DEFAULT_METHOD
from xlite.files import Progress
from xlite.findings import FINDINGS
from xlite.images import check_contrast, is_image_name, read_image

if TYPE_CHECKING:  # it loads torch, and what was given is checked first
    from xlite.classify import Classifier, Reading

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Film:
    """A file, and what it is called in predictions.csv and on its overlays."""

    path: Path
    name: str


@dataclass(frozen=True, eq=False)
class FilmsRead:
    """What a model said of films: names (N,) and probabilities float32 (N, 14), as in predictions.csv.

    `unreadable` counts the films that could not be read, `unpainted` the overlays whose map shows no place.
    """

    names: list[str]
    probabilities: np.ndarray
    unreadable: int
    unpainted: int

    def by_name(self) -> dict[str, dict[str, float]]:
        """{name: {finding: probability}}."""
        return {
            name: dict(zip(FINDINGS, map(float, row), strict=True))
            for name, row in zip(self.names, self.probabilities, strict=True)
        }


def find_films(given: Sequence[Path], out: Path) -> list[Film]:
    """The files given, and the films in the folders given without our own overlays in `out`.

    Raises DataError if a path does not exist, a folder holds no film, or a film is given twice.
    """
    paths = [film for path in given for film in _films_of(path, out)]
    if len(set(paths)) < len(paths):
        twice = Counter(paths).most_common(1)[0][0]
        raise DataError(f"{twice} was given twice: name each film once")
    return [Film(path, name) for path, name in zip(paths, _names(paths), strict=True)]


def predict_films(
    classifier: "Classifier",
    films: Sequence[Film],
    out: Path,
    heatmaps: int = 0,
    method: str = DEFAULT_METHOD,
    progress: Progress | None = None,
) -> FilmsRead:
    """Reads films and writes predictions.csv and `heatmaps` overlays of each into `out`, likeliest first.

    A film that cannot be read is logged and left out; if it is the only one, its ImageError is raised.
    """
    out.mkdir(parents=True, exist_ok=True)
    read: dict[str, np.ndarray] = {}
    unpainted = 0
    for number, film in enumerate(films, 1):
        try:
            image = read_image(film.path)
            check_contrast(image, film.path)
        except ImageError as error:
            if len(films) == 1:
                raise
            log.error("Error: %s", error)
        else:
            reading = classifier.read(image, method)
            read[film.name] = reading.probabilities
            unpainted += _write_overlays(out, film.name, image, reading, heatmaps)
        if progress:
            progress(number, len(films))
    probabilities = np.stack(list(read.values())) if read else np.empty((0, len(FINDINGS)), np.float32)
    if read:
        write_predictions(out / "predictions.csv", list(read), probabilities)
    return FilmsRead(list(read), probabilities, len(films) - len(read), unpainted)


def _films_of(path: Path, out: Path) -> Iterator[Path]:
    if not path.exists():
        raise DataError(f"there is no file or folder {path}")
    if not path.is_dir():
        yield path
        return
    films = sorted(
        film
        for film in path.rglob("*")
        if is_image_name(film.name) and film.is_file() and not _is_overlay(film, out)
    )
    if not films:
        raise DataError(f"the folder {path} holds no film: expected .png, .jpg, .jpeg or .dcm files")
    yield from films


def _names(films: Sequence[Path]) -> list[str]:
    """What each film is called: its file name, if no other film's is alike.

    Alike are names that differ in suffix only, because tables know films without it. Such films get their
    folder's name in front, and if that does not tell them apart, the number of the film.
    """
    numbered = [f"{number}_{film.name}" for number, film in enumerate(films, 1)]
    names = [film.name for film in films]
    for others in ([f"{film.absolute().parent.name}_{film.name}" for film in films], numbered):
        alike = _alike(names)
        names = [other if name in alike else name for name, other in zip(names, others, strict=True)]
    return numbered if _alike(names) else names


def _alike(names: Sequence[str]) -> set[str]:
    """The names that others share, but for suffix and case."""
    stems = [stem_of(name).casefold() for name in names]
    count = Counter(stems)
    return {name for name, stem in zip(names, stems, strict=True) if count[stem] > 1}


def _write_overlays(out: Path, name: str, image: np.ndarray, reading: "Reading", count: int) -> int:
    """Writes the likeliest findings over the film, as `<stem>_1_<finding>.png`.

    Returns how many of the maps show no place and were not painted.
    """
    top = [finding for finding, _ in reading.top(count)]
    for rank, finding in enumerate(top, 1):
        pixels = cv2.cvtColor(reading.overlay(image, finding), cv2.COLOR_RGB2BGR)
        file = out / f"{stem_of(name)}_{rank}_{finding}.png"
        file.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return sum(reading.fault(finding) is not None for finding in top)


def _is_overlay(film: Path, out: Path) -> bool:
    """Whether a file lies in the folder `out` and is called as `_write_overlays` calls its own."""
    named = re.fullmatch(rf".+_\d+_({'|'.join(FINDINGS)})\.png", film.name)
    return named is not None and film.parent.resolve() == out.resolve()
