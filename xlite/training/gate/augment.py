"""Pictures as they come: other exposures, crops, borders, letters, turned, mirrored, inverted, cut.

From thumbnails uint8 (224, 224) to the network's input uint8 (112, 112). Films of other hospitals differ in
all of this, and only few of them are here to learn from.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from xlite.guards.measure import SIDE
from xlite.training.gate.network import SIDE as INPUT

_LETTERS = ("L", "R", "PA", "AP", "PORTABLE", "ERECT", "SUPINE", "12:30", "MOBILE", "W 2048")


@dataclass(frozen=True)
class Changes:
    """What was done to a film; the network learns to say it. cut is NaN if in doubt.

    turned: quarter turns clockwise, 0-3; mirrored: before it was turned; inverted, mirrored: 0 or 1.
    """

    turned: int = 0
    mirrored: int = 0
    inverted: int = 0
    cut: float = 0.0

    @property
    def turn(self) -> int:
        """The number of the network's output, 0-7."""
        return self.turned + 4 * self.mirrored


def turn(image: np.ndarray, changes: Changes) -> np.ndarray:
    """An upright image, mirrored if asked and then turned, as `changes` says."""
    shown = image[:, ::-1] if changes.mirrored else image
    return np.ascontiguousarray(np.rot90(shown, -changes.turned))


def film(rng: np.random.Generator, small: np.ndarray) -> tuple[np.ndarray, Changes]:
    """An upright frontal film in some state, and what was done to it."""
    turned = int(rng.integers(4)) if rng.random() < 0.6 else 0
    cut = rng.random() < 0.25
    box, lost = _cut_box(rng) if cut else _whole_box(rng)
    inverted = int(rng.random() < 0.3)
    changes = Changes(turned, int(rng.random() < 0.4), inverted, lost)
    image = _warped(rng, _exposed(rng, small), box, degrees=12 if rng.random() < 0.3 else 4)
    late = rng.random() < 0.5  # letters and borders as the device writes them, or inverted with the film
    if inverted and not late:
        image = 255 - image
    image = _lettered(rng, _framed(rng, turn(image, changes)))
    return _grained(rng, 255 - image if inverted and late else image), changes


def other(rng: np.random.Generator, small: np.ndarray, closest: float = 0.35) -> np.ndarray:
    """A picture of another kind in any state: turned, mirrored, inverted, bent, a part of it.

    closest: the smallest side of the part, as a share of the whole.
    """
    side = rng.uniform(closest, 1.15)
    left, top = rng.uniform(min(0, 1 - side), max(0, 1 - side), 2)
    box = (left, top, left + side * rng.uniform(0.85, 1), top + side * rng.uniform(0.85, 1))
    changes = Changes(int(rng.integers(4)), int(rng.integers(2)), int(rng.random() < 0.3))
    shown = _bent(rng, small) if rng.random() < 0.3 else small
    image = turn(_warped(rng, _exposed(rng, shown), box, degrees=10), changes)
    return _grained(rng, _lettered(rng, _framed(rng, 255 - image if changes.inverted else image)))


def lateral(rng: np.random.Generator, small: np.ndarray) -> tuple[np.ndarray, Changes]:
    """A lateral film in some state and what was done to it. Few are there: they are bent as well.

    It may look to either side, so that `mirrored` says nothing of it.
    """
    changes = Changes(int(rng.integers(4)) if rng.random() < 0.3 else 0, int(rng.integers(2)))
    image = _warped(rng, _bent(rng, _exposed(rng, small)), _whole_box(rng, 0.14)[0], degrees=10)
    image = _lettered(rng, _framed(rng, turn(image, changes)))
    return _grained(rng, 255 - image if rng.random() < 0.15 else image), changes


