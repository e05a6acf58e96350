"""Valid small films of every kind, and the pieces to build those that ask for too much."""

import io
import struct
import zlib

import cv2
import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (40, 56), np.uint8), (0, 0), 1.5)
GREY = cv2.normalize(GREY, None, 0, 255, cv2.NORM_MINMAX)
DEEP = GREY.astype(np.uint16) * 16 + 3
COLOUR = np.dstack([GREY, GREY[::-1], GREY[:, ::-1]])
PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


def png(
    pixels: np.ndarray, colour: int, bits: int = 8, interlaced: bool = False, extra: bytes = b""
) -> bytes:
    """A PNG of samples (H, W) or (H, W, channels); each row has another filter if it is not interlaced."""
    return png_of_rows(rows_of(pixels, bits, interlaced), pixels.shape, colour, bits, interlaced, extra)


def png_of_rows(
    rows: bytes,
    shape: tuple[int, ...],
    colour: int,
    bits: int = 8,
    interlaced: bool = False,
    extra: bytes = b"",
) -> bytes:
    header = struct.pack(">IIBBBBB", shape[1], shape[0], bits, colour, 0, 0, interlaced)
    return b"".join(
        [SIGNATURE, chunk(b"IHDR", header), extra, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    )


def rows_of(pixels: np.ndarray, bits: int = 8, interlaced: bool = False) -> bytes:
    """Filtered rows of samples, not compressed."""
    rows = []
    for top, left, down, across in PASSES if interlaced else ((0, 0, 1, 1),):
        samples = pixels[top::down, left::across]
        if bits == 16:
            packed = samples.astype(">u2").reshape(len(samples), -1).view(np.uint8)
        else:
            whole = np.unpackbits(samples.reshape(len(samples), -1, 1), axis=2)[..., 8 - bits :]
            packed = np.packbits(whole.reshape(len(samples), -1), axis=1)
        above = np.zeros_like(packed[:1])
        for number, row in enumerate(packed):
            kind = 0 if interlaced else 2 * (number % 2)  # none and "up": differences to the row above
            rows.append(bytes([kind]) + (row - above[0] if kind else row).tobytes())
            above = row[None]
    return b"".join(rows)


def saved(picture: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def dicom(pixel_data: bytes, syntax: str = ExplicitVRLittleEndian, bits: int = 12, **tags: object) -> bytes:
    """A computed radiograph of GREY's size."""
    return saved_dicom(dataset(pixel_data, syntax, bits, **tags))


def dataset(pixel_data: bytes, syntax: str, bits: int, **tags: object) -> Dataset:
    film = Dataset()
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = syntax
    film.SOPClassUID, film.SOPInstanceUID, film.Modality = ComputedRadiographyImageStorage, "1.2.3", "CR"
    film.Rows, film.Columns = GREY.shape
    film.SamplesPerPixel, film.PhotometricInterpretation, film.PixelRepresentation = 1, "MONOCHROME2", 0
    film.BitsAllocated, film.BitsStored, film.HighBit = 8 if bits == 8 else 16, bits, bits - 1
    film.WindowCenter, film.WindowWidth = 2 ** (bits - 1), 2**bits
    film.PixelData = pixel_data
    film["PixelData"].VR = "OB" if bits == 8 else "OW"
    for name, value in tags.items():
        setattr(film, name, value)
    return film


def saved_dicom(film: Dataset) -> bytes:
    buffer = io.BytesIO()
    film.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def compressed(syntax: str) -> bytes:
    film = dataset(DEEP.tobytes(), ExplicitVRLittleEndian, 12)
    film.compress(syntax)
    return saved_dicom(film)


def pngs() -> dict[str, bytes]:
    """A valid PNG of each kind."""
    alpha = np.dstack([GREY, GREY[::-1]])
    palette = chunk(b"PLTE", bytes(255 - value // 3 for value in range(768)))
    few = chunk(b"PLTE", bytes(range(48)))
    films = {
        "grey": png(GREY, 0),
        "grey of OpenCV": cv2.imencode(".png", GREY)[1].tobytes(),
        "grey, 16 bits": png(DEEP, 0, 16),
        "grey with a key": png(GREY, 0, extra=chunk(b"tRNS", b"\0\x40")),
        "RGB": png(COLOUR, 2),
        "RGB of Pillow": saved(Image.fromarray(COLOUR)),
        "RGB, 16 bits": png(np.dstack([DEEP, DEEP[::-1], DEEP]), 2, 16),
        "palette": png(GREY, 3, extra=palette),
        "palette with transparency": png(GREY, 3, extra=palette + chunk(b"tRNS", bytes(range(200)))),
        "grey and alpha": png(alpha, 4),
        "grey and alpha, 16 bits": png(alpha.astype(np.uint16) * 257, 4, 16),
        "RGBA": png(np.dstack([COLOUR, GREY]), 6),
        "RGBA, 16 bits": png(np.dstack([COLOUR, GREY]).astype(np.uint16) * 257, 6, 16),
        "with texts": png(
            GREY, 0, extra=chunk(b"tEXt", b"Software\0scanner") + chunk(b"gAMA", b"\0\0\xb1\x8f")
        ),
    }
    for bits in (1, 2, 4):
        films[f"grey, {bits} bits"] = png(GREY >> (8 - bits), 0, bits)
        films[f"interlaced, {bits} bits"] = png(GREY >> (8 - bits), 0, bits, interlaced=True)
    films["palette, 4 bits"] = png(GREY >> 4, 3, 4, extra=few)
    films["interlaced"] = png(GREY, 0, interlaced=True)
    films["interlaced, 16 bits"] = png(DEEP, 0, 16, interlaced=True)
    films["interlaced RGB"] = png(COLOUR, 2, interlaced=True)
    films["interlaced palette"] = png(GREY, 3, interlaced=True, extra=palette)
    return films


def jpegs() -> dict[str, bytes]:
    """A valid JPEG of each kind."""
    grey, colour = Image.fromarray(GREY), Image.fromarray(COLOUR)
    return {
        "baseline": saved(grey, "JPEG"),
        "progressive": saved(grey, "JPEG", progressive=True),
        "with restart markers": saved(grey, "JPEG", restart_marker_blocks=3),
        "progressive with restart markers": saved(grey, "JPEG", progressive=True, restart_marker_blocks=2),
        "colour": saved(colour, "JPEG", subsampling=2),
        "progressive colour": saved(colour, "JPEG", progressive=True, quality=95),
        "colour with restart markers": saved(colour, "JPEG", restart_marker_rows=1, subsampling=0),
        "CMYK": saved(colour.convert("CMYK"), "JPEG"),
    }


def tiffs() -> dict[str, bytes]:
    """A valid TIFF of each kind."""
    grey, colour, deep = (Image.fromarray(pixels) for pixels in (GREY, COLOUR, DEEP))
    return {
        "grey": saved(grey, "TIFF"),
        "grey, LZW": saved(grey, "TIFF", compression="tiff_lzw"),
        "grey, packbits": saved(grey, "TIFF", compression="packbits"),
        "grey, deflate in strips": saved(grey, "TIFF", compression="tiff_adobe_deflate", strip_size=300),
        "grey, JPEG": saved(grey, "TIFF", compression="jpeg"),
        "16 bits": saved(deep, "TIFF"),
        "16 bits, deflate": saved(deep, "TIFF", compression="tiff_adobe_deflate"),
        "RGB, LZW": saved(colour, "TIFF", compression="tiff_lzw"),
        "RGB, JPEG": saved(colour, "TIFF", compression="jpeg"),
        "RGB, 16 bits": cv2.imencode(".tif", COLOUR.astype(np.uint16) * 257)[1].tobytes(),
    }


def webps() -> dict[str, bytes]:
    """A valid WebP of each kind."""
    colour = Image.fromarray(COLOUR)
    alpha = Image.fromarray(np.dstack([COLOUR, GREY]))
    return {
        "lossy": saved(colour, "WEBP"),
        "lossless": saved(colour, "WEBP", lossless=True),
        "lossy with alpha": saved(alpha, "WEBP"),
    }


def bmps() -> dict[str, bytes]:
    """A valid BMP of each kind."""
    return {
        "grey": saved(Image.fromarray(GREY), "BMP"),
        "RGB": saved(Image.fromarray(COLOUR), "BMP"),
        "1 bit": saved(Image.fromarray(GREY > 99), "BMP"),
    }


def dicoms() -> dict[str, bytes]:
    """A valid DICOM of each kind."""
    lut = Dataset()
    lut.LUTDescriptor, lut.LUTData = [4096, 0, 16], [value * 16 for value in range(4096)]
    lut["LUTDescriptor"].VR = lut["LUTData"].VR = "US"
    return {
        "uncompressed": dicom(DEEP.tobytes()),
        "8 bits": dicom(GREY.tobytes(), bits=8),
        "implicit": dicom(DEEP.tobytes(), ImplicitVRLittleEndian),
        "inverted": dicom(DEEP.tobytes(), PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=3),
        "rescaled": dicom(DEEP.tobytes(), RescaleSlope=2, RescaleIntercept=-100),
        "with a table": dicom(DEEP.tobytes(), VOILUTSequence=[lut]),
        "RLE": compressed(RLELossless),
        "JPEG 2000": compressed(JPEG2000Lossless),
        "JPEG": dicom(encapsulate([jpegs()["baseline"]]), JPEGBaseline8Bit, 8),
    }
