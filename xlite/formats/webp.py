"""WebP films to uint8: the chunks checked whole, the pixels decoded in a process apart (RFC 9649)."""

from collections.abc import Iterator

import numpy as np

from xlite.errors import ImageError
from xlite.formats.codec import decode_apart
from xlite.formats.orientation import exif_orientation, upright, xmp_orientation
from xlite.pixels import check_size

_MAX_CHUNKS = 1_000
_ANIMATED, _HAS_ALPHA = 0x02, 0x10  # flags of the header
_LOSSY, _LOSSLESS, _EXTENDED, _ALPHA = b"VP8 ", b"VP8L", b"VP8X", b"ALPH"
_LARGEST_LOSSLESS = 50_000_000  # px; its decoder keeps 8 bytes for each
_SECONDS = 2


def looks_like_webp(head: bytes) -> bool:
    """Whether bytes begin as a WebP does."""
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def read_webp(data: bytes) -> np.ndarray:
    """The film in a WebP: uint8 (H, W), upright, colour made grey, transparent pixels black.

    Raises ImageError, also if the file is an animation.
    """
    chunks: dict[bytes, memoryview] = {}
    for kind, body in _chunks(data):
        if kind in chunks and kind in (_LOSSY, _LOSSLESS, _EXTENDED, _ALPHA):
            raise damaged("its chunks are out of order")
        chunks.setdefault(kind, body)
    width, height = _size(chunks)
    sentence = str(damaged("its pixels are broken"))
    flat = decode_apart("webp", *_stream(chunks), seconds=_SECONDS, kind=np.uint8, damaged=sentence)
    if flat.size != width * height:
        raise ImageError(sentence)
    orientation = exif_orientation(bytes(chunks.get(b"EXIF", b""))) or xmp_orientation(
        chunks.get(b"XMP ", b"")
    )
    return upright(flat.reshape(height, width), orientation)


def damaged(how: str) -> ImageError:
    """The error of a WebP that is damaged, and how."""
    return ImageError(f"the WebP is damaged or incomplete ({how}); copy or export it again")


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """The chunks (kind, body) of a file, all whole."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise damaged("it is cut")
    at = 12
    for _ in range(_MAX_CHUNKS):
        if at >= end:
            return
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + size > end:
            raise damaged("a chunk is cut")
        yield data[at : at + 4], memoryview(data)[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    raise ImageError(f"the WebP has more than {_MAX_CHUNKS:,} chunks, as no film has; export it again")


def _size(chunks: dict[bytes, memoryview]) -> tuple[int, int]:
    """Width and height (px), alike in all headers and such as a film may have."""
    extended = chunks.get(_EXTENDED)
    if extended is not None and len(extended) >= 10 and extended[0] & _ANIMATED:
        raise ImageError("the WebP is an animation of several images; export the one film to read")
    sizes = []
    if extended is not None:
        if len(extended) < 10:
            raise damaged("its header is cut")
        sizes += [tuple(1 + int.from_bytes(extended[at : at + 3], "little") for at in (4, 7))]
    if (lossy := chunks.get(_LOSSY)) is not None:
        if bytes(lossy[3:6]) != b"\x9d\x01\x2a" or len(lossy) < 10:
            raise damaged("its header is cut")
        sizes += [tuple(int.from_bytes(lossy[at : at + 2], "little") & 0x3FFF for at in (6, 8))]
    if (lossless := chunks.get(_LOSSLESS)) is not None:
        if bytes(lossless[:1]) != b"\x2f" or len(lossless) < 5:
            raise damaged("its header is cut")
        packed = int.from_bytes(lossless[1:5], "little")
        sizes += [(1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF))]
    if (lossy is None) == (lossless is None):
        raise damaged("it has no pixels")
    for width, height in sizes:
        check_size(width, height)
    if len(set(sizes)) != 1:
        raise damaged("its headers state different sizes")
    width, height = sizes[0]
    if width * height > _LARGEST_LOSSLESS and (lossless is not None or _ALPHA in chunks):
        raise ImageError(
            f"the WebP is {width:,} x {height:,} pixels without loss, which takes too much memory; "
            "export it as PNG"
        )
    return width, height


def _stream(chunks: dict[bytes, memoryview]) -> list[bytes | memoryview]:
    """What a decoder needs of the file: the pixels, and a header if there is alpha beside them."""
    kept = {kind: chunks[kind] for kind in (_LOSSY, _LOSSLESS) if kind in chunks}
    if _ALPHA in chunks and _EXTENDED in chunks:
        header = memoryview(bytes([_HAS_ALPHA]) + bytes(chunks[_EXTENDED][1:10]))
        kept = {_EXTENDED: header, _ALPHA: chunks[_ALPHA], **kept}
    pieces: list[bytes | memoryview] = []
    for kind, body in kept.items():
        pieces += [kind + len(body).to_bytes(4, "little"), body, bytes(len(body) % 2)]
    size = 4 + sum(map(len, pieces))
    return [b"RIFF" + size.to_bytes(4, "little") + b"WEBP", *pieces]
