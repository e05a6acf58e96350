"""Films that came and results that are to go, as files: what a node knows after it was killed.

A film is a folder `<when it came>-<key>`: `film.dcm` until it is read, then `results/` until these are sent.
Each step is one rename or one removal, so that a kill at any moment leaves one state or the other.
`sent.txt` has the keys of what was sent, from which nobody tells whose films they were; `given-up/` has the
folders that nothing can be done about.
"""

import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from xlite.errors import RunError
from xlite.file_lock import locked
from xlite.files import write_atomic

MOST_FILMS, MOST_MB = 1000, 4096
"""So many films, and so many MiB of them and their results, are held at most."""
MOST_REMEMBERED = 100_000
"""So many keys of films that were answered are kept, the latest."""
MOST_TRIES = 3
"""So often a film is begun that was never finished: then it is what ends the process."""
_FILM, _RESULTS, _TRIES = "film.dcm", "results", "tries"

Added = Literal["new", "waiting", "answered"]


class FullError(Exception):
    """There is no room for another film."""


@dataclass(frozen=True, order=True)
class Item:
    """A film in the queue: its folder."""

    folder: Path

    @property
    def key(self) -> str:
        """What it is known by."""
        return self.folder.name.partition("-")[2]

    @property
    def when(self) -> datetime:
        """When it came, in local time."""
        return datetime.fromtimestamp(int(self.folder.name.partition("-")[0]) / 1e9)

    @property
    def film(self) -> Path:
        """The film's file, until it is read."""
        return self.folder / _FILM

    @property
    def is_read(self) -> bool:
        """Whether its results are there."""
        return (self.folder / _RESULTS).is_dir()

    @property
    def results(self) -> list[Path]:
        """Those of its results that are still to be sent, in order."""
        return sorted((self.folder / _RESULTS).glob("*.dcm"))

    def begin(self) -> bool:
        """Counts one more try to read it; False if there were too many that nothing came of."""
        tries = self.folder / _TRIES
        with open(tries, "ab") as file:
            if file.tell() >= MOST_TRIES:
                return False
            file.write(b".")
        return True

    def take_back(self) -> None:
        """Counts one try less: what ended it was not the film. Raises OSError."""
        tries = self.folder / _TRIES
        os.truncate(tries, max(0, tries.stat().st_size - 1))


class Queue:
    """The folder of one node. Threads may share it; `changed` is notified of whatever comes to be done."""

    def __init__(self, folder: Path, most_films: int = MOST_FILMS, most_mb: int = MOST_MB) -> None:
        self.folder, self.most_films, self.most_bytes = folder, most_films, most_mb * 2**20
        self._films, self._given_up = folder / "films", folder / "given-up"
        for path in (self._films, self._given_up):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.changed = threading.Condition()
        self._sent = Sent(folder / "sent.txt")
        self._held: dict[Item, int] = {}
        self._recover()

    def add(self, key: str, data: bytes) -> Added:
        """Takes a film in; it is on the disk when this returns. Raises FullError, OSError."""
        with self.changed:
            if key in self._sent:
                return "answered"
            if any(item.key == key for item in self._held):
                return "waiting"
            sizes = [*self._held.values(), *map(_size, self._given_up.iterdir())]
            if len(sizes) >= self.most_films or sum(sizes) + len(data) > self.most_bytes:
                raise FullError
            item = Item(self._films / f"{time.time_ns():020d}-{key}")
            draft = self._films / f".{item.folder.name}"
            try:
                draft.mkdir(mode=0o700)
                _write(draft / _FILM, data)
                draft.rename(item.folder)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
            _sync(self._films)
            self._held[item] = len(data)
            self.changed.notify_all()
        return "new"

    def to_read(self) -> list[Item]:
        """The films that are not read yet, in the order in which they came."""
        with self.changed:
            return [item for item in sorted(self._held) if not item.is_read]

    def to_send(self) -> list[Item]:
        """The films whose results are to be sent, in the order in which they came."""
        with self.changed:
            return [item for item in sorted(self._held) if item.is_read]

    def put_results(self, item: Item, results: Sequence[bytes]) -> None:
        """Puts the results of a film in its place. Raises OSError."""
        draft = item.folder / f".{_RESULTS}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        for number, data in enumerate(results):
            _write(draft / f"{number:03d}.dcm", data)
        with self.changed:  # who sends must not end with it before all of this is done
            draft.rename(item.folder / _RESULTS)
            _sync(item.folder)
            item.film.unlink(missing_ok=True)
            self._held[item] = sum(map(len, results))
            self.changed.notify_all()

    def done(self, item: Item) -> None:
        """Forgets a film whose results were all sent, but for its key."""
        with self.changed:
            self._sent.add(item.key)
            self._forget(item)

    def give_up(self, item: Item) -> None:
        """Lays a film aside about which nothing can be done: it takes a place until somebody removes it."""
        with self.changed:
            item.folder.rename(self._given_up / item.folder.name)
            self._held.pop(item, None)

    def _forget(self, item: Item) -> None:
        shutil.rmtree(item.folder)
        self._held.pop(item, None)

    def _recover(self) -> None:
        """Finds what was there when the node ended, however it did."""
        for folder in sorted(self._films.iterdir()):
            item = Item(folder)
            if folder.name.startswith(".") or item.key in self._sent:
                shutil.rmtree(folder)
                continue
            shutil.rmtree(folder / f".{_RESULTS}", ignore_errors=True)
            if item.is_read:
                item.film.unlink(missing_ok=True)
            self._held[item] = _size(folder)


class Sent:
    """The keys of the films that were answered: so a film that comes again is not answered again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = path.read_text(encoding="ascii", errors="replace").split("\n") if path.exists() else []
        self._keys = dict.fromkeys(line for line in lines[:-1] if line)  # a last line without its end was cut
        self._shorten()

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def add(self, key: str) -> None:
        """Notes a key; it is on the disk when this returns."""
        self._keys[key] = None
        with open(self.path, "ab") as file:
            file.write(f"{key}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        if len(self._keys) > 2 * MOST_REMEMBERED:
            self._shorten()

    def _shorten(self) -> None:
        self._keys = dict.fromkeys(list(self._keys)[-MOST_REMEMBERED:])
        if self._keys or self.path.exists():
            write_atomic(self.path, "".join(f"{key}\n" for key in self._keys).encode())


@contextmanager
def folder_locked(folder: Path) -> Iterator[None]:
    """Holds a queue's folder; RunError if another node does."""
    folder.mkdir(parents=True, exist_ok=True)
    busy = RunError(f"another xlite serve --dicom has its queue in {folder}: name another")
    with locked(folder / ".lock", busy):
        yield


def _size(folder: Path) -> int:
    """The bytes of the objects in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*.dcm"))


def _write(path: Path, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Has the system write down what a folder holds, if it can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
