"""Plain measurements of a picture, on a thumbnail of it: no network, no torch."""

from dataclasses import dataclass

import cv2
import numpy as np

from xlite.images import contrast

SIDE = 224
"""Side of the thumbnail in px: of all films alike, so that measurements do not depend on a file's size."""

PERCENTILES = (0.01, 0.99)
"""Between these shares of a thumbnail's pixels lies its grey range."""


@dataclass(frozen=True)
class Measurements:
    """What a thumbnail shows, whatever is on it.

    contrast: as `xlite.images.contrast` gives it; grey_range: grey levels from the 1st to the 99th
    percentile, 0-255; sharpness: standard deviation of the Laplacian by that of the grey values, 0 if blank.
    """

    contrast: float
    grey_range: float
    sharpness: float


def thumbnail(image: np.ndarray) -> np.ndarray:
    """Image uint8 (H, W) to uint8 (224, 224), squashed to a square as models see it.

    A large one is first reduced by a whole factor, which takes a third of the time; what is left over of its
    last rows and columns is lost.
    """
    factor = min(image.shape) // SIDE
    if factor > 1:
        height, width = (side // factor for side in image.shape)
        whole = image[: height * factor, : width * factor]
        image = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    shrinks = image.size > SIDE**2
    return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def measure(small: np.ndarray) -> Measurements:
    """The measurements of a thumbnail uint8 (224, 224)."""
    shares = np.cumsum(np.bincount(small.ravel(), minlength=256)) / small.size
    low, high = np.searchsorted(shares, PERCENTILES)
    spread, edges = (float(cv2.meanStdDev(of)[1][0, 0]) for of in (small, cv2.Laplacian(small, cv2.CV_16S)))
    return Measurements(contrast(small), float(high - low), edges / spread if spread else 0.0)


def gate_input(small: np.ndarray) -> np.ndarray:
    """A thumbnail uint8 (224, 224) as the gate network takes it: float32 (1, 1, 112, 112) of 0-255."""
    half = cv2.resize(small, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)
    return half[None, None].astype(np.float32)
