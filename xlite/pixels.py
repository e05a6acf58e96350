"""Sizes that films may have whatever their format, and the way from any bit depth to eight."""

import numpy as np

from xlite.errors import ImageError

MIN_SIDE = 32
MAX_PIXELS = 64_000_000
"""A 14 x 17 inch film scanned at 50 um has 61 million, a flat-panel detector at most 30 million."""
STRIP = 256  # rows worked on at a time, as the numbers in between are wider than a byte
RELEASE_SIDE = 1024  # px; NIH released its films as squares of this side and gives boxes in that frame


def check_size(width: int, height: int) -> None:
    """Raises ImageError unless width x height (px) is a size that a chest film can have.

    Meant for the size in a file's header, before anything of that size is allocated.
    """
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"the image is {width:,} x {height:,} pixels; a chest film needs at least {MIN_SIDE} on each side"
        )
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"the image is {width:,} x {height:,} pixels; the limit is {MAX_PIXELS // 1_000_000} million, "
            "so export it smaller"
        )


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Unsigned integers of any shape and unknown bit depth to uint8, 0-255.

    A file with 16 bits a pixel does not say how many of them the detector filled: 10, 12 and 14 are common.
    The smallest whole number of bits (8 at least) that holds the brightest pixel is taken as the range, so
    full-range data keeps its scale and 12-bit data is not shown sixteen times too dark.
    """
    bits = max(8, int(values.max()).bit_length())
    if bits == 8:
        return values.astype(np.uint8)
    grey = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), STRIP):
        rows = slice(top, top + STRIP)
        grey[rows] = np.rint(values[rows].astype(np.float32) * (255 / (2**bits - 1)))
    return grey
