"""The engine for GPUs, for kinds of map that a library makes, and for models that were not exported."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from xlite.engines.engine import Output, no_maps
from xlite.errors import RunError
from xlite.explain.maps import feature_maps
from xlite.explain.methods import METHODS
from xlite.models.checkpoint import load_model
from xlite.models.info import ModelInfo, ModelSize
from xlite.models.student import Student, describe


@dataclass(frozen=True, eq=False)
class TorchEngine:
    """A student in torch, in eval, on its device."""

    model: Student = field(repr=False)
    info: ModelInfo
    device: torch.device
    name: str = "torch"

    @classmethod
    def load(cls, path: Path, device: str = "cpu") -> "TorchEngine":
        """The student of a model file. Raises CheckpointError; RunError for the device."""
        model, info = load_model(path)
        try:
            place = torch.device(device)
            model.to(place)
        except (RuntimeError, AssertionError) as error:
            raise RunError(
                f"device {device!r} cannot be used ({str(error).splitlines()[0]}); try cpu"
            ) from error
        return cls(model.requires_grad_(False), info, place)

    @property
    def methods(self) -> tuple[str, ...]:
        """All of xlite.explain.METHODS."""
        return tuple(METHODS)

    def size(self) -> ModelSize:
        """What the student costs on a film of its own size."""
        return describe(self.model, self.info.preprocess.size)

    def logits(self, x: np.ndarray) -> np.ndarray:
        """Raw logits float32 (B, 14) of preprocessed films float32 (B, 3, S, S)."""
        with torch.inference_mode():
            found: np.ndarray = self.model(torch.from_numpy(x).to(self.device)).float().cpu().numpy()
        return found

    def output(self, x: np.ndarray, method: str | None) -> Output:
        """Raw logits and maps of preprocessed films, by one of METHODS."""
        with torch.no_grad():
            f = self.model.features(torch.from_numpy(x).to(self.device))
            pooled = f.mean((2, 3)).float().cpu().numpy()
            if method is None:
                return Output(self.model.head(f).float().cpu().numpy(), no_maps(len(x)), None, pooled)
        logits, maps = feature_maps(self.model, f, method)
        return Output(logits.float().cpu().numpy(), maps.float().cpu().numpy(), None, pooled)
