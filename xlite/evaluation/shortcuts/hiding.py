"""Parts of a film painted over, to see what a model does without them."""

import cv2
import numpy as np

from xlite.evaluation.shortcuts.lungs import Lungs

CORNER = 0.18
"""Side of a hidden corner, as a share of the film's: markers of side and hospital stand there."""


def without_corners(film: np.ndarray, side: float = CORNER) -> tuple[np.ndarray, np.ndarray]:
    """The film uint8 (H, W) with its four corners painted over, and what was hidden, bool (H, W)."""
    height, width = film.shape
    down, across = round(side * height), round(side * width)
    rows = np.r_[:down, height - down : height]
    columns = np.r_[:across, width - across : width]
    hidden = np.zeros(film.shape, bool)
    hidden[np.ix_(rows, columns)] = True
    return painted_over(film, hidden), hidden


def without_surroundings(film: np.ndarray, lungs: Lungs) -> tuple[np.ndarray, np.ndarray]:
    """The film uint8 (H, W) with all painted over but its lungs, the heart between them, and their margin.

    And what was hidden, bool (H, W): nothing of a film on which no lungs are found.
    """
    kept = lungs.mask(film)
    hidden = ~kept if kept.any() else kept
    return painted_over(film, hidden), hidden


def painted_over(film: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The film uint8 (H, W), with what is hidden, bool (H, W), as a smooth continuation of what is not.

    No edge and no grey that films do not have: a black box would be a finding of its own. Each hidden pixel
    is a mean of seen ones, of the nearest scale at which there are any (a pyramid of halves).
    """
    seen = (~hidden).astype(np.float32)
    if not seen.any():
        raise ValueError("nothing of the film is left: hide less of it")
    values: list[np.ndarray] = [film.astype(np.float32) * seen]
    weights: list[np.ndarray] = [seen]
    while max(values[-1].shape) > 1:
        height, width = values[-1].shape
        half = ((width + 1) // 2, (height + 1) // 2)
        values.append(cv2.resize(values[-1], half, interpolation=cv2.INTER_AREA))
        weights.append(cv2.resize(weights[-1], half, interpolation=cv2.INTER_AREA))
    filled = _mean(values[-1], weights[-1], 0.0)
    for value, weight in zip(values[-2::-1], weights[-2::-1], strict=True):
        coarse = cv2.resize(filled, value.shape[::-1], interpolation=cv2.INTER_LINEAR)
        filled = _mean(value, weight, coarse)
    greys = film[~hidden]
    return np.where(hidden, np.rint(filled).clip(greys.min(), greys.max()), film).astype(np.uint8)


def _mean(value: np.ndarray, weight: np.ndarray, coarse: np.ndarray | float) -> np.ndarray:
    """What was seen at this scale; if nothing was, what the coarser scale says."""
    share = np.clip(2 * weight, 0, 1)
    return np.asarray(share * value / np.maximum(weight, 1e-6) + (1 - share) * coarse, np.float32)
