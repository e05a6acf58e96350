"""Other people's DenseNet-121, under the contract of `Student`: films in, features, 14 logits out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from xlite.findings import FINDINGS
from xlite.models.tensor_check import check_tensors


class DenseNet(nn.Module):
    """Films (B, 3, S, S) as its own Preprocess gives them -> logits (B, 14), NaN for findings it lacks.

    `outputs` names what its classifier answers for, in its order; names that are none of the 14 are left out.
    With one channel it reads the first of the film's three, which are alike. `lacks` are the findings without
    an output.
    """

    net: Any
    columns: Tensor
    feature_channels: int

    def __init__(self, outputs: Sequence[str] = FINDINGS, channels: int = 3):
        super().__init__()
        self.channels = channels
        self.net = timm.create_model(
            "densenet121", pretrained=False, in_chans=channels, num_classes=len(outputs)
        )
        self.feature_channels = self.net.num_features
        # the column behind the last is the NaN of `head`
        columns = [outputs.index(name) if name in outputs else len(outputs) for name in FINDINGS]
        self.lacks = [name for name in FINDINGS if name not in outputs]
        self.register_buffer("columns", torch.tensor(columns), persistent=False)

    def features(self, x: Tensor) -> Tensor:
        """The last features: (B, 3, S, S) -> (B, 1024, h, w)."""
        f: Tensor = self.net.forward_features(x[:, : self.channels])
        return f

    def head(self, f: Tensor) -> Tensor:
        """The logits of features: (B, 1024, h, w) -> (B, 14)."""
        return F.pad(self.net.forward_head(f), (0, 1), value=torch.nan)[:, self.columns]

    def forward(self, x: Tensor) -> Tensor:
        """The logits of films: (B, 3, S, S) -> (B, 14)."""
        return self.head(self.features(x))

    def load(self, weights: Mapping[str, Tensor], source: Path | str) -> None:
        """Takes every tensor; only the counters of batches may be missing (torch had none before 0.4.1).

        Raises CheckpointError as `check_tensors` does.
        """
        wanted = self.net.state_dict()
        counters = {name: wanted[name] for name in wanted if name.endswith(".num_batches_tracked")}
        check_tensors(counters | dict(weights), wanted, source)
        self.net.load_state_dict(counters | dict(weights))
