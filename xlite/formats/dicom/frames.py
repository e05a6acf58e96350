"""From Pixel Data to an array of unsigned integers, uncompressed, RLE, JPEG, JPEG-LS or JPEG 2000."""

import struct
from dataclasses import replace
from itertools import pairwise

import numpy as np
from PIL import Image
from pydicom.uid import ExplicitVRBigEndian, RLELossless

from xlite.errors import ImageError
from xlite.formats.codec import decode_apart
from xlite.formats.dicom import jpeg2000
from xlite.formats.dicom.attributes import unfit, whole
from xlite.formats.dicom.layout import Layout
from xlite.formats.dicom.parse import DAMAGED, Film
from xlite.formats.jpeg import (
    MORE_CODED,
    SCAN,
    Frame,
    Segment,
    damaged,
    has_code_of_ones,
    read_frame,
    segments,
)
from xlite.formats.photo import decode_photo

MAX_FRAGMENTS = 20_000
_MAX_DECODED = 256 * 2**20  # bytes
_ITEM, _DELIMITER = 0xFFFEE000, 0xFFFEE0DD
_PHOTO = {0xC0, 0xC1, 0xC2}  # baseline, sequential and progressive
_OTHERS = {0xC9, 0xCA, 0xC3, 0xCB, 0xF7}  # arithmetic coding, lossless, JPEG-LS
_LOSSLESS, _JPEG_LS = {0xC3, 0xCB}, 0xF7
_STARTS, _END = {b"\xff\xd8\xff", b"\xff\x4f\xff"}, b"\xff\xd9"  # of a JPEG and a JPEG 2000
_COLOUR_TAGS = {0xE0: b"JFIF\0", 0xEE: b"Adobe"}  # by their markers
# A million samples of noise take up to 0.06 s in JPEG-LS and 0.09 s in lossless JPEG, on a busy machine more.
# Detectors for chests have up to 19 million, others 30.
_MOST_SAMPLES, _MOST_SAMPLES_LS, _SECONDS = 20_000_000, 30_000_000, 4
# A cut scan is filled without a word. Huffman codes are never of ones alone (T.81, annex C), so ones behind a
# scan are an error if it was cut. Other codes are decoded twice, with more data behind each scan the second
# time: what depends on it was cut. Of larger frames that would take seconds more.
_HUFFMAN = {0xC0, 0xC1, 0xC3}
_ONES = b"\xff\0" * 64
_MOST_TWICE, _MOST_SAMPLES_TWICE = 4 * 2**20, 7_000_000


def read_codes(film: Film, layout: Layout) -> tuple[np.ndarray, Layout]:
    """Unsigned integers (H, W) or (H, W, 3) as they lie in Pixel Data, and the layout that they have.

    Of YBR films the luminance Y alone, (H, W). A view on the file if it is not compressed. Raises ImageError.
    """
    is_coded = film.encapsulated and film.syntax != RLELossless
    if layout.photometric in ("YBR_RCT", "YBR_ICT") and not is_coded:
        raise unfit("PhotometricInterpretation", f"is {layout.photometric}, which JPEG 2000 alone can have")
    if not film.encapsulated:
        return _uncompressed(film, layout), layout
    frame = _join_fragments(film)
    if layout.rows * layout.columns * layout.samples * layout.allocated // 8 > _MAX_DECODED:
        raise ImageError(
            f"the DICOM file's image takes more than {_MAX_DECODED // 2**20} MB; "
            "export it with fewer pixels, or grey"
        )
    if film.syntax == RLELossless:
        return _only_luminance(_decode_rle(frame, layout), layout), layout
    if jpeg2000.is_jpeg2000(frame):
        return jpeg2000.decode(frame, layout)
    if frame.startswith(b"\xff\xd8"):
        return _decode_jpeg(frame, layout)
    raise _unknown(film)


def _unknown(film: Film) -> ImageError:
    return ImageError(
        f"the DICOM file's pixels are stored in an unknown way (Transfer Syntax UID {film.syntax}); "
        "export it uncompressed"
    )


