"""Tiny students, and one as a CAM library sees it."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from xlite.guards.likeness import Likeness, fit
from xlite.images import Preprocess
from xlite.models.checkpoint import save_model
from xlite.models.info import ModelInfo
from xlite.models.student import Student

TINY = "test_resnet.r160_in1k"


def student(backbone: str = TINY, attention: str = "none", seed: int = 0, hidden: int = 256) -> Student:
    """As after training: attention that is no longer the identity, batch norms that saw films."""
    torch.manual_seed(seed)
    model = Student(backbone, attention, hidden)
    if attention != "none":
        nn.init.normal_(model.attention.attention.proj.weight, std=0.01)
    model.train()
    with torch.no_grad():
        model.features(torch.randn(8, 3, 96, 96))
    return model.eval()


class ForOracle(nn.Module):
    """The student with a module whose output is its last features, for the library's hooks."""

    def __init__(self, model: Student):
        super().__init__()
        self.model, self.last_features = model, nn.Identity()

    def forward(self, x):
        with (
            torch.no_grad()
        ):  # the gradient stops at the last features: what comes before them only costs time
            f = self.model.features(x)
        return self.model.head(self.last_features(f.requires_grad_()))


def untrained(backbone: str = TINY, attention: str = "none", seed: int = 0, **kwargs) -> Student:
    """With random weights, in eval."""
    torch.manual_seed(seed)
    return Student(backbone, attention, **kwargs).eval()


def random_statistics(model: nn.Module) -> nn.Module:
    """Batch norms as training leaves them, so that a mistaken one shows in the output."""
    for norm in (m for m in model.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.normal_(norm.running_mean, std=0.3)
        nn.init.uniform_(norm.running_var, 0.5, 2)
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.normal_(norm.bias, std=0.3)
    return model.eval()


def same(a: nn.Module, b: nn.Module) -> bool:
    mine, others = a.state_dict(), b.state_dict()
    return mine.keys() == others.keys() and all(torch.equal(mine[k], others[k]) for k in mine)


def save_student(path: Path, model: Student, size: int = 64, **fields: Any) -> Path:
    """The student as a model file for films of `size` px, with these fields of its header."""
    save_model(path, model, tiny_info(model, Preprocess(size), **fields))
    return path


def tiny_info(model: Student, preprocess: Preprocess, **fields: Any) -> ModelInfo:
    """What the student's model file says, with these fields of its header."""
    return ModelInfo(
        backbone=model.backbone_name,
        attention=model.attention_name,
        hidden=model.hidden,
        dropout=model.dropout,
        stages=model.stages,
        preprocess=preprocess,
        split_id="patient-42-0",
        label_version="2020",
        **fields,
    )


def likeness_of(channels: int, limit: float) -> Likeness:
    """One of features that were drawn; any film is further from them than a small limit."""
    features = np.random.default_rng(0).normal(1, 0.1, (300, channels))
    return fit(features, features).model_copy(update={"limit": limit})
