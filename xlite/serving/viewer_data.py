"""What the film viewer in the browser is given: payloads of bytes, as `app/viewer/payload.js` unpacks them.

film = ViewerFilm.of(read_image("film.png"))
film.payload                                                  # the film alone: it is sent once
boxes = film_boxes(folder.boxes(), stem, film.shape)
pack(film, "film.png", maps_of(reading), "Mass", boxes)       # what is said of it: with every other finding

A payload is the length of a header (uint32, little-endian), the header (JSON), and the bytes that it points
to as [start, length]. Of equal arguments it is equal: Streamlit sends nothing twice.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from xlite.explain.drawing import OPACITY, SCALES, scale_table, shrink
from xlite.findings import FINDINGS, spoken
from xlite.metrics.localisation import in_frame
from xlite.reading import Reading
from xlite.text import percent

if TYPE_CHECKING:
    import pandas as pd

TISSUES = {"Lungs": (0.01, 0.6), "Bones, soft tissue": (0.4, 0.995)}
"""Contrasts of 8-bit greys: which shares of a film's pixels are darker than its black, and than its white."""

LARGEST_SIDE = 4096
"""px on the longer side of a film in the viewer, 17 MB at most; it says so if it was scaled down to that."""

_FEW = 0.05  # of a film's pixels; with fewer greys between black and white it has no contrast to choose
_FAST = (cv2.IMWRITE_PNG_COMPRESSION, 1)  # films hardly get smaller beyond it


@dataclass(frozen=True)
class Preset:
    """A contrast: greys from `centre - width / 2` to `centre + width / 2` are spread from black to white."""

    title: str
    centre: float
    width: float


@dataclass(frozen=True)
class FilmBox:
    """A box around a finding, in px of the film that is shown: its upper left corner, and its sides."""

    title: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, eq=False)
class ViewerFilm:
    """A film as a browser is sent it: without loss, at its own resolution up to LARGEST_SIDE.

    `shape` (H, W) is that of the picture, in whose frame boxes are; `whole` that of the film itself.
    """

    id: str
    payload: bytes
    shape: tuple[int, int]
    whole: tuple[int, int]
    presets: tuple[Preset, ...]

    @classmethod
    def of(cls, film: np.ndarray, side: int = LARGEST_SIDE) -> "ViewerFilm":
        """A film uint8 (H, W), at most `side` px on its longer side."""
        seen = shrink(film, side)
        (height, width), (tall, wide) = seen.shape, film.shape
        name = f"{height} {width} {tall} {wide} ".encode()
        digest = hashlib.blake2b(name + seen.tobytes(), digest_size=12).hexdigest()
        blobs = _Blobs()
        header = {"id": digest, "film": blobs.place(cv2.imencode(".png", seen, _FAST)[1].tobytes())}
        return cls(digest, _packed(header, blobs), (height, width), (tall, wide), tuple(presets(seen)))


@dataclass(frozen=True, eq=False)
class ViewerMap:
    """A map to choose, (h, w) >= 0 of the whole film; `note` is what is said below it, if anything.

    One that is not `painted` leaves the film bare, as one without any activation does.
    """

    title: str
    grid: np.ndarray
    painted: bool = True
    note: str = ""


def maps_of(reading: Reading) -> dict[str, ViewerMap]:
    """The maps of a reading by finding, likeliest first; those with a fault are not painted."""
    return {
        finding: ViewerMap(
            f"{spoken(finding)}, {percent(probability)}",
            reading.maps[FINDINGS.index(finding)],
            painted=reading.fault(finding) is None,
        )
        for finding, probability in reading.top(len(FINDINGS))
    }


