"""TIFFs of every kind that is read, and a sentence for all others."""

import io
import struct
import time

import cv2
import numpy as np
import pytest
from PIL import Image

from xlite.errors import ImageError
from xlite.images import read_image

FILM = np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8)
FILM[0, :2] = 0, 255
DEEP = FILM.astype(np.uint16) * 257
SMOOTH = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8) * 2
LEFT_HALF = np.where(np.arange(64) < 32, FILM, 0).astype(np.uint8)


def tiff(picture: Image.Image | np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    picture.save(buffer, "TIFF", **options)
    return buffer.getvalue()


def of_opencv(pixels: np.ndarray, compression: int, predictor: int = 1) -> bytes:
    options = [cv2.IMWRITE_TIFF_COMPRESSION, compression, cv2.IMWRITE_TIFF_PREDICTOR, predictor]
    return cv2.imencode(".tif", pixels, options)[1].tobytes()


def changed(data: bytes, tag: int, value: int, order: str = "<") -> bytes:
    """The file with another value of an entry whose value lies in the directory."""
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, start)
    for at in range(start + 2, start + 2 + 12 * count, 12):
        found, kind = struct.unpack_from(f"{order}HH", data, at)
        if found == tag:
            packed = struct.pack(f"{order}{'HI'[kind == 4]}", value).ljust(4, b"\0")
            return data[: at + 8] + packed + data[at + 12 :]
    raise KeyError(tag)


def refusal(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        read_image(data)
    return str(caught.value)


def half_transparent(mode: str) -> Image.Image:
    alpha = np.zeros_like(FILM)
    alpha[:, :32] = 255
    picture = Image.fromarray(FILM).convert(mode)
    picture.putalpha(Image.fromarray(alpha))
    return picture


SAME = {
    "grey": tiff(FILM),
    "grey, LZW": tiff(FILM, compression="tiff_lzw"),
    "grey, packbits": tiff(FILM, compression="packbits"),
    "16 bits": tiff(DEEP),
    "16 bits, deflate with predictor": of_opencv(DEEP, 8, 2),
    "16 bits that hold 12": tiff(np.rint(FILM / 255 * 4095).astype(np.uint16)),
    "RGB": tiff(Image.fromarray(FILM).convert("RGB")),
    "RGB, deflate": tiff(Image.fromarray(FILM).convert("RGB"), compression="tiff_adobe_deflate"),
    "RGB, 16 bits, LZW with predictor": of_opencv(cv2.merge([DEEP] * 3), 5, 2),
    "opaque RGBA, 16 bits": of_opencv(cv2.merge([DEEP] * 3 + [np.full_like(DEEP, 65535)]), 1),
    "palette": tiff(Image.fromarray(FILM).convert("P")),
    "white is zero": changed(tiff(255 - FILM), 262, 0),
    "white is zero, LZW": changed(tiff(255 - FILM, compression="tiff_lzw"), 262, 0),
    "white is zero, 16 bits": changed(tiff(65535 - DEEP), 262, 0),
    "big-endian": tiff(Image.frombytes("I;16B", (64, 48), DEEP.astype(">u2").tobytes())),
    "with many strips": tiff(FILM, strip_size=64, compression="tiff_adobe_deflate"),
    "with texts": tiff(FILM, description="text " * 100, dpi=(150, 150)),
}


@pytest.mark.slow
@pytest.mark.parametrize("data", SAME.values(), ids=SAME)
def test_all_ways_to_store_a_film_give_the_same_film(data: bytes) -> None:
    image = read_image(data)
    assert (image.dtype, image.flags.c_contiguous) == (np.uint8, True)
    np.testing.assert_array_equal(image, FILM)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg_inside_is_read(mode: str) -> None:
    data = tiff(Image.fromarray(SMOOTH).convert(mode), compression="jpeg", quality=95)
    assert np.abs(read_image(data).astype(int) - SMOOTH).max() <= 6


@pytest.mark.slow
def test_transparent_pixels_become_black_and_one_bit_is_black_and_white() -> None:
    for mode in ("L", "RGB"):
        np.testing.assert_array_equal(read_image(tiff(half_transparent(mode))), LEFT_HALF)
    bits = np.where(FILM > 127, 255, 0)
    np.testing.assert_array_equal(read_image(tiff(Image.fromarray(FILM > 127))), bits)
    np.testing.assert_array_equal(read_image(changed(tiff(Image.fromarray(FILM <= 127)), 262, 0)), bits)


@pytest.mark.parametrize(
    ("orientation", "stored"), [(3, FILM[::-1, ::-1]), (6, FILM.T[::-1]), (8, FILM.T[:, ::-1])]
)
def test_a_film_is_turned_once_by_its_orientation(orientation: int, stored: np.ndarray) -> None:
    data = tiff(np.ascontiguousarray(stored), tiffinfo={274: orientation})
    np.testing.assert_array_equal(read_image(data), FILM)


def test_entries_of_other_kinds_are_passed_over_and_of_the_same_tag_the_last_one_counts() -> None:
    data = tiff(FILM)
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    more = [(256, 9, 1, 7), (256, 0, 1, 7), (257, 65_535, 1, 7), (258, 3, 0, 7), (65_000, 4, 1, 7)]
    more.append((256, 4, 1, 7))  # a width, before the film's own
    entries = b"".join(struct.pack("<HHII", *one) for one in more) + data[start + 2 : start + 2 + 12 * count]
    directory = struct.pack("<H", count + len(more)) + entries + bytes(4)
    film = read_image(data[:4] + struct.pack("<I", len(data)) + data[8:] + directory)
    np.testing.assert_array_equal(film, FILM)


def pages(*flags: int) -> bytes:
    """A film and further directories with these subfile flags, which all show the film's own strips."""
    data = tiff(FILM)
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    entries = data[start + 2 : start + 2 + 12 * count]
    link = start + 2 + 12 * count
    for flag in flags:
        at = len(data)
        data = data[:link] + struct.pack("<I", at) + data[link + 4 :]
        data += struct.pack("<HHHII", count + 1, 254, 4, 1, flag) + entries + bytes(4)
        link = len(data) - 4
    return data


def test_several_pages_are_refused_but_not_a_thumbnail_beside_the_film() -> None:
    np.testing.assert_array_equal(read_image(pages(1)), FILM)
    assert "holds several images (pages)" in refusal(pages(0))
    assert "holds several images (pages)" in refusal(pages(1, 2))
    data = tiff(FILM)
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    link = start + 2 + 12 * count
    looped = pages(1)
    assert "no end" in refusal(looped[:-4] + looped[link : link + 4])


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (tiff(FILM.astype(np.float32)), "32 bits"),
        (tiff(Image.fromarray(FILM).convert("CMYK")), "Photometric Interpretation 5"),
        (tiff(Image.fromarray(FILM > 127), compression="group4"), "Compression 4"),
        (tiff(FILM, big_tiff=True), "BigTIFF"),
        (changed(tiff(FILM), 256, 60_000), "is damaged|million"),
        (changed(tiff(FILM), 257, 8), "at least 32"),
        (changed(tiff(FILM), 257, 60), "is damaged"),
        (changed(tiff(FILM), 273, 10**6), "a strip or tile is cut"),
        (changed(tiff(FILM), 278, 0), "no size"),
        (tiff(FILM)[:-5], "is damaged"),
        (b"II*\0", "its directory is cut"),
    ],
)
def test_what_cannot_be_read_is_said_so(data: bytes, match: str) -> None:
    with pytest.raises(ImageError, match=match):
        read_image(data)


