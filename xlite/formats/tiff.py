"""TIFF films to uint8: directory and strips checked, the pixels decoded in a process apart (TIFF 6.0)."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xlite.errors import ImageError
from xlite.formats.codec import decode_apart
from xlite.formats.jpeg import first_frame
from xlite.formats.orientation import upright
from xlite.formats.tiff_directory import Directory, Tag, damaged
from xlite.pixels import check_size, to_uint8

_SECONDS = 2
_MAX_DECODER_BYTES = 400_000_000
_FED_BYTES, _GIVEN_BYTES = 2**17, 2**20  # to zlib and by zlib at a time
_MAX_PIECES = 2**16  # strips or tiles; a film of the most pixels has 16,000 tiles of 64 x 64
_PLAIN, _LZW, _JPEG, _DEFLATE, _OLD_DEFLATE, _PACKBITS = 1, 5, 7, 8, 32946, 32773
_COMPRESSIONS = {_PLAIN, _LZW, _JPEG, _DEFLATE, _OLD_DEFLATE, _PACKBITS}
_WHITE_IS_ZERO, _GREY, _RGB, _INDICES, _YCBCR = 0, 1, 2, 3, 6
# By meaning and samples a pixel, the bits of a sample that can be read.
_KINDS = {
    (_WHITE_IS_ZERO, 1): (1, 4, 8, 16), (_GREY, 1): (1, 2, 4, 8, 16), (_GREY, 2): (8,),
    (_RGB, 3): (8, 16), (_RGB, 4): (8, 16), (_INDICES, 1): (1, 2, 4, 8), (_YCBCR, 3): (8,),
}  # fmt: skip


@dataclass(frozen=True)
class _Layout:
    """Size in px, bits a sample, samples a pixel, what they mean, and how strips or tiles are packed."""

    width: int
    height: int
    bits: int
    samples: int
    photometric: int
    compression: int


@dataclass(frozen=True)
class _Piece:
    """A strip or tile: where it begins, its bytes, its width in px, its rows, and those of a whole one.

    row_bytes: of a row, unpacked.
    """

    at: int
    size: int
    width: int
    rows: int
    height: int
    row_bytes: int


def read_tiff(data: bytes) -> np.ndarray:
    """The film in a TIFF: uint8 (H, W), upright, colour made grey, 16 bits as of a PNG.

    Raises ImageError, also if the file holds several pictures.
    """
    directory = Directory(data)
    layout = _layout(directory)
    for piece in _pieces(directory, layout):
        if piece.at + piece.size > len(data):
            raise damaged("a strip or tile is cut")
        _check_piece(memoryview(data)[piece.at : piece.at + piece.size], layout.compression, piece)
    image = to_uint8(_decode(data, directory, layout))
    if layout.bits == 16 and layout.photometric == _WHITE_IS_ZERO:  # fewer bits Pillow inverts itself
        np.subtract(255, image, out=image)
    return upright(image, directory.number(Tag.ORIENTATION))


def _decode(data: bytes, directory: Directory, layout: _Layout) -> np.ndarray:
    """The pixels in grey, uint8 or uint16 (H, W). Raises ImageError."""
    padding = bytes(len(data) % 2)
    end = len(data) + len(padding)
    sentence = str(damaged("its pixels are broken"))
    flat = decode_apart(
        "deep-tiff" if layout.bits == 16 and layout.samples > 1 else "tiff",
        *(data[:4], struct.pack(f"{directory.order}I", end), memoryview(data)[8:], padding),
        directory.packed(end),
        seconds=_SECONDS,
        kind="<u2" if layout.bits == 16 else np.uint8,
        damaged=sentence,
    )
    if flat.size != layout.width * layout.height:
        raise ImageError(sentence)
    return flat.reshape(layout.height, layout.width)


def _unread(what: str) -> ImageError:
    return ImageError(
        f"the TIFF {what}, which cannot be read; export it with 8 or 16 bits, grey or RGB, uncompressed"
    )


def _layout(directory: Directory) -> _Layout:
    """The layout that a directory states. Raises ImageError for one that no film has, or none can read."""
    width, height = directory.number(Tag.WIDTH), directory.number(Tag.HEIGHT)
    check_size(width, height)
    compression = directory.number(Tag.COMPRESSION, _PLAIN)
    if compression not in _COMPRESSIONS:
        raise _unread(f"is compressed in an unusual way (Compression {compression})")
    samples, bits = directory.number(Tag.SAMPLES, 1), directory.numbers(Tag.BITS, 1)
    photometric = directory.number(Tag.PHOTOMETRIC, _GREY)
    if len(set(bits)) != 1 or bits[0] not in _KINDS.get((photometric, samples), ()):
        stated = f"{samples} samples of {bits[0]} bits a pixel"
        raise _unread(f"has {stated} (Photometric Interpretation {photometric})")
    if set(directory.numbers(Tag.SAMPLE_FORMAT, 1)) != {1} or directory.number(Tag.FILL_ORDER, 1) != 1:
        raise _unread("has samples that are signed, fractions or reversed (Sample Format, Fill Order)")
    is_jpeg = compression == _JPEG
    is_planar = directory.number(Tag.PLANAR, 1) != 1
    if photometric == _YCBCR and (not is_jpeg or is_planar):
        raise _unread("is coded as YCbCr without JPEG, or with its colours apart")
    if is_jpeg and (bits[0] != 8 or samples not in (1, 3)):
        raise _unread("is coded as JPEG of an unusual kind")
    is_deep = bits[0] == 16
    if is_deep and samples > 1 and is_planar:
        raise _unread("has its colours of 16 bits apart (Planar Configuration 2)")
    # Pillow takes four bytes for a pixel with colour. OpenCV holds the file beside what comes of it.
    pixel_bytes = (4 * samples if is_deep else 4) if samples > 1 else 1 + is_deep
    if width * height * pixel_bytes > _MAX_DECODER_BYTES:
        raise ImageError(
            f"the TIFF is {width:,} x {height:,} pixels in colour, which takes too much memory; "
            "export it grey"
        )
    return _Layout(width, height, bits[0], samples, photometric, compression)


def _pieces(directory: Directory, layout: _Layout) -> Iterator[_Piece]:
    """The strips or tiles, as the directory states them."""
    planes = layout.samples if directory.number(Tag.PLANAR, 1) == 2 else 1
    tiled = bool(directory.numbers(Tag.TILES))
    if tiled:
        width, height = directory.number(Tag.TILE_WIDTH), directory.number(Tag.TILE_HEIGHT)
        starts, sizes = directory.numbers(Tag.TILES), directory.numbers(Tag.TILE_BYTES)
    else:
        width, height = layout.width, min(directory.number(Tag.ROWS, layout.height), layout.height)
        starts, sizes = directory.numbers(Tag.STRIPS), directory.numbers(Tag.STRIP_BYTES)
    if not width or not height or width * height > 2 * layout.width * layout.height + 2**20:
        raise damaged("its strips or tiles have no size")
    count = -(-layout.width // width) * -(-layout.height // height)
    if count * planes > _MAX_PIECES:
        raise _unread(f"is cut into {count * planes:,} strips or tiles")
    row_bytes = -(-width * layout.bits * layout.samples // planes // 8)
    if layout.compression == _PLAIN and not sizes:  # an old film of a single strip
        sizes = (row_bytes * height,)
    if len(starts) != count * planes or len(sizes) != len(starts):
        raise damaged("strips or tiles are missing")
    for number, (at, size) in enumerate(zip(starts, sizes, strict=True)):
        rows = height if tiled else min(height, layout.height - number % count * height)
        yield _Piece(at, size, width, rows, height, row_bytes)


def _check_piece(packed: memoryview, compression: int, piece: _Piece) -> None:
    """Raises ImageError unless a strip or tile is whole, as far as its compression can tell."""
    least, most = piece.row_bytes * piece.rows, piece.row_bytes * piece.height
    if compression == _PLAIN and len(packed) < least:
        raise damaged("a strip or tile is cut")
    if compression == _JPEG:
        end = bytes(packed[-64:]).rstrip(b"\0")[-2:]
        if bytes(packed[:2]) != b"\xff\xd8" or end != b"\xff\xd9":
            raise damaged("a strip or tile is cut")
        frame = first_frame(bytes(packed))  # libtiff fills what a smaller one lacks, without a word
        if frame.width != piece.width or not piece.rows <= frame.height <= piece.height:
            raise damaged("a strip or tile has another size than it should")
    # libtiff looks neither at the checksum nor at what comes behind the last row.
    if compression in (_DEFLATE, _OLD_DEFLATE) and not least <= _inflated(packed, most) <= most:
        raise damaged("rows are missing or too many")


def _inflated(packed: memoryview, most: int) -> int:
    """How many bytes a piece unpacks to, its checksum verified; more than `most` are not all counted."""
    inflater, count = zlib.decompressobj(), 0
    try:
        for at in range(0, len(packed), _FED_BYTES):
            fed: bytes | memoryview = packed[at : at + _FED_BYTES]
            while fed and count <= most:
                count += len(inflater.decompress(fed, _GIVEN_BYTES))
                fed = inflater.unconsumed_tail
    except zlib.error as error:
        raise damaged("its compressed data is broken") from error
    return count if inflater.eof or count > most else 0
