"""The hard losses against NIH's labels and the soft loss against a teacher."""

import torch
import torch.nn.functional as F
from torch import Tensor


def hard_loss(
    logits: Tensor,
    labels: Tensor,
    positive_weight: Tensor | None = None,
    focal_gamma: float = 0.0,
    focal_alpha: float | None = None,
) -> Tensor:
    """Binary cross-entropy of each film, mean over its 14 findings; (B, 14) logits and 0/1 labels → (B,).

    `positive_weight` (14,) multiplies the terms of positive labels only. `focal_gamma` > 0 turns it into the
    focal loss -α_t (1 - p_t)^γ log p_t (Lin et al. 2017, eq. 5), with `focal_alpha` for positives and
    1 - `focal_alpha` for negatives (None: no α).
    """
    terms = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    if focal_gamma > 0:
        # p_t = exp(-BCE), so 1 - p_t loses no digits where the film is easy.
        terms = (-torch.expm1(-terms)) ** focal_gamma * terms
    if focal_alpha is not None:
        terms = terms * torch.where(labels > 0.5, focal_alpha, 1 - focal_alpha)
    if positive_weight is not None:
        terms = terms * torch.where(labels > 0.5, positive_weight, torch.ones_like(positive_weight))
    return terms.mean(dim=1)


def soft_loss(logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """τ² KL(σ(teacher/τ) ‖ σ(student/τ)) of each film, mean over its 14 Bernoulli findings; (B, 14) → (B,).

    The findings are not exclusive, so each has a Bernoulli distribution of its own; τ² keeps the gradient's
    size independent of the temperature (Hinton et al. 2015, §2). Zero exactly where the logits agree.
    """
    student, teacher = logits / temperature, teacher_logits / temperature
    yes = torch.sigmoid(teacher) * (F.logsigmoid(teacher) - F.logsigmoid(student))
    no = torch.sigmoid(-teacher) * (F.logsigmoid(-teacher) - F.logsigmoid(-student))
    return temperature**2 * (yes + no).mean(dim=1)
