"""A JPEG's markers are all looked at, in bounded time, before a decoder asks for memory or time."""

import io
import struct
import time

import numpy as np
import pytest
from PIL import Image

from xlite.errors import ImageError
from xlite.formats.jpeg import MAX_FILL_BYTES, MAX_SEGMENTS, read_frame, segments

FILM = Image.fromarray(np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8) * 2)


def encode(image: Image.Image = FILM, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def frame(width: int, height: int, marker: int = 0xC0, components: int = 1) -> bytes:
    header = struct.pack(">BBHBHHB", 0xFF, marker, 8 + 3 * components, 8, height, width, components)
    return header + bytes([1, 0x11, 0]) * components


def scan(components: int = 1) -> bytes:
    header = struct.pack(">HHB", 0xFFDA, 6 + 2 * components, components)
    return header + bytes(2 * components) + b"\x00\x3f\x00" + b"coded\xff\x00data"


def stream(*parts: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(parts) + b"\xff\xd9"


def size(data: bytes) -> tuple[int, int]:
    """Width and height as the readers of films find them, who look through all segments first."""
    found = read_frame(data, list(segments(data)))
    return found.width, found.height


def refusal(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        size(data)
    return str(caught.value)


SOUND = {
    "baseline": encode(),
    "progressive": encode(progressive=True),
    "colour": encode(FILM.convert("RGB"), subsampling=2),
    "CMYK": encode(FILM.convert("CMYK")),
    "with restart markers": encode(restart_marker_blocks=2),
    "with a comment and EXIF": encode(comment=b"a scanner", exif=Image.Exif().tobytes()),
    "with bytes behind its end": encode() + b"\0more",
    "with fill bytes": stream(b"\xff" * 9 + frame(64, 48), b"\xff" + scan() + b"\xff\xff"),
    "with bare markers": stream(b"\xff\x01", frame(64, 48), b"\xff\x01" + scan() + b"\xff\xd0" + b"more"),
    "lossless": stream(frame(64, 48, 0xC3), scan()),
    "JPEG-LS": stream(frame(64, 48, 0xF7), b"\xff\xf8\0\4ab", scan() + b"\xff\x7f\xff\x01"),
    "of two scans": stream(frame(64, 48, components=2), scan(), scan()),
    "with the same frame header twice": stream(frame(64, 48), frame(64, 48), scan()),
}


@pytest.mark.parametrize("data", SOUND.values(), ids=SOUND)
def test_the_size_of_a_sound_stream_is_given(data: bytes) -> None:
    assert size(data) == (64, 48)


DAMAGED = {
    "no JPEG": (b"GIF89a", "no start marker"),
    "empty": (b"", "no start marker"),
    "cut in a segment": (encode()[:100], "a segment is cut"),
    "cut in its scan": (encode()[:-20], "the last scan is cut"),
    "without an end": (encode()[:-2], "the last scan is cut"),
    "bytes between segments": (stream(b"bytes", frame(64, 48), scan()), "a marker is missing"),
    "a segment of no length": (stream(b"\xff\xfe\0\1", frame(64, 48), scan()), "a segment is cut"),
    "no frame header": (stream(b"\xff\xfe\0\2"), "no frame header"),
    "a scan before its frame header": (stream(scan(), frame(64, 48)), "before its frame header"),
    "a short frame header": (stream(b"\xff\xc0\0\5\x08\0\x40"), "a frame header is cut"),
    "no component": (stream(frame(64, 48, components=0), scan()), "0 components"),
    "many components": (stream(frame(64, 48, components=200), scan()), "200 components"),
    "no sampling": (stream(frame(64, 48).replace(b"\x11", b"\0"), scan()), "a sampling factor"),
}


@pytest.mark.parametrize(("data", "why"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_stream_is_refused(data: bytes, why: str) -> None:
    message = refusal(data)
    assert message.startswith("the JPEG is damaged or incomplete (") and why in message


HOSTILE = {
    "19 MB of fill bytes": (b"\xff\xd8" + b"\xff" * 19_000_000 + b"\xfe\0\2", "65,536 fill bytes"),
    "fill bytes in a scan": (stream(frame(64, 48), scan() + b"\xff" * 20_000_000), "65,536 fill bytes"),
    "fill bytes in pieces": (stream(*[b"\xff" * 100 + b"\xfe\0\2"] * 1000), "65,536 fill bytes"),
    "millions of comments": (stream(*[b"\xff\xfe\0\2"] * 5_000_000), "4,000 segments"),
    "millions of bare markers": (stream(*[b"\xff\x01"] * 9_000_000), "4,000 segments"),
    "thousands of scans": (stream(frame(64, 48, 0xC2), *[scan()] * 3000), "101 scans"),
    "scans of a large film": (stream(frame(8000, 8000, 0xC2), *[scan()] * 50), "11 scans"),
    "a size behind fill bytes": (stream(b"\xff\xff" + frame(60000, 60000), scan()), "60,000 x 60,000"),
    "another size in a second frame header": (stream(frame(64, 48), frame(6000, 6000), scan()), "differ"),
    "another size behind the scan": (stream(frame(64, 48), scan(), frame(60, 48)), "differ"),
    "a vast size behind a bare marker": (stream(frame(64, 48), b"\xff\x01", frame(60000, 60000)), "60,000"),
    "hierarchical": (stream(b"\xff\xde\0\2", frame(64, 48), scan()), "hierarchical"),
    "no height": (stream(frame(64, 0), scan(), b"\xff\xdc\0\4\0\x30"), "64 x 0"),
}


@pytest.mark.parametrize(("data", "why"), HOSTILE.values(), ids=HOSTILE)
def test_what_asks_for_too_much_is_refused_at_once(data: bytes, why: str) -> None:
    start = time.process_time()
    assert why in refusal(data)
    assert time.process_time() - start < 1


def test_the_limits_hold_what_films_have() -> None:
    comments = [b"\xff\xfe\0\2"] * (MAX_SEGMENTS - 3)
    assert size(stream(*comments, frame(64, 48), scan())) == (64, 48)
    assert size(stream(b"\xff" * MAX_FILL_BYTES, frame(64, 48), scan())) == (64, 48)
    assert size(stream(frame(64, 48, 0xC2), *[scan()] * 100)) == (64, 48)
    assert size(stream(frame(8000, 8000, 0xC2), *[scan()] * 10)) == (8000, 8000)
