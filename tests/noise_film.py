"""A film of noise as a file."""

from pathlib import Path

import cv2
import numpy as np


def write_film(path: Path, seed: int = 1) -> Path:
    """A film of noise, 40 px."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(seed).integers(0, 256, (40, 40), dtype=np.uint8))
    return path
