"""Runs of a tiny student on noise films, for the tests that train."""

from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import load_file

from xlite.config import TrainConfig
from xlite.runs.run import Run
from xlite.training.loop import FitResult, train

TINY = {
    "backbone": "test_resnet.r160_in1k", "weights": "none", "image_size": 32, "batch_size": 16, "epochs": 3,
    "device": "cpu", "hidden": 16, "seed": 5,
}  # fmt: skip


def config(data: Path, name: str, **changes: object) -> TrainConfig:
    return TrainConfig.model_validate({"data": data, "name": name, **TINY, **changes})


def run_to_end(settings: TrainConfig) -> tuple[Run, FitResult]:
    run = Run.create(settings)
    return run, train(run.config(), run, say=lambda line: None)


def weights(run: Run) -> dict[str, torch.Tensor]:
    return load_file(run.folder / "model.safetensors")


def state(run: Run) -> dict:
    return torch.load(run.folder / "last.ckpt", weights_only=True)


def assert_same_end(one: Run, other: Run) -> None:
    """Same best weights, same last weights and optimizer, same rows but for the clock."""
    a, b = weights(one), weights(other)
    assert a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)
    a, b = state(one), state(other)
    assert all(torch.equal(a["model"][key], b["model"][key]) for key in a["model"])
    moments = zip(a["optimizer"]["state"].values(), b["optimizer"]["state"].values(), strict=True)
    assert all(torch.equal(x["exp_avg_sq"], y["exp_avg_sq"]) for x, y in moments)
    rows = [run.read_metrics().drop(columns="seconds") for run in (one, other)]
    pd.testing.assert_frame_equal(*rows, check_exact=True)


def assert_same_training(one: Run, other: Run) -> None:
    """The same figures of every epoch to 1e-3, and the same probabilities of the test films to 1e-3."""
    figures = [run.read_metrics().drop(columns="seconds") for run in (one, other)]
    pd.testing.assert_frame_equal(*figures, rtol=0, atol=1e-3)
    answers = [pd.read_csv(run.folder / "evaluation" / "test" / "predictions.csv") for run in (one, other)]
    pd.testing.assert_frame_equal(*answers, rtol=0, atol=1e-3)
