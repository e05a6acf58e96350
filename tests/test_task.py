"""DistillTask and teachers: what is taught to whom, and what must not move."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from xlite.errors import CheckpointError
from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.models.checkpoint import ModelInfo, save_model
from xlite.models.student import Student
from xlite.models.teachers import NetworkTeacher, Teacher, open_teacher
from xlite.training.losses import hard_loss, soft_loss
from xlite.training.task import DistillTask

BACKBONE = "test_resnet.r160_in1k"
UNKNOWN = torch.full((4, 14), torch.nan)


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4, 3, 64, 64, generator=generator), (
        torch.rand(4, 14, generator=generator) < 0.3
    ).float()


def student(seed: int) -> Student:
    torch.manual_seed(seed)
    return Student(BACKBONE, dropout=0.0)


def network_teacher(seed: int) -> Teacher:
    return Teacher([NetworkTeacher(student(seed), Preprocess(64), Preprocess(64))])


def test_without_teacher_the_loss_is_the_hard_loss(batch):
    x, labels = batch
    learner = student(1).eval()
    result = DistillTask(learner)(x, labels, UNKNOWN)
    torch.testing.assert_close(result["loss"], hard_loss(learner(x), labels).mean())
    assert not result["logits"].requires_grad


def test_alpha_mixes_soft_and_hard(batch):
    x, labels = batch
    learner, teacher = student(1).eval(), network_teacher(2)
    logits, target = learner(x), teacher(x, UNKNOWN)
    result = DistillTask(learner, teacher, alpha=0.7, temperature=3.0)(x, labels, UNKNOWN)
    expected = 0.7 * soft_loss(logits, target, 3.0).mean() + 0.3 * hard_loss(logits, labels).mean()
    torch.testing.assert_close(result["loss"], expected)
    zero = DistillTask(learner, teacher, alpha=0.0)(x, labels, UNKNOWN)
    torch.testing.assert_close(zero["loss"], hard_loss(logits, labels).mean())


def test_teacher_gets_no_gradient_and_stays_in_eval(batch):
    x, labels = batch
    teacher = network_teacher(2)
    teacher.train()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    DistillTask(student(1).train(), teacher)(x, labels, UNKNOWN)["loss"].backward()
    assert not any(module.training for module in teacher.networks[0].modules())
    assert all(parameter.grad is None for parameter in teacher.parameters())
    assert all(torch.equal(before[name], value) for name, value in teacher.state_dict().items())


def test_films_unknown_to_the_predictions_file_learn_from_their_labels(batch):
    x, labels = batch
    learner = student(1).eval()
    known = torch.randn(4, 14, generator=torch.Generator().manual_seed(5))
    known[2:] = torch.nan
    logits = learner(x)
    result = DistillTask(learner, Teacher([]), alpha=0.7, temperature=4.0)(x, labels, known)
    hard, soft = hard_loss(logits, labels), soft_loss(logits[:2], known[:2], 4.0)
    torch.testing.assert_close(result["loss"], torch.cat([0.7 * soft + 0.3 * hard[:2], hard[2:]]).mean())
    result["loss"].backward()
    assert all(torch.isfinite(p.grad).all() for p in learner.parameters() if p.grad is not None)


def test_several_teachers_are_averaged(batch):
    x, _ = batch
    one, two = network_teacher(2), network_teacher(3)
    both = Teacher([one.networks[0], two.networks[0]])
    torch.testing.assert_close(both(x, UNKNOWN), (one(x, UNKNOWN) + two(x, UNKNOWN)) / 2)
    known = UNKNOWN.clone()
    known[0] = 1.5
    mixed = both(x, known)
    torch.testing.assert_close(mixed[0], (one(x, UNKNOWN)[0] + two(x, UNKNOWN)[0] + 1.5) / 3)
    torch.testing.assert_close(mixed[1:], both(x, UNKNOWN)[1:])


def test_network_teacher_uses_its_own_normalisation_and_size():
    own = Preprocess(96, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    network = student(4).eval()
    film = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    x = torch.from_numpy(Preprocess(64)(film))[None]
    grey = torch.from_numpy(film).float()[None, None].expand(1, 3, 64, 64) / 255
    resized = nn.functional.interpolate(grey, size=(96, 96), mode="bilinear", antialias=True)
    expected = network((resized - 0.5) / 0.25)
    torch.testing.assert_close(
        NetworkTeacher(network, own, Preprocess(64))(x), expected, rtol=1e-3, atol=1e-4
    )


def test_open_teacher_reads_a_model_and_a_predictions_file(tmp_path):
    network = student(6).eval()
    info = ModelInfo(
        backbone=BACKBONE, attention="none", hidden=256, dropout=0.0, preprocess=Preprocess(64),
        split_id="patient-42-00000000", label_version="2020", thresholds=None, calibration=None, notes={},
    )  # fmt: skip
    save_model(tmp_path / "teacher.safetensors", network, info)
    rows = ["image," + ",".join(FINDINGS), "b.png," + ",".join(["0.500000"] * 13 + ["0.900000"])]
    (tmp_path / "known.csv").write_text("\n".join(rows) + "\n")
    spec = f"{tmp_path}/teacher.safetensors, {tmp_path}/known.csv"
    teacher, known = open_teacher(spec, Preprocess(64), ["a", "b"], np.zeros((2, 14)))
    assert np.isnan(known[0]).all()
    np.testing.assert_allclose(known[1], [0.0] * 13 + [np.log(9)], atol=1e-5)
    assert "1 of 2 training films (50.0 %)" in teacher.sentence
    x = torch.randn(2, 3, 64, 64)
    answers = teacher(x, torch.from_numpy(known))
    torch.testing.assert_close(answers[0], network(x)[0].detach())
    torch.testing.assert_close(answers[1], (network(x)[1].detach() + torch.from_numpy(known[1])) / 2)
    with pytest.raises(CheckpointError, match="none of the 1 training films"):
        open_teacher(f"{tmp_path}/known.csv", Preprocess(64), ["c"], np.zeros((1, 14)))


def test_a_predictions_file_is_fitted_to_the_shares_of_findings_in_training(tmp_path):
    """A teacher from films where a finding is rare must not teach that it is rare in training."""
    rng = np.random.default_rng(0)
    labels = (rng.random((400, 14)) < 0.4).astype(np.float32)
    logits = 2 * labels - 6 + rng.normal(size=(400, 14))
    stems = [f"{film:03d}" for film in range(400)]
    rows = [
        [f"{stem}.png", *(f"{p:.9f}" for p in 1 / (1 + np.exp(-row)))]
        for stem, row in zip(stems, logits, strict=True)
    ]
    lines = [",".join(["image", *FINDINGS]), *(",".join(row) for row in rows)]
    (tmp_path / "rare.csv").write_text("\n".join(lines) + "\n")
    _, known = open_teacher(f"{tmp_path}/rare.csv", Preprocess(64), stems, labels)
    np.testing.assert_allclose((1 / (1 + np.exp(-known))).mean(axis=0), labels.mean(axis=0), atol=0.02)
    for k in range(14):
        assert spearmanr(known[:, k], logits[:, k]).statistic > 0.999
