"""Test-time augmentation: a film and its mirror image, whose answers are averaged before calibration."""

from dataclasses import dataclass

import numpy as np

from xlite.engines.engine import Engine
from xlite.models.info import ModelInfo


@dataclass(frozen=True, eq=False)
class Flipped:
    """An engine that reads each film twice; calibration and thresholds were fitted without that."""

    engine: Engine

    @property
    def name(self) -> str:
        """What computes, and how."""
        return f"{self.engine.name}, film and mirror image"

    @property
    def info(self) -> ModelInfo:
        """What the model file says of its model."""
        return self.engine.info

    @property
    def methods(self) -> tuple[str, ...]:
        """Those of the engine itself."""
        return self.engine.methods

    def logits(self, x: np.ndarray) -> np.ndarray:
        """The mean of both logits float32 (B, 14) of preprocessed films float32 (B, 3, S, S)."""
        mean: np.ndarray = (self.engine.logits(x) + self.engine.logits(_mirrored(x))) / 2
        return mean

    def logits_and_maps(self, x: np.ndarray, method: str) -> tuple[np.ndarray, np.ndarray]:
        """The means of logits float32 (B, 14) and maps float32 (B, 14, h, w), in the film's own frame."""
        logits, maps = self.engine.logits_and_maps(x, method)
        others, mirrored = self.engine.logits_and_maps(_mirrored(x), method)
        return (logits + others) / 2, (maps + mirrored[..., ::-1]) / 2


def _mirrored(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x[..., ::-1])
