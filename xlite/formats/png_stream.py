"""The chunks and rows of a PNG, every checksum and row verified, in bounded time and memory (ISO/IEC 15948).

libpng and Pillow pass over some damage, unpack texts and hold the whole picture several times. So chunks are
walked and rows inflated here, and libpng only undoes the filters of a strip of rows; the two simplest are
undone here, in a tenth of the time.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from xlite.errors import ImageError
from xlite.pixels import check_size

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
MAX_CHUNKS = 100_000
_MAX_WIDTH = 65_535  # px, as in JPEG and DICOM; a row is at most a part of a strip
_STRIP_BYTES = 2**21
_FED_BYTES = 2**17  # compressed bytes given to zlib at a time, as it copies what it could not take yet
_BLOCK_BYTES = 65_535  # the most that a block of a zlib stream holds as it is
_CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
_DEPTHS = {GREY: (1, 2, 4, 8, 16), PALETTE: (1, 2, 4, 8), RGB: (8, 16), GREY_ALPHA: (8, 16), RGBA: (8, 16)}
_CRITICAL = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_SUB, _LAST_FILTER = 1, 4  # by the pixel to the left; 0 is none
# Filters know bytes only: bits and colour type of a picture with as many bytes a pixel.
_LAYOUTS = {1: (8, GREY), 2: (16, GREY), 3: (8, RGB), 4: (8, RGBA), 6: (16, RGB), 8: (16, RGBA)}
_WHOLE = ((0, 0, 1, 1),)
# The passes of Adam7: first row and column, steps down and across.
_PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


@dataclass(frozen=True)
class Header:
    """What IHDR says: size (px), bits a sample, colour type, and the passes of a picture (one or seven)."""

    width: int
    height: int
    bits: int
    colour: int
    passes: tuple[tuple[int, int, int, int], ...]

    @property
    def pixel_bits(self) -> int:
        """Bits a pixel."""
        return self.bits * _CHANNELS[self.colour]


def read_chunks(data: bytes) -> dict[bytes, list[memoryview]]:
    """The bodies of the chunks up to IEND by their kind, all checksums right and in the order they must have.

    IHDR and IDAT are there. Raises ImageError.
    """
    bodies: dict[bytes, list[memoryview]] = {}
    last = b""
    for kind, body in _chunks(data):
        if (kind == b"IHDR") != (not bodies) or (kind == b"IDAT" != last and kind in bodies):
            raise damaged("its chunks are out of order")
        if kind in (b"PLTE", b"tRNS") and (kind in bodies or b"IDAT" in bodies):
            raise damaged("its chunks are out of order")
        if not kind[0] & 32 and kind not in _CRITICAL:  # a lower-case letter says that it may be passed over
            raise damaged("it has a chunk of an unknown kind")
        bodies.setdefault(kind, []).append(body)
        last = kind
    if b"IDAT" not in bodies:
        raise damaged("it has no pixels")
    return bodies


def read_header(body: memoryview) -> Header:
    """The header in the body of IHDR. Raises ImageError, also for a size that no film has."""
    if len(body) != 13:
        raise damaged("its header is cut")
    width, height, bits, colour, compression, filters, interlaced = struct.unpack(">IIBBBBB", body)
    check_size(width, height)
    if bits not in _DEPTHS.get(colour, ()) or compression or filters or interlaced > 1 or width > _MAX_WIDTH:
        raise damaged("its header states what no film has")
    return Header(width, height, bits, colour, _PASSES if interlaced else _WHOLE)


class Rows:
    """The bytes that the data chunks unpack to, some at a time."""

    def __init__(self, bodies: list[memoryview]) -> None:
        packed = memoryview(b"".join(bodies))
        self._left = (packed[at : at + _FED_BYTES] for at in range(0, len(packed), _FED_BYTES))
        self._inflater = zlib.decompressobj()
        self._fed: bytes | memoryview = b""

    def placed(self, header: Header, image: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Some rows at a time, the part of the image (H, W) where they belong, and their samples.

        Samples are uint8 or uint16 (rows, width, channels), blue first and alpha last; of less than 8 bits
        uint8 (rows, row bytes, 1).
        """
        for top, left, down, across in header.passes:
            target = image[top::down, left::across]
            for first, samples in self._strips(header, *target.shape):
                yield target[first : first + len(samples)], samples

    def _strips(self, header: Header, height: int, width: int) -> Iterator[tuple[int, np.ndarray]]:
        row_bytes = (width * header.pixel_bits + 7) // 8
        above = bytes(row_bytes)
        together = max(1, _STRIP_BYTES // (row_bytes + 1))
        for first in range(0, height if row_bytes else 0, together):  # an empty pass has no rows at all
            count = min(together, height - first)
            pixels = _unfiltered(self._read(count * (row_bytes + 1)), above, max(1, header.pixel_bits // 8))
            above = _as_stored(pixels[-1:]).tobytes()
            yield first, _samples(pixels, header)

    def finish(self) -> None:
        """Raises ImageError unless all has been read, and the checksum of it all is right."""
        while not self._inflater.eof:
            if self._inflate(1):
                raise damaged("it has more rows than it says")
        if self._inflater.unused_data or any(map(len, self._left)):
            raise damaged("bytes follow its rows")

    def _read(self, size: int) -> bytes:
        parts = []
        while size:
            part = self._inflate(size)
            if not part and self._inflater.eof:
                raise damaged("rows are missing")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _inflate(self, size: int) -> bytes:
        """At most `size` bytes more; none if zlib wants to be fed again or is at its end."""
        fed = self._fed or next(self._left, b"")
        try:
            part = self._inflater.decompress(fed, size)
        except zlib.error as error:
            raise damaged("its compressed data is broken") from error
        self._fed = self._inflater.unconsumed_tail
        if not fed and not part and not self._inflater.eof:
            raise damaged("its compressed data is cut")
        return part


def damaged(how: str) -> ImageError:
    """The error of a PNG that is damaged, and how."""
    return ImageError(f"the PNG is damaged or incomplete ({how}); copy or export it again")


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """The chunks (kind, body) before IEND, the checksum of each verified."""
    view, at = memoryview(data), len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        length, kind = struct.unpack_from(">I4s", data, at) if at + 12 <= len(data) else (len(data), b"")
        end = at + 8 + length
        if end + 4 > len(data):
            raise damaged("it is cut")
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            raise damaged("a checksum is wrong")
        if kind == b"IEND":
            return
        yield kind, view[at + 8 : end]
        at = end + 4
    raise ImageError(f"the PNG has more than {MAX_CHUNKS:,} chunks, as no film has; export it again")


def _unfiltered(filtered: bytes, above: bytes, unit: int) -> np.ndarray:
    """Rows with their filters undone, as pixels of `unit` bytes: (rows, width) or (rows, width, BGR or BGRA).

    above: the bytes of the row before, as filters refer to it.
    """
    rows = np.frombuffer(filtered, np.uint8).reshape(-1, len(above) + 1)
    filters = rows[:, 0]
    if filters.max() > _LAST_FILTER:
        raise damaged("a row has an unknown filter")
    if not filters.any():
        return _as_pixels(rows[:, 1:], unit)
    if np.all(filters == _SUB):
        return _as_pixels(np.add.accumulate(rows[:, 1:].reshape(len(rows), -1, unit), 1, np.uint8), unit)
    bits, colour = _LAYOUTS[unit]
    header = struct.pack(">IIBBBBB", len(above) // unit, len(rows) + 1, bits, colour, 0, 0, 0)
    strip = [SIGNATURE, *_chunk(b"IHDR", [header]), *_chunk(b"IDAT", _stored(b"\0" + above, filtered))]
    strip += _chunk(b"IEND", [])
    pixels = cv2.imdecode(np.frombuffer(b"".join(strip), np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None  # it is whole, as we made it
    return pixels[1:]


def _stored(*parts: bytes) -> list[bytes | memoryview]:
    """The pieces of a zlib stream that holds bytes as they are, in blocks (RFC 1951, 3.2.4)."""
    pieces: list[bytes | memoryview] = [b"\x78\x01"]
    adler = 1
    for part in parts:
        adler = zlib.adler32(part, adler)
        view = memoryview(part)
        for at in range(0, len(part), _BLOCK_BYTES):
            block = view[at : at + _BLOCK_BYTES]
            pieces += [struct.pack("<BHH", 0, len(block), len(block) ^ 0xFFFF), block]
    return [*pieces, b"\x01\0\0\xff\xff", adler.to_bytes(4, "big")]


def _chunk(kind: bytes, pieces: Sequence[bytes | memoryview]) -> list[bytes | memoryview]:
    crc = zlib.crc32(kind)
    for piece in pieces:
        crc = zlib.crc32(piece, crc)
    return [sum(map(len, pieces)).to_bytes(4, "big"), kind, *pieces, crc.to_bytes(4, "big")]


def _samples(pixels: np.ndarray, header: Header) -> np.ndarray:
    """Pixels as `_unfiltered` gives them, taken apart into the samples that they really hold."""
    if header.colour == GREY_ALPHA:
        kind = np.uint16 if header.bits == 16 else np.uint8
        rows = _as_stored(pixels).reshape(len(pixels), -1).view(np.dtype(kind).newbyteorder(">"))
        return rows.reshape(len(pixels), -1, 2).astype(kind)
    return pixels.reshape(len(pixels), -1, 1) if pixels.ndim == 2 else pixels


def _as_pixels(rows: np.ndarray, unit: int) -> np.ndarray:
    """Rows of bytes (rows, row bytes) without filters as `_unfiltered` gives them."""
    bits, colour = _LAYOUTS[unit]
    rows = np.ascontiguousarray(rows.reshape(len(rows), -1))
    samples = rows.view(">u2").astype(np.uint16) if bits == 16 else rows
    if colour == GREY:
        return samples
    swap = cv2.COLOR_RGB2BGR if colour == RGB else cv2.COLOR_RGBA2BGRA
    return cv2.cvtColor(samples.reshape(len(rows), -1, _CHANNELS[colour]), swap)


def _as_stored(pixels: np.ndarray) -> np.ndarray:
    """Pixels as `_unfiltered` gives them, red first and with the high byte first, as a PNG has them."""
    if pixels.ndim == 3:
        swap = cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        pixels = cv2.cvtColor(pixels, swap)
    return pixels.astype(pixels.dtype.newbyteorder(">"))