def _uncompressed(film: Film, layout: Layout) -> np.ndarray:
    halved = layout.photometric in ("YBR_FULL_422", "YBR_PARTIAL_422")
    shape = (layout.rows, layout.columns, *((2,) if halved else (3,) if layout.samples == 3 else ()))
    swapped = film.syntax == ExplicitVRBigEndian
    kind = np.dtype(("<", ">")[swapped] + f"u{layout.allocated // 8}")
    size, found = int(np.prod(shape)) * kind.itemsize, len(film.pixel_data)
    if found < size:
        raise ImageError(
            f"the DICOM file is damaged: its Pixel Data has {found:,} bytes, but Rows and Columns need "
            f"{size:,}; copy or export it again"
        )
    # Whole rows behind the film are of a film of another size, unless they are padding.
    excess = film.pixel_data[size:]
    if len(excess) >= size // layout.rows and excess.tobytes().strip(excess[:1].tobytes()):
        raise layout.mismatch()
    pixels = film.pixel_data[:size]
    if swapped and layout.allocated == 8 and film.pixel_vr == "OW":  # words of two bytes, each a pixel
        whole_words = film.pixel_data[: size + size % 2]
        pixels = memoryview(np.frombuffer(whole_words, ">u2").astype("<u2").tobytes())[:size]
    codes = np.frombuffer(pixels, kind)
    if halved:  # two pixels: Y, Y, and what they share of the colour
        return codes.reshape(-1, 4)[:, :2].reshape(shape[:2])
    if layout.samples == 3 and _has_planes(film):
        codes = np.moveaxis(codes.reshape(3, *shape[:2]), 0, -1)
    return _only_luminance(codes.reshape(shape), layout)


def _has_planes(film: Film) -> bool:
    """Whether all reds come first, then all greens, then all blues."""
    planar = whole(film.header, "PlanarConfiguration")
    if planar not in (0, 1):
        raise unfit("PlanarConfiguration", f"is {planar}; expected 0 or 1")
    return planar == 1


def _only_luminance(codes: np.ndarray, layout: Layout) -> np.ndarray:
    return codes[..., 0] if codes.ndim == 3 and layout.photometric.startswith("YBR_FULL") else codes


def _join_fragments(film: Film) -> bytes:
    """The one frame of encapsulated Pixel Data: all items behind the first, which is the offset table."""
    pixel_data = film.pixel_data
    if pixel_data[:4] != struct.pack("<HH", _ITEM >> 16, _ITEM & 0xFFFF):
        raise _unknown(film)
    pieces: list[memoryview] = []
    at = 0
    while at + 8 <= len(pixel_data):
        group, element, length = struct.unpack_from("<HHI", pixel_data, at)
        tag = group << 16 | element
        if tag == _DELIMITER:
            break
        if tag != _ITEM or at + 8 + length > len(pixel_data) or len(pieces) > MAX_FRAGMENTS:
            raise ImageError(DAMAGED)
        pieces.append(pixel_data[at + 8 : at + 8 + length])
        at += 8 + length
    if _holds_frames(pieces, film.syntax):
        raise ImageError("the DICOM file holds several images; export the one film to read")
    return b"".join(pieces[1:])


