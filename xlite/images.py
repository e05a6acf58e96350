"""Images: PNG, JPEG or DICOM in, uint8 (H, W) out; and the one way from an image to a model's input.

    image = read_image("film.png")               # uint8 (H, W), bright bones on dark lungs
    x = Preprocess(size=224)(image)              # float32 (3, 224, 224)

Formats are recognised by content, never by suffix. Colour is made grey (ITU-R 601 weights), transparent
pixels become black as the background of a film is, photos are turned upright by their EXIF tag.
"""

import io
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageChops
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from xlite.dicom import looks_like_dicom, read_dicom
from xlite.errors import ImageError
from xlite.pixels import check_size, to_uint8

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

MAX_BYTES = 512 * 2**20
MAX_UPLOAD_MB = 64  # MiB; the largest film that a browser may send
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".dcm")
_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG"}
# Opened as what they are: Image.open would print a warning about a large size before we can refuse it.
_READERS = {"PNG": PngImageFile, "JPEG": JpegImageFile}
# Offsets in a PNG, after the signature (8 bytes), chunk length (4) and "IHDR" (4).
_PNG_SIZE, _PNG_BIT_DEPTH, _PNG_COLOUR = 16, 24, 25
_GREY = 0
# Chunks that do not change how a PNG looks: no transparency, no animation, no orientation.
_PLAIN_CHUNKS = {b"IHDR", b"IDAT", b"IEND", b"tIME", b"pHYs"}
_FIELDS = 16  # a side, for the means of a film
_LEAST_CONTRAST = 10  # grey levels
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # by EXIF orientation
# What Pillow and OpenCV raise on damaged files; a bomb is refused by the size in its header.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, struct.error, cv2.error)


def is_image_name(name: str) -> bool:
    """Whether a file name ends like a film: .png .jpg .jpeg .dcm, in any case."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def read_image(source: bytes | str | os.PathLike[str]) -> np.ndarray:
    """The film in a PNG, JPEG or DICOM, from its bytes or its path: uint8 (H, W), 0-255, bones bright.

    Raises ImageError with a sentence for the user; it starts with the path if one is given.
    """
    if isinstance(source, bytes):
        return _decode(source)
    try:
        return _decode(_read_file(Path(source)))
    except ImageError as error:
        raise ImageError(f"{os.fspath(source)}: {error}") from error


def _read_file(path: Path) -> bytes:
    if not path.is_file():
        raise ImageError("there is no such file" if not path.exists() else "this is not a file")
    if path.stat().st_size > MAX_BYTES:
        raise ImageError(f"the file is larger than {MAX_BYTES // 2**20} MB; export it smaller")
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageError(f"the file cannot be read ({error.strerror})") from error


def _decode(data: bytes) -> np.ndarray:
    if (image := _decode_grey_png(data)) is not None:
        return image
    for signature, file_format in _SIGNATURES.items():
        if data.startswith(signature):
            return _decode_photo(data, file_format)
    if looks_like_dicom(data):
        return read_dicom(data)
    if not data:
        raise ImageError("the file is empty; copy or export it again")
    raise ImageError("the file is not a PNG, JPEG or DICOM image; export the film as one of these")


def _decode_grey_png(data: bytes) -> np.ndarray | None:
    """The pixels of an undamaged grey PNG, as most films are; None if `_decode_photo` must look closer.

    The same as Pillow's. OpenCV lets go of the interpreter all the while, so threads decode side by side.
    """
    if not _is_plain_grey_png(data):
        return None
    check_size(*struct.unpack_from(">II", data, _PNG_SIZE))
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return pixels if pixels is None or pixels.dtype == np.uint8 else to_uint8(pixels)


def _is_plain_grey_png(data: bytes) -> bool:
    """Whether this is a PNG of 8 or 16 bits of grey with plain chunks only, undamaged to its end.

    OpenCV would complain about a damaged one on stderr.
    """
    at, kind, view = 8, b"", memoryview(data)
    if not data.startswith(b"\x89PNG") or len(data) <= _PNG_COLOUR or data[_PNG_COLOUR] != _GREY:
        return False
    while kind != b"IEND":
        if at + 12 > len(data):
            return False
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        if kind not in _PLAIN_CHUNKS or data[end : end + 4] != zlib.crc32(view[at + 4 : end]).to_bytes(
            4, "big"
        ):
            return False
        at = end + 4
    return at == len(data) and data[_PNG_BIT_DEPTH] in (8, 16)


def _decode_photo(data: bytes, file_format: str) -> np.ndarray:
    """PNG or JPEG bytes to uint8 (H, W), upright; raises ImageError if the file is cut or damaged."""
    try:
        with _READERS[file_format](io.BytesIO(data)) as picture:
            check_size(*picture.size)
            picture.load()  # refuses a damaged file before OpenCV can complain about it on stderr
            deep = file_format == "PNG" and data[_PNG_BIT_DEPTH] == 16
            grey = Image.fromarray(_decode_png16(data)) if deep else _to_grey(picture)
            orientation = picture.getexif().get(ExifTags.Base.Orientation)
            turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
            return np.array(grey if turn is None else grey.transpose(turn))
    except _BROKEN as error:
        raise ImageError(f"the {file_format} is damaged or incomplete; copy or export it again") from error


def _to_grey(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture if picture.mode == "L" else picture.convert("L")
    rgba = picture if picture.mode == "RGBA" else picture.convert("RGBA")
    return ImageChops.multiply(rgba.convert("L"), rgba.getchannel("A"))


def _decode_png16(data: bytes) -> np.ndarray:
    """A PNG with 16 bits per channel to uint8 (H, W); Pillow would cut colour to the upper byte."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("OpenCV cannot decode it")
    if pixels.ndim == 2:
        return to_uint8(pixels)
    grey = cv2.cvtColor(to_uint8(pixels[..., :3]), cv2.COLOR_BGR2GRAY)
    if pixels.shape[2] == 3:
        return grey
    for row, alpha in zip(grey, pixels[..., 3], strict=True):
        row[:] = np.rint(row * (alpha.astype(np.float32) / 65535))
    return grey


