"""Overlays as files: the likeliest findings of a film, each painted over it."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from xlite.data.film_names import stem_of
from xlite.errors import XliteError
from xlite.predict.films import Film
from xlite.reading import Reading
from xlite.text import printable

_LONGEST_NAME = 255  # bytes, on all common file systems


@dataclass(frozen=True)
class Painted:
    """What became of a film's overlays: how many are bare, as their map shows no place; the error, if any."""

    bare: int = 0
    error: OSError | XliteError | None = None


def write_overlays(out: Path, film: Film, image: np.ndarray, reading: Reading, count: int) -> Painted:
    """Writes the likeliest findings over the film uint8 (H, W), as `<stem>_1_<finding>.png`."""
    top = [finding for finding, _ in reading.top(count)]
    try:
        for rank, finding in enumerate(top, 1):
            pixels = cv2.cvtColor(reading.overlay(image, finding), cv2.COLOR_RGB2BGR)
            file = out / file_name(stem_of(film.name), f"_{rank}_{finding}.png")
            file.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    except OSError as error:
        return Painted(error=error)
    return Painted(sum(reading.fault(finding) is not None for finding in top))


def file_name(stem: str, ending: str) -> str:
    """`<stem><ending>`; a stem that is too long or not printable is shortened to what can be a file's name.

    A digest of the whole stem then keeps it apart from others.
    """
    whole = os.fsencode(stem + ending)
    if len(whole) <= _LONGEST_NAME and printable(stem) == stem:
        return stem + ending
    ending = f"-{hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]}{ending}"
    shown = "".join(sign if printable(sign) == sign else "_" for sign in stem).encode()
    return shown[: _LONGEST_NAME - len(ending)].decode(errors="ignore") + ending
