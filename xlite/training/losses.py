"""The losses: hard against NIH's labels, soft against a teacher's logits, one against its features, and one
against what the table knows besides.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

# Features that are zero everywhere have no scale; they stay zero.
_DEAD = 1e-12


def hard_loss(
    logits: Tensor,
    labels: Tensor,
    positive_weight: Tensor | None = None,
    focal_gamma: float = 0.0,
    focal_alpha: float | None = None,
) -> Tensor:
    """Binary cross-entropy of each film and finding: (B, 14) logits and labels → (B, 14).

    A label is 0 or 1, or between them in a blended film: the terms of both then count by their shares. One
    that is unknown (NaN) costs nothing, and its logit has no gradient. `positive_weight` (14,) multiplies the
    terms of positive labels only. `focal_gamma` > 0 turns it into the focal loss -α_t (1 - p_t)^γ log p_t
    (Lin et al. 2017, eq. 5), with `focal_alpha` for positives and 1 - `focal_alpha` for negatives (None: no
    α).
    """
    known = ~labels.isnan()
    labels = torch.where(known, labels, 0.0)  # before anything is multiplied: the gradient of a NaN is NaN
    present = _terms(logits, torch.ones_like(labels), focal_gamma)
    absent = _terms(logits, torch.zeros_like(labels), focal_gamma)
    if focal_alpha is not None:
        present, absent = focal_alpha * present, (1 - focal_alpha) * absent
    if positive_weight is not None:
        present = positive_weight * present
    return torch.where(known, labels * present + (1 - labels) * absent, 0.0)


def mean_of(terms: Tensor, counting: Tensor) -> Tensor:
    """The mean of the terms (…) that count, bool (…), a scalar; the others have to be 0. 0 if none counts."""
    return mean_over(terms, share_of(counting))


def mean_over(terms: Tensor, share: Tensor) -> Tensor:
    """The mean of terms (…) of which a share 0-1, a scalar, counts; the others have to be 0. 0 if none does.

    With a share of 1 it is the plain mean to the last bit, on every device.
    """
    return terms.mean() / share.clamp(min=_DEAD)


def share_of(counting: Tensor) -> Tensor:
    """The share 0-1 of what counts, bool (…), a scalar; exactly 1 if all does."""
    return counting.sum() / torch.ones_like(counting).sum()  # by a number it would be times a reciprocal


def _terms(logits: Tensor, label: Tensor, focal_gamma: float) -> Tensor:
    """(1 - p_t)^γ (-log p_t) as if each label were `label`, all 0 or all 1."""
    terms = F.binary_cross_entropy_with_logits(logits, label, reduction="none")
    if focal_gamma > 0:
        # p_t = exp(-BCE), so 1 - p_t loses no digits if the film is easy.
        terms = (-torch.expm1(-terms)) ** focal_gamma * terms
    return terms


def soft_loss(logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """τ² KL(σ(teacher/τ) ‖ σ(student/τ)) of each film's 14 Bernoulli findings: (B, 14) → (B, 14).

    The findings are not exclusive, so each has a Bernoulli distribution of its own; τ² keeps the gradient's
    size independent of the temperature (Hinton et al. 2015, §2). Exactly zero if the logits agree.
    """
    student, teacher = logits / temperature, teacher_logits / temperature
    yes = torch.sigmoid(teacher) * (F.logsigmoid(teacher) - F.logsigmoid(student))
    no = torch.sigmoid(-teacher) * (F.logsigmoid(-teacher) - F.logsigmoid(-student))
    return temperature**2 * (yes + no)


def feature_loss(projected: Tensor, teacher_features: Tensor) -> Tensor:
    """‖p - t‖² / ‖t‖² of each film: features (B, C, h, w) of any size and (B, C, H, W) → (B,).

    FitNets' hint loss (Romero et al. 2015, eq. 3) with the teacher's features `t` scaled to a mean square of
    1 in each film: neither its size nor its gradient depends on the teacher's scale, and 1 is what a
    projection of nothing costs. `p` is resized to the teacher's features.
    """
    teacher_features = teacher_features.float()
    scale = teacher_features.square().mean(dim=(1, 2, 3), keepdim=True).clamp(min=_DEAD).sqrt()
    size = (teacher_features.shape[-2], teacher_features.shape[-1])
    projected = F.interpolate(projected.float(), size=size, mode="bilinear", antialias=True)
    return (projected - teacher_features / scale).square().mean(dim=(1, 2, 3))


def auxiliary_loss(outputs: Tensor, attributes: Tensor) -> Tensor:
    """What auxiliary heads miss of each film, a mean of three: (B, 3) and (B, 3) of `attributes_of` → (B,).

    Binary cross-entropy for view and sex, smooth L1 for the age. What is not known (NaN) costs nothing.
    """
    there = ~attributes.isnan()
    attributes = torch.where(there, attributes, torch.zeros_like(attributes))
    view_and_sex = F.binary_cross_entropy_with_logits(outputs[:, :2], attributes[:, :2], reduction="none")
    age = F.smooth_l1_loss(outputs[:, 2:], attributes[:, 2:], reduction="none")
    return (there * torch.cat([view_and_sex, age], dim=1)).mean(dim=1)
