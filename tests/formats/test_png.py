"""PNGs of every kind are read right, and refused if anything in them is damaged."""

import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hostile_films import COLOUR, GREY, chunk, png, png_of_rows, pngs, rows_of
from hostile_targets import broken_pngs, join, split
from PIL import Image

from xlite.errors import ImageError
from xlite.formats.png import read_png

PNGS, BROKEN = pngs(), dict(broken_pngs())


def weighted(colour: np.ndarray) -> np.ndarray:
    return np.array(Image.fromarray(colour).convert("L"))


def times(grey: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return grey.astype(int) * alpha // 255


COLOURS = (255 - np.arange(768) // 3).astype(np.uint8).reshape(1, 256, 3)
ALPHA = np.concatenate([np.arange(200), np.full(56, 255)])
DEEP = np.rint((GREY * 16.0 + 3) / 4095 * 255)
EXPECTED = {
    "grey": GREY,
    "grey of OpenCV": GREY,
    "with texts": GREY,
    "grey, 16 bits": DEEP,
    "grey with a key": np.where(GREY == 64, 0, GREY),
    "RGB": weighted(COLOUR),
    "RGB of Pillow": weighted(COLOUR),
    "palette": weighted(COLOURS)[0][GREY],
    "palette with transparency": times(weighted(COLOURS)[0], ALPHA)[GREY],
    "grey and alpha": times(GREY, GREY[::-1]),
    "RGBA": times(weighted(COLOUR), GREY),
    "grey, 1 bits": (GREY >> 7) * 255,
    "grey, 2 bits": (GREY >> 6) * 85,
    "grey, 4 bits": (GREY >> 4) * 17,
    "palette, 4 bits": weighted(np.arange(48, dtype=np.uint8).reshape(1, 16, 3))[0][GREY >> 4],
    "interlaced": GREY,
    "interlaced, 16 bits": DEEP,
    "interlaced RGB": weighted(COLOUR),
    "interlaced palette": weighted(COLOURS)[0][GREY],
    "interlaced, 1 bits": (GREY >> 7) * 255,
    "interlaced, 2 bits": (GREY >> 6) * 85,
    "interlaced, 4 bits": (GREY >> 4) * 17,
}
ROUNDED_LATER = {
    "RGB, 16 bits": weighted(np.dstack([DEEP, DEEP[::-1], DEEP]).astype(np.uint8)),
    "grey and alpha, 16 bits": times(GREY, GREY[::-1]),
    "RGBA, 16 bits": times(weighted(COLOUR), GREY),
}


def test_there_is_a_picture_of_every_kind() -> None:
    assert PNGS.keys() == EXPECTED.keys() | ROUNDED_LATER.keys()


@pytest.mark.parametrize(
    ("stated", "white"),
    [
        (b"", 4095),
        (b"\x0c", 4095),
        (b"\x0e", 2**14 - 1),
        (b"\x0a", 65_535),
        (b"\x10", 65_535),
        (b"\x07", 4095),
    ],
)
def test_a_film_of_16_bits_that_says_how_many_count_is_believed(stated: bytes, white: int) -> None:
    """Samples beyond the bits stated were scaled to all 16, as they should be; else the brightest tells."""
    deep = GREY.astype(np.uint16) * 16 + 3
    extra = chunk(b"sBIT", stated) if stated else b""
    np.testing.assert_array_equal(read_png(png(deep, 0, 16, extra=extra)), np.rint(deep * (255 / white)))
    alpha = np.dstack([deep, np.full_like(deep, 65_535)])
    extra = chunk(b"sBIT", stated + b"\x10") if stated else b""
    np.testing.assert_array_equal(read_png(png(alpha, 4, 16, extra=extra)), np.rint(deep * (255 / white)))


@pytest.mark.parametrize("scaled", [lambda v: v << 4, lambda v: v << 4 | v >> 8, lambda v: v * 65535 // 4095])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_dark_film_whose_samples_were_scaled_stays_dark(scaled: Callable, channels: int) -> None:
    """No sample is beyond the 12 bits stated, but all are such as scaling 12 bits to 16 gives."""
    deep = scaled(GREY.astype(np.uint32)).astype(np.uint16)
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    samples = np.dstack([deep] * channels)
    if channels in (2, 4):
        samples[..., -1] = 65_535
    film = read_png(png(samples, colour, 16, extra=chunk(b"sBIT", b"\x0c" * channels)))
    np.testing.assert_array_equal(film, np.rint(deep * (255 / 65_535)))
    samples[0, 0, 0] = 7  # a sample as it was: none was scaled
    film = read_png(png(samples, colour, 16, extra=chunk(b"sBIT", b"\x0c" * channels)))
    assert film.max() > 200


@pytest.mark.parametrize("kind", EXPECTED)
def test_every_kind_is_read_right(kind: str) -> None:
    np.testing.assert_array_equal(read_png(PNGS[kind]), EXPECTED[kind])


@pytest.mark.parametrize("kind", ROUNDED_LATER)
def test_colour_of_16_bits_is_rounded_once_and_at_the_end(kind: str) -> None:
    assert np.abs(read_png(PNGS[kind]) - ROUNDED_LATER[kind].astype(float)).max() <= 1


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (4, 2), (2, 3), (6, 4)])
@pytest.mark.parametrize("kind", [0, 1])
def test_a_film_whose_rows_have_one_filter_is_the_same(
    kind: int, colour: int, channels: int, bits: int
) -> None:
    shape = (*GREY.shape, channels)
    pixels = (
        np.random.default_rng(0).integers(0, 2**bits, shape).astype(np.uint16 if bits == 16 else np.uint8)
    )
    lines = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(len(pixels), -1).view(np.uint8)
    unit = lines.shape[1] // shape[1]
    left = np.pad(lines, ((0, 0), (unit, 0)))[:, :-unit]
    rows = np.insert(lines - left * kind, 0, kind, axis=1).tobytes()
    film = read_png(png_of_rows(rows, shape, colour, bits))
    np.testing.assert_array_equal(film, read_png(png(pixels, colour, bits)))


@pytest.mark.slow
@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_is_damaged_is_refused_though_its_chunks_have_right_checksums(
    data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ImageError, match="^the PNG is damaged or incomplete"):
        read_png(data)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", PNGS)
def test_every_bit_counts(kind: str) -> None:
    """A flipped bit anywhere in the data of the rows, or in the frame of their chunk."""
    data = PNGS[kind]
    start = data.index(b"IDAT") - 4
    for at in range(start, len(data), 7):
        flipped = bytearray(data)
        flipped[at] ^= 1 << at % 8
        with pytest.raises(ImageError):
            read_png(bytes(flipped))


def test_a_tall_colour_film_is_read_over_the_ends_of_strips() -> None:
    """Filters refer to the row above, which may be the last of the strip before."""
    film = np.tile(COLOUR, (30, 20, 1))
    np.testing.assert_array_equal(read_png(png(film, 2)), weighted(film))
    np.testing.assert_array_equal(read_png(png(film, 2, interlaced=True)), weighted(film))


def test_data_in_many_chunks_is_put_together() -> None:
    parts = split(png(COLOUR, 2))
    packed = next(body for kind, body in parts if kind == b"IDAT")
    pieces = b"".join(chunk(b"IDAT", packed[at : at + 5]) for at in range(0, len(packed), 5))
    whole = join(parts, b"")
    data = whole.replace(chunk(b"IDAT", b""), pieces + chunk(b"IDAT", b""))
    np.testing.assert_array_equal(read_png(data), weighted(COLOUR))


def test_a_large_grey_film_is_verified_too(capfd: pytest.CaptureFixture[str]) -> None:
    """OpenCV reads it: rows that the header does not count are passed over, and never change the film."""
    film = np.tile(GREY, (26, 19))
    rows = rows_of(film)
    for more in (b"", rows[:5000]):
        np.testing.assert_array_equal(read_png(png_of_rows(rows + more, film.shape, 0)), film)
    with pytest.raises(ImageError, match="rows are missing"):
        read_png(png_of_rows(rows[:-5000], film.shape, 0))
    with pytest.raises(ImageError, match="compressed data is broken"):
        parts = split(png_of_rows(rows, film.shape, 0))
        read_png(join(parts, zlib.compress(rows)[:-1] + b"\0"))
    capfd.readouterr()  # libpng's words on stderr


def test_a_damaged_colour_is_not_taken_for_black() -> None:
    with pytest.raises(ImageError, match="a pixel's colour is not in its palette"):
        read_png(BROKEN["a colour out of the palette"])
    with pytest.raises(ImageError, match="it has no palette"):
        read_png(BROKEN["no palette"])


def test_the_brightest_pixel_of_16_bits_may_lie_anywhere() -> None:
    """OpenCV reduces a picture of one channel to another shape than one of several."""
    film = np.zeros((40, 64), np.uint16)
    film[7, 50] = 60_000
    assert read_png(cv2.imencode(".png", film)[1].tobytes()).max() == round(60_000 / 257)
