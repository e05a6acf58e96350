"""Layouts: whether decoded pixels fit in the stored bits."""

import numpy as np
import pytest

from xlite.errors import ImageError
from xlite.formats.dicom.layout import Layout


def fitted(values: list[int], *, signed: bool = False, lossy: bool = False) -> list[int]:
    """The stored values of 10 bits of pixels that were coded with 12."""
    layout = Layout(1, len(values), 1, "MONOCHROME2", 16, 10, signed)
    codes = (np.array([values]) & 0xFFF).astype(np.uint16)
    found: list[int] = layout.values(layout.fitted(codes, 12, lossy=lossy))[0].tolist()
    return found


def test_values_that_fit_are_kept() -> None:
    assert fitted([0, 1023]) == [0, 1023]
    assert fitted([-512, -1, 511], signed=True) == [-512, -1, 511]
    assert fitted([1023, 512, 511], signed=True) == [-1, -512, 511]  # without their signs in the bits above


def test_what_lossy_coding_overshoots_is_clipped_and_no_more() -> None:
    assert fitted([0, 1023 + 128], lossy=True) == [0, 1023]
    assert fitted([-512 - 128, 511 + 128], signed=True, lossy=True) == [-512, 511]
    for values, signed in (([0, 1023 + 129], False), ([-512 - 129], True), ([-1, 511 + 129], True)):
        with pytest.raises(ImageError, match="Bits Stored is 10, but its compressed pixels have 12 bits"):
            fitted(values, signed=signed, lossy=True)


@pytest.mark.parametrize(("value", "signed"), [(1024, False), (-513, True), (512 + 1024, True)])
def test_of_lossless_coding_nothing_is_clipped(value: int, signed: bool) -> None:
    with pytest.raises(ImageError, match="Bits Stored is 10"):
        fitted([0, value], signed=signed)
