"""Teachers: what each says of which film and finding, what must not move, and what is said of it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from xlite.errors import CheckpointError
from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.models.checkpoint import load_model, save_model
from xlite.models.densenet import DenseNet
from xlite.models.info import ModelInfo
from xlite.models.student import Student
from xlite.training.teacher_networks import NetworkTeacher
from xlite.training.teachers import Teacher, open_teacher

BACKBONE = "test_resnet.r160_in1k"
UNKNOWN = torch.full((4, 14), torch.nan)


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def student(seed: int) -> Student:
    torch.manual_seed(seed)
    return Student(BACKBONE, dropout=0.0)


def network_teacher(seed: int) -> Teacher:
    return Teacher([NetworkTeacher(student(seed), Preprocess(64), Preprocess(64))])


def saved_model(path: Path, seed: int) -> Student:
    network = student(seed).eval()
    info = ModelInfo(
        backbone=BACKBONE, attention="none", hidden=256, dropout=0.0, preprocess=Preprocess(64),
        split_id="patient-42-00000000", label_version="2020", thresholds=None, calibration=None, notes={},
    )  # fmt: skip
    save_model(path, network, info)
    return network


@pytest.mark.slow
def test_a_teacher_that_answers_with_no_numbers_is_refused(tmp_path):
    """Its NaN would pass for silence, and the student would learn from the labels alone."""
    network = saved_model(tmp_path / "model.safetensors", 3)
    network.classifier[0].weight.data.fill_(3e38)
    info = load_model(tmp_path / "model.safetensors")[1]
    save_model(tmp_path / "model.safetensors", network, info)
    with pytest.raises(CheckpointError, match="the teacher .* answers with values that are not finite"):
        open_teacher(
            str(tmp_path / "model.safetensors"), Preprocess(64), ["a"], np.zeros((1, 14)), np.array(["1"])
        )


def test_a_teacher_gets_no_gradient_and_stays_in_eval(x):
    teacher = network_teacher(2)
    teacher.train()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    answer = teacher(x, UNKNOWN)
    assert not answer.logits.requires_grad and not answer.features.requires_grad
    assert not any(module.training for module in teacher.networks[0].modules())
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    assert all(torch.equal(before[name], value) for name, value in teacher.state_dict().items())


def test_teachers_are_averaged_over_those_that_have_logits(x):
    one, two = network_teacher(2), network_teacher(3)
    both = Teacher([one.networks[0], two.networks[0]])
    torch.testing.assert_close(both(x, UNKNOWN).logits, (one(x, UNKNOWN).logits + two(x, UNKNOWN).logits) / 2)
    file_logits = UNKNOWN.clone()
    file_logits[0, 5] = 1.5
    mixed, plain = both(x, file_logits).logits, both(x, UNKNOWN).logits
    torch.testing.assert_close(mixed[0, 5], (2 * plain[0, 5] + 1.5) / 3)
    mixed[0, 5] = plain[0, 5]
    torch.testing.assert_close(mixed, plain)


def test_only_a_single_network_gives_its_features(x):
    one, two = network_teacher(2), network_teacher(3)
    expected = one.networks[0].network.features(x)
    torch.testing.assert_close(one(x, UNKNOWN).features, expected)
    assert one.feature_channels == expected.shape[1]
    several = Teacher([one.networks[0], two.networks[0]])
    assert (several.feature_channels, several(x, UNKNOWN).features) == (0, None)
    nothing = Teacher()
    assert (nothing.feature_channels, nothing(x, UNKNOWN).features) == (0, None)
    assert nothing(x, UNKNOWN).logits.isnan().all()


def test_a_network_teacher_uses_its_own_normalisation_and_size():
    own = Preprocess(96, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    network = student(4).eval()
    film = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    x = torch.from_numpy(Preprocess(64)(film))[None]
    grey = torch.from_numpy(film).float()[None, None].expand(1, 3, 64, 64) / 255
    resized = nn.functional.interpolate(grey, size=(96, 96), mode="bilinear", antialias=True)
    expected = network((resized - 0.5) / 0.25)
    torch.testing.assert_close(
        NetworkTeacher(network, own, Preprocess(64))(x).logits, expected, rtol=1e-3, atol=1e-4
    )


@pytest.mark.slow
def test_a_densenet_answers_by_name_and_is_silent_on_what_it_lacks():
    network = DenseNet(["Mass", "", "Fracture", "Atelectasis"], channels=1).eval()
    x = torch.randn(2, 3, 32, 32)
    own = network.net(x[:, :1])
    logits = network(x)
    torch.testing.assert_close(logits[:, [0, 4]], own[:, [3, 0]])
    assert logits.isnan().sum(dim=0).tolist() == [0, 2, 2, 2, 0] + [2] * 9
    assert network.lacks == [name for name in FINDINGS if name not in ("Mass", "Atelectasis")]


def test_open_teacher_reads_a_model_and_a_predictions_file(tmp_path):
    network = saved_model(tmp_path / "teacher.safetensors", 6)
    rows = ["image," + ",".join(FINDINGS), "b.png," + ",".join(["0.500000"] * 13 + ["0.900000"])]
    (tmp_path / "known.csv").write_text("\n".join(rows) + "\n")
    spec = f"{tmp_path}/teacher.safetensors, {tmp_path}/known.csv"
    teacher, file_logits = open_teacher(
        spec, Preprocess(64), ["a", "b"], np.zeros((2, 14)), np.array(["1", "2"])
    )
    assert np.isnan(file_logits[0]).all()
    np.testing.assert_allclose(file_logits[1], [0.0] * 13 + [np.log(9)], atol=1e-5)
    network_said, file_said = teacher.sentence.split("; ")
    for words in (f"{tmp_path}/teacher.safetensors", f"{BACKBONE} at 64 px", "split patient-42-00000000"):
        assert words in network_said
    assert "known.csv" in file_said and "1 of 2 training films (50.0 %)" in file_said
    x = torch.randn(2, 3, 64, 64)
    answers = teacher(x, torch.from_numpy(file_logits)).logits
    torch.testing.assert_close(answers[0], network(x)[0].detach())
    torch.testing.assert_close(answers[1], (network(x)[1].detach() + torch.from_numpy(file_logits[1])) / 2)
    alone, _ = open_teacher(
        f"{tmp_path}/known.csv", Preprocess(64), ["a", "b"], np.zeros((2, 14)), np.array(["1", "2"])
    )
    assert "50.0 % of the labels" in alone.sentence
    with pytest.raises(CheckpointError, match="none of the 1 training films"):
        open_teacher(f"{tmp_path}/known.csv", Preprocess(64), ["c"], np.zeros((1, 14)), np.array(["1"]))
    with pytest.raises(CheckpointError, match="' ,' names no model"):
        open_teacher(" ,", Preprocess(64), ["c"], np.zeros((1, 14)), np.array(["1"]))


def test_a_predictions_file_is_fitted_to_the_shares_of_findings_in_training(tmp_path):
    """A teacher whose films rarely have a finding must not teach that it is rare in training."""
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
    _, file_logits = open_teacher(f"{tmp_path}/rare.csv", Preprocess(64), stems, labels, np.array(stems))
    np.testing.assert_allclose((1 / (1 + np.exp(-file_logits))).mean(axis=0), labels.mean(axis=0), atol=0.02)
    for k in range(14):
        assert spearmanr(file_logits[:, k], logits[:, k]).statistic > 0.999
