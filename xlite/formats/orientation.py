"""How a photo was held, and the photo turned upright."""

import re
import struct

import numpy as np

_BYTE_ORDER = {b"II*\0": "<", b"MM\0*": ">"}
_ORIENTATION = 0x0112
_NUMBERS = {1: "B", 3: "H", 4: "I"}  # by the type of a TIFF entry
_XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=[\"']|>)([1-8])")


def exif_orientation(exif: bytes) -> int:
    """The orientation (1-8) in an EXIF block; 0 if it has none.

    Only the entries of the first directory are looked at: libraries also read the values that entries point
    to, which may be gigabytes in a file of a megabyte.
    """
    exif = exif.removeprefix(b"Exif\0\0")
    order = _BYTE_ORDER.get(exif[:4])
    if order is None or len(exif) < 10:
        return 0
    (start,) = struct.unpack_from(f"{order}I", exif, 4)
    if start + 2 > len(exif):
        return 0
    (entries,) = struct.unpack_from(f"{order}H", exif, start)
    for at in range(start + 2, min(start + 2 + 12 * entries, len(exif) - 11), 12):
        tag, kind = struct.unpack_from(f"{order}HH", exif, at)
        if tag == _ORIENTATION and kind in _NUMBERS:
            (orientation,) = struct.unpack_from(f"{order}{_NUMBERS[kind]}", exif, at + 8)
            return orientation if 1 <= orientation <= 8 else 0
    return 0


def xmp_orientation(xmp: bytes | memoryview) -> int:
    """The orientation (1-8) in an XMP packet; 0 if it has none."""
    found = _XMP_ORIENTATION.search(xmp)
    return int(found[1]) if found else 0


def upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """An image (H, W) of an orientation (0 if unknown) turned upright: (H, W), or (W, H) from 5 on."""
    if orientation > 4:
        image = image.T
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)
