"""The orientation of a photo is found in bounded time, and the photo turned by it."""

import struct
import time

import numpy as np
import pytest
from PIL import Image

from xlite.formats.orientation import exif_orientation, upright, xmp_orientation

IMAGE = np.arange(6, dtype=np.uint8).reshape(2, 3)


def exif(*entries: tuple[int, int, int], order: str = ">") -> bytes:
    """EXIF of entries (tag, type, number)."""
    start = {">": b"MM\0*", "<": b"II*\0"}[order] + struct.pack(f"{order}IH", 8, len(entries))
    numbers = {1: "B3x", 3: "H2x", 4: "I", 7: "I"}
    packed = [struct.pack(f"{order}HHI{numbers[kind]}", tag, kind, 1, value) for tag, kind, value in entries]
    return start + b"".join(packed) + bytes(4)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", [1, 3, 4])
def test_it_is_found_in_exif_of_either_byte_order(order: str, kind: int) -> None:
    block = exif((0x010F, 4, 1), (0x0112, kind, 6), order=order)
    assert exif_orientation(block) == exif_orientation(b"Exif\0\0" + block) == 6


def test_it_is_found_in_exif_of_pillow() -> None:
    written = Image.Exif()
    written[0x010F], written[0x0112] = "maker", 8
    assert exif_orientation(written.tobytes()) == 8


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"MM\0*",
        b"MM\0*\xff\xff\xff\xff\0\1",
        b"no EXIF at all",
        exif((0x010F, 4, 1)),
        exif((0x0112, 3, 9)),
        exif((0x0112, 7, 3)),
        exif((0x0112, 3, 6))[:-10],
    ],
)
def test_what_has_none_is_as_stored(block: bytes) -> None:
    assert exif_orientation(block) == 0


def test_exif_whose_entries_point_to_gigabytes_costs_nothing() -> None:
    entries = b"".join(struct.pack(">HHII", 0x9000, 7, 2**31, 8) for _ in range(65_535))
    start = time.process_time()
    assert exif_orientation(b"MM\0*\0\0\0\x08\xff\xff" + entries) == 0
    assert time.process_time() - start < 0.5


def test_it_is_found_in_xmp() -> None:
    assert xmp_orientation(b'<rdf:Description tiff:Orientation="3"/>') == 3
    assert xmp_orientation(b"<tiff:Orientation>8</tiff:Orientation>") == 8
    assert xmp_orientation(b'<rdf:Description tiff:Orientation="9"/>') == xmp_orientation(b"") == 0


@pytest.mark.parametrize(
    ("orientation", "rows"),
    [
        (0, [[0, 1, 2], [3, 4, 5]]),
        (1, [[0, 1, 2], [3, 4, 5]]),
        (2, [[2, 1, 0], [5, 4, 3]]),
        (3, [[5, 4, 3], [2, 1, 0]]),
        (4, [[3, 4, 5], [0, 1, 2]]),
        (5, [[0, 3], [1, 4], [2, 5]]),
        (6, [[3, 0], [4, 1], [5, 2]]),
        (7, [[5, 2], [4, 1], [3, 0]]),
        (8, [[2, 5], [1, 4], [0, 3]]),
    ],
)
def test_an_image_is_turned_upright(orientation: int, rows: list[list[int]]) -> None:
    turned = upright(IMAGE, orientation)
    assert turned.tolist() == rows and turned.flags.c_contiguous