def _holds_frames(pieces: list[memoryview], syntax: str) -> bool:
    """Whether items hold more than a frame: by their offset table, or as one begins where another ended."""
    if not pieces:
        return False
    # The offsets of a table rise; some writers fill it with zeros.
    offsets = np.frombuffer(pieces[0][: len(pieces[0]) // 4 * 4], "<u4")
    if len(offsets) > 1 and (np.diff(offsets.astype(np.int64)) > 0).all():
        return True
    if syntax == RLELossless:  # whose frames have a fragment each (PS3.5, A.4.2)
        return len(pieces) > 2
    return any(
        bytes(following[:3]) in _STARTS and bytes(before[-8:]).rstrip(b"\0").endswith(_END)
        for before, following in pairwise(pieces[1:])
    )


def _decode_rle(frame: bytes, layout: Layout) -> np.ndarray:
    """PS3.5 annex G: a segment for each byte of each sample, the upper byte first, in PackBits."""
    width, pixels = layout.allocated // 8, layout.rows * layout.columns
    if len(frame) < 64:
        raise ImageError(DAMAGED)
    count, *starts = struct.unpack_from("<16I", frame)
    if count != layout.samples * width:
        raise layout.mismatch()
    codes = np.empty((layout.samples, pixels, width), np.uint8)
    ends = [*starts[1:count], len(frame)]
    for number, (start, end) in enumerate(zip(starts, ends, strict=False)):
        sample, byte = divmod(number, width)
        line = _unpack(frame[start:end], pixels)
        if line is None:
            raise ImageError(DAMAGED)
        # A row more is of a film of another size; zeros behind the last run are padding.
        if _unpack(frame[start:end].rstrip(b"\0") + b"\0", pixels + layout.columns) is not None:
            raise layout.mismatch()
        codes[sample, :, width - 1 - byte] = line
    planes = codes.view(f"<u{width}").reshape(layout.samples, layout.rows, layout.columns)
    return np.moveaxis(planes, 0, -1) if layout.samples == 3 else planes[0]


def _unpack(segment: bytes, pixels: int) -> np.ndarray | None:
    """The first bytes of a segment in PackBits, uint8 (pixels,); None if it holds fewer."""
    # One line of all pixels: in Pillow a run ends with its line, but not every writer's does.
    try:
        line = Image.frombytes("L", (pixels, 1), segment, "packbits", "L")
    except ValueError:
        return None
    return np.asarray(line).ravel()


def _decode_jpeg(frame: bytes, layout: Layout) -> tuple[np.ndarray, Layout]:
    parts = list(segments(frame))
    found = read_frame(frame, parts)
    if (found.width, found.height) != (layout.columns, layout.rows) or len(
        found.components
    ) != layout.samples:
        raise layout.mismatch()
    is_ybr = layout.photometric.startswith("YBR")
    as_photo = layout.samples == 1 or is_ybr or _says_its_colours(frame, parts)
    if found.marker in _PHOTO and found.precision == 8 and as_photo:
        codes = decode_photo(frame)
    else:
        codes = _decode_others(frame, found, parts, layout)
        codes = codes[..., 0] if is_ybr else codes
    codes = layout.fitted(codes, found.precision, lossy=_is_lossy(frame, found, parts))
    return codes, replace(layout, stored=min(layout.stored, found.precision), allocated=codes.itemsize * 8)


def _says_its_colours(frame: bytes, parts: list[Segment]) -> bool:
    """Whether a JFIF or Adobe segment tells how colours are coded: a header that says RGB may be wrong."""
    return any(frame.startswith(_COLOUR_TAGS.get(part.marker, b"-"), part.body) for part in parts)


def _is_lossy(frame: bytes, found: Frame, parts: list[Segment]) -> bool:
    if found.marker != _JPEG_LS:
        return found.marker not in _LOSSLESS
    # How far a pixel may be off stands behind the components of a scan.
    nears = [part.body + 1 + 2 * frame[part.body] for part in parts if part.marker == SCAN]
    return any(frame[near : near + 1] > b"\0" for near in nears)


def _with_more(frame: bytes, parts: list[Segment], more: bytes) -> bytes:
    """The stream with more coded data behind each scan."""
    pieces, at = [], 0
    for part in parts:
        if part.marker == SCAN:
            pieces += [frame[at : part.scan_end], more]
            at = part.scan_end
    return b"".join([*pieces, frame[at:]])


def _decode_others(frame: bytes, found: Frame, parts: list[Segment], layout: Layout) -> np.ndarray:
    if found.marker not in _PHOTO | _OTHERS:
        raise ImageError("the DICOM file holds a hierarchical JPEG, which cannot be read; export it again")
    samples = layout.rows * layout.columns * layout.samples
    kind = np.uint8 if found.precision <= 8 else np.uint16
    most = _MOST_SAMPLES_LS if found.marker == _JPEG_LS else _MOST_SAMPLES
    if samples > most:
        raise ImageError(
            f"the DICOM file's image is {layout.columns:,} x {layout.rows:,} pixels in a JPEG that takes too "
            f"long to decode (the limit is {most // 1_000_000} million samples); export it uncompressed"
        )
    if found.marker == _JPEG_LS:  # whose decoder tells of a cut
        is_told, decoder, stream = True, "charls", frame
    else:
        is_told, decoder = found.marker in _HUFFMAN and not has_code_of_ones(frame, parts), "libjpeg"
        stream = _with_more(frame, parts, _ONES) if is_told else frame
    codes = decode_apart(decoder, stream, seconds=_SECONDS, kind=kind, damaged=DAMAGED)
    if codes.size != samples:
        raise layout.mismatch()
    if not is_told and len(frame) <= _MOST_TWICE and samples <= _MOST_SAMPLES_TWICE:
        again = decode_apart(
            decoder, _with_more(frame, parts, MORE_CODED), seconds=_SECONDS, kind=kind, damaged=DAMAGED
        )
        if not np.array_equal(codes, again):
            raise damaged("a scan is cut")
    return codes.reshape(layout.rows, layout.columns, *((3,) if layout.samples == 3 else ()))
