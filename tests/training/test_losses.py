"""The hard and soft losses against slow, obvious versions of their formulas."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from xlite.training.losses import auxiliary_loss, feature_loss, hard_loss, mean_of, share_of, soft_loss


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return 3 * torch.randn(5, 14, generator=generator), (torch.rand(5, 14, generator=generator) < 0.3).float()


def test_plain_hard_loss_is_bce(batch):
    logits, labels = batch
    expected = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    torch.testing.assert_close(hard_loss(logits, labels), expected)


def test_positive_weight_multiplies_positive_terms_only(batch):
    logits, labels = batch
    weight = torch.linspace(0.4, 35.3, 14)
    expected = F.binary_cross_entropy_with_logits(logits, labels, pos_weight=weight, reduction="none")
    torch.testing.assert_close(hard_loss(logits, labels, positive_weight=weight), expected)


def test_the_labels_of_a_blended_film_count_by_their_shares(batch):
    logits, _ = batch
    labels = torch.rand(5, 14, generator=torch.Generator().manual_seed(2))
    expected = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    torch.testing.assert_close(hard_loss(logits, labels), expected)
    how = {"positive_weight": torch.linspace(0.4, 35.3, 14), "focal_gamma": 2.0, "focal_alpha": 0.25}
    ones, zeros = torch.ones(5, 14), torch.zeros(5, 14)
    both = labels * hard_loss(logits, ones, **how) + (1 - labels) * hard_loss(logits, zeros, **how)
    torch.testing.assert_close(hard_loss(logits, labels, **how), both)


def test_focal_loss_follows_the_paper(batch):
    logits, labels = batch
    expected = torch.zeros(5, 14)
    for film in range(5):
        for finding in range(14):
            p = sigmoid(logits[film, finding].item())
            p_t, alpha_t = (p, 0.25) if labels[film, finding] else (1 - p, 0.75)
            expected[film, finding] = -alpha_t * (1 - p_t) ** 2 * math.log(p_t)
    torch.testing.assert_close(hard_loss(logits, labels, focal_gamma=2.0, focal_alpha=0.25), expected)


def test_soft_loss_is_bernoulli_kl_times_squared_temperature(batch):
    student, _ = batch
    teacher, tau = student.flip(0), 4.0
    expected = torch.zeros(5, 14)
    for film in range(5):
        for finding in range(14):
            q, p = sigmoid(teacher[film, finding].item() / tau), sigmoid(student[film, finding].item() / tau)
            kl = q * math.log(q / p) + (1 - q) * math.log((1 - q) / (1 - p))
            expected[film, finding] = tau**2 * kl
    torch.testing.assert_close(soft_loss(student, teacher, tau), expected, rtol=1e-4, atol=1e-6)


def test_soft_loss_is_zero_and_flat_if_student_equals_teacher(batch):
    logits = batch[0].requires_grad_()
    loss = soft_loss(logits, logits.detach(), 6.0).sum()
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert logits.grad.abs().max().item() < 1e-6


def test_soft_loss_survives_extreme_logits():
    student, teacher = torch.full((1, 14), 500.0, requires_grad=True), torch.full((1, 14), -500.0)
    loss = soft_loss(student, teacher, 2.0).sum()
    loss.backward()
    assert math.isfinite(loss.item()) and torch.isfinite(student.grad).all()


def test_soft_gradient_keeps_its_size_at_high_temperature():
    """τ² cancels the 1/τ² of the gradient: for small logits it tends to (s - t)/4 per finding, whatever τ."""
    student, teacher = torch.full((1, 14), 0.2, requires_grad=True), torch.full((1, 14), -0.2)
    soft_loss(student, teacher, 50.0).sum().backward()
    torch.testing.assert_close(student.grad, torch.full((1, 14), 0.4 / 4), rtol=1e-3, atol=0)


def test_feature_loss_is_the_squared_distance_relative_to_the_teachers_features():
    generator = torch.Generator().manual_seed(3)
    projected, teacher = torch.randn(2, 5, 7, 7, generator=generator), torch.rand(2, 5, 7, 7) + 1
    scaled = teacher / teacher.pow(2).mean(dim=(1, 2, 3), keepdim=True).sqrt()
    expected = (projected - scaled).pow(2).sum(dim=(1, 2, 3)) / scaled.pow(2).sum(dim=(1, 2, 3))
    torch.testing.assert_close(feature_loss(projected, teacher), expected)
    torch.testing.assert_close(feature_loss(torch.zeros_like(projected), teacher), torch.ones(2))
    torch.testing.assert_close(feature_loss(scaled, teacher), torch.zeros(2))


def test_feature_loss_does_not_depend_on_the_teachers_scale():
    generator = torch.Generator().manual_seed(4)
    teacher = torch.randn(2, 5, 3, 3, generator=generator)
    gradients = []
    for scale in (1.0, 1000.0):
        projected = torch.ones(2, 5, 8, 8, requires_grad=True)
        feature_loss(projected, scale * teacher).sum().backward()
        gradients.append(projected.grad)
    torch.testing.assert_close(*gradients)


def test_feature_loss_resizes_to_the_teachers_features_and_survives_a_dead_one():
    flat = torch.tensor([0.0, 2.0]).view(1, 2, 1, 1) / math.sqrt(2)  # mean square 1
    assert feature_loss(flat.expand(1, 2, 9, 9), 3 * flat.expand(1, 2, 4, 4)).item() == pytest.approx(
        0, abs=1e-6
    )
    dead = feature_loss(torch.ones(1, 5, 4, 4), torch.zeros(1, 5, 2, 2))
    torch.testing.assert_close(dead, torch.ones(1))


def test_a_focal_loss_with_a_gamma_that_is_no_even_number_follows_the_paper(batch):
    logits, labels = batch
    for gamma in (0.5, 1.0, 3.0):
        p = torch.sigmoid(logits)
        p_t = torch.where(labels > 0.5, p, 1 - p)
        expected = -((1 - p_t) ** gamma) * p_t.log()
        torch.testing.assert_close(hard_loss(logits, labels, focal_gamma=gamma), expected)


def test_feature_loss_of_features_that_are_no_square_and_a_resize_that_looks_at_every_cell():
    generator = torch.Generator().manual_seed(3)
    projected, teacher = (torch.randn(2, 3, *size, generator=generator) for size in ((8, 6), (4, 2)))
    unit = teacher / teacher.square().mean((1, 2, 3), keepdim=True).sqrt()
    small = F.interpolate(projected, size=(4, 2), mode="bilinear", antialias=True)
    expected = (small - unit).square().mean((1, 2, 3))
    torch.testing.assert_close(feature_loss(projected, teacher), expected)


def test_auxiliary_loss_is_bce_of_view_and_sex_and_smooth_l1_of_the_age():
    outputs = torch.tensor([[1.0, -2.0, 0.3], [0.5, 0.0, 3.0], [9.0, 9.0, 9.0]], requires_grad=True)
    known = torch.tensor([[1.0, 0.0, 0.7], [0.0, torch.nan, 1.0], [torch.nan] * 3])
    first = (math.log1p(math.exp(-1)) + math.log1p(math.exp(-2)) + 0.4**2 / 2) / 3
    second = (math.log1p(math.exp(0.5)) + (2 - 0.5)) / 3
    loss = auxiliary_loss(outputs, known)
    torch.testing.assert_close(loss, torch.tensor([first, second, 0.0]))
    loss.sum().backward()
    assert (outputs.grad != 0).tolist() == [[True, True, True], [True, False, True], [False] * 3]


def as_before(logits, labels, positive_weight=None, focal_gamma=0.0, focal_alpha=None):
    """The hard loss as it was when every label was known."""
    present, absent = (
        F.binary_cross_entropy_with_logits(logits, side, reduction="none")
        for side in (torch.ones_like(labels), torch.zeros_like(labels))
    )
    if focal_gamma > 0:
        present, absent = ((-torch.expm1(-terms)) ** focal_gamma * terms for terms in (present, absent))
    if focal_alpha is not None:
        present, absent = focal_alpha * present, (1 - focal_alpha) * absent
    if positive_weight is not None:
        present = positive_weight * present
    return labels * present + (1 - labels) * absent


HOW = [
    {},
    {"positive_weight": torch.linspace(0.4, 35.3, 14)},
    {"focal_gamma": 2.0, "focal_alpha": 0.25},
    {"positive_weight": torch.linspace(0.4, 35.3, 14), "focal_gamma": 1.5},
]


@pytest.mark.parametrize("how", HOW)
def test_where_all_labels_are_known_loss_and_gradient_are_as_they_were_to_the_last_bit(batch, how):
    logits, labels = batch
    for truth in (labels, torch.rand(5, 14, generator=torch.Generator().manual_seed(2))):
        answers = []
        for loss in (as_before, hard_loss):
            mine = logits.clone().requires_grad_()
            terms = loss(mine, truth, **how)
            mean = terms.mean() if loss is as_before else mean_of(terms, ~truth.isnan())
            mean.backward()
            answers.append((terms.detach(), mean.detach(), mine.grad))
        assert all(torch.equal(old, new) for old, new in zip(*answers, strict=True))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), share=st.sampled_from([0.0, 0.2, 0.9, 1.0]), how=st.sampled_from(HOW))
def test_unknown_labels_cost_what_films_without_them_cost(seed: int, share: float, how: dict):
    """The loss is that of what is known alone; what is unknown has no gradient."""
    generator = torch.Generator().manual_seed(seed)
    logits = (3 * torch.randn(6, 14, generator=generator)).requires_grad_()
    labels = (torch.rand(6, 14, generator=generator) < 0.3).float()
    unknown = torch.rand(6, 14, generator=generator) < share
    mean = mean_of(hard_loss(logits, labels.masked_fill(unknown, torch.nan), **how), ~unknown)
    mean.backward()
    assert logits.grad is not None and (logits.grad[unknown] == 0).all()
    alone = logits.detach().clone().requires_grad_()
    kept = as_before(alone, labels, **how)[~unknown]
    if not len(kept):
        assert mean == 0
        return
    kept.mean().backward()
    torch.testing.assert_close(mean, kept.mean())
    torch.testing.assert_close(logits.grad, alone.grad)


@pytest.mark.parametrize("shape", [(1, 14), (7, 14), (49,), (3, 1001)])
def test_what_counts_whole_is_a_share_of_exactly_one(shape):
    everything = torch.ones(shape, dtype=torch.bool)
    assert share_of(everything) == 1 and share_of(~everything) == 0
    terms = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    assert torch.equal(mean_of(terms, everything), terms.mean())
    assert mean_of(torch.zeros(shape), ~everything) == 0
