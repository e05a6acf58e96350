"""PNG films of every kind to uint8: grey, colour, palette, transparent, 1 to 16 bits, interlaced."""

import zlib

import cv2
import numpy as np
from PIL import Image, ImageChops

from xlite.formats.orientation import exif_orientation, upright, xmp_orientation
from xlite.formats.png_stream import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    Header,
    Rows,
    damaged,
    read_chunks,
    read_header,
)
from xlite.pixels import STRIP, to_uint8

Chunks = dict[bytes, list[memoryview]]
"""The bodies of a PNG's chunks by their kind."""
_LARGE = 2**20  # px
# No transparency, no orientation, and no text that a library would unpack.
_PLAIN_CHUNKS = {b"IHDR", b"IDAT", b"tIME", b"pHYs"}
_DEEP_TO_GREY = {3: cv2.COLOR_BGR2GRAY, 4: cv2.COLOR_BGRA2GRAY}  # by channels
_XMP = b"XML:com.adobe.xmp\0\0"
_RAW_EXIF = b"Raw profile type exif\0"
_MAX_EXIF = 2**17  # bytes, as hexadecimal digits


def read_png(data: bytes) -> np.ndarray:
    """The film in a PNG: uint8 (H, W), upright, colour made grey, transparent pixels black.

    Raises ImageError if a checksum is wrong, a row is missing or too many, or anything else is damaged.
    """
    chunks = read_chunks(data)
    header, rows = read_header(chunks[b"IHDR"][0]), Rows(chunks[b"IDAT"])
    if (plain := _read_plain(data, header, chunks)) is not None:
        return plain
    if header.bits == 16:
        image = _read_deep(header, rows, chunks)
    elif header.colour in (GREY, PALETTE):
        image = _read_levels(header, rows, _levels(header, chunks))
    else:
        image = _read_colour(header, rows, chunks)
    rows.finish()
    return upright(image, _orientation(chunks))


def _read_plain(data: bytes, header: Header, chunks: Chunks) -> np.ndarray | None:
    """A large grey film and no more, as NIH's are, by OpenCV alone: faster by a fifth. None if it cannot.

    libpng verifies the rows and their checksum too, but complains on stderr, and passes over rows that the
    header does not count.
    """
    is_large = header.width * header.height >= _LARGE
    if not is_large or header.colour != GREY or header.bits < 8 or not chunks.keys() <= _PLAIN_CHUNKS:
        return None
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return pixels if pixels is None or pixels.dtype == np.uint8 else to_uint8(pixels)


def _read_levels(header: Header, rows: Rows, levels: np.ndarray) -> np.ndarray:
    """A picture whose samples stand for the grey levels uint8 (N,)."""
    image = np.empty((header.height, header.width), np.uint8)
    table = np.zeros(256, np.uint8)
    table[: len(levels)] = levels
    for target, samples in rows.placed(header, image):
        values = _unpacked(samples[..., 0], header.bits)[:, : target.shape[1]]
        if len(levels) < 2**header.bits and values.max() >= len(levels):
            raise damaged("a pixel's colour is not in its palette")
        cv2.LUT(values, table, target) if target.flags.c_contiguous else np.copyto(target, table[values])
    return image


def _read_colour(header: Header, rows: Rows, chunks: Chunks) -> np.ndarray:
    image = np.empty((header.height, header.width), np.uint8)
    hidden = _hidden(header, chunks)
    for target, samples in rows.placed(header, image):
        np.copyto(target, _to_grey(samples))
        if hidden is not None:
            _hide(target, samples, hidden)
    return image


def _read_deep(header: Header, rows: Rows, chunks: Chunks) -> np.ndarray:
    """A picture of 16 bits a sample; how many of them are used, sBIT tells, else the brightest sample."""
    deep, brightest = np.empty((header.height, header.width), np.uint16), 0
    hidden, stated = _hidden(header, chunks), _significant_bits(header, chunks)
    scaled, is_scaled = _scaled_from(stated), True
    for target, samples in rows.placed(header, deep):
        channels = samples.shape[2]
        if brightest < 2**15:
            # The brightest of each column, as one row of samples: of a single channel OpenCV drops the axis.
            columns = cv2.reduce(samples.reshape(len(samples), -1), 0, cv2.REDUCE_MAX).reshape(-1, channels)
            brightest = max(brightest, int(columns[:, : 3 if channels > 2 else 1].max()))
        if is_scaled and brightest < 2**stated < 2**16:
            is_scaled = bool(scaled[samples[..., : 3 if channels > 2 else 1]].all())
        grey = cv2.cvtColor(samples, _DEEP_TO_GREY[channels]) if channels > 2 else samples[..., 0]
        if channels in (2, 4) and (alpha := cv2.extractChannel(samples, channels - 1)).min() < 65535:
            share = alpha.astype(np.float32)
            share /= 65535
            share *= grey
            grey = np.rint(share, out=share)
        np.copyto(target, grey, casting="unsafe")
        if hidden is not None:
            _hide(target, samples, hidden)
    bits = max(8, brightest.bit_length())
    if stated:
        bits = stated if bits <= stated and not is_scaled else 16
    table = to_uint8(np.arange(2**bits, dtype=np.uint16))
    image = np.empty(deep.shape, np.uint8)
    for top in range(0, len(deep), STRIP):
        image[top : top + STRIP] = table[deep[top : top + STRIP]]
    return image