def scrambled(rng: np.random.Generator, films: np.ndarray) -> np.ndarray:
    """What is made of films uint8 (N, 224, 224) and is none: fields out of order, or several side by side."""
    if rng.random() < 0.5:
        count = int(rng.choice([2, 4, 7]))
        step = SIDE // count
        film, places = films[rng.integers(len(films))], rng.permutation(count * count)
        out = np.empty((SIDE, SIDE), np.uint8)
        for number, place in enumerate(places):
            (y, x), (v, u) = divmod(number, count), divmod(int(place), count)
            part = film[v * step : (v + 1) * step, u * step : (u + 1) * step]
            out[y * step : (y + 1) * step, x * step : (x + 1) * step] = part
        return other(rng, out, 0.9)
    count = int(rng.integers(2, 5))
    tiles = [cv2.resize(films[i], (SIDE // count,) * 2) for i in rng.integers(len(films), size=count * count)]
    rows = [np.hstack(tiles[row * count : (row + 1) * count]) for row in range(count)]
    return other(rng, cv2.resize(np.vstack(rows), (SIDE, SIDE)), 0.9)


def _whole_box(
    rng: np.random.Generator, most: float = 0.07
) -> tuple[tuple[float, float, float, float], float]:
    """The part of a film that is shown, (left, top, right, bottom) as shares: nearly all of it."""
    left, top, right, bottom = rng.uniform(-most, most * 0.8, 4)
    return (left, top, 1 - right, 1 - bottom), 0.0


def _cut_box(rng: np.random.Generator) -> tuple[tuple[float, float, float, float], float]:
    """A part that lacks the lungs' apices, the costophrenic angles or a side, and 1; NaN if it may not."""
    lost = rng.uniform(0, 0.07, 4)
    side = int(rng.choice(4, p=(0.18, 0.3, 0.18, 0.34)))
    lost[side] = rng.uniform(0.12, 0.5)
    left, top, right, bottom = lost
    return (left, top, 1 - right, 1 - bottom), 1.0 if lost[side] > 0.26 else np.nan


def _exposed(rng: np.random.Generator, small: np.ndarray) -> np.ndarray:
    """Other greys: gamma, contrast, brightness, sometimes local contrast as some devices make it."""
    if rng.random() < 0.25:
        small = cv2.createCLAHE(rng.uniform(1, 5), (8, 8)).apply(small)
    greys = (np.arange(256) / 255) ** np.exp(rng.normal(0, 0.3))
    greys = (greys - 0.5) * np.exp(rng.normal(-0.1, 0.25)) + 0.5 + rng.normal(0, 0.07)
    if rng.random() < 0.08:  # a film that is burnt out at either end
        greys = (greys - rng.uniform(0, 0.3)) * rng.uniform(1, 1.8)
    return cv2.LUT(small, np.clip(255 * greys, 0, 255).astype(np.uint8))


def _warped(
    rng: np.random.Generator, small: np.ndarray, box: tuple[float, float, float, float], degrees: float
) -> np.ndarray:
    """The part of a thumbnail in a box, turned a little, at the network's size."""
    left, top, right, bottom = (SIDE * value for value in box)
    angle = np.deg2rad(rng.uniform(-degrees, degrees))
    across, down = (right - left) / INPUT, (bottom - top) / INPUT
    spin = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    scale = spin @ np.diag([across, down])
    middle = np.array([(left + right) / 2, (top + bottom) / 2]) - 0.5
    matrix = np.column_stack([scale, middle - scale @ np.full(2, (INPUT - 1) / 2)])
    outside = cv2.BORDER_CONSTANT if rng.random() < 0.6 else cv2.BORDER_REPLICATE
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped: np.ndarray = cv2.warpAffine(small, matrix, (INPUT, INPUT), flags=flags, borderMode=outside)
    return warped


def _bent(rng: np.random.Generator, small: np.ndarray) -> np.ndarray:
    """A thumbnail bent smoothly, by up to some 8 % of its side."""
    shift = rng.normal(0, 7, (2, 5, 5)).astype(np.float32)
    dx, dy = (cv2.resize(field, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for field in shift)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    return cv2.remap(small, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _framed(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """With the edges of a collimator or of a viewer, black, white or grey."""
    if rng.random() < 0.75:
        return image
    grey = (0, 0, 255, int(rng.integers(256)))[rng.integers(4)]
    for side in range(4):
        width = int(rng.integers(1, 12)) if rng.random() < 0.5 else 0
        lines = image if side < 2 else image.T
        lines[: width if side % 2 else 0] = grey
        lines[INPUT - (0 if side % 2 else width) :] = grey
    return image


def _lettered(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    for _ in range(int(rng.integers(1, 4)) if rng.random() < 0.35 else 0):
        words = _LETTERS[rng.integers(len(_LETTERS))]
        at = (int(rng.integers(-4, INPUT - 10)), int(rng.integers(8, INPUT)))
        grey = 255 if rng.random() < 0.8 else 0
        cv2.putText(image, words, at, cv2.FONT_HERSHEY_SIMPLEX, rng.uniform(0.15, 0.4), grey, 1, cv2.LINE_AA)
    return image


def _grained(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """With noise, blur or the traces of JPEG, or as it is."""
    what = rng.random()
    if what < 0.15:
        grain = image + rng.normal(0, rng.uniform(1, 9), image.shape)
        return np.clip(grain, 0, 255).astype(np.uint8)
    if what < 0.27:
        return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.1))
    if what < 0.4:
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 95))])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))
    return image
