"""The state in last.ckpt: the best epoch, and files that hold something else."""

import math
from pathlib import Path

import pytest
import torch
from tiny_runs import config

from xlite.errors import CheckpointError
from xlite.runs.run import Run
from xlite.training.loop import train
from xlite.training.state import State

pytestmark = pytest.mark.usefixtures("quick_report")


def test_the_best_epoch_is_that_of_the_best_auc_or_else_of_the_least_loss():
    state = State()
    rows = [(0.6, 0.5), (0.7, 0.9), (0.65, 0.1)]
    best = [
        state.add({"epoch": epoch, "val_auc": auc, "val_loss": loss, "seconds": 2.0})
        for epoch, (auc, loss) in enumerate(rows, 1)
    ]
    assert best == [True, True, False]
    assert (state.epoch, state.best_epoch, state.best_auc, state.elapsed_s) == (3, 2, 0.7, 6.0)
    without = State()
    rows = [
        {"epoch": n, "val_auc": math.nan, "val_loss": loss, "seconds": 1.0}
        for n, loss in enumerate([3, 1, 2], 1)
    ]
    assert [without.add(row) for row in rows] == [True, True, False]
    assert without.best_epoch == 2 and math.isnan(without.best_auc)


def test_a_foreign_last_ckpt_is_refused(films):
    run = Run.create(config(films, "foreign"))
    (run.folder / "last.ckpt").write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match=r"last\.ckpt is not the state of this run"):
        train(run.config(), run)


class Hostile:
    """What a pickle can do when it is read."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_last_ckpt_with_code_in_it_is_refused_and_the_code_not_run(films, tmp_path):
    run = Run.create(config(films, "hostile"))
    torch.save({"model": Hostile(tmp_path / "ran")}, run.folder / "last.ckpt")
    with pytest.raises(CheckpointError, match=r"last\.ckpt is not the state of this run"):
        train(run.config(), run)
    assert not (tmp_path / "ran").exists()
