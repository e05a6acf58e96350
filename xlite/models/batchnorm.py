"""Batch norms that were folded into convolutions, and what makes them trainable again."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def is_folded(model: nn.Module) -> bool:
    """Whether the batch norms were folded into the convolutions: mean 0, variance 1, but a bias.

    A network that was never trained has no bias either, and is not folded.
    """
    norms = [(norm, *_statistics(norm)) for norm in batch_norms(model)]
    neutral = all(
        not mean.any() and bool(((variance - 1).abs() <= 2 * norm.eps).all())
        for norm, mean, variance in norms
    )
    return neutral and any(bool(norm.bias.any()) for norm, _, _ in norms)


@torch.no_grad()
def refit_batchnorm(model: nn.Module, batches: Iterable[Tensor]) -> int:
    """Gives every batch norm the statistics of `batches` (B, 3, S, S) and keeps the eval function as it was.

    Weight and bias take up what the statistics change, so that training can start in train mode. Returns the
    number of batch norms. Raises ValueError if there is no batch.
    """
    norms = batch_norms(model)
    moments = {norm: _Moments() for norm in norms}
    hooks = [norm.register_forward_pre_hook(lambda n, args: moments[n].add(args[0])) for norm in norms]
    modes = {module: module.training for module in model.modules()}
    device = next(model.parameters()).device
    try:
        model.eval()  # each batch norm sees the inputs that it will see in serving, so one pass measures all
        for batch in batches:
            model(batch.to(device))
    finally:
        for hook in hooks:
            hook.remove()
        for module, training in modes.items():
            module.training = training
    for norm in norms:
        _restate(norm, *moments[norm].mean_and_variance())
    return len(norms)


def batch_norms(model: nn.Module) -> list[_BatchNorm]:
    """The affine batch norms that keep statistics (timm's activating ones are among them)."""
    return [m for m in model.modules() if isinstance(m, _BatchNorm) and m.affine and m.track_running_stats]


def _statistics(norm: _BatchNorm) -> tuple[Tensor, Tensor]:
    """The running mean and variance (C,) of a batch norm that keeps them."""
    assert norm.running_mean is not None and norm.running_var is not None
    return norm.running_mean, norm.running_var


class _Moments:
    """Mean and variance of each channel over all that was added, in float64."""

    def __init__(self) -> None:
        self.count = 0
        self.total = self.squares = torch.zeros((), dtype=torch.float64)

    def add(self, x: Tensor) -> None:
        x = x.double().transpose(0, 1).flatten(1)  # (C, everything else)
        self.count += x.shape[1]
        self.total = self.total + x.sum(1)
        self.squares = self.squares + x.square().sum(1)

    def mean_and_variance(self) -> tuple[Tensor, Tensor]:
        if not self.count:
            raise ValueError("batch norm statistics need at least one batch of films")
        mean = self.total / self.count
        return mean, (self.squares / self.count - mean.square()).clamp_min(0)


def _restate(norm: _BatchNorm, mean: Tensor, variance: Tensor) -> None:
    """Sets the statistics, and weight and bias such that weight (x - mean) / sd + bias stays what it was."""
    old_mean, old_variance = _statistics(norm)
    slope = norm.weight.double() / (old_variance.double() + norm.eps).sqrt()
    offset = norm.bias.double() - slope * old_mean.double()
    norm.weight.copy_(slope * (variance + norm.eps).sqrt())
    norm.bias.copy_(offset + slope * mean)
    old_mean.copy_(mean)
    old_variance.copy_(variance)