def film_boxes(table: "pd.DataFrame", stem: str, shape: tuple[int, int], quarters: int = 0) -> list[FilmBox]:
    """The boxes that a table as `read_boxes` gives it has of a film, in the frame (H, W) of its picture.

    quarters: how often the picture was turned to the left by 90 degrees since the table was made; the frame
    is that of the turned picture.
    """
    rows = table[table["stem"] == stem]
    frame = shape if quarters % 2 == 0 else (shape[1], shape[0])
    sides = in_frame(rows[["x", "y", "w", "h"]].to_numpy(np.float64), frame)
    for _ in range(quarters % 4):
        sides = _turned_left(sides, frame)
        frame = (frame[1], frame[0])
    return [FilmBox(spoken(name), *map(float, box)) for name, box in zip(rows["finding"], sides, strict=True)]


def _turned_left(boxes: np.ndarray, frame: tuple[int, int]) -> np.ndarray:
    """Boxes (n, 4) x, y, w, h of a frame (H, W) as they lie when it is turned to the left by 90 degrees."""
    x, y, width, height = boxes.T
    return np.stack([y, frame[1] - x - width, height, width], axis=1)


def presets(film: np.ndarray) -> list[Preset]:
    """The contrasts for a film uint8 (H, W): all its greys, and what its own greys say of the TISSUES.

    Black and white pixels do not count: they are borders and letters more than chest.
    """
    full = [Preset("Full", 127.5, 255)]
    counts = np.bincount(film.ravel(), minlength=256)
    counts[[0, 255]] = 0
    darker = np.cumsum(counts)
    if darker[-1] < _FEW * film.size:
        return full
    for title, shares in TISSUES.items():
        low, high = (int(np.searchsorted(darker, share * darker[-1])) for share in shares)
        full.append(Preset(title, (low + high) / 2, max(high - low, 2)))
    return full


def grid_levels(grid: np.ndarray) -> np.ndarray:
    """A map (h, w) >= 0 as levels of its own peak: uint8 (h, w), all zero without any activation."""
    peak = grid.max()
    levels: np.ndarray = np.rint(255 * (grid / peak if peak > 0 else np.zeros_like(grid))).astype(np.uint8)
    return levels


def pack(
    film: ViewerFilm,
    name: str,
    maps: Mapping[str, ViewerMap] | None = None,
    finding: str | None = None,
    boxes: Iterable[FilmBox] = (),
    choose: bool = True,
) -> bytes:
    """What is said of a film, with its maps by finding; `finding` is shown, else the first.

    `choose`: whether the viewer has a list of the findings, beside its keys. Raises ValueError for a finding
    that has no map.
    """
    given = maps or {}
    if finding is not None and finding not in given:
        raise ValueError(f"no map of {finding!r}; expected one of {', '.join(given) or 'none'}")
    blobs = _Blobs()
    height, width = film.shape
    header = {
        "id": film.id,
        "name": name,
        "height": height,
        "width": width,
        "whole": film.whole[::-1],
        "presets": [asdict(preset) for preset in film.presets],
        "scales": [{"title": title, "table": blobs.place(scale_table(title).tobytes())} for title in SCALES],
        "maps": [_map_header(key, one, blobs) for key, one in given.items()],
        "finding": finding if finding is not None else next(iter(given), None),
        "boxes": [asdict(box) for box in boxes],
        "opacity": OPACITY,
        "choose": choose and len(given) > 1,
    }
    return _packed(header, blobs)


def _packed(header: Mapping[str, Any], blobs: "_Blobs") -> bytes:
    words = json.dumps(header).encode()
    return b"".join((len(words).to_bytes(4, "little"), words, *blobs.parts))


def _map_header(finding: str, one: ViewerMap, blobs: "_Blobs") -> dict[str, Any]:
    levels = grid_levels(np.asarray(one.grid, np.float32))
    return {
        "finding": finding,
        "title": one.title,
        "rows": levels.shape[0],
        "columns": levels.shape[1],
        "grid": blobs.place(levels.tobytes()),
        "painted": bool(one.painted and levels.any()),
        "note": one.note,
    }


class _Blobs:
    """Bytes behind a header, one after the other."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._end = 0

    def place(self, data: bytes) -> list[int]:
        """Adds bytes; where they lie, as [start, length]."""
        start, self._end = self._end, self._end + len(data)
        self.parts.append(data)
        return [start, len(data)]
