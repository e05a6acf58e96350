"""AdamW, its parameter groups, and the learning rate of each step."""

import math
from typing import Any

import torch
from timm.optim import param_groups_layer_decay  # type: ignore[attr-defined]  # timm does not list it
from torch import nn

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
    """AdamW over groups, each with its `share` of the rate: those of the backbone, and last all the rest.

    `fused` takes torch's single kernel for a whole step; for a GPU, and not with the gradient scaler of fp16.
    """
    in_backbone = {id(parameter) for parameter in task.student.backbone.parameters()}
    others = [parameter for parameter in task.parameters() if id(parameter) not in in_backbone]
    groups = _backbone_groups(task.student.backbone, config)
    if not config.decay_norms:
        groups.append({"params": [p for p in others if p.ndim <= 1], "share": 1.0, "weight_decay": 0.0})
        others = [parameter for parameter in others if parameter.ndim > 1]
    groups.append({"params": others, "share": 1.0})
    return torch.optim.AdamW(groups, lr=config.lr, weight_decay=config.weight_decay, fused=fused)


def _backbone_groups(backbone: nn.Module, config: TrainConfig) -> list[dict[str, Any]]:
    """The backbone as one group, or as timm groups its layers if their rates or weight decays differ."""
    if config.layer_decay == 1 and config.decay_norms:
        return [{"params": list(backbone.parameters()), "share": config.backbone_lr}]
    layers = param_groups_layer_decay(
        backbone,
        config.weight_decay,
        weight_decay_exclude_1d=not config.decay_norms,
        layer_decay=config.layer_decay,
    )
    return [
        {
            "params": layer["params"],
            "share": config.backbone_lr * layer["lr_scale"],
            "weight_decay": layer["weight_decay"],
        }
        for layer in layers
    ]


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Gives each group its share of the rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["share"]
