"""Which films are read in one go: the files and folders given, and what each film is called."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xlite.data.film_files import find_film_files, passed_over_words
from xlite.data.film_names import stem_of
from xlite.data.predictions import PREDICTIONS_FILE
from xlite.data.zipped import ZippedFilm, find_zipped_films, is_zip
from xlite.errors import DataError
from xlite.findings import FINDINGS
from xlite.formats import FORMATS

LOCK_FILE, RECORD_FILE = ".predictions.lock", "predictions.json"
GUARDS_FILE, WORTH_FILE = "guards.csv", "worth.csv"
OWN_FILES = (LOCK_FILE, RECORD_FILE, PREDICTIONS_FILE, GUARDS_FILE, WORTH_FILE)
"""What lies in the folder that is written into, beside overlays."""


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


def find_films(given: Sequence[Path], out: Path | None) -> FilmsFound:
    """The files given, and the films in the folders given without what an earlier call wrote into `out`.

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


def _films_of(path: Path, out: Path | None) -> tuple[Sequence[Path | ZippedFilm], Counter[str]]:
    """The films at a path, and what else lies in a folder, zipped or not."""
    if not path.exists():
        raise DataError(f"there is no file or folder {path}")
    films: Sequence[Path | ZippedFilm]
    if path.is_dir():
        found = find_film_files([path], lambda file: out is not None and _is_own(file, out))
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


def _is_own(file: Path, out: Path) -> bool:
    """Whether a file lies in the folder `out` and is called as what is written there."""
    ours = file.name in OWN_FILES or re.fullmatch(rf".+_\d+_({'|'.join(FINDINGS)})\.png", file.name)
    return bool(ours) and file.parent.resolve() == out.resolve()
