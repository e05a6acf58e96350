"""Maps over films, as RGB images."""

from functools import cache

import cv2
import numpy as np

OPACITY = 0.45  # of a map over its film, if nothing else is asked for
SCREEN_SIDE = 1024  # px; a screen shows no more of a film
SCALES = {"Inferno": cv2.COLORMAP_INFERNO, "Cividis": cv2.COLORMAP_CIVIDIS, "Turbo": cv2.COLORMAP_TURBO}
"""The colours that a map may have, the first unasked; only turbo is lost on the colour-blind and in print."""
DEFAULT_SCALE = next(iter(SCALES))
RED_OF_TURBO = 220  # beyond it the colours darken again, and a peak would look like a hole
STRIP_PIXELS = 2**16  # blended at a time: what lies between film and picture stays in the processor's cache


def upsample_map(coarse: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A map (h, w) >= 0 in the frame of a film of shape (H, W): float32 (H, W), 0-1 with its peak at 1.

    A map without any activation stays all zero.
    """
    height, width = shape
    fine: np.ndarray = cv2.resize(
        np.asarray(coarse, np.float32), (width, height), interpolation=cv2.INTER_LINEAR
    )
    peak = fine.max()
    if peak > 0:
        fine /= peak
    return fine


def shrink(image: np.ndarray, side: int = SCREEN_SIDE) -> np.ndarray:
    """A film uint8 (H, W) for the eye: at most `side` px on its longer side; a smaller one stays as it is."""
    scale = side / max(image.shape)
    if scale >= 1:
        return image
    height, width = (max(1, round(length * scale)) for length in image.shape)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def overlay(image: np.ndarray, coarse: np.ndarray, opacity: float = OPACITY) -> np.ndarray:
    """The film uint8 (H, W) under a map (h, w) >= 0 of all of it, not scaled: RGB uint8 (H, W, 3).

    The colour is as opaque as the map is high, at most `opacity` at its peak: without activation the film
    stays bare. Within 3 grey levels, mostly 1, of the sum in floating point, which takes ten times as long.
    """
    levels = _levels(coarse, image.shape)
    peak = int(levels.max())
    if not peak:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    colours = _colours(peak, opacity)
    painted = np.empty((*image.shape, 3), np.uint8)
    together = max(1, STRIP_PIXELS // image.shape[1])
    for top in range(0, len(image), together):
        film, level = image[top : top + together], levels[top : top + together]
        film = cv2.subtract(film, cv2.multiply(film, level, scale=opacity / peak))
        colour = cv2.LUT(level, colours).view(np.uint8).reshape(*film.shape, 4)
        cv2.add(
            cv2.cvtColor(film, cv2.COLOR_GRAY2RGB),
            cv2.cvtColor(colour, cv2.COLOR_RGBA2RGB),
            dst=painted[top : top + together],
        )
    return painted


def _levels(coarse: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A map (h, w) >= 0 in the frame of a film (H, W), as levels uint8; enlarged as bytes, not as floats."""
    height, width = shape
    peak = coarse.max()
    small: np.ndarray = np.rint(255 * (coarse / peak if peak > 0 else coarse)).astype(np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _colours(peak: int, opacity: float) -> np.ndarray:
    """What each level of a map adds to its film: int32 (256,), whose bytes are red, green, blue and nothing.

    One number a pixel is looked up twice as fast as three.
    """
    seen = np.minimum(np.arange(256) / peak, 1)
    colours = np.zeros((256, 4), np.uint8)
    colours[:, :3] = np.rint(opacity * seen[:, None] * scale_table()[np.rint(255 * seen).astype(int)])
    packed: np.ndarray = colours.view(np.int32)[:, 0]
    return packed


@cache
def scale_table(title: str = DEFAULT_SCALE) -> np.ndarray:
    """The colours of one of SCALES from a map's zero to its peak: RGB uint8 (256, 3)."""
    top = RED_OF_TURBO if title == "Turbo" else 255
    levels = (np.arange(256) / 255 * top).astype(np.uint8)[:, None]
    colours: np.ndarray = cv2.applyColorMap(levels, SCALES[title])[:, 0, ::-1]
    return colours


def draw_cell(image: np.ndarray, cell: tuple[float, float]) -> None:
    """Outlines one cell of a map, (height, width) in px, in the lower left corner of RGB uint8 (H, W, 3)."""
    height, width = image.shape[:2]
    line = max(1, round(min(height, width) / 400))
    left, bottom = 3 * line, height - 1 - 3 * line
    corner = (left + round(cell[1]), bottom - round(cell[0]))
    for thickness, colour in ((3 * line, (0, 0, 0)), (line, (255, 255, 255))):
        cv2.rectangle(image, (left, bottom), corner, colour, thickness)
