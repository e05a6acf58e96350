"""Engine: what a network answers to preprocessed films, numpy in and numpy out."""

from typing import Protocol

import numpy as np

from xlite.models.info import ModelInfo, ModelSize


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

    def logits_and_maps(self, x: np.ndarray, method: str) -> tuple[np.ndarray, np.ndarray]:
        """Raw logits float32 (B, 14) and maps float32 (B, 14, h, w) >= 0, not scaled, by one of `methods`.

        Raises ValueError for another method.
        """
        ...
