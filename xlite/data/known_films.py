"""Whether a film is one of a data folder under any name: by its file's bytes, or its pixels. No torch.

Nothing of the folder is read beforehand: a file of the same bytes has the same size, so only those are
compared. Pixels are looked up in the index of the cache that training made, if there is one.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from xlite.data.cache import cache_folder, cached_crcs
from xlite.data.film_names import stem_of
from xlite.data.folder import NihFolder
from xlite.errors import ImageError
from xlite.files import read_file
from xlite.images import Preprocess, read_image


@dataclass(frozen=True, eq=False)
class KnownFilms:
    """The films of a folder (stems) by the bytes of their files, and by the CRC-32 of their pixels at a side.

    of_crc: by side in px, then by CRC-32. Without a cache nothing is known by its pixels. Two of one size or
    one CRC-32 are told apart by comparing.
    """

    folder: NihFolder
    of_size: dict[int, list[str]]
    of_crc: dict[int, dict[int, list[str]]]

    @classmethod
    def of(cls, folder: NihFolder) -> "KnownFilms":
        """The index of a folder: a look at the size of each file, none into it."""
        sizes: list[tuple[int, str]] = []
        for stem, path in folder.paths.items():
            try:
                sizes.append((path.stat().st_size, stem))
            except OSError:  # a link that leads nowhere is not a film that anybody has
                continue
        pixels: dict[int, list[tuple[int, str]]] = {}
        for part in folder.parts:
            side, crcs = cached_crcs(cache_folder(part.root))
            named = ((crc, stem) for name, crc in crcs.items() for stem in folder.here([stem_of(name)]))
            pixels.setdefault(side, []).extend(named)
        by_crc = {side: _grouped(pairs) for side, pairs in pixels.items() if pairs}
        return cls(folder, _grouped(sizes), by_crc)

    def find(self, data: bytes) -> str | None:
        """The stem of the folder's film of these bytes, or of the same pixels; None if none is known."""
        for stem in self.of_size.get(len(data), []):
            if self._bytes(stem) == data:
                return stem
        if not self.of_crc:
            return None
        try:
            image = read_image(data)
        except ImageError:
            return None
        for side, of_crc in self.of_crc.items():
            crc = zlib.crc32(Preprocess(side).resize(image).data)
            for one in of_crc.get(crc, []):
                if self._shows(one, image):
                    return one
        return None

    def _bytes(self, stem: str) -> bytes | None:
        try:
            return read_file(self.folder.paths[stem])
        except OSError:
            return None

    def _shows(self, stem: str, image: np.ndarray) -> bool:
        if stem not in self.folder.paths:
            return False
        try:
            return np.array_equal(read_image(self.folder.paths[stem]), image)
        except ImageError:
            return False


def _grouped(pairs: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for number, stem in pairs:
        found.setdefault(number, []).append(stem)
    return found
