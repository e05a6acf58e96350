"""Engine: what a network answers to preprocessed films, numpy in and numpy out."""

from typing import NamedTuple, Protocol

import numpy as np

from xlite.findings import FINDINGS
from xlite.models.info import ModelInfo, ModelSize


class Output(NamedTuple):
    """What a network gives for B films.

    `logits` float32 (B, 14) are raw; `maps` float32 (B, 14, h, w) >= 0, not scaled; `disagreement` float32
    (B, 14) is the standard deviation of an ensemble's members' probabilities; `features` float32 (B, C) are
    the pooled ones, of an ensemble those of its first member.
    """

    logits: np.ndarray
    maps: np.ndarray
    disagreement: np.ndarray | None = None
    features: np.ndarray | None = None

    def film(self, place: int) -> "Output":
        """What it gives for one of the films, without the axis of the batch."""
        apart, features = (None if part is None else part[place] for part in self[2:])
        return Output(self.logits[place], self.maps[place], apart, features)


def no_maps(films: int) -> np.ndarray:
    """What stands for maps that nobody asked for: float32 (B, 14, 0, 0)."""
    return np.empty((films, len(FINDINGS), 0, 0), np.float32)


class Engine(Protocol):
    """A loaded network. Nothing in it changes after loading: threads may share one."""

    @property
    def name(self) -> str:
        """What computes: `torch`, `onnxruntime`."""
        ...

    @property
    def info(self) -> ModelInfo:
        """What the model file says of its model."""
        ...

    @property
    def methods(self) -> tuple[str, ...]:
        """Those of xlite.explain.METHODS that it makes."""
        ...

    def size(self) -> ModelSize:
        """What the network costs on a film of its own size."""
        ...

    def logits(self, x: np.ndarray) -> np.ndarray:
        """Raw logits float32 (B, 14) of preprocessed films float32 (B, 3, S, S)."""
        ...

    def output(self, x: np.ndarray, method: str | None) -> Output:
        """Raw logits and maps of preprocessed films float32 (B, 3, S, S), by one of `methods`.

        Without a method maps are `no_maps`. Raises ValueError for another method.
        """
        ...
