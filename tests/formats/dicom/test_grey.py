"""Grey films without a window, with strange rescales and paddings. Right values are dcmtk's."""

import numpy as np
import pytest
from dicom_films import (
    FULL_WINDOW,
    GREYS,
    RAMP,
    make,
    read,
    refusal,
    to_bytes,
    to_bytes_with,
    with_element,
    within_one,
)  # fmt: skip

from xlite.formats.dicom.grey import look_up
from xlite.images import read_image

EIGHT = (RAMP // 20).astype(np.uint8)  # 0 to 204


def test_greys_are_looked_up_for_each_pixel() -> None:
    codes = np.arange(600, dtype=np.uint16).reshape(300, 2) % 256
    np.testing.assert_array_equal(look_up(codes, np.arange(256, dtype=np.uint8)[::-1]), 255 - codes)


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"RescaleSlope": 1, "RescaleIntercept": 0},
        {"RescaleSlope": 2, "RescaleIntercept": -10},
        {"WindowCenter": 60000, "WindowWidth": 10},
    ],
)
def test_8_bits_without_a_window_are_shown_as_they_are(tags: dict[str, object]) -> None:
    np.testing.assert_array_equal(read(EIGHT, 8, **tags), EIGHT)


def test_8_bits_are_inverted_and_scaled_as_the_header_says() -> None:
    inverted = 255 - EIGHT
    np.testing.assert_array_equal(read(EIGHT, 8, PhotometricInterpretation="MONOCHROME1"), inverted)
    np.testing.assert_array_equal(read(EIGHT, 8, RescaleSlope=-1, RescaleIntercept=255), inverted)
    np.testing.assert_array_equal(read(EIGHT.astype(np.uint16), 8), EIGHT)
    within_one(read(EIGHT // 2, 7), EIGHT // 2 * (255 / 127))
    np.testing.assert_array_equal(read((EIGHT.astype(int) - 128).astype(np.int8), 8), EIGHT)


@pytest.mark.parametrize(
    ("slope", "intercept"), [("0", "0"), ("0.0", "100"), ("-0", "0"), ("no", "0"), ("1", "no")]
)
def test_a_rescale_that_says_nothing_is_ignored(slope: str, intercept: str) -> None:
    data = with_element(to_bytes(make(**FULL_WINDOW)), "RescaleSlope", "DS", slope.encode())
    data = with_element(data, "RescaleIntercept", "DS", intercept.encode())
    np.testing.assert_array_equal(read_image(data), read(**FULL_WINDOW))


@pytest.mark.parametrize(("slope", "intercept"), [("1e-30", "0"), ("-1e-30", "7"), ("1e-12", "5")])
def test_a_rescale_that_vanishes_is_refused(slope: str, intercept: str) -> None:
    message = refusal(to_bytes_with(RescaleSlope=slope, RescaleIntercept=intercept))
    assert f"slope {float(slope):g} and intercept {intercept} give no usable values" in message


def test_a_small_slope_on_a_large_intercept_keeps_the_contrast() -> None:
    film = read(RescaleSlope="1e-5", RescaleIntercept="1000000")
    assert np.abs(film.astype(int) - read()).max() <= 1


def test_a_blank_film_is_read_as_one_grey() -> None:
    blank = np.full_like(RAMP, 1000)
    assert np.unique(read(blank)).size == 1
    assert np.unique(read(blank, RescaleSlope=1, RescaleIntercept=-1024)).size == 1


def test_percentiles_without_a_window_are_those_of_the_pixels() -> None:
    pixels = np.random.default_rng(0).gamma(3, 300, (70, 50)).clip(0, 4095).astype(np.uint16)
    low, high = np.percentile(pixels, (0.5, 99.5))
    exact = (pixels.astype(np.float32) - (low + high) / 2) / (high - low)
    np.testing.assert_array_equal(read(pixels), np.rint(np.clip(exact + 0.5, 0, 1) * 255))


PADDED = np.where(np.arange(64) < 20, np.uint16(4000), RAMP // 8 + 200).astype(np.uint16)


@pytest.mark.parametrize(
    ("vr", "value"),
    [("US", b"\xa0\x0f\xa0\x0f"), ("US", b"\xa0\x0f\x00\x00"), ("OW", b"\xa0\x0f"), ("SS", b"\xa0\x0f")],
)
def test_the_first_of_several_padding_values_counts_whatever_its_vr(vr: str, value: bytes) -> None:
    data = with_element(to_bytes(make(PADDED)), "PixelPaddingValue", vr, value)
    np.testing.assert_array_equal(read_image(data), read(PADDED, PixelPaddingValue=4000))


@pytest.mark.parametrize("vr", ["US", "SS"])
def test_a_padding_value_is_signed_if_the_pixels_are(vr: str) -> None:
    signed = np.where(PADDED == 4000, -2000, PADDED.astype(int)).astype(np.int16)
    data = with_element(to_bytes(make(signed, 16)), "PixelPaddingValue", vr, (63536).to_bytes(2, "little"))
    film = read_image(data)
    assert (film[:, :20] == 0).all() and film[:, 20:].max() == 255 and len(np.unique(film)) > 200


def test_an_empty_padding_value_is_none() -> None:
    data = with_element(to_bytes(make(PADDED)), "PixelPaddingValue", "US", b"")
    np.testing.assert_array_equal(read_image(data), read(PADDED))


def test_32_bits_a_pixel_are_read_if_16_hold_them() -> None:
    within_one(read(RAMP.astype(np.uint32) + 10**6, 32, WindowCenter=10**6 + 2048, WindowWidth=4096), GREYS)
    wide = RAMP.astype(np.uint32) * 10**6
    assert "Bits Allocated 32" in refusal(make(wide, 32))


def test_bits_above_the_stored_ones_do_not_count() -> None:
    """They may hold an overlay whose header is gone, the sign, or padding; dcmtk masks them too."""
    expected = read(**FULL_WINDOW)
    np.testing.assert_array_equal(read(RAMP | 0xA000, **FULL_WINDOW), expected)
    marked = RAMP.copy()
    marked[:4] |= 0x1000
    np.testing.assert_array_equal(read(marked, **FULL_WINDOW), expected)
    padded = RAMP.copy()
    padded[:, :5] = 65535
    film = read(padded, PixelPaddingValue=65535, **FULL_WINDOW)
    assert (film[:, :5] == 0).all()
    np.testing.assert_array_equal(film[:, 5:], expected[:, 5:])
