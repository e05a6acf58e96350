"""What writers do to attributes: commas, words, several values, odd VRs. The right readings are dcmtk's."""

import numpy as np
import pytest
from dicom_films import FULL_WINDOW, GREYS, RAMP, make, read, refusal, to_bytes, with_element, within_one
from pydicom.uid import ImplicitVRLittleEndian

from xlite.formats.dicom.attributes import usable
from xlite.images import read_image


def with_window(center: bytes, width: bytes = b"4096") -> np.ndarray:
    data = with_element(to_bytes(make()), "WindowCenter", "DS", center + b" " * (len(center) % 2))
    return read_image(with_element(data, "WindowWidth", "DS", width + b" " * (len(width) % 2)))


@pytest.mark.parametrize(
    ("center", "width"),
    [
        (b"2048,5", b"4096,5"),
        (b" 2048 ", b"+4.096E3"),
        (b"2048\\17", b"4096"),
        (b"2048 HU", b"4096"),
        (b"2048\0", b"4096\0"),
    ],
)
def test_numbers_are_read_as_they_are_meant(center: bytes, width: bytes) -> None:
    within_one(with_window(center, width), GREYS)


@pytest.mark.parametrize("word", [b"WIDE", b"-", b"", b"\\2048", b"NaN", b"inf", b"\xff\xfe"])
def test_a_word_as_a_window_is_no_window(word: bytes) -> None:
    np.testing.assert_array_equal(with_window(word), read())
    np.testing.assert_array_equal(with_window(b"2048", word), read())


def test_a_decimal_comma_in_a_rescale_is_a_decimal_point() -> None:
    data = with_element(to_bytes(make(**FULL_WINDOW)), "RescaleSlope", "DS", b"0,5 ")
    film = read_image(with_element(data, "RescaleIntercept", "DS", b"-10,5 "))
    np.testing.assert_array_equal(film, read(RescaleSlope=0.5, RescaleIntercept=-10.5, **FULL_WINDOW))


def test_a_number_that_no_detector_could_mean_is_none() -> None:
    assert [usable(value) for value in (None, float("nan"), 1e30, 5.5)] == [None, None, None, 5.5]


@pytest.mark.parametrize(
    "interpretation", [b"monochrome1 ", b" MONOCHROME1", b"Mono Chrome_1 ", b"MONOCHROME1\0"]
)
def test_the_photometric_interpretation_is_known_by_its_letters(interpretation: bytes) -> None:
    data = with_element(to_bytes(make(**FULL_WINDOW)), "PhotometricInterpretation", "CS", interpretation)
    within_one(read_image(data), 255 - GREYS)


@pytest.mark.parametrize("keyword", ["SamplesPerPixel", "HighBit", "NumberOfFrames", "Modality"])
@pytest.mark.parametrize("value", [None, b""])
def test_what_follows_from_the_rest_may_be_missing(keyword: str, value: bytes | None) -> None:
    data = with_element(to_bytes(make(**FULL_WINDOW)), keyword, "US", value)
    within_one(read_image(data), GREYS)


@pytest.mark.parametrize(
    ("keyword", "name"),
    [
        ("Rows", "Rows"),
        ("Columns", "Columns"),
        ("BitsAllocated", "Bits Allocated"),
        ("BitsStored", "Bits Stored"),
        ("PixelRepresentation", "Pixel Representation"),
        ("PhotometricInterpretation", "Photometric Interpretation"),
    ],
)
@pytest.mark.parametrize("value", [None, b""])
def test_what_nothing_tells_is_asked_for_by_name(keyword: str, name: str, value: bytes | None) -> None:
    assert f"{name} is missing" in refusal(with_element(to_bytes(make()), keyword, "US", value))


def test_numbers_of_two_values_or_written_in_letters_are_read() -> None:
    data = with_element(to_bytes(make(**FULL_WINDOW)), "Rows", "US", b"\x30\0\x30\0")
    within_one(read_image(with_element(data, "Columns", "IS", b"64")), GREYS)


def test_an_empty_element_of_an_unknown_vr_is_an_empty_one() -> None:
    data = with_element(to_bytes(make(**FULL_WINDOW)), "PixelPaddingValue", "ZZ", b"")
    within_one(read_image(data), GREYS)


def test_an_implicit_file_is_read_by_the_dictionary() -> None:
    dataset = make(**FULL_WINDOW, NumberOfFrames=1, PixelPaddingValue=4095)
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    expected = read(**FULL_WINDOW, PixelPaddingValue=4095)
    np.testing.assert_array_equal(read_image(to_bytes(dataset)), expected)


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"PhotometricInterpretation": "HSV"}, "Photometric Interpretation is 'HSV'"),
        ({"PhotometricInterpretation": "RGB"}, "Samples per Pixel is 1, but RGB has 3"),
        ({"SamplesPerPixel": 3}, "Samples per Pixel is 3, but MONOCHROME2 has 1"),
        ({"BitsAllocated": 12}, "Bits Allocated is 12; expected 8, 16 or 32"),
        ({"BitsStored": 17, "HighBit": 16}, "Bits Stored is 17; expected 1 to 16"),
        ({"HighBit": 7}, "High Bit is 7; expected 11, as Bits Stored is 12"),
        ({"HighBit": 15}, "High Bit is 15: its pixels are in the upper bits"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(tags: dict[str, object], message: str) -> None:
    assert message in refusal(make(RAMP, **tags))
