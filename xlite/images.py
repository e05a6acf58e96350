"""Images: a film's file in, uint8 (H, W) out; and the one way from an image to a model's input.

    image = read_image("film.png")               # uint8 (H, W), bright bones on dark lungs
    x = Preprocess(size=224)(image)              # float32 (3, 224, 224)

The `FORMATS` are recognised by content, never by suffix. Colour is made grey (ITU-R 601 weights),
transparent pixels become black as the background of a film is, photos are turned upright by their EXIF tag.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from xlite.errors import ImageError
from xlite.files import read_file
from xlite.formats import FORMATS
from xlite.formats.bmp import looks_like_bmp, read_bmp
from xlite.formats.dicom import looks_like_dicom, read_dicom
from xlite.formats.jpeg import SIGNATURE as JPEG_SIGNATURE
from xlite.formats.photo import read_photo
from xlite.formats.png import read_png
from xlite.formats.png_stream import SIGNATURE as PNG_SIGNATURE
from xlite.formats.tiff import read_tiff
from xlite.formats.tiff_directory import SIGNATURES as TIFF_SIGNATURES
from xlite.formats.webp import looks_like_webp, read_webp

Channels = tuple[float, float, float]
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

MAX_BYTES = 512 * 2**20
MAX_UPLOAD_MB = 64  # MiB; the largest film that a browser may send
MAX_FILMS = 10  # so many a page reads at once for a stranger; folders are for `xlite predict`
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".dcm")
_OTHERS = {  # by how a file begins
    b"GIF8": "a GIF",
    b"%PDF": "a PDF",
    b"II+\0": "a BigTIFF",
    b"MM\0+": "a BigTIFF",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 outside of DICOM",
    b"\xff\x4f\xff\x51": "a JPEG 2000 outside of DICOM",
    b"8BPS": "a Photoshop file",
}
_FIELDS = 16  # a side, for the means of a film
LEAST_CONTRAST = 10  # grey levels


def is_image_name(name: str) -> bool:
    """Whether a file name ends like a film, in any case."""
    return name.lower().endswith(IMAGE_SUFFIXES)


class FilmSource(Protocol):
    """A film that is not a file of its own, such as one in a zipped folder."""

    def __fspath__(self) -> str:
        """What it is called in messages."""

    def read_bytes(self) -> bytes:
        """The bytes of the film's file. Raises ImageError."""


def read_image(source: bytes | str | Path | FilmSource, window: str | None = None) -> np.ndarray:
    """The film in a file of one of the `FORMATS`, from its bytes or its path: uint8 (H, W), bones bright.

    window: for DICOM, one of its `dicom_windows` by title or place from 1 on, or "CENTER,WIDTH". Raises
    ImageError with a sentence for the user; it starts with the path if one is given.
    """
    if isinstance(source, bytes):
        return _decode(source, window)
    try:
        if isinstance(source, str | Path):
            return _decode(film_bytes(Path(source)), window)
        return _decode(source.read_bytes(), window)
    except ImageError as error:
        raise ImageError(f"{os.fspath(source)}: {error}") from error


def film_bytes(path: Path) -> bytes:
    """The bytes of a film's file. Raises ImageError, at once also for a pipe or a device or a huge file."""
    try:
        if not path.is_file():
            raise ImageError("there is no such file" if not path.exists() else "this is not a file")
        if path.stat().st_size > MAX_BYTES:
            raise ImageError(f"the file is larger than {MAX_BYTES // 2**20} MB; export it smaller")
        return read_file(path)
    except OSError as error:
        raise ImageError(f"the file cannot be read ({error.strerror})") from error


def looks_like_photo(head: bytes) -> bool:
    """Whether bytes begin as a film does that is not a DICOM file."""
    return _reader(head) not in (None, read_dicom)


def _reader(head: bytes) -> Callable[[bytes], np.ndarray] | None:
    """What reads a film that begins so; None if it is none."""
    if head.startswith(PNG_SIGNATURE):
        return read_png
    if head.startswith(JPEG_SIGNATURE):
        return read_photo
    if looks_like_dicom(head):  # whose preamble may make it another format, too
        return read_dicom
    if head.startswith(TIFF_SIGNATURES):
        return read_tiff
    if looks_like_webp(head):
        return read_webp
    return read_bmp if looks_like_bmp(head) else None


def _decode(data: bytes, window: str | None) -> np.ndarray:
    read = _reader(data)
    if read is read_dicom:
        return read_dicom(data, window)
    if read:
        if window is not None:
            raise ImageError("only DICOM films have windows to choose from; leave the window out")
        return read(data)
    if not data:
        raise ImageError("the file is empty; copy or export it again")
    if data.startswith(b"PK\3\4"):
        raise ImageError("the file is a zipped folder: unpack it, or give it to xlite predict as it is")
    kind = next((words for start, words in _OTHERS.items() if data.startswith(start)), "")
    raise ImageError(
        f"the file is {f'{kind}, ' if kind else ''}not a {FORMATS} image; export the film as one of these"
    )


def contrast(image: np.ndarray) -> float:
    """The grey levels that the middle 90 % of a film uint8 (H, W) span, in means of 16 x 16 fields.

    In these means noise, a thin frame and a burnt-in letter vanish. Of 2,883 NIH films each spans 76 or more,
    of 120 others 33.
    """
    means = cv2.resize(image, (_FIELDS, _FIELDS), interpolation=cv2.INTER_AREA)
    low, high = np.percentile(means, (5, 95))
    return float(high - low)


def has_contrast(image: np.ndarray) -> bool:
    """Whether a film uint8 (H, W) shows anything: not blank, black or white, nor one value but for noise."""
    return contrast(image) >= LEAST_CONTRAST


def check_contrast(image: np.ndarray, path: str | os.PathLike[str] | None = None) -> None:
    """Raises ImageError unless the film uint8 (H, W), read from `path`, has contrast."""
    if not has_contrast(image):
        raise ImageError(
            f"{f'{os.fspath(path)}: ' if path else ''}the film shows nothing: all of it is about as bright "
            f"(grey level {image.mean():.0f} of 255); export it again, with its contrast"
        )


@dataclass(frozen=True)
class Preprocess:
    """From an image to a model's input: the same object in training, validation, serving and export.

    size: side S of the square input in px; mean, std: of each channel, for values of 0-1.
    """

    size: int
    mean: Channels = IMAGENET_MEAN
    std: Channels = IMAGENET_STD

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