def test_a_flipped_bit_of_deflated_rows_is_noticed() -> None:
    data = bytearray(tiff(SMOOTH, compression="tiff_adobe_deflate"))
    (at,) = struct.unpack_from("<I", data, 4)
    where = 8 if at > 100 else len(data) - 40
    data[where + 30] ^= 4
    assert "the TIFF is damaged" in refusal(bytes(data))


def test_jpeg_strips_of_another_size_are_no_film() -> None:
    """libtiff fills what they lack, without a word."""
    data = tiff(Image.fromarray(SMOOTH), compression="jpeg")
    np.testing.assert_allclose(read_image(data), SMOOTH, atol=6)
    for tag, value in ((256, 640), (257, 480)):
        taller = changed(changed(data, tag, value), 278, 480) if tag == 257 else changed(data, tag, value)
        assert "another size than it should" in refusal(taller)


@pytest.mark.slow
def test_a_film_of_very_many_strips_is_refused_at_once() -> None:
    tall = tiff(np.zeros((100_000, 32), np.uint8), compression="tiff_adobe_deflate", strip_size=32)
    assert "is cut into 100,000 strips or tiles" in refusal(tall)


@pytest.mark.slow
def test_an_entry_that_comes_again_and_again_costs_nothing() -> None:
    """Each copy of a value would be of four megabytes."""
    data = tiff(FILM)
    (start,) = struct.unpack_from("<I", data, 4)
    entry = struct.pack("<HHII", 273, 4, 2**20, 8)
    directory = struct.pack("<H", 60_000) + entry * 60_000 + bytes(4)
    lying = data[:4] + struct.pack("<I", len(data)) + data[8:] + directory + bytes(2**22)
    began = time.process_time()
    assert "is damaged" in refusal(lying) or "at least 32" in refusal(lying)
    assert time.process_time() - began < 2
