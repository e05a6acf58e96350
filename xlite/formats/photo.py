"""JPEG films to uint8: each scan and restart marker accounted for, decoded by Pillow, turned upright."""

import io
import re
import struct
from collections.abc import Iterator

import numpy as np
from PIL.JpegImagePlugin import JpegImageFile

from xlite.errors import ImageError
from xlite.formats.jpeg import (
    MARKER_START,
    MORE_CODED,
    RESTART_INTERVAL,
    SCAN,
    Frame,
    Segment,
    damaged,
    read_frame,
    segments,
    without_stuffing,
)
from xlite.formats.orientation import exif_orientation, upright, xmp_orientation
from xlite.pixels import STRIP

_BASELINE, _SEQUENTIAL, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_EXIF_OR_XMP = 0xE1
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
# What a decoder needs: frame, tables, restart interval, scans, and the colours that JFIF and Adobe imply.
_NEEDED = {0xC0, 0xC1, 0xC2, 0xC4, 0xDB, RESTART_INTERVAL, SCAN, 0xE0, 0xEE}
_RESTART = re.compile(MARKER_START + rb"[\xd0-\xd7]")
_MAX_DECODER_BYTES = 450_000_000
_MAX_CODED_BYTES = 24_000_000  # of several scans, which take three times as long as one
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, struct.error)


def read_photo(data: bytes) -> np.ndarray:
    """The film in a JPEG: uint8 (H, W), upright, colour made grey. Raises ImageError."""
    parts = list(segments(data))
    return upright(_decode(data, parts), _orientation(data, parts))


def decode_photo(data: bytes) -> np.ndarray:
    """The film in a JPEG as it is coded: uint8 (H, W), colour made grey. Raises ImageError.

    A JPEG has no checksum: a flipped bit of coded data cannot be noticed if all blocks are still there.
    """
    return _decode(data, list(segments(data)))


def _decode(data: bytes, parts: list[Segment]) -> np.ndarray:
    """The film in these segments.

    A decoder fills what a cut scan lacks with grey and says nothing. So it decodes twice, the second time
    with more data behind each stretch of coded data: a picture that depends on it was cut.
    """
    frame = read_frame(data, parts)
    _check_kind(frame, parts)
    _check_scans(data, parts, frame)
    image = np.empty((frame.height, frame.width), np.uint8)
    for rows, strip in _decoded(_stream(data, parts)):
        image[rows] = strip
    for rows, strip in _decoded(_stream(data, parts, MORE_CODED)):
        if not np.array_equal(image[rows], strip):
            raise damaged("a scan is cut")
    return image


