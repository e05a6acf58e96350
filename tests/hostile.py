"""Films read under limits: `python tests/hostile.py mutants SEED COUNT FORMAT…`, or with `eaters`,
`bombs` or `large`.

What can be asked of a mutant depends on what its format can tell. All of a PNG stands under checksums: it
is the film or refused. JPEG and DICOM have none: a flipped bit gives another picture, and nobody can know.
What is missing can be known: a JPEG that was cut, with or without an end marker behind the cut, is the film
or refused. All others must give a picture or a sentence, within the limits, and nothing else.
"""

import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from hostile_bombs import bombs
from hostile_films import bmps, dicoms, jpegs, pngs, tiffs, webps
from hostile_targets import eaters, large_films

from xlite.errors import ImageError
from xlite.images import read_image

MAX_CPU_S = 2.0
BUSY = 2  # how many times longer the same takes on a processor whose other thread is at work
MAX_MEMORY = 500_000_000  # bytes above idle
_END = b"\xff\xd9"
MAKERS = {"PNG": pngs, "JPEG": jpegs, "DICOM": dicoms, "TIFF": tiffs, "WebP": webps, "BMP": bmps}


def mutants(seed: int, count: int, formats: list[str]) -> Iterator[tuple[str, bytes, np.ndarray | None]]:
    """Name, bytes, and the only picture that the mutant may give; None if others may come of it."""
    rng = np.random.default_rng(seed)
    films = [
        (f"{file_format} {name}", data, read_image(data))
        for file_format in formats
        for name, data in MAKERS[file_format]().items()
    ]
    for number in range(count):
        name, data, picture = films[rng.integers(len(films))]
        change = CHANGES[rng.integers(len(CHANGES))]
        mutant = change(rng, data)
        certain = name.startswith("PNG") or (name.startswith(("JPEG", "BMP")) and change is cut)
        certain = certain and change is not polyglot
        yield f"{seed}/{number} {name}, {change.__name__}", mutant, picture if certain else None


def flip(rng: np.random.Generator, data: bytes) -> bytes:
    mutant = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        mutant[rng.integers(len(data))] ^= 1 << rng.integers(8)
    return bytes(mutant)


def cut(rng: np.random.Generator, data: bytes) -> bytes:
    """The beginning; of a JPEG half the time with an end marker, so that it looks whole."""
    end = _END if data.startswith(b"\xff\xd8") and rng.random() < 0.5 else b""
    return data[: rng.integers(len(data))].rstrip(b"\xff") + end


def drop(rng: np.random.Generator, data: bytes) -> bytes:
    start, end = piece(rng, data)
    return data[:start] + data[end:]


def double(rng: np.random.Generator, data: bytes) -> bytes:
    start, end = piece(rng, data)
    return data[:end] + data[start:]


def clear(rng: np.random.Generator, data: bytes) -> bytes:
    start, end = piece(rng, data)
    return data[:start] + bytes(end - start) + data[end:]


def insert(rng: np.random.Generator, data: bytes) -> bytes:
    at = rng.integers(len(data))
    return data[:at] + rng.bytes(rng.integers(1, 40)) + data[at:]


def move(rng: np.random.Generator, data: bytes) -> bytes:
    start, end = piece(rng, data)
    rest = data[:start] + data[end:]
    at = rng.integers(len(rest) + 1)
    return rest[:at] + data[start:end] + rest[at:]


def lie(rng: np.random.Generator, data: bytes) -> bytes:
    """Another number in the header: a size, a count, a place."""
    at = int(rng.integers(min(len(data), 300)))
    size = int(rng.choice([1, 2, 4]))
    number = int(rng.choice([0, 1, 2**7, 2**15 - 1, 2**31 - 1, 2**32 - 1])) % 2 ** (8 * size)
    return data[:at] + number.to_bytes(size, "big" if rng.random() < 0.5 else "little") + data[at + size :]


def polyglot(rng: np.random.Generator, data: bytes) -> bytes:
    """The film behind the beginning of another format, or before one."""
    starts = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"II*\0", b"MM\0*", b"BM", b"PK\3\4", b"%PDF-1.7\n")
    start = starts[rng.integers(len(starts))]
    kind = rng.integers(3)
    if kind == 0:
        return start + data
    return data + start if kind == 1 else start.ljust(128, b"\0") + b"DICM" + data


CHANGES = (flip, flip, cut, drop, double, clear, insert, move, lie, lie, polyglot)


def piece(rng: np.random.Generator, data: bytes) -> tuple[int, int]:
    """Where a piece of up to 200 bytes lies."""
    start = int(rng.integers(len(data)))
    return start, min(len(data), start + int(rng.integers(1, 200)))


def fault(data: bytes, expected: np.ndarray | None) -> str:
    """What is wrong with how a file was read; "" if it was refused, or gave what it may."""
    picture, wrong = read_within_limits(data)
    if wrong or picture is None:
        return wrong
    if picture.dtype != np.uint8 or picture.ndim != 2 or min(picture.shape) < 32:
        return f"gave {picture.dtype} {picture.shape}"
    if expected is not None and not np.array_equal(picture, expected):
        return "gave another picture"
    return ""


def read_within_limits(data: bytes) -> tuple[np.ndarray | None, str]:
    """The picture, None if it was refused; and by how much the limits were passed, "" if they held."""
    # Writing 5 makes the most memory so far what it is now.
    Path("/proc/self/clear_refs").write_text("5")
    before, start = memory("VmRSS"), processor_time()
    try:
        picture = read_image(data)
    except ImageError:
        picture = None
    seconds, taken = processor_time() - start, memory("VmHWM") - before + len(data)
    if seconds > MAX_CPU_S * BUSY or taken > MAX_MEMORY:
        return picture, f"took {seconds:.1f} s and {taken / 1e6:.0f} MB"
    return picture, ""


def processor_time() -> float:
    """Seconds that this process has taken, and the decoders that it ran apart."""
    apart = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + apart.ru_utime + apart.ru_stime


def memory(kind: str) -> int:
    """Bytes of this process in memory now (VmRSS) or at most (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(kind))


def main(words: list[str]) -> None:
    """Prints what is wrong with how mutants, files that eat the machine or large films are read."""
    if words[0] == "mutants":
        for name, data, expected in mutants(int(words[1]), int(words[2]), words[3:]):
            if wrong := fault(data, expected):
                print(f"{name}: {wrong}")
    for name, data, is_film in {"eaters": eaters, "bombs": bombs}.get(words[0], tuple)():
        report(name, data, is_film)
    for name, data in large_films() if words[0] == "large" else ():
        report(name, data, is_film=True)


def report(name: str, data: bytes, is_film: bool) -> None:
    picture, wrong = read_within_limits(data)
    if wrong or (picture is not None) != is_film:
        print(f"{name}: {wrong or ('refused' if is_film else 'read')}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
