"""BMP films to uint8: the header checked against the file, the pixels decoded in a process apart."""

import struct

import numpy as np

from xlite.errors import ImageError
from xlite.formats.codec import decode_apart
from xlite.pixels import check_size

_HEADERS = {12, 40, 52, 56, 64, 108, 124}  # bytes, of the versions there are
_BITS = (1, 4, 8, 16, 24, 32)
_PLAIN, _BIT_FIELDS = 0, 3
_SECONDS = 2


def looks_like_bmp(head: bytes) -> bool:
    """Whether bytes begin as a BMP does: two letters alone could also be a text."""
    return head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _HEADERS


def read_bmp(data: bytes) -> np.ndarray:
    """The film in a BMP: uint8 (H, W), colour made grey. Raises ImageError."""
    width, height = _check(data)
    sentence = str(damaged("its pixels are broken"))
    flat = decode_apart("bmp", data, seconds=_SECONDS, kind=np.uint8, damaged=sentence)
    if flat.size != width * height:
        raise ImageError(sentence)
    return flat.reshape(height, width)


def damaged(how: str) -> ImageError:
    """The error of a BMP that is damaged, and how."""
    return ImageError(f"the BMP is damaged or incomplete ({how}); copy or export it again")


def _check(data: bytes) -> tuple[int, int]:
    """Width and height (px) of a BMP whose pixels are all there. Raises ImageError."""
    if len(data) < 54:
        raise damaged("its header is cut")
    start, size = struct.unpack_from("<II", data, 10)
    if size == 12:
        width, height, planes, bits = struct.unpack_from("<HHHH", data, 18)
        compression = _PLAIN
    else:
        width, height, planes, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    check_size(width, abs(height))
    if planes != 1 or bits not in _BITS:
        raise damaged("its header states what no film has")
    if compression != _PLAIN and (compression != _BIT_FIELDS or bits < 16):
        raise ImageError(
            f"the BMP is compressed (Compression {compression}), which cannot be read; export it uncompressed"
        )
    row = -(-width * bits // 32) * 4  # bytes: a multiple of four
    if start < 14 + size or start + row * abs(height) > len(data):
        raise damaged("rows are missing")
    return width, abs(height)
