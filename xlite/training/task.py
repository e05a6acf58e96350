"""DistillTask: what one training step minimises, and all that it trains."""

import torch
from torch import Tensor, nn

from xlite.models.student import Student
from xlite.training.losses import feature_loss, hard_loss, soft_loss

PARTS = ("loss", "hard", "soft", "feature")
"""What a step's losses are summed up as; `loss` is what is minimised."""


class DistillTask(nn.Module):
    """A student with its loss. It does not know whether it is distilled: the teacher lives outside of it.

    With `feature_weight` the student's last map is drawn towards the teacher's, which has `teacher_channels`,
    through a 1×1 convolution that is trained with the student and thrown away with the task.
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
        self, x: Tensor, labels: Tensor, target: Tensor, teacher_map: Tensor | None = None
    ) -> dict[str, Tensor]:
        """{loss, hard, soft, feature, logits} of a batch: x (B, 3, S, S), labels (B, 14) 0/1, target (B, 14).

        `target` holds the teacher's logits, NaN where it says nothing of a film or of a finding. The loss is
        the mean of α·soft + (1-α)·hard where it says something and of hard elsewhere, plus `feature_weight`
        times the distance to `teacher_map` (B, C, h, w). The parts are means over what they are defined on.
        """
        features = self.student.features(x)
        logits, target = self.student.head(features).float(), target.float()
        hard = hard_loss(logits, labels.float(), self.positive_weight, self.focal_gamma, self.focal_alpha)
        taught = ~target.isnan()
        soft = soft_loss(logits, torch.where(taught, target, logits.detach()), self.temperature)
        share = self.alpha * taught
        loss = (share * soft + (1 - share) * hard).mean()
        feature = torch.zeros_like(loss)
        if self.projection is not None:
            assert teacher_map is not None, "feature distillation needs the map of one network"
            feature = feature_loss(self.projection(features), teacher_map).mean()
            loss = loss + self.feature_weight * feature
        return {
            "loss": loss,
            "hard": hard.mean().detach(),
            "soft": soft.sum().detach() / taught.sum().clamp(min=1),
            "feature": feature.detach(),
            "logits": logits.detach(),
        }
