"""DistillTask: what is taught to whom, and what is trained."""

import pytest
import torch

from xlite.models.student import Student
from xlite.training.losses import auxiliary_loss, feature_loss, hard_loss, soft_loss
from xlite.training.task import DistillTask, LossSettings

BACKBONE = "test_resnet.r160_in1k"
UNKNOWN = torch.full((4, 14), torch.nan)


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4, 3, 64, 64, generator=generator), (
        torch.rand(4, 14, generator=generator) < 0.3
    ).float()


@pytest.fixture
def target() -> torch.Tensor:
    return torch.randn(4, 14, generator=torch.Generator().manual_seed(5))


@pytest.fixture
def learner() -> Student:
    torch.manual_seed(1)
    return Student(BACKBONE, dropout=0.0).eval()


def test_without_a_teacher_the_loss_is_the_hard_loss(batch, learner):
    x, labels = batch
    result = DistillTask(learner)(x, labels, UNKNOWN)
    torch.testing.assert_close(result.loss, hard_loss(learner(x), labels).mean())
    assert (result.soft.item(), result.feature.item(), result.auxiliary.item()) == (0, 0, 0)
    assert [loss.requires_grad for loss in result] == [True, False, False, False, False]


def test_alpha_mixes_soft_and_hard(batch, learner, target):
    x, labels = batch
    logits = learner(x)
    result = DistillTask(learner, LossSettings(alpha=0.7, temperature=3.0))(x, labels, target)
    soft, hard = soft_loss(logits, target, 3.0).mean(), hard_loss(logits, labels).mean()
    torch.testing.assert_close(result.loss, 0.7 * soft + 0.3 * hard)
    torch.testing.assert_close(torch.stack([result.soft, result.hard]), torch.stack([soft, hard]))
    zero = DistillTask(learner, LossSettings(alpha=0.0))(x, labels, target)
    torch.testing.assert_close(zero.loss, hard)


def test_films_and_findings_that_no_teacher_speaks_of_learn_from_their_labels(batch, learner, target):
    x, labels = batch
    target[2:] = torch.nan
    target[0, 3] = torch.nan
    result = DistillTask(learner, LossSettings(alpha=0.7, temperature=4.0))(x, labels, target)
    logits = learner(x)
    expected = torch.zeros(4, 14)
    softs = []
    for film in range(4):
        for finding in range(14):
            one = (slice(film, film + 1), slice(finding, finding + 1))
            hard = hard_loss(logits[one], labels[one])
            soft = soft_loss(logits[one], target[one], 4.0)
            if torch.isnan(target[one]):
                expected[one] = hard
            else:
                expected[one] = 0.7 * soft + 0.3 * hard
                softs.append(soft)
    torch.testing.assert_close(result.loss, expected.mean())
    torch.testing.assert_close(result.soft, torch.cat(softs).mean().detach())
    result.loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in learner.parameters() if p.grad is not None)


def test_feature_distillation_trains_student_and_projection(batch, learner, target):
    x, labels = batch
    teacher_features = torch.rand(4, 24, 3, 3, generator=torch.Generator().manual_seed(6))
    task = DistillTask(learner, LossSettings(feature_weight=2.0), teacher_channels=24)
    result = task(x, labels, target, teacher_features)
    plain = DistillTask(learner)(x, labels, target)
    feature = feature_loss(task.projection(learner.features(x)), teacher_features).mean()
    torch.testing.assert_close(result.feature, feature.detach())
    torch.testing.assert_close(result.loss, plain.loss + 2 * feature)
    assert (result.hard, result.soft) == (plain.hard, plain.soft)
    result.loss.backward()
    assert task.projection.weight.grad.abs().sum() > 0
    assert next(learner.backbone.parameters()).grad.abs().sum() > 0


def test_auxiliary_heads_learn_from_the_pooled_features_what_is_known(batch, learner):
    x, labels = batch
    known = torch.tensor([[1, 0, 0.5], [0, torch.nan, -2], [torch.nan] * 3, [1, 1, torch.nan]])
    task = DistillTask(learner, LossSettings(auxiliary=2.0))
    result, plain = task(x, labels, UNKNOWN, None, known), DistillTask(learner)(x, labels, UNKNOWN)
    missed = auxiliary_loss(task.auxiliary(learner.features(x).mean((2, 3))), known).mean()
    torch.testing.assert_close(result.auxiliary, missed.detach())
    torch.testing.assert_close(result.loss, plain.loss + 2 * missed)
    assert result.hard == plain.hard
    result.loss.backward()
    assert task.auxiliary.weight.grad.abs().sum() > 0
    silent = task(x, labels, UNKNOWN, None, torch.full((4, 3), torch.nan))
    assert silent.auxiliary == 0 and silent.loss == plain.loss


def test_what_a_task_keeps_is_the_student_and_what_it_trains_besides(learner):
    weight = torch.ones(14)
    students = {f"student.{name}" for name in learner.state_dict()}
    assert DistillTask(learner, positive_weight=weight).state_dict().keys() == students
    with_features = DistillTask(learner, LossSettings(feature_weight=0.1), teacher_channels=24)
    assert with_features.state_dict().keys() == students | {"projection.weight", "projection.bias"}
    with_heads = DistillTask(learner, LossSettings(auxiliary=0.1))
    assert with_heads.state_dict().keys() == students | {"auxiliary.weight", "auxiliary.bias"}
