"""The chunks, the header and the rows of a PNG, before they are a picture."""

import struct

import numpy as np
import pytest
from hostile_films import chunk, png, rows_of

from xlite.errors import ImageError
from xlite.formats.png_stream import GREY, RGB, SIGNATURE, Header, Rows, read_chunks, read_header

SAMPLES = np.arange(35 * 40, dtype=np.uint16).reshape(35, 40).astype(np.uint8)
PICTURE = png(SAMPLES, GREY)


def header(width: int = 40, height: int = 35, bits: int = 8, colour: int = GREY, rest: bytes = b"\0\0\0"):
    return memoryview(struct.pack(">IIBB", width, height, bits, colour) + rest)


def test_the_bodies_of_chunks_by_kind() -> None:
    found = read_chunks(PICTURE)
    assert {kind: len(bodies) for kind, bodies in found.items()} == {b"IHDR": 1, b"IDAT": 1}
    assert read_header(found[b"IHDR"][0]) == Header(40, 35, 8, GREY, ((0, 0, 1, 1),))


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        ([(b"IDAT", b"")], "its chunks are out of order"),
        ([(b"IHDR", header()), (b"IHDR", header())], "its chunks are out of order"),
        ([(b"IHDR", header()), (b"IDAT", b"a"), (b"PLTE", b"abc")], "its chunks are out of order"),
        ([(b"IHDR", header()), (b"IDAT", b"a"), (b"tIME", b""), (b"IDAT", b"b")], "out of order"),
        ([(b"IHDR", header()), (b"NEWS", b"")], "it has a chunk of an unknown kind"),
        ([(b"IHDR", header())], "it has no pixels"),
    ],
    ids=["pixels first", "two headers", "late palette", "pixels apart", "unknown", "no pixels"],
)
def test_chunks_that_no_picture_has(chunks: list[tuple[bytes, bytes]], reason: str) -> None:
    written = SIGNATURE + b"".join(chunk(kind, bytes(body)) for kind, body in [*chunks, (b"IEND", b"")])
    with pytest.raises(ImageError, match=reason):
        read_chunks(written)


def test_a_header_says_bits_a_pixel_and_passes() -> None:
    found = read_header(header(bits=16, colour=RGB, rest=b"\0\0\1"))
    assert (found.pixel_bits, len(found.passes)) == (48, 7)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (header()[:12], "its header is cut"),
        (header(bits=3), "its header states what no film has"),
        (header(colour=5), "its header states what no film has"),
        (header(rest=b"\1\0\0"), "its header states what no film has"),
        (header(rest=b"\0\0\2"), "its header states what no film has"),
    ],
    ids=["cut", "bits", "colour", "compression", "passes"],
)
def test_headers_that_no_film_has(body: memoryview, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        read_header(body)


def test_rows_are_put_where_they_belong_and_all_of_them_are_read() -> None:
    found = read_chunks(PICTURE)
    image, rows = np.zeros((35, 40), np.uint8), Rows(found[b"IDAT"])
    for target, samples in rows.placed(read_header(found[b"IHDR"][0]), image):
        target[:] = samples[..., 0]
    rows.finish()
    np.testing.assert_array_equal(image, SAMPLES)


@pytest.mark.parametrize(
    ("height", "reason"), [(34, "it has more rows than it says"), (36, "rows are missing")]
)
def test_a_header_of_another_height_is_found_out(height: int, reason: str) -> None:
    rows = Rows(read_chunks(PICTURE)[b"IDAT"])
    with pytest.raises(ImageError, match=reason):
        for _ in rows.placed(read_header(header(height=height)), np.zeros((height, 40), np.uint8)):
            pass
        rows.finish()
    assert len(rows_of(SAMPLES)) == 35 * 41
