"""The caches of several data folders, read as if they were one. No torch."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from xlite.data.cache import FilmFacts, film_facts


class JoinedArrays:
    """Arrays of films of one size, uint8 (M_i, S, S), behind one another; a film is read when asked for."""

    def __init__(self, arrays: Sequence[np.ndarray]):
        self.arrays = list(arrays)
        self.starts = np.cumsum([0, *map(len, self.arrays)])

    @property
    def shape(self) -> tuple[int, ...]:
        """(M, S, S)."""
        return (int(self.starts[-1]), *self.arrays[0].shape[1:])

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """The film of one row (S, S), or those of several (B, S, S)."""
        rows = np.asarray(rows)
        films = np.empty((rows.size, *self.shape[1:]), np.uint8)
        for films_of, mine, own in self._apart(rows.ravel()):
            films[mine] = films_of[own]
        return films.reshape(*rows.shape, *self.shape[1:])

    def facts(self, rows: np.ndarray) -> FilmFacts:
        """What the caches know of the films of these rows."""
        crc32, contrast = np.empty(len(rows), np.uint32), np.empty(len(rows), bool)
        for films, mine, own in self._apart(rows):
            found = film_facts(films, own)
            crc32[mine], contrast[mine] = found.crc32, found.contrast
        return FilmFacts(crc32, contrast)

    def _apart(self, rows: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Each array that the rows (N,) are of, which of them, bool (N,), and their rows there."""
        of = np.searchsorted(self.starts, rows, side="right") - 1
        return [
            (films, of == place, rows[of == place] - self.starts[place])
            for place, films in enumerate(self.arrays)
            if (of == place).any()
        ]

    def __getstate__(self) -> list[Any]:
        """Names of files instead of films: a data-loader worker that is spawned maps the files itself."""
        return [
            os.fspath(array.filename) if isinstance(array, np.memmap) and array.filename else array
            for array in self.arrays
        ]

    def __setstate__(self, state: list[Any]) -> None:
        self.__init__(  # type: ignore[misc]
            [np.load(one, mmap_mode="r") if isinstance(one, str) else one for one in state]
        )
