"""JPEG 2000: what its header may say, and films that are decoded at a part of their size."""

import struct
import time

import numpy as np
import pytest
from dicom_films import (
    DAMAGED,
    FULL_WINDOW,
    GREYS,
    MISMATCH,
    RAMP,
    compressed,
    make,
    refusal,
    to_bytes,
    within_one,
)  # fmt: skip
from pydicom.encaps import get_frame
from pydicom.uid import JPEG2000, JPEG2000Lossless

from xlite.formats.dicom import jpeg2000
from xlite.images import Preprocess, read_image


def codestream(
    side: int, *, components: int = 1, tile: int = 0, code_block: int = 4, precinct: int = 8
) -> bytes:
    """A codestream with a header alone, which asks for much and holds nothing."""
    size = struct.pack(
        ">HH8IH", 38 + 3 * components, 0, side, side, 0, 0, tile or side, tile or side, 0, 0, components
    )
    style = struct.pack(">HBBHBBBBBB", 18, 1, 0, 1, 0, 5, code_block, code_block, 0, 1)
    steps = struct.pack(">HB", 19, 0x40) + b"\x48" * 16
    part = struct.pack(">HHIBB", 10, 0, 2014, 0, 1) + b"\xff\x93" + bytes(2000)
    parts = [
        *(b"\xff\x4f\xff\x51", size, b"\x07\x01\x01" * components),
        *(b"\xff\x52", style, bytes([precinct * 17] * 6), b"\xff\x5c", steps),
        *(b"\xff\x90", part, b"\xff\xd9"),
    ]
    return b"".join(parts)


@pytest.mark.parametrize("components", [2, 3, 16384])
def test_the_number_of_components_is_that_of_the_header(components: int) -> None:
    assert MISMATCH in refusal(compressed(codestream(64, components=components), JPEG2000))


@pytest.mark.slow
@pytest.mark.parametrize(
    "demands", [{"precinct": 1}, {"code_block": 0}, {"tile": 16}], ids=["precincts", "code blocks", "tiles"]
)
@pytest.mark.timeout(60)
def test_a_frame_that_asks_for_much_is_refused_within_limits(demands: dict[str, int]) -> None:
    """A few KB that ask for gigabytes: the decoder has a process of its own."""
    before = time.process_time()
    assert DAMAGED in refusal(compressed(codestream(5600, **demands), JPEG2000, (5600, 5600)))
    assert time.process_time() - before < 1


@pytest.mark.slow
@pytest.mark.parametrize("signed", [False, True])
def test_a_film_of_many_bytes_is_decoded_smaller_and_enlarged(
    signed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    smooth = np.outer(np.hanning(120), np.hanning(130)) * 4000 - (2000 if signed else 0)
    dataset = make(
        smooth.astype(np.int16 if signed else np.uint16),
        12,
        WindowCenter=0 if signed else 2000,
        WindowWidth=4096,
    )
    dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
    whole = read_image(to_bytes(dataset))
    monkeypatch.setattr(jpeg2000, "_MAX_SAMPLES", 120 * 130 // 10)  # a quarter
    smaller = read_image(to_bytes(dataset))
    # A shift by one pixel would make some 7 levels.
    assert smaller.shape == (120, 130) and 0 < np.abs(whole.astype(int) - smaller).max() <= 2
    preprocess = Preprocess(32)
    within_one(preprocess.resize(smaller), preprocess.resize(whole))


def test_a_film_without_smaller_resolutions_is_refused_if_it_is_too_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dataset = make(**FULL_WINDOW)
    dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
    monkeypatch.setattr(jpeg2000, "_MAX_SAMPLES", 1)
    assert "too few resolutions" in refusal(dataset)


@pytest.mark.slow
@pytest.mark.parametrize("signed", [False, True])
def test_a_precision_above_bits_stored_is_allowed_if_the_pixels_fit(
    signed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some encoders state Bits Allocated as the precision of 12 bits."""
    pixels = RAMP.astype(np.int16) - 2048 if signed else RAMP
    window = {"WindowCenter": 0 if signed else 2048, "WindowWidth": 4096}
    dataset = make(pixels, 16, **window)
    dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
    dataset.BitsStored, dataset.HighBit = 12, 11
    within_one(read_image(to_bytes(dataset)), GREYS)
    dataset.BitsStored, dataset.HighBit = 11, 10
    message = "Bits Stored is 11, but its compressed pixels have 16 bits and do not fit in it"
    assert message in refusal(dataset)
    monkeypatch.setattr(jpeg2000, "_MAX_SAMPLES", RAMP.size // 3)
    assert message in refusal(dataset)


@pytest.mark.parametrize("kept", [30, 60, 200, -40, -2])
@pytest.mark.parametrize("end", [b"", b"\xff\xd9", bytes(999)])
def test_a_cut_frame_is_refused(kept: int, end: bytes) -> None:
    dataset = make(RAMP)
    dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    cut = frame.rstrip(b"\0")[:-2][:kept] + end
    tags = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}
    assert DAMAGED in refusal(compressed(cut, JPEG2000, RAMP.shape, **tags))
