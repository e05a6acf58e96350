"""DistillTask: what one training step minimises, and all that it trains."""

import torch
from torch import Tensor, nn

from xlite.models.student import Student
from xlite.training.losses import feature_loss, hard_loss, soft_loss

LOSSES = ("loss", "hard", "soft", "feature")
"""The losses that a step reports; `loss` is the one minimised."""


class DistillTask(nn.Module):
    """A student with its loss. It does not know whether it is distilled: the teacher lives outside of it.

    With `feature_weight` the student's features are drawn towards the teacher's, which have
    `teacher_channels`, through a 1×1 convolution that is trained with the student and dropped with the task.
    """

    positive_weight: Tensor | None

    def __init__(
        self,
        student: Student,
        alpha: float = 0.7,
        temperature: float = 4.0,
        positive_weight: Tensor | None = None,
        focal_gamma: float = 0.0,
        focal_alpha: float | None = None,
        feature_weight: float = 0.0,
        teacher_channels: int = 0,
    ):
        super().__init__()
        self.student = student
        self.alpha = alpha
        self.temperature = temperature
        self.register_buffer("positive_weight", positive_weight, persistent=False)
        self.focal_gamma = focal_gamma
        self.focal_alpha = focal_alpha
        self.feature_weight = feature_weight
        self.projection = (
            nn.Conv2d(student.feature_channels, teacher_channels, 1) if feature_weight > 0 else None
        )

    def forward(
        self, x: Tensor, labels: Tensor, target: Tensor, teacher_features: Tensor | None = None
    ) -> dict[str, Tensor]:
        """{loss, hard, soft, feature, logits} of a batch: x (B, 3, S, S), labels (B, 14) 0/1, target (B, 14).

        `target` holds the teacher's logits, NaN for each film and finding of which it says nothing. The loss
        is the mean of α·soft + (1-α)·hard over those it speaks of and of hard over the others, plus
        `feature_weight` times the distance to `teacher_features` (B, C, h, w). The other losses are means
        over what they are defined on, without gradient.
        """
        features = self.student.features(x)  # (B, C', h', w')
        logits, target = self.student.head(features).float(), target.float()
        hard = hard_loss(logits, labels.float(), self.positive_weight, self.focal_gamma, self.focal_alpha)
        taught = ~target.isnan()
        soft = soft_loss(logits, torch.where(taught, target, logits.detach()), self.temperature)
        share = self.alpha * taught
        loss = (share * soft + (1 - share) * hard).mean()
        feature = torch.zeros_like(loss)
        if self.projection is not None:
            assert teacher_features is not None, "feature distillation needs the features of one network"
            feature = feature_loss(self.projection(features), teacher_features).mean()
            loss = loss + self.feature_weight * feature
        return {
            "loss": loss,
            "hard": hard.mean().detach(),
            "soft": soft.sum().detach() / taught.sum().clamp(min=1),
            "feature": feature.detach(),
            "logits": logits.detach(),
        }
