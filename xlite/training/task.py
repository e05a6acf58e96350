"""DistillTask: what one training step minimises, and all that it trains."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from xlite.models.student import Student
from xlite.training.auxiliary import ATTRIBUTES
from xlite.training.losses import (
    auxiliary_loss,
    feature_loss,
    hard_loss,
    mean_of,
    mean_over,
    share_of,
    soft_loss,
)


@dataclass(frozen=True)
class LossSettings:
    """How the loss is made of its parts, as `xlite.training.losses` defines them.

    alpha: the soft loss's share if a teacher speaks; temperature: of the soft loss; focal_gamma and
    focal_alpha: of the hard loss; feature_weight, auxiliary: how much the feature loss and the auxiliary one
    count.
    """

    alpha: float = 0.7
    temperature: float = 4.0
    focal_gamma: float = 0.0
    focal_alpha: float | None = None
    feature_weight: float = 0.0
    auxiliary: float = 0.0


class Losses(NamedTuple):
    """The losses of a step, scalars: `loss` is the one minimised, the others have no gradient."""

    loss: Tensor
    hard: Tensor
    soft: Tensor
    feature: Tensor
    auxiliary: Tensor


class DistillTask(nn.Module):
    """A student with its loss. It does not know whether it is distilled: the teacher lives outside of it.

    With a `feature_weight` the student's features are drawn towards the teacher's, which have
    `teacher_channels`, through a 1×1 convolution that is trained with the student and dropped with the task.
    So are the heads that an `auxiliary` weight adds: they predict view, sex and age from the pooled features.
    """

    positive_weight: Tensor | None

    def __init__(
        self,
        student: Student,
        settings: LossSettings = LossSettings(),
        positive_weight: Tensor | None = None,
        teacher_channels: int = 0,
    ):
        super().__init__()
        self.student = student
        self.settings = settings
        self.register_buffer("positive_weight", positive_weight, persistent=False)
        channels = student.feature_channels
        self.projection = nn.Conv2d(channels, teacher_channels, 1) if settings.feature_weight > 0 else None
        self.auxiliary = nn.Linear(channels, len(ATTRIBUTES)) if settings.auxiliary > 0 else None

    def forward(
        self,
        x: Tensor,
        labels: Tensor,
        target: Tensor,
        teacher_features: Tensor | None = None,
        attributes: Tensor | None = None,
        told: Tensor | None = None,
    ) -> Losses:
        """The losses of a batch: x (B, 3, S, S), labels (B, 14) 0/1, target (B, 14).

        `target` holds the teacher's logits, NaN for each film and finding of which it says nothing; a label
        that is unknown is NaN too. Of a film and a finding of which both tell something the loss is
        α·soft + (1-α)·hard, of which one does it is that one's alone, and if neither does there is none. The
        loss is the mean over what is told, plus `feature_weight` times the distance to `teacher_features`
        (B, C, h, w), plus `auxiliary` times what the auxiliary heads miss of `attributes` (B, 3). `told` is
        the share of films and findings of which something is told, a scalar; it is given if this batch is
        part of one that is to be one step. The other losses are means over what they are defined on, without
        gradient.
        """
        how = self.settings
        features = self.student.features(x)  # (B, C', h', w')
        pooled = features.mean((2, 3))  # (B, C')
        logits, target = self.student.pool_head(pooled).float(), target.float()
        hard = hard_loss(logits, labels.float(), self.positive_weight, how.focal_gamma, how.focal_alpha)
        labelled, taught = ~labels.isnan(), ~target.isnan()
        soft = soft_loss(logits, torch.where(taught, target, logits.detach()), how.temperature)
        share = self._share_of_soft(labelled, taught)
        told = share_of(self.tells(labelled, taught)) if told is None else told
        loss = mean_over(share * soft + (1 - share) * hard, told)
        feature = torch.zeros_like(loss)
        if self.projection is not None:
            assert teacher_features is not None, "feature distillation needs the features of one network"
            feature = feature_loss(self.projection(features), teacher_features).mean()
            loss = loss + how.feature_weight * feature
        auxiliary = torch.zeros_like(loss)
        if self.auxiliary is not None:
            assert attributes is not None, "auxiliary heads need the attributes of the films"
            auxiliary = auxiliary_loss(self.auxiliary(pooled).float(), attributes.float()).mean()
            loss = loss + how.auxiliary * auxiliary
        return Losses(
            loss=loss,
            hard=mean_of(hard, labelled).detach(),
            soft=soft.sum().detach() / taught.sum().clamp(min=1),
            feature=feature.detach(),
            auxiliary=auxiliary.detach(),
        )

    def tells(self, labelled: Tensor, taught: Tensor) -> Tensor:
        """Of which films and findings label or teacher tell something, bool (B, 14), as both are given.

        An α of 0 is that of labels alone.
        """
        return labelled | taught if self.settings.alpha > 0 else labelled

    def _share_of_soft(self, labelled: Tensor, taught: Tensor) -> Tensor:
        """How much of the loss of a film and a finding the soft one is, (B, 14) in 0-1."""
        both = self.settings.alpha * taught
        return torch.where(labelled, both, 1.0 * (taught & self.tells(labelled, taught)))
