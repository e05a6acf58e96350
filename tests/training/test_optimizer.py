"""The learning rate of each step, and the groups of parameters that have a share of it."""

from pathlib import Path

import pytest
import torch
from timm.models import group_parameters
from tiny_models import untrained
from tiny_runs import config

from xlite.training.optimizer import learning_rate, make_optimizer, set_rate
from xlite.training.task import DistillTask, LossSettings


def test_the_learning_rate_warms_up_and_falls_to_nothing():
    settings = config(Path("x"), "x", epochs=10, lr=1e-3, warmup_epochs=1)
    rates = [learning_rate(settings, step, 20) for step in range(200)]
    assert max(rates) == pytest.approx(1e-3, rel=1e-3) and rates.index(max(rates)) == 20
    assert all(b > a for a, b in zip(rates[:20], rates[1:21], strict=True))
    assert all(b < a for a, b in zip(rates[20:], rates[21:], strict=False))
    assert rates[-1] < 1e-6


def shares(task: DistillTask, optimizer: torch.optim.Optimizer) -> dict[str, tuple[float, float]]:
    """Share of the rate and weight decay of each parameter, by its name."""
    names = {id(parameter): name for name, parameter in task.named_parameters()}
    found = [
        (names[id(parameter)], (group["share"], group["weight_decay"]))
        for group in optimizer.param_groups
        for parameter in group["params"]
    ]
    assert len(found) == len(names) == len(dict(found))  # each parameter once
    return dict(found)


def test_without_layer_wise_rates_there_are_two_groups():
    task = DistillTask(untrained("test_efficientnet"))
    optimizer = make_optimizer(task, config(Path("x"), "x", backbone_lr=0.2))
    assert [(group["share"], group["weight_decay"]) for group in optimizer.param_groups] == [
        (0.2, 1e-4),
        (1.0, 1e-4),
    ]


@pytest.mark.parametrize("backbone", ["test_efficientnet", "test_resnet", "mobilenetv3_small_050"])
def test_layers_learn_the_slower_the_lower_they_lie_and_the_head_at_the_full_rate(backbone):
    task = DistillTask(untrained(backbone, "mhsa"), LossSettings(feature_weight=1.0), teacher_channels=8)
    settings = config(Path("x"), "x", backbone_lr=0.5, layer_decay=0.7, lr=2e-3)
    optimizer = make_optimizer(task, settings)
    found = shares(task, optimizer)
    layers = group_parameters(
        task.student.backbone, task.student.backbone.group_matcher(coarse=False), reverse=True
    )
    top = max(layers.values())
    assert top > 2
    for name, (share, decay) in found.items():
        layer = layers.get(name.removeprefix("student.backbone."))
        expected = 0.5 * 0.7 ** (top - layer) if name.startswith("student.backbone.") else 1.0
        assert (share, decay) == (pytest.approx(expected), 1e-4), name
    set_rate(optimizer, 2e-3)
    assert optimizer.param_groups[-1]["lr"] == 2e-3  # the rate that metrics.csv tells
    assert min(group["lr"] for group in optimizer.param_groups) == pytest.approx(2e-3 * 0.5 * 0.7**top)


@pytest.mark.parametrize("layer_decay", [1.0, 0.7])
def test_norms_and_biases_may_be_spared_the_weight_decay(layer_decay):
    task = DistillTask(untrained("test_efficientnet"))
    settings = config(Path("x"), "x", decay_norms=False, layer_decay=layer_decay)
    optimizer = make_optimizer(task, settings)
    found = shares(task, optimizer)
    for name, parameter in task.named_parameters():
        assert found[name][1] == (1e-4 if parameter.ndim > 1 else 0.0), name
        if not name.startswith("student.backbone.") or layer_decay == 1:
            assert found[name][0] == 1.0
    assert optimizer.param_groups[-1]["share"] == 1.0
