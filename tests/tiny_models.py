"""Tiny students, and one as a CAM library sees it."""

import torch
from torch import nn

from xlite.models.student import Student

TINY = "test_resnet.r160_in1k"


def student(backbone: str = TINY, attention: str = "none", seed: int = 0) -> Student:
    """As after training: attention that is no longer the identity, batch norms that saw films."""
    torch.manual_seed(seed)
    model = Student(backbone, attention)
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
