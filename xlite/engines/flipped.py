"""Test-time augmentation: a film and its mirror image, whose answers are averaged before calibration."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xlite.engines.engine import Engine, Output
from xlite.models.info import ModelInfo, ModelSize


@dataclass(frozen=True, eq=False)
class Flipped:
    """An engine that reads each film twice; its answer has no thresholds, as those are of single readings.

    The calibrator is the engine's own.
    """

    engine: Engine

    @property
    def name(self) -> str:
        """What computes, and how."""
        return f"{self.engine.name}, film and mirror image"

    @cached_property
    def info(self) -> ModelInfo:
        """What the model file says of its model, without thresholds of single readings."""
        return self.engine.info.of_means().noting(mirrored=True)

    @property
    def methods(self) -> tuple[str, ...]:
        """Those of the engine itself."""
        return self.engine.methods

    def logits(self, x: np.ndarray) -> np.ndarray:
        """The mean of both logits float32 (B, 14) of preprocessed films float32 (B, 3, S, S)."""
        mean: np.ndarray = (self.engine.logits(x) + self.engine.logits(_mirrored(x))) / 2
        return mean

    def size(self) -> ModelSize:
        """What the engine itself costs: each film is read twice."""
        return self.engine.size()

    def output(self, x: np.ndarray, method: str | None) -> Output:
        """The means of logits, maps and disagreement, maps in the film's own frame; features of the film."""
        own, mirrored = (self.engine.output(films, method) for films in (x, _mirrored(x)))
        apart = own.disagreement
        if apart is not None and mirrored.disagreement is not None:
            apart = (apart + mirrored.disagreement) / 2
        maps = (own.maps + mirrored.maps[..., ::-1]) / 2
        return Output((own.logits + mirrored.logits) / 2, maps, apart, own.features)


def _mirrored(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x[..., ::-1])
