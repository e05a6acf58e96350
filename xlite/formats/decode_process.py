"""Decodes one stream, within limits: stdin to stdout, as samples in little endian.

    python decode_process.py libjpeg|charls|openjpeg|reduced:LEVELS|tiff|deep-tiff|bmp|webp SECONDS BYTES

A script and not a module: it imports nothing of X-Lite, so that it starts in a fraction of a second.
`reduced` leaves out LEVELS of the finest resolutions of a JPEG 2000, each a half of the one before. TIFF,
BMP and WebP come out grey, times their alpha, if any: `tiff` with 8 or 16 bits, `deep-tiff` is for colour of
16 bits.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

if sys.platform != "win32":
    import resource
if TYPE_CHECKING:
    from PIL import Image

Decoder = Callable[[BinaryIO], Iterable[np.ndarray]]
_STRIP = 256  # rows made grey at a time


def main(decoder: str, seconds: str, memory: str) -> None:
    """Decodes stdin to stdout, or ends with another status than 0."""
    name, _, levels = decoder.partition(":")
    decode = _reduced(int(levels)) if levels else _DECODERS[name]()
    _limit(int(seconds), int(memory))
    for samples in decode(sys.stdin.buffer):
        sys.stdout.buffer.write(np.ascontiguousarray(samples).data)


def _limit(seconds: int, memory: int) -> None:
    if sys.platform == "win32":
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sizes = Path("/proc/self/statm")
    if sizes.exists():
        taken = int(sizes.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + memory, taken + memory))


def _libjpeg() -> Decoder:
    from libjpeg.utils import decode

    return lambda file: [decode(file.read(), reshape=False)]


def _charls() -> Decoder:
    from jpeg_ls import decode_buffer

    def decode(file: BinaryIO) -> list[np.ndarray]:
        data, header = decode_buffer(file.read())
        samples = np.frombuffer(data, np.uint8 if header["bits_per_sample"] <= 8 else "<u2")
        is_in_planes = header["components"] == 3 and header["interleave_mode"] == 0
        return [samples.reshape(3, -1).T if is_in_planes else samples]

    return decode


def _openjpeg() -> Decoder:
    from openjpeg.utils import decode

    return lambda file: [decode(file.read(), reshape=False)]


def _reduced(levels: int) -> Decoder:
    from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

    def decode(file: BinaryIO) -> list[np.ndarray]:
        with Jpeg2KImageFile(file) as picture:
            picture.reduce = levels  # type: ignore[method-assign, assignment]
            return [np.asarray(picture)]

    return decode


def _tiff() -> Decoder:
    from PIL.TiffImagePlugin import TiffImageFile

    return lambda file: _rows(TiffImageFile(file))


def _bmp() -> Decoder:
    from PIL.BmpImagePlugin import BmpImageFile

    return lambda file: _rows(BmpImageFile(file))


def _rows(picture: "Image.Image") -> Iterator[np.ndarray]:
    for top in range(0, picture.height, _STRIP):
        strip = picture.crop((0, top, picture.width, min(top + _STRIP, picture.height)))
        yield np.asarray(strip).astype("<u2") if strip.mode.startswith("I;16") else _grey(strip)


def _grey(strip: "Image.Image") -> np.ndarray:
    """A picture of 8 bits as grey uint8 (H, W); what is transparent is black."""
    from PIL import ImageChops

    if not strip.has_transparency_data:
        return np.asarray(strip.convert("L"))
    strip = strip.convert("RGBA")
    return np.asarray(ImageChops.multiply(strip.convert("L"), strip.getchannel("A")))


def _of_opencv(file: BinaryIO) -> np.ndarray:
    import cv2

    pixels = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("not decoded")
    return pixels


def _webp() -> Decoder:
    import cv2
    from PIL import Image

    to_rgb = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}  # by channels

    def decode(file: BinaryIO) -> Iterator[np.ndarray]:
        pixels = _of_opencv(file)
        for top in range(0, len(pixels), _STRIP):
            strip = cv2.cvtColor(pixels[top : top + _STRIP], to_rgb[pixels.shape[2]])
            yield _grey(Image.fromarray(strip))

    return decode


def _deep_tiff() -> Decoder:
    import cv2

    def decode(file: BinaryIO) -> Iterator[np.ndarray]:
        pixels = _of_opencv(file)
        for top in range(0, len(pixels), _STRIP):
            strip = pixels[top : top + _STRIP]
            grey = cv2.cvtColor(strip[..., :3], cv2.COLOR_BGR2GRAY)
            if strip.shape[2] == 4:
                grey = np.rint(grey * (strip[..., 3] / np.float32(65535)))
            yield grey.astype("<u2")

    return decode


_DECODERS: dict[str, Callable[[], Decoder]] = {
    "libjpeg": _libjpeg,
    "charls": _charls,
    "openjpeg": _openjpeg,
    "tiff": _tiff,
    "deep-tiff": _deep_tiff,
    "bmp": _bmp,
    "webp": _webp,
}


if __name__ == "__main__":
    main(*sys.argv[1:])
