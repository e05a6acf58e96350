"""JPEG 2000 frames: what their main header states (ITU-T T.800 annex A), and their decoding."""

import struct
from dataclasses import dataclass, replace

import cv2
import numpy as np

from xlite.errors import ImageError
from xlite.formats.codec import decode_apart
from xlite.formats.dicom.layout import Layout
from xlite.formats.dicom.parse import DAMAGED

_START = b"\xff\x4f\xff\x51"
_JP2_BOX = b"\x00\x00\x00\x0cjP  "
_END = b"\xff\xd9"
_CODING_STYLE, _TILE_PART, _LEAST_TILE_PART = b"\xff\x52", b"\xff\x90", 14
_IRREVERSIBLE = 0  # the wavelet that rounds, 9-7
# Decoding takes some 0.25 s a MB and 6 bytes a sample: larger films leave out the finest resolutions.
_MAX_BYTES, _MAX_SAMPLES = 6 * 2**20, 32_000_000
_SECONDS = 4


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    components: int
    precision: int
    signed: bool
    resolutions: int
    lossy: bool
    tiles_at: int


def is_jpeg2000(frame: bytes) -> bool:
    """Whether a frame is a JPEG 2000 codestream, or one in the boxes of a JP2 file."""
    return frame.startswith((_START, _JP2_BOX))


def decode(frame: bytes, layout: Layout) -> tuple[np.ndarray, Layout]:
    """Unsigned integers (H, W), or (H, W, 3) as RGB, and the layout that they have. Raises ImageError.

    A film whose decoding takes seconds is decoded at a half or a quarter of its size and enlarged, which a
    model sees beside sharp letters alone (docs/PREPROCESSING.md has how much).
    """
    try:
        frame = frame[frame.index(_START) :]  # boxes are not allowed in DICOM, and tell nothing new
        header = _read_header(frame)
    except (ValueError, struct.error) as error:
        raise ImageError(DAMAGED) from error
    stated = (layout.columns, layout.rows, layout.samples)
    if (header.width, header.height, header.components) != stated:
        raise layout.mismatch()
    _check_tiles(frame, header.tiles_at)
    levels = 0
    while len(frame) > _MAX_BYTES << 2 * levels or layout.rows * layout.columns * layout.samples > (
        _MAX_SAMPLES << 2 * levels
    ):
        levels += 1
    if levels > header.resolutions:
        raise ImageError("the DICOM file's JPEG 2000 has too few resolutions for its size; export it again")
    codes = _decode_reduced(frame, header, levels) if levels else _decode_whole(frame, header)
    codes = layout.fitted(codes, header.precision, lossy=header.lossy or levels > 0)
    bits = 8 * codes.itemsize if header.components > 1 else header.precision
    layout = replace(layout, allocated=8 * codes.itemsize, stored=min(layout.stored, bits))
    if header.components == 1 or layout.photometric in ("RGB", "YBR_RCT", "YBR_ICT"):
        return codes, layout
    return codes[..., 0], layout


def _read_header(frame: bytes) -> _Header:
    right, bottom, left, top = struct.unpack_from(">4I", frame, 8)
    components, depth, *subsampling = struct.unpack_from(">H3B", frame, 40)
    if subsampling != [1, 1]:
        raise ValueError("subsampled")
    at, resolutions, lossy = 2, 0, False
    while (marker := frame[at : at + 2]) != _TILE_PART:
        if marker == _CODING_STYLE:
            resolutions, lossy = frame[at + 9], frame[at + 13] == _IRREVERSIBLE
        at += 2 + struct.unpack_from(">H", frame, at + 2)[0]
    precision, signed = (depth & 0x7F) + 1, bool(depth & 0x80)
    return _Header(right - left, bottom - top, components, precision, signed, resolutions, lossy, at)


def _check_tiles(frame: bytes, at: int) -> None:
    """Raises ImageError unless all tiles are there, and whole: a decoder would leave the others black.

    at: where the first part of a tile begins.
    """
    right, bottom, _, _, width, height, left, top = struct.unpack_from(">8I", frame, 8)
    found: set[int] = set()
    while frame[at : at + 2] == _TILE_PART:
        found.add(int.from_bytes(frame[at + 4 : at + 6], "big"))
        length = int.from_bytes(frame[at + 6 : at + 10], "big")
        if length == 0:  # the last one, up to the end marker
            length = len(frame.rstrip(b"\0")) - len(_END) - at
        if length < _LEAST_TILE_PART or at + length > len(frame):
            raise ImageError(DAMAGED)
        at += length
    tiles = -(-(right - left) // max(width, 1)) * -(-(bottom - top) // max(height, 1))
    if len(found) != tiles or frame[at : at + 2] not in (_END, b"", b"\0"):
        raise ImageError(DAMAGED)


def _decode_whole(frame: bytes, header: _Header) -> np.ndarray:
    kind = f"<u{1 if header.precision <= 8 else 2 if header.precision <= 16 else 4}"
    codes = decode_apart("openjpeg", frame, seconds=_SECONDS, kind=kind, damaged=DAMAGED)
    shape = (header.height, header.width, *((header.components,) if header.components > 1 else ()))
    if codes.size != np.prod(shape):
        raise ImageError(DAMAGED)
    return codes.reshape(shape)


def _decode_reduced(frame: bytes, header: _Header, levels: int) -> np.ndarray:
    """Pillow fills 8 or 16 bits from the top, colour always 8, and lifts signed values above zero."""
    deep = header.precision > 8 and header.components == 1
    flat = decode_apart(
        f"reduced:{levels}", frame, seconds=_SECONDS, kind="<u2" if deep else "u1", damaged=DAMAGED
    )
    small = [-(-side // 2**levels) for side in (header.height, header.width)]
    if flat.size != np.prod(small) * header.components:
        raise ImageError(DAMAGED)
    # What stands for a field of pixels lies where its first one does, and not in its middle (annex F).
    shrink = np.array([[0.5**levels, 0, 0], [0, 0.5**levels, 0]])
    codes = cv2.warpAffine(
        flat.reshape(*small, header.components),
        shrink,
        (header.width, header.height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if header.components == 1:
        np.right_shift(codes, 8 * codes.itemsize - header.precision, out=codes)
        np.bitwise_xor(codes, (header.signed << header.precision) >> 1, out=codes)
    return codes
