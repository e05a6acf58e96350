"""Plain measurements of a picture, on a thumbnail of it: no network, no torch."""

from dataclasses import dataclass

import cv2
import numpy as np

from xlite.images import contrast

SIDE = 224
"""Side of the thumbnail in px: of all films alike, so that measurements do not depend on a file's size."""


@dataclass(frozen=True)
class Measurements:
    """What a thumbnail shows, whatever is on it.

    contrast: as `xlite.images.contrast` gives it; grey_range: grey levels from the 1st to the 99th percentile,
    0-255; sharpness: standard deviation of the Laplacian by that of the grey values, 0 for a blank picture.
    """

    contrast: float
    grey_range: float
    sharpness: float


def thumbnail(image: np.ndarray) -> np.ndarray:
    """Image uint8 (H, W) to uint8 (224, 224), squashed to a square as models see it."""
    shrinks = image.size > SIDE**2
    return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def measure(small: np.ndarray) -> Measurements:
    """The measurements of a thumbnail uint8 (224, 224)."""
    low, high = np.percentile(small[::2, ::2], (1, 99))
    spread = float(small.std())
    edges = float(cv2.Laplacian(small, cv2.CV_16S).std())
    return Measurements(contrast(small), float(high - low), edges / spread if spread else 0.0)


def gate_input(small: np.ndarray) -> np.ndarray:
    """A thumbnail uint8 (224, 224) as the gate network takes it: float32 (1, 1, 112, 112) of 0-255."""
    half = cv2.resize(small, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)
    return half[None, None].astype(np.float32)
