"""Maps over films, as RGB images."""

import cv2
import numpy as np

OPACITY = 0.45  # of a map over its film, if nothing else is asked for
SCREEN_SIDE = 1024  # px; a screen shows no more of a film
RED_OF_TURBO = 220  # beyond it the colours darken again, and a peak would look like a hole
STRIP = 64  # rows blended at a time: a film of 64 megapixels takes gigabytes as floats in colour


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


def overlay(image: np.ndarray, heat: np.ndarray, opacity: float = OPACITY) -> np.ndarray:
    """The film uint8 (H, W) under its map float32 (H, W), 0-1: RGB uint8 (H, W, 3).

    The colour is as opaque as the map is high, at most `opacity`: without activation the film stays bare.
    Raises ValueError unless both have the same shape.
    """
    if image.shape != heat.shape:
        raise ValueError(f"film {image.shape} and map {heat.shape} must have the same shape")
    painted = np.empty((*image.shape, 3), np.uint8)
    for top in range(0, len(image), STRIP):
        rows = slice(top, top + STRIP)
        seen = np.clip(heat[rows], 0, 1)
        levels = (seen * RED_OF_TURBO).astype(np.uint8)
        colour = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
        alpha = opacity * seen[..., None]
        painted[rows] = ((1 - alpha) * image[rows, :, None] + alpha * colour).round()
    return painted


def draw_cell(image: np.ndarray, cell: tuple[float, float]) -> None:
    """Outlines one cell of a map, (height, width) in px, in the lower left corner of RGB uint8 (H, W, 3)."""
    height, width = image.shape[:2]
    line = max(1, round(min(height, width) / 400))
    left, bottom = 3 * line, height - 1 - 3 * line
    corner = (left + round(cell[1]), bottom - round(cell[0]))
    for thickness, colour in ((3 * line, (0, 0, 0)), (line, (255, 255, 255))):
        cv2.rectangle(image, (left, bottom), corner, colour, thickness)