def _significant_bits(header: Header, chunks: Chunks) -> int:
    """How many bits the samples had before they became 16 (sBIT), 8 to 16; 0 if nothing says so.

    A writer has to scale them to 16 bits, but some leave them as they were. These are told by samples that
    `_scaled_from` does not give, if none is beyond the bits.
    """
    colours = 1 if header.colour in (GREY, GREY_ALPHA) else 3
    stated = max(chunks.get(b"sBIT", [memoryview(b"")])[0][:colours], default=0)
    return stated if 8 <= stated <= 16 else 0


def _scaled_from(bits: int) -> np.ndarray:
    """Mask of the samples of 16 bits that scaling so many gives: by zeros, by repetition or by a factor."""
    values = np.arange(2**bits, dtype=np.uint32)
    factor = 65535 / max(2**bits - 1, 1)
    shifted = values << 16 - bits
    mask = np.zeros(2**16, bool)
    for samples in (
        shifted,
        shifted | values >> max(2 * bits - 16, 0),
        values * factor,
        np.rint(values * factor),
    ):
        mask[samples.astype(np.uint16)] = True
    return mask


def _hide(target: np.ndarray, samples: np.ndarray, hidden: np.ndarray) -> None:
    """Makes black what is transparent: the pixels (H, W) whose samples (H, W, channels) are `hidden`."""
    colour = tuple(hidden.tolist())
    np.copyto(target, 0, where=cv2.inRange(samples, colour, colour) > 0)


def _unpacked(packed: np.ndarray, bits: int) -> np.ndarray:
    """Samples of 1, 2, 4 or 8 bits that are packed into bytes: (rows, row bytes) to (rows, samples)."""
    if bits == 8:
        return packed
    shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    values: np.ndarray = (packed[:, :, None] >> shifts) & np.uint8(2**bits - 1)
    return values.reshape(len(packed), -1)


def _to_grey(samples: np.ndarray) -> np.ndarray:
    """Samples uint8 (H, W, channels) as of `Rows` to grey (H, W), ITU-R 601; times alpha, if any."""
    if samples.shape[2] == 2:
        grey, alpha = (Image.fromarray(np.ascontiguousarray(samples[..., at])) for at in (0, 1))
        grey = ImageChops.multiply(grey, alpha)
        return np.array(grey, np.uint8)
    rgb = cv2.COLOR_BGR2RGB if samples.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
    picture = Image.fromarray(cv2.cvtColor(samples, rgb))
    grey = picture.convert("L")
    if samples.shape[2] == 4:
        grey = ImageChops.multiply(grey, picture.getchannel("A"))
    return np.array(grey, np.uint8)


def _levels(header: Header, chunks: Chunks) -> np.ndarray:
    """The grey levels that the samples of a grey or palette picture stand for."""
    if header.colour == GREY:
        levels: np.ndarray = (np.arange(2**header.bits) * 255 // (2**header.bits - 1)).astype(np.uint8)
        if (hidden := _hidden(header, chunks)) is not None:
            levels[hidden[hidden < len(levels)]] = 0
        return levels
    palette = b"".join(chunks.get(b"PLTE", []))
    if not palette or len(palette) % 3 or len(palette) > 768:
        raise damaged("it has no palette")
    colours = np.full((1, len(palette) // 3, 4), 255, np.uint8)
    colours[0, :, 2::-1] = np.frombuffer(palette, np.uint8).reshape(-1, 3)
    alpha = np.frombuffer(b"".join(chunks.get(b"tRNS", [])), np.uint8)[: colours.shape[1]]
    colours[0, : len(alpha), 3] = alpha
    greys: np.ndarray = _to_grey(colours)[0]
    return greys


def _hidden(header: Header, chunks: Chunks) -> np.ndarray | None:
    """The one sample, or the three (blue first), that make a pixel without alpha transparent."""
    if b"tRNS" not in chunks or header.colour not in (GREY, RGB):
        return None
    if len(chunks[b"tRNS"][0]) != (2 if header.colour == GREY else 6):
        raise damaged("its transparency is cut")
    values: np.ndarray = np.frombuffer(chunks[b"tRNS"][0], ">u2")[::-1].astype(np.uint16)
    return values


def _orientation(chunks: Chunks) -> int:
    """The orientation in the first block of EXIF, else of XMP, as Pillow looks for it; 0 if there is none."""
    for body in chunks.get(b"eXIf", []):
        if found := exif_orientation(bytes(body)):
            return found
    for body in chunks.get(b"zTXt", []):
        if bytes(body[: len(_RAW_EXIF)]) == _RAW_EXIF and (found := exif_orientation(_raw_exif(body))):
            return found
    for body in chunks.get(b"iTXt", []):
        if bytes(body[: len(_XMP)]) == _XMP and (found := xmp_orientation(body)):
            return found
    return 0


def _raw_exif(body: memoryview) -> bytes:
    """The EXIF that ImageMagick writes as a compressed text: a name, a length, hexadecimal digits."""
    try:
        text = zlib.decompressobj().decompress(body[len(_RAW_EXIF) + 1 :], _MAX_EXIF)
        return bytes.fromhex(b"".join(text.split(b"\n")[3:]).decode("ascii"))
    except (zlib.error, ValueError):
        return b""
