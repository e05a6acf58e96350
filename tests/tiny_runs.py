"""Runs of a tiny student on noise films, for the tests that train."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
    return run, train(run.config(), run)


@contextmanager
def on_log(act: Callable[[str], object]) -> Iterator[None]:
    """While it lasts, calls `act` with each sentence that X-Lite logs for its user, at once."""

    class Acting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            act(record.getMessage())

    logger, handler = logging.getLogger("xlite"), Acting()
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def stop_after_first_epoch(run: Run) -> FitResult:
    """Trains the run until it is asked to stop at the end of its first epoch."""
    with on_log(lambda line: run.stop() if line.startswith("epoch 1/") else None):
        return train(run.config(), run)


def weights(run: Run) -> dict[str, torch.Tensor]:
    return load_file(run.folder / "model.safetensors")


def state(run: Run) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(run.folder / "last.ckpt", weights_only=True)
    return content


def assert_same_end(one: Run, other: Run) -> None:
    """Equal to the bit: best weights, last weights and optimizer, and rows but for the clock."""
    best, other_best = weights(one), weights(other)
    assert best.keys() == other_best.keys()
    assert all(torch.equal(best[key], other_best[key]) for key in best)
    last, other_last = state(one), state(other)
    assert all(torch.equal(last["model"][key], other_last["model"][key]) for key in last["model"])
    moments = [content["optimizer"]["state"].values() for content in (last, other_last)]
    assert all(torch.equal(x["exp_avg_sq"], y["exp_avg_sq"]) for x, y in zip(*moments, strict=True))
    rows = [run.read_metrics().drop(columns="seconds") for run in (one, other)]
    pd.testing.assert_frame_equal(*rows, check_exact=True)


def assert_same_training(one: Run, other: Run) -> None:
    """The same metrics of every epoch to 1e-3, and the same probabilities of the test films to 1e-3."""
    metrics = [run.read_metrics().drop(columns="seconds") for run in (one, other)]
    pd.testing.assert_frame_equal(*metrics, rtol=0, atol=1e-3)
    answers = [pd.read_csv(run.folder / "evaluation" / "test" / "predictions.csv") for run in (one, other)]
    pd.testing.assert_frame_equal(*answers, rtol=0, atol=1e-3)
