"""Networks that teach: a network in torch, or an exported model in onnxruntime, behind a student's films."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from xlite.engines.onnx_engine import OnnxEngine
from xlite.images import Preprocess
from xlite.models.densenet import DenseNet
from xlite.models.student import Student


class Answer(NamedTuple):
    """What a teacher says of a batch of B films, without gradient.

    logits (B, 14): raw, in NIH order; NaN for a film or a finding of which it says nothing.
    features (B, C, h, w): the last ones of its network; None if it is not a network, or is several.
    """

    logits: Tensor
    features: Tensor | None


class _OwnInput(nn.Module):
    """Films (B, 3, S, S) as normalised for the student -> as a frozen network was trained on them."""

    scale: Tensor
    shift: Tensor

    def __init__(self, own: Preprocess, students: Preprocess):
        super().__init__()
        self.size = own.size
        scale = torch.tensor(students.std) / torch.tensor(own.std)
        shift = (torch.tensor(students.mean) - torch.tensor(own.mean)) / torch.tensor(own.std)
        self.register_buffer("scale", scale.view(1, 3, 1, 1))
        self.register_buffer("shift", shift.view(1, 3, 1, 1))

    def own_input(self, x: Tensor) -> Tensor:
        """The films at the network's own size and normalisation."""
        if x.shape[-1] != self.size:
            x = F.interpolate(x, size=(self.size, self.size), mode="bilinear", antialias=True)
        return x * self.scale + self.shift


class NetworkTeacher(_OwnInput):
    """A frozen network in torch."""

    def __init__(self, network: Student | DenseNet, own: Preprocess, students: Preprocess):
        super().__init__(own, students)
        self.network = network.eval().requires_grad_(False)
        self.feature_channels: int = network.feature_channels
        self.lacks: Sequence[str] = network.lacks if isinstance(network, DenseNet) else ()

    def train(self, mode: bool = True) -> "NetworkTeacher":
        """Stays in eval, whatever `mode` is: a teacher's batch norms and dropout must not move."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Answer:
        """Logits (B, 14), NaN for findings that the network lacks, and its features; without gradient."""
        features = self.network.features(self.own_input(x))
        return Answer(self.network.head(features).float(), features)


class ExportTeacher(_OwnInput):
    """An exported model: onnxruntime reads it on the processor, wherever the student is trained."""

    feature_channels = 0
    lacks: Sequence[str] = ()

    def __init__(self, engine: OnnxEngine, students: Preprocess):
        super().__init__(engine.info.preprocess, students)
        self.engine = engine

    @torch.no_grad()
    def forward(self, x: Tensor) -> Answer:
        """Logits (B, 14); an export has pooled features alone, and none that a student could meet."""
        films = self.own_input(x.float()).cpu().numpy()
        logits = self.engine.logits(np.ascontiguousarray(films, np.float32))
        return Answer(torch.from_numpy(logits).to(x.device), None)
