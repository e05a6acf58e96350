"""AdamW, its parameter groups, and the learning rate of each step."""

import math

import torch

from xlite.config import TrainConfig
from xlite.training.task import DistillTask


def learning_rate(config: TrainConfig, step: int, steps_per_epoch: int) -> float:
    """The rate of a step: linear warm-up, then a cosine from `lr` down to 0 at the last epoch's end."""
    total = config.epochs * steps_per_epoch
    warmup = min(config.warmup_epochs * steps_per_epoch, total / 2)
    if step < warmup:
        return config.lr * (step + 1) / (warmup + 1)
    return config.lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(total - warmup, 1)))


def make_optimizer(task: DistillTask, config: TrainConfig, fused: bool = False) -> torch.optim.AdamW:
    """AdamW over two groups: the backbone, which learns at its `share` of the rate, and the rest.

    `fused` takes torch's single kernel for a whole step; for a GPU, and not with the gradient scaler of fp16.
    """
    backbone = list(task.student.backbone.parameters())
    in_backbone = {id(parameter) for parameter in backbone}
    others = [parameter for parameter in task.parameters() if id(parameter) not in in_backbone]
    groups = [{"params": backbone, "share": config.backbone_lr}, {"params": others, "share": 1.0}]
    return torch.optim.AdamW(groups, lr=config.lr, weight_decay=config.weight_decay, fused=fused)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Gives each group its share of the rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["share"]