def has_contrast(image: np.ndarray) -> bool:
    """Whether a film uint8 (H, W) shows anything: not blank, black or white, nor one value but for noise.

    Looks at the means of 16 x 16 fields, in which noise, a thin frame and a burnt-in letter vanish: the
    middle 90 % of them must span 10 grey levels. Of 2,883 NIH films none spans less than 76, of 120 others 33.
    """
    means = cv2.resize(image, (_FIELDS, _FIELDS), interpolation=cv2.INTER_AREA)
    low, high = np.percentile(means, (5, 95))
    return bool(high - low >= _LEAST_CONTRAST)


def check_contrast(image: np.ndarray, path: Path | None = None) -> None:
    """Raises ImageError unless the film uint8 (H, W), read from `path`, has contrast."""
    if not has_contrast(image):
        raise ImageError(
            f"{f'{path}: ' if path else ''}the film shows nothing: all of it is about as bright "
            f"(grey level {image.mean():.0f} of 255); export it again, with its contrast"
        )


@dataclass(frozen=True)
class Preprocess:
    """From an image to a model's input: the same object in training, validation, serving and export.

    size: side S of the square input in px; mean, std: of each channel, for values of 0-1.
    """

    size: int
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD

    def resize(self, image: np.ndarray) -> np.ndarray:
        """Image uint8 (H, W) to uint8 (S, S), squashed to a square as NIH did with its films."""
        shrinks = image.size > self.size**2
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return cv2.resize(image, (self.size, self.size), interpolation=method)

    def normalize(self, image: np.ndarray) -> np.ndarray:
        """Film uint8 (S, S) to float32 (3, S, S): scaled to 0-1, then (value - mean) / std per channel."""
        mean = np.array(self.mean, np.float32)[:, None, None]
        std = np.array(self.std, np.float32)[:, None, None]
        return (image.astype(np.float32) / 255 - mean) / std

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Film uint8 (H, W) to model input float32 (3, S, S)."""
        return self.normalize(self.resize(image))
