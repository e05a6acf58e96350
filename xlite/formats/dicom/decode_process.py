"""Decodes one compressed frame, within limits: stdin to stdout, as samples in little endian.

    python decode_process.py libjpeg|charls|openjpeg|reduced:LEVELS SECONDS BYTES

A script and not a module: it imports nothing of X-Lite, so that it starts in a fraction of a second.
`reduced` leaves out LEVELS of the finest resolutions of a JPEG 2000, each a half of the one before.
"""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

if sys.platform != "win32":
    import resource


def main(decoder: str, seconds: str, memory: str) -> None:
    """Decodes stdin to stdout, or ends with another status than 0."""
    frame = sys.stdin.buffer.read()
    name, _, levels = decoder.partition(":")
    decode = {"libjpeg": _libjpeg, "charls": _charls, "openjpeg": _openjpeg}.get(name) or _reduced(
        int(levels)
    )
    _limit(int(seconds), int(memory))
    sys.stdout.buffer.write(np.ascontiguousarray(decode(frame)).data)


def _limit(seconds: int, memory: int) -> None:
    if sys.platform == "win32":
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sizes = Path("/proc/self/statm")
    if sizes.exists():
        taken = int(sizes.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + memory, taken + memory))


def _libjpeg(frame: bytes) -> np.ndarray:
    from libjpeg.utils import decode

    samples: np.ndarray = decode(frame, reshape=False)
    return samples


def _charls(frame: bytes) -> np.ndarray:
    from jpeg_ls import decode_buffer

    data, header = decode_buffer(frame)
    samples = np.frombuffer(data, np.uint8 if header["bits_per_sample"] <= 8 else "<u2")
    is_in_planes = header["components"] == 3 and header["interleave_mode"] == 0
    return samples.reshape(3, -1).T if is_in_planes else samples


def _openjpeg(frame: bytes) -> np.ndarray:
    from openjpeg.utils import decode

    samples: np.ndarray = decode(frame, reshape=False)
    return samples


def _reduced(levels: int) -> Callable[[bytes], np.ndarray]:
    def decode(frame: bytes) -> np.ndarray:
        from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

        with Jpeg2KImageFile(io.BytesIO(frame)) as picture:
            picture.reduce = levels  # type: ignore[method-assign, assignment]
            return np.asarray(picture)

    return decode


if __name__ == "__main__":
    main(*sys.argv[1:])
