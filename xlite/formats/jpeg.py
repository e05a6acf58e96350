"""The structure of a JPEG or JPEG-LS stream, read in bounded time before any decoding (ITU-T T.81, T.87).

Decoders ask for memory by any header they find, and for time by each scan: all markers are looked at first.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from xlite.errors import ImageError
from xlite.pixels import check_size

SIGNATURE = b"\xff\xd8\xff"
# Progressive files have ten scans as a rule; each costs a pass over the whole image.
MAX_SCANS = 100
MAX_SCANNED_PIXELS = 700_000_000
MAX_SEGMENTS = 4_000
MAX_FILL_BYTES = 65_536
END, SCAN, RESTART_INTERVAL, HUFFMAN_TABLES = 0xD9, 0xDA, 0xDD, 0xC4
_JPEG_LS = 0xF7
_FRAMES = {*range(0xC0, 0xD0), _JPEG_LS} - {HUFFMAN_TABLES, 0xC8, 0xCC}
_HIERARCHICAL = {0xDE, 0xDF}
# Markers that stand alone: TEM, RST0 to RST7 and a second start of image.
_BARE = {0x01, *range(0xD0, 0xD9)}
_MARKER = re.compile(rb"\xff+([^\xff])", re.DOTALL)
MARKER_START = rb"\xff(?<!\xff\xff)\xff*+"
"""A pattern: what stands before a marker's last byte, fill bytes too. A run of them is looked at once."""
MORE_CODED = bytes.fromhex("5a93c64e17b82d6971a4d3850f3c9be2") * 2
"""Coded data that goes on behind the end of a scan: a decoder passes it over if the scan was whole."""
# What ends a scan's data, in which 0xFF is followed by a zero byte (JPEG) or a zero bit (JPEG-LS).
_SCAN_END = re.compile(MARKER_START + rb"[\x01-\xcf\xd8-\xfe]")
_SCAN_END_LS = re.compile(MARKER_START + rb"[\x80-\xcf\xd8-\xfe]")


@dataclass(frozen=True)
class Frame:
    """A frame header: its marker, bits a sample, size in px, and (id, across, down) of each component."""

    marker: int
    precision: int
    width: int
    height: int
    components: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Segment:
    """A marker and where its bytes lie: [start, body) is marker and length, [body, end) the parameters.

    [end, scan_end) is the coded data behind the header of a scan, with its restart markers; else it is empty.
    """

    marker: int
    start: int
    body: int
    end: int
    scan_end: int


def read_frame(data: bytes, parts: list[Segment]) -> Frame:
    """The one frame that all frame headers among the segments state. Raises ImageError."""
    frames = {_frame(data, part) for part in parts if part.marker in _FRAMES}
    if len(frames) != 1:
        raise damaged("frame headers that differ" if frames else "no frame header")
    return frames.pop()


def first_frame(data: bytes) -> Frame:
    """The first frame header of a stream, of whatever size. Raises ImageError if there is none."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.match(data, at)
        if not found or found[1][0] in (SCAN, END):
            break
        at = found.end()
        if found[1][0] in _BARE:
            continue
        part = _segment(data, found[1][0], at - 2)
        if part.marker in _FRAMES:
            return _frame(data, part)
        at = part.end
    raise damaged("no frame header")


def segments(data: bytes) -> Iterator[Segment]:
    """The segments of a stream in order, without bare markers, to its end marker. Raises ImageError."""
    if not data.startswith(b"\xff\xd8"):
        raise damaged("no start marker")
    at, fill, count, scans, pixels, scan_end = 2, 0, 0, 0, 0, _SCAN_END
    markers = without_stuffing(data)
    while True:
        found = _MARKER.match(data, at)
        if not found:
            raise damaged("a marker is missing")
        marker, start = found[1][0], found.end() - 2
        fill, count = fill + start - at, count + 1
        at = found.end()
        _check_counts(fill, count)
        if marker == END:
            return
        if marker in _BARE:
            continue
        part = _segment(data, marker, start)
        if marker == SCAN:
            part = replace(part, scan_end=_end_of_scan(markers, part.end, scan_end))
        # A decoder that is fed in pieces begins each time at the first of the fill bytes in a scan.
        fill += 2 * data.count(b"\xff\xff", part.end, part.scan_end)
        _check_counts(fill, count)
        if marker in _FRAMES:
            frame = _frame(data, part)
            check_size(frame.width, frame.height)
            pixels = frame.width * frame.height
            scan_end = _SCAN_END_LS if marker == _JPEG_LS else _SCAN_END
        if marker in _HIERARCHICAL:
            raise ImageError("the image is a hierarchical JPEG, which cannot be read; export it again")
        if marker == SCAN:
            scans += 1
            if not pixels:
                raise damaged("a scan before its frame header")
            if scans > MAX_SCANS or scans * pixels > MAX_SCANNED_PIXELS:
                raise ImageError(
                    f"the image has {scans:,} scans or more, too many for its size; "
                    "export it as a baseline JPEG"
                )
        yield part
        at = part.scan_end


def has_code_of_ones(data: bytes, parts: list[Segment]) -> bool:
    """Whether a Huffman table has a code of ones alone, which none should have; or there is no table."""
    tables = [data[part.body : part.end] for part in parts if part.marker == HUFFMAN_TABLES]
    for table in tables:
        while table:
            counts = table[1:17]  # of codes of 1 to 16 bits
            if sum(count << 15 - bits for bits, count in enumerate(counts)) >= 2**16:
                return True
            table = table[17 + sum(counts) :]
    return not tables


def _check_counts(fill: int, count: int) -> None:
    if fill > MAX_FILL_BYTES or count > MAX_SEGMENTS:
        raise ImageError(
            f"the image has more than {MAX_SEGMENTS:,} segments or {MAX_FILL_BYTES:,} fill bytes, "
            "as no film has; export it again"
        )


def without_stuffing(data: bytes) -> bytes:
    """Data of the same length without the 0xFF that a zero byte follows: a search for markers meets less."""
    return data.replace(b"\xff\0", b"\0\0")


def _segment(data: bytes, marker: int, start: int) -> Segment:
    body = start + 4
    length = int.from_bytes(data[start + 2 : body], "big")
    end = start + 2 + length
    if length < 2 or end > len(data):
        raise damaged("a segment is cut")
    return Segment(marker, start, body, end, end)


def _end_of_scan(markers: bytes, start: int, pattern: re.Pattern[bytes]) -> int:
    found = pattern.search(markers, start)
    if not found:
        raise damaged("the last scan is cut")
    return found.start()


def _frame(data: bytes, part: Segment) -> Frame:
    if part.end - part.body < 6:
        raise damaged("a frame header is cut")
    precision, height, width, count = struct.unpack_from(">BHHB", data, part.body)
    if part.end - part.body != 6 + 3 * count or not 1 <= count <= 4:
        raise damaged(f"a frame header of {count} components")
    sampling = [data[at : at + 2] for at in range(part.body + 6, part.end, 3)]
    components = tuple((name, factors >> 4, factors & 15) for name, factors in sampling)
    if not all(1 <= across <= 4 and 1 <= down <= 4 for _, across, down in components):
        raise damaged("a sampling factor that is not 1 to 4")
    return Frame(part.marker, precision, width, height, components)


def damaged(how: str) -> ImageError:
    """The error of a stream that is damaged, and how."""
    return ImageError(f"the JPEG is damaged or incomplete ({how}); copy or export it again")
