"""The directory of a TIFF: what is stated of its picture, read in bounded time and memory (TIFF 6.0)."""

import enum
import struct
from dataclasses import dataclass

import numpy as np

from xlite.errors import ImageError

SIGNATURES = (b"II*\0", b"MM\0*")
_MAX_VALUE = 4 * 2**20  # bytes; the places of a million tiles
_MAX_DIRECTORIES = 16
_TYPES = {1: "B", 3: "H", 4: "I", 7: "B"}  # of an entry: bytes, words, double words, opaque bytes
_SIZES = np.array([struct.calcsize(f"={_TYPES.get(kind, '')}") for kind in range(9)])
"""Bytes of a value by its type, 0 if the type is passed over; the last one stands for all greater types."""
_FIELDS = {"tag": "u2", "kind": "u2", "number": "u4", "place": "u4"}
_STATED = {order: np.dtype([(name, order + size) for name, size in _FIELDS.items()]) for order in "<>"}
"""An entry as it lies in the file, by the order of its bytes."""


class Tag(enum.IntEnum):
    """The entries that matter for a film."""

    SUBFILE = 254
    WIDTH = 256
    HEIGHT = 257
    BITS = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    FILL_ORDER = 266
    STRIPS = 273
    ORIENTATION = 274
    SAMPLES = 277
    ROWS = 278
    STRIP_BYTES = 279
    PLANAR = 284
    PREDICTOR = 317
    PALETTE = 320
    TILE_WIDTH = 322
    TILE_HEIGHT = 323
    TILES = 324
    TILE_BYTES = 325
    EXTRA_SAMPLES = 338
    SAMPLE_FORMAT = 339
    JPEG_TABLES = 347
    SUBSAMPLING = 530


_TAGS = frozenset(Tag)
_NOT_FOR_DECODERS = {Tag.SUBFILE, Tag.FILL_ORDER, Tag.ORIENTATION}


@dataclass(frozen=True)
class _Entry:
    """An entry of a directory: its type, and its value as it lies in the file, never empty."""

    kind: int
    value: memoryview


class Directory:
    """The entries of the one picture in a file.

    Raises ImageError if the file has more pictures than one and its smaller copies.
    """

    def __init__(self, data: bytes) -> None:
        self.order = "<" if data[:2] == b"II" else ">"
        first = int(struct.unpack_from(f"{self.order}I", data, 4)[0]) if len(data) >= 8 else len(data)
        self._entries, following = _read(data, self.order, first)
        for _ in range(_MAX_DIRECTORIES):
            if not following:
                return
            entries, following = _read(data, self.order, following)
            subfile = entries.get(Tag.SUBFILE)
            if subfile is None or not self._unpacked(subfile, 1)[0] & 1:
                raise ImageError("the TIFF holds several images (pages); export the one film to read")
        raise damaged("its directories have no end")

    def numbers(self, tag: Tag, *default: int) -> tuple[int, ...]:
        """The whole numbers of an entry; the default if it is missing or empty."""
        entry = self._entries.get(tag)
        return self._unpacked(entry) if entry else default

    def number(self, tag: Tag, default: int = 0) -> int:
        """The first whole number of an entry; the default if it is missing or empty."""
        entry = self._entries.get(tag)
        return self._unpacked(entry, 1)[0] if entry else default

    def packed(self, at: int) -> bytes:
        """A directory for the place `at` of the file: no text, no other page, no way to turn the film."""
        kept = sorted((tag, entry) for tag, entry in self._entries.items() if tag not in _NOT_FOR_DECODERS)
        values_at = at + 2 + 12 * len(kept) + 4
        entries, values = [struct.pack(f"{self.order}H", len(kept))], b""
        for tag, entry in kept:
            place = bytes(entry.value[:4]).ljust(4, b"\0")
            if len(entry.value) > 4:
                place = struct.pack(f"{self.order}I", values_at + len(values))
                values += bytes(entry.value) + bytes(len(entry.value) % 2)
            count = len(entry.value) // int(_SIZES[entry.kind])
            entries.append(struct.pack(f"{self.order}HHI", tag, entry.kind, count) + place)
        return b"".join([*entries, bytes(4), values])

    def _unpacked(self, entry: _Entry, most: int = _MAX_VALUE) -> tuple[int, ...]:
        """The whole numbers of an entry, of which it has one at least; no more than `most`."""
        count = min(most, len(entry.value) // int(_SIZES[entry.kind]))
        return struct.unpack_from(f"{self.order}{count}{_TYPES[entry.kind]}", entry.value)


def damaged(how: str) -> ImageError:
    """The error of a TIFF that is damaged, and how."""
    return ImageError(f"the TIFF is damaged or incomplete ({how}); copy or export it again")


def _read(data: bytes, order: str, at: int) -> tuple[dict[int, _Entry], int]:
    """The entries of a directory that matter, and where the next directory lies; 0 if nowhere."""
    count = struct.unpack_from(f"{order}H", data, at)[0] if at + 2 <= len(data) else 0
    behind = at + 2 + 12 * count
    if not count or behind > len(data):
        raise damaged("its directory is cut")
    stated = np.frombuffer(data, _STATED[order], count, at + 2)
    sizes = _SIZES[np.minimum(stated["kind"], len(_SIZES) - 1)]
    known = np.isin(stated["tag"], list(_TAGS)) & (sizes > 0) & (stated["number"] > 0)
    stated, lengths = stated[known], stated["number"][known] * sizes[known]
    inside = at + 2 + 12 * np.flatnonzero(known) + 8
    starts = np.where(lengths <= 4, inside, stated["place"])
    if np.any((lengths > _MAX_VALUE) | (starts + lengths > len(data))):
        raise damaged("a value of its directory is cut")
    # Of entries with the same tag the last one counts; there may be 65,535.
    last = dict(zip(stated["tag"].tolist(), range(len(stated)), strict=True))
    entries = {
        tag: _Entry(int(stated["kind"][row]), memoryview(data)[starts[row] : starts[row] + lengths[row]])
        for tag, row in last.items()
    }
    following = data[behind : behind + 4]  # some writers end their file without it
    return entries, struct.unpack(f"{order}I", following)[0] if len(following) == 4 else 0
