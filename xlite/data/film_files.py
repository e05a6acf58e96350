"""Which files of a folder are films, by their suffix or else by their content, and what else lies there.

DICOM files are often called `.dicom`, `.IMA` or by a name without a suffix. A file with the suffix of a film
is not opened here: NIH's data set has 112,120 of them.
"""

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xlite.data.film_kinds import CLOSED, HEAD, HIDDEN, NO_FILE, NO_FILM, holds_film, is_hidden
from xlite.images import is_image_name

_FILM, _FOLDER = "film", "folder"


@dataclass(frozen=True)
class FilmFiles:
    """The films found, in order, and how many other things were passed over for each reason."""

    films: list[Path] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)


def passed_over_words(counts: Mapping[str, int]) -> str:
    """`3 passed over (2 hidden, 1 not a film)`; empty if nothing was."""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in counts.items())
    return f"{sum(counts.values()):,} passed over ({reasons})" if reasons else ""


def find_film_files(
    folders: Iterable[Path], is_own: Callable[[Path], bool] = lambda path: False
) -> FilmFiles:
    """The films in folders and in all their subfolders, linked ones too, each once.

    Sorted by name within a folder, and a folder's own films come before those of its subfolders. Below the
    folders given, hidden files and folders are left out. What `is_own` accepts was written by X-Lite and is
    not even counted. Links may give a film several names, and each name counts.
    """
    found, waiting = FilmFiles(), deque(folders)
    met: set[tuple[str, str]] = set()  # real paths of folders, and of films with the name that led there
    while waiting:
        folder = waiting.popleft()
        real = os.path.realpath(folder)
        if (real, "") in met:
            continue
        met.add((real, ""))
        for name, kind, is_link in _listed(folder):
            path = folder / name
            film = (os.path.realpath(path) if is_link else os.path.join(real, name), name)
            if kind == _FOLDER:
                waiting.append(path)
            elif kind == _FILM and film not in met and not is_own(path):
                met.add(film)
                found.films.append(path)
            elif kind != _FILM and not is_own(path):
                found.passed_over[kind] += 1
    return found


def _listed(folder: Path) -> Iterator[tuple[str, str, bool]]:
    """What lies in a folder, by name: its name, `_FILM`, `_FOLDER` or why not, and whether it is a link."""
    try:
        with os.scandir(folder) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        yield "", CLOSED, False
        return
    for entry in ordered:
        yield entry.name, _kind(entry), entry.is_symlink()


def _kind(entry: os.DirEntry[str]) -> str:
    if is_hidden(entry.name):
        return HIDDEN
    try:
        if entry.is_dir():
            return _FOLDER
        if not entry.is_file() and os.path.exists(entry.path):
            return NO_FILE
        # A link that leads nowhere is a film by its name: whoever reads it says what is wrong.
        if is_image_name(entry.name):
            return _FILM
        return _FILM if entry.is_file() and _begins_as_film(entry.path) else NO_FILM
    except OSError:  # a file that may not be read, a link that leads to itself
        return CLOSED


def _begins_as_film(path: str) -> bool:
    with open(path, "rb") as file:
        return holds_film(file.read(HEAD))
