"""BMP films, and a sentence for what is none."""

import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from xlite.errors import ImageError
from xlite.images import read_image

FILM = np.random.default_rng(0).integers(0, 256, (48, 63), np.uint8)


def bmp(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "BMP")
    return buffer.getvalue()


WHOLE = bmp(Image.fromarray(FILM))


def top_down(data: bytes) -> bytes:
    """The film with its first row first, as a height below zero says."""
    (start,) = struct.unpack_from("<I", data, 10)
    rows = np.frombuffer(data[start:], np.uint8).reshape(48, -1)[::-1].tobytes()
    return data[:22] + struct.pack("<i", -48) + data[26:start] + rows


def refusal(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        read_image(data)
    return str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    "data",
    [
        WHOLE,
        top_down(WHOLE),
        bmp(Image.fromarray(FILM).convert("RGB")),
        bmp(Image.fromarray(FILM).convert("P")),
        cv2.imencode(".bmp", np.dstack([FILM] * 3 + [np.full_like(FILM, 255)]))[1].tobytes(),
    ],
    ids=["grey", "top-down", "RGB", "palette", "RGBA"],
)
def test_films_are_read_to_the_bit(data: bytes) -> None:
    np.testing.assert_array_equal(read_image(data), FILM)


def changed(at: int, kind: str, value: int) -> bytes:
    return WHOLE[:at] + struct.pack(kind, value) + WHOLE[at + struct.calcsize(kind) :]


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (WHOLE[:-1], "rows are missing"),
        (WHOLE[:40], "its header is cut"),
        (changed(18, "<i", 2_000_000), "million"),
        (changed(22, "<i", -60), "rows are missing"),
        (changed(18, "<i", -63), "at least 32"),
        (changed(28, "<H", 7), "states what no film has"),
        (changed(30, "<I", 1), "is compressed"),
        (changed(10, "<I", 4), "rows are missing"),
        (b"BM is how this text begins, and it is long enough for a header", "not a PNG, JPEG, TIFF"),
    ],
)
def test_what_is_damaged_or_no_film_is_said_so(data: bytes, match: str) -> None:
    assert match in refusal(data)
