"""Teachers: what each says of which film and finding, what must not move, and what is said of it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.stats import spearmanr
from torch import nn

from xlite.config import TrainConfig
from xlite.errors import CheckpointError, RunError
from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.models.checkpoint import ModelInfo, save_model
from xlite.models.densenet import DenseNet
from xlite.models.student import Student
from xlite.models.teachers import NetworkTeacher, Teacher, open_teacher
from xlite.runs.run import Run
from xlite.training.loop import train

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


def tiny_config(data: Path, name: str, **changes: object) -> TrainConfig:
    values = {
        "data": data, "name": name, "backbone": BACKBONE, "weights": "none", "image_size": 64,
        "batch_size": 8, "epochs": 1, "device": "cpu",
    }  # fmt: skip
    return TrainConfig.model_validate({**values, **changes})


def test_a_teacher_gets_no_gradient_and_stays_in_eval(x):
    teacher = network_teacher(2)
    teacher.train()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    answer = teacher(x, UNKNOWN)
    assert not answer.logits.requires_grad and not answer.features.requires_grad
    assert not any(module.training for module in teacher.networks[0].modules())
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    assert all(torch.equal(before[name], value) for name, value in teacher.state_dict().items())


def test_several_teachers_are_averaged_where_they_speak(x):
    one, two = network_teacher(2), network_teacher(3)
    both = Teacher([one.networks[0], two.networks[0]])
    torch.testing.assert_close(both(x, UNKNOWN).logits, (one(x, UNKNOWN).logits + two(x, UNKNOWN).logits) / 2)
    known = UNKNOWN.clone()
    known[0, 5] = 1.5
    mixed, plain = both(x, known).logits, both(x, UNKNOWN).logits
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
    teacher, known = open_teacher(spec, Preprocess(64), ["a", "b"], np.zeros((2, 14)))
    assert np.isnan(known[0]).all()
    np.testing.assert_allclose(known[1], [0.0] * 13 + [np.log(9)], atol=1e-5)
    assert teacher.sentence == (
        f"Teacher: {tmp_path}/teacher.safetensors ({BACKBONE} at 64 px, split patient-42-00000000); "
        "known.csv for 1 of 2 training films (50.0 %), fitted to the shares of findings there"
    )
    x = torch.randn(2, 3, 64, 64)
    answers = teacher(x, torch.from_numpy(known)).logits
    torch.testing.assert_close(answers[0], network(x)[0].detach())
    torch.testing.assert_close(answers[1], (network(x)[1].detach() + torch.from_numpy(known[1])) / 2)
    alone, _ = open_teacher(f"{tmp_path}/known.csv", Preprocess(64), ["a", "b"], np.zeros((2, 14)))
    assert alone.sentence.endswith("; a teacher speaks of 50.0 % of the labels, the others count alone")
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


@pytest.mark.parametrize("teacher", ["", "one.safetensors,two.safetensors", "known.csv"])
def test_features_of_no_or_several_networks_are_refused(tiny_folder, tmp_path, monkeypatch, teacher):
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("one", "two")):
        saved_model(tmp_path / f"{name}.safetensors", seed)
    films = sorted(path.name for path in (tiny_folder / "images").iterdir())
    lines = ["image," + ",".join(FINDINGS), *(film + ",0.5" * 14 for film in films)]
    (tmp_path / "known.csv").write_text("\n".join(lines) + "\n")
    run = Run.create(tiny_config(tiny_folder, "pupil", teacher=teacher, feature_weight=0.5))
    with pytest.raises(RunError, match=r"--feature-weight 0.5 needs a teacher with one network"):
        train(run.config(), run)
    assert not (tiny_folder / "cache").exists()


def test_feature_distillation_draws_the_features_together_and_leaves_a_plain_student(tiny_folder, tmp_path):
    saved_model(tmp_path / "teacher.safetensors", 3)
    settings = tiny_config(
        tiny_folder, "pupil", teacher=str(tmp_path / "teacher.safetensors"), feature_weight=5.0, ema=0.5,
        epochs=6, lr=1e-2, augment=False,
    )  # fmt: skip
    run = Run.create(settings)
    train(run.config(), run)
    feature = run.read_metrics()["feature_loss"]
    assert feature.iloc[-1] < 0.8 * feature.iloc[0]
    kept = load_file(run.folder / "model.safetensors")
    assert kept.keys() == student(0).state_dict().keys()
    state = torch.load(run.folder / "last.ckpt", weights_only=True)
    students = {f"student.{name}" for name in kept}
    assert state["model"].keys() == students | {"projection.weight", "projection.bias"}
    shares = [(len(group["params"]), group["share"]) for group in state["optimizer"]["param_groups"]]
    backbone = sum(1 for _ in student(0).backbone.parameters())
    assert shares == [(backbone, 1.0), (sum(1 for _ in student(0).parameters()) - backbone + 2, 1.0)]
    # the rate falls to nothing, so that a short average ends near the student, far from where both began
    weight = "classifier.0.weight"
    torch.testing.assert_close(state["ema"][weight], state["model"][f"student.{weight}"], rtol=0, atol=2e-3)
