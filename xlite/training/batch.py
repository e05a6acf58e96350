"""What a step reads, and mixup: the films of a batch blended in pairs, with all that is known of them."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

_STREAM = 3
"""Tells these draws from those of the augmentation, which are seeded from (seed, epoch, film)."""


class StepBatch(NamedTuple):
    """What a step reads, on the device: films as the student's input x (B, 3, S, S), labels (B, 14), NaN if
    unknown, the logits of predictions files (B, 14), NaN for films they lack, and their attributes
    (B, 3).
    """

    x: Tensor
    labels: Tensor
    file_logits: Tensor
    attributes: Tensor


def shares_kept(alpha: float, films: int, key: tuple[int, int, int]) -> NDArray[np.float32]:
    """How much of itself each film of a step keeps, 0-1, float32 (films,): drawn from Beta(alpha, alpha).

    `films` are those of all processes, `key` is (seed, epoch, step): the draws depend on nothing else.
    """
    return np.random.default_rng((*key, _STREAM)).beta(alpha, alpha, films).astype(np.float32)


def blended(batch: StepBatch, share: Tensor) -> StepBatch:
    """Each film with its neighbour laid over it (mixup, Zhang et al. 2018): `share` (B,) is its own part.

    Neighbours are rows 0 and 1, 2 and 3, and so on; the last of an odd number stays as it is. As an epoch's
    order is random they are random pairs, and they are the same pairs if processes share the batch evenly.
    Labels and attributes become shares, too, and logits those of the blended probabilities; NaN if
    either film has none: of half a film with a label and half of one without it nobody knows the label.
    """
    other = (torch.arange(len(share), device=share.device) ^ 1).clamp(max=len(share) - 1)
    return StepBatch(
        x=_laid_over(batch.x, other, share),
        labels=_laid_over(batch.labels, other, share),
        file_logits=_blended_logits(batch.file_logits, batch.file_logits[other], share[:, None]),
        attributes=_laid_over(batch.attributes, other, share),
    )


def _laid_over(values: Tensor, other: Tensor, share: Tensor) -> Tensor:
    """Values (B, …) with those of the rows `other` (B,) laid over them."""
    return values[other].lerp(values, share.view(-1, *[1] * (values.ndim - 1)))


def _blended_logits(own: Tensor, others: Tensor, share: Tensor) -> Tensor:
    """The logits of the blended probabilities of logits (B, 14), as differences of logarithms: they keep
    their digits where probabilities are near 0 or 1.
    """

    def log_blend(sign: int) -> Tensor:
        return torch.logaddexp(
            share.log() + F.logsigmoid(sign * own), torch.log1p(-share) + F.logsigmoid(sign * others)
        )

    return log_blend(1) - log_blend(-1)
