"""Runs that draw the student's features towards those of its teacher."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_models import save_student

from xlite.config import TrainConfig
from xlite.errors import RunError
from xlite.findings import FINDINGS
from xlite.models.student import Student
from xlite.runs.run import Run
from xlite.training.loop import train

pytestmark = pytest.mark.slow

BACKBONE = "test_resnet.r160_in1k"


def student(seed: int) -> Student:
    torch.manual_seed(seed)
    return Student(BACKBONE, dropout=0.0)


def saved_model(path: Path, seed: int) -> Student:
    network = student(seed).eval()
    save_student(path, network)
    return network


def tiny_config(data: Path, name: str, **changes: object) -> TrainConfig:
    values = {
        "data": data, "name": name, "backbone": BACKBONE, "weights": "none", "image_size": 64,
        "batch_size": 8, "epochs": 1, "device": "cpu",
    }  # fmt: skip
    return TrainConfig.model_validate({**values, **changes})


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
        epochs=6, lr=1e-2, augment="none",
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