def _check_kind(frame: Frame, parts: list[Segment]) -> None:
    """Raises ImageError for a kind of JPEG that no film is, or that would take too much time or memory."""
    kinds = (_BASELINE, _SEQUENTIAL, _PROGRESSIVE)
    if frame.marker not in kinds or frame.precision != 8 or len(frame.components) == 2:
        raise ImageError("the JPEG is of a kind that cannot be read; export it as a baseline JPEG or as PNG")
    pixels = frame.width * frame.height
    # Pillow takes 4 bytes for a pixel with colour; a decoder of several scans keeps 2 for each coefficient.
    needed = pixels * (2 if len(frame.components) == 1 else 5)
    coded = [part.scan_end - part.end for part in parts if part.marker == SCAN]
    if len(coded) > 1:
        widest = max(across * down for _, across, down in frame.components)
        needed += sum(2 * pixels * across * down // widest for _, across, down in frame.components)
    if needed > _MAX_DECODER_BYTES or (len(coded) > 1 and sum(coded) > _MAX_CODED_BYTES):
        raise ImageError(
            f"the JPEG is {frame.width:,} x {frame.height:,} pixels in several scans, which takes too much "
            "time or memory; export it as a baseline JPEG or as PNG"
        )


def _check_scans(data: bytes, parts: list[Segment], frame: Frame) -> None:
    """Raises ImageError unless the scans give each coefficient of each component once, to its last bit."""
    bits = {name: np.full(64, -1) for name, _, _ in frame.components}  # bits still to come; -1 is all of them
    interval = 0
    for part in parts:
        if part.marker == RESTART_INTERVAL and part.end - part.body == 2:
            interval = int.from_bytes(data[part.body : part.end], "big")
        if part.marker != SCAN:
            continue
        header = data[part.body : part.end]
        names = header[1:-3:2]
        if len(header) < 6 or len(names) != header[0] or not set(names) <= set(bits):
            raise damaged("a scan of no component")
        first, last, high, low = header[-3], header[-2], header[-1] >> 4, header[-1] & 15
        if frame.marker != _PROGRESSIVE:
            first, last, high, low = 0, 63, 0, 0
        for name in names:
            if np.any(bits[name][first : last + 1] != (high or -1)):
                raise damaged("its scans are out of order")
            bits[name][first : last + 1] = low
        _check_restarts(data, part, _blocks(frame, names), interval)
    if any(left.any() for left in bits.values()):
        raise damaged("scans are missing")


def _blocks(frame: Frame, names: bytes) -> int:
    """How many units a scan codes: the blocks of its one component, else the groups of blocks of all."""
    factors = {name: (across, down) for name, across, down in frame.components}
    widest = max(across for across, _ in factors.values())
    highest = max(down for _, down in factors.values())
    across, down = factors[names[0]] if len(names) == 1 else (1, 1)
    columns, lines = -(-frame.width * across // (8 * widest)), -(-frame.height * down // (8 * highest))
    return columns * lines


def _check_restarts(data: bytes, scan: Segment, blocks: int, interval: int) -> None:
    """Raises ImageError unless the restart markers of a scan are as many as there must be, and in order."""
    expected = -(-blocks // interval) - 1 if interval else 0
    seen = 0
    coded = without_stuffing(data[scan.end : scan.scan_end])
    for found in _RESTART.finditer(coded):
        if seen == expected and found.end() == len(coded):
            return  # some devices end a scan with one
        if seen == expected or found[0][-1] != 0xD0 + seen % 8:
            raise damaged("its restart markers are out of order")
        seen += 1
    if seen < expected:
        raise damaged("restart markers are missing")


def _stream(data: bytes, parts: list[Segment], more: bytes = b"") -> bytes:
    """What a decoder needs of the stream, with `more` behind each stretch of coded data."""
    pieces = [b"\xff\xd8"]
    for part in parts:
        if part.marker in _NEEDED:
            pieces += [data[part.start : part.end]]
        if part.marker == SCAN:
            pieces += [*_stretches(data[part.end : part.scan_end], more), more]
    return b"".join([*pieces, b"\xff\xd9"])


def _stretches(coded: bytes, more: bytes) -> Iterator[bytes]:
    """The coded data of a scan with `more` before each of its restart markers."""
    at = 0
    if more:
        for found in _RESTART.finditer(without_stuffing(coded)):
            yield coded[at : found.start()]
            yield more
            at = found.start()
    yield coded[at:]


def _decoded(stream: bytes) -> Iterator[tuple[slice, np.ndarray]]:
    """The picture in grey, a strip of rows at a time. Raises ImageError."""
    try:
        # Opened as what it is: Image.open would warn of a large picture, which has been checked.
        with JpegImageFile(io.BytesIO(stream)) as picture:
            picture.load()
            for top in range(0, picture.height, STRIP):
                bottom = min(top + STRIP, picture.height)
                strip = picture.crop((0, top, picture.width, bottom))
                yield slice(top, bottom), np.asarray(strip.convert("L"))
    except _BROKEN as error:
        raise damaged("its coded data is broken") from error


def _orientation(data: bytes, parts: list[Segment]) -> int:
    """The orientation in the first block of EXIF that has one, else of XMP; 0 if there is none."""
    blocks = [data[part.body : part.end] for part in parts if part.marker == _EXIF_OR_XMP]
    exif = [exif_orientation(block) for block in blocks if block.startswith(b"Exif\0\0")]
    xmp = [xmp_orientation(block) for block in blocks if block.startswith(_XMP)]
    return next(filter(None, exif + xmp), 0)
