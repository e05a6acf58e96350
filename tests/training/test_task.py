"""DistillTask: what is taught to whom, and what is trained."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

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


def loss_as_before(how, logits, labels, target):
    """The mean of a batch as it was when every label was known."""
    hard = hard_loss(logits, labels, None, how.focal_gamma, how.focal_alpha)
    taught = ~target.isnan()
    soft = soft_loss(logits, torch.where(taught, target, logits.detach()), how.temperature)
    share = how.alpha * taught
    return (share * soft + (1 - share) * hard).mean(), hard.mean()


@pytest.mark.parametrize("speaks", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("alpha", [0.0, 0.7, 1.0])
def test_a_batch_whose_labels_are_known_costs_what_it_did_to_the_last_bit(
    learner, target, batch, alpha, speaks
):
    x, labels = batch
    how = LossSettings(alpha=alpha, temperature=3.0, focal_gamma=1.0)
    silent = torch.rand(4, 14, generator=torch.Generator().manual_seed(8)) >= speaks
    target = target.masked_fill(silent, torch.nan)
    gradients = []
    for which in ("before", "now"):
        learner.zero_grad()
        if which == "now":
            found = DistillTask(learner, how)(x, labels, target)
            loss, hard = found.loss, found.hard
        else:
            loss, hard = loss_as_before(how, learner(x), labels, target)
        loss.backward()
        gradients.append([loss.detach(), hard.detach(), *(p.grad.clone() for p in learner.parameters())])
    assert all(torch.equal(old, new) for old, new in zip(*gradients, strict=True))


class Answers(torch.nn.Module):
    """In the place of a student: its answers, (B, 14), are what is trained."""

    feature_channels = 14

    def __init__(self, logits: torch.Tensor):
        super().__init__()
        self.logits = torch.nn.Parameter(logits)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return self.logits[:, :, None, None]

    def pool_head(self, pooled: torch.Tensor) -> torch.Tensor:
        return pooled


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    unknown=st.sampled_from([0.0, 0.4, 1.0]),
    silent=st.sampled_from([0.0, 0.5, 1.0]),
    alpha=st.sampled_from([0.0, 0.7, 1.0]),
)
def test_of_what_label_and_teacher_tell_the_loss_is_the_mean(
    seed: int, unknown: float, silent: float, alpha: float
):
    """One film and finding at a time: both, one alone, or none; and what neither tells has no gradient."""
    generator = torch.Generator().manual_seed(seed)
    logits, teacher = torch.randn(2, 5, 14, generator=generator)
    labels = (torch.rand(5, 14, generator=generator) < 0.3).float()
    labels[torch.rand(5, 14, generator=generator) < unknown] = torch.nan
    teacher[torch.rand(5, 14, generator=generator) < silent] = torch.nan
    how = LossSettings(alpha=alpha, temperature=2.0)
    student = Answers(logits.clone())
    found = DistillTask(student, how)(torch.zeros(5, 3, 8, 8), labels, teacher)
    found.loss.backward()
    costs = []
    for at in [(film, finding) for film in range(5) for finding in range(14)]:
        hard = hard_loss(logits[at], labels[at]) if not labels[at].isnan() else None
        soft = soft_loss(logits[at], teacher[at], 2.0) if alpha and not teacher[at].isnan() else None
        if hard is not None and soft is not None:
            costs.append(alpha * soft + (1 - alpha) * hard)
        elif hard is not None or soft is not None:
            costs.append(soft if hard is None else hard)
        else:
            assert student.logits.grad[at] == 0
    expected = torch.stack(costs).mean() if costs else torch.zeros(())
    torch.testing.assert_close(found.loss, expected)
    assert student.logits.grad.isfinite().all()
    known = ~labels.isnan()
    hard = hard_loss(logits, labels)[known].mean() if known.any() else torch.zeros(())
    torch.testing.assert_close(found.hard, hard)


def test_unknown_labels_leave_features_and_auxiliary_heads_alone(batch, learner, target):
    x, labels = batch
    teacher_features = torch.rand(4, 24, 3, 3, generator=torch.Generator().manual_seed(6))
    known = torch.tensor([[1, 0, 0.5], [0, torch.nan, -2], [torch.nan] * 3, [1, 1, torch.nan]])
    task = DistillTask(learner, LossSettings(feature_weight=2.0, auxiliary=0.5), teacher_channels=24)
    whole = task(x, labels, target, teacher_features, known)
    labels[1:] = torch.nan
    part = task(x, labels, target, teacher_features, known)
    assert (part.feature, part.auxiliary, part.soft) == (whole.feature, whole.auxiliary, whole.soft)
    assert part.hard != whole.hard


def test_parts_of_a_batch_cost_together_what_the_batch_costs(batch, target):
    """However unevenly what is known is spread over them."""
    labels = batch[1]
    labels[0], target[0] = torch.nan, torch.nan
    labels[1, :12], target[1:3, 4:] = torch.nan, torch.nan
    logits = torch.randn(4, 14, generator=torch.Generator().manual_seed(9))
    x = torch.zeros(4, 3, 8, 8)
    student = Answers(logits)
    task = DistillTask(student)
    whole = task(x, labels, target)
    whole.loss.backward()
    told = (~labels.isnan() | ~target.isnan()).float().mean()
    parts = []
    for rows in (slice(0, 1), slice(1, 4)):
        share = (rows.stop - rows.start) / 4
        part = Answers(logits[rows].clone())
        found = DistillTask(part)(x[rows], labels[rows], target[rows], told=told)
        (share * found.loss).backward()
        parts.append((share * found.loss.detach(), part.logits.grad))
    torch.testing.assert_close(sum(loss for loss, _ in parts), whole.loss.detach())
    torch.testing.assert_close(torch.cat([gradient for _, gradient in parts]), student.logits.grad)
