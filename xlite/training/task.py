"""DistillTask: what one training step minimises. The loop does not know whether it distils."""

import torch
from torch import Tensor, nn

from xlite.models.teachers import Teacher
from xlite.training.losses import hard_loss, soft_loss


class DistillTask(nn.Module):
    """A student with its loss, and a teacher where there is one.

    The teacher stays in eval, gets no gradient, and is part of neither the student's parameters nor its
    checkpoints.
    """

    def __init__(
        self,
        student: nn.Module,
        teacher: Teacher | None = None,
        alpha: float = 0.7,
        temperature: float = 4.0,
        positive_weight: Tensor | None = None,
        focal_gamma: float = 0.0,
        focal_alpha: float | None = None,
    ):
        super().__init__()
        self.student = student
        self.teacher = teacher
        self.alpha = alpha
        self.temperature = temperature
        self.register_buffer("positive_weight", positive_weight)
        self.focal_gamma = focal_gamma
        self.focal_alpha = focal_alpha

    def forward(self, x: Tensor, labels: Tensor, known: Tensor) -> dict[str, Tensor]:
        """{loss, hard, soft, logits} of a batch: x (B, 3, S, S), labels (B, 14) 0/1, known (B, 14) logits.

        `known` holds the logits of the teacher's predictions file, NaN in the rows of films it lacks. The
        loss is α·soft + (1-α)·hard for films that some teacher speaks of, the hard loss for the others.
        """
        logits = self.student(x).float()
        hard = hard_loss(logits, labels, self.positive_weight, self.focal_gamma, self.focal_alpha)
        if self.teacher is None:
            loss = hard.mean()
            return {
                "loss": loss,
                "hard": loss.detach(),
                "soft": torch.zeros_like(loss),
                "logits": logits.detach(),
            }
        target = self.teacher(x, known)
        taught = ~target.isnan().any(dim=1)
        soft = soft_loss(logits, torch.where(taught[:, None], target, logits.detach()), self.temperature)
        share = self.alpha * taught
        loss = (share * soft + (1 - share) * hard).mean()
        return {
            "loss": loss,
            "hard": hard.mean().detach(),
            "soft": soft.sum().detach() / taught.sum().clamp(min=1),
            "logits": logits.detach(),
        }
