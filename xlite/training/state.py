"""What an epoch's end leaves in last.ckpt: all that exact resume needs, replaced whole, never unpickled."""

import math
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from xlite.errors import CheckpointError, RunError
from xlite.files import write_atomic

STATE_FILE = "last.ckpt"


@dataclass
class State:
    """Which epochs have ended and how, beside weights and optimizer; `rows` are those of metrics.csv."""

    epoch: int = 0
    best_score: float = -math.inf
    best_auc: float = math.nan
    best_epoch: int = 0
    elapsed_s: float = 0.0
    rows: list[dict[str, float]] = field(default_factory=list)

    def add(self, row: dict[str, float]) -> bool:
        """Counts an epoch that has ended; returns whether it is the best so far."""
        self.epoch = int(row["epoch"])
        self.elapsed_s += row["seconds"]
        self.rows.append(row)
        # If no finding has both labels in val there is no AUC, and the loss must choose.
        score = row["val_auc"] if math.isfinite(row["val_auc"]) else -row["val_loss"]
        best = score > self.best_score
        if best:
            self.best_score, self.best_auc, self.best_epoch = score, row["val_auc"], self.epoch
        return best


def write_state(path: Path, content: dict[str, Any]) -> None:
    """Replaces the state of a run whole; `content` holds tensors and plain values only."""
    buffer = BytesIO()
    torch.save(content, buffer)
    write_atomic(path, buffer.getvalue())


@contextmanager
def reading_state(path: Path) -> Iterator[dict[str, Any]]:
    """The content of a state file; CheckpointError if it is none, or lacks what the caller reads."""
    try:
        yield torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, KeyError, TypeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise CheckpointError(
            f"{path} is not the state of this run ({type(error).__name__}): start a new run"
        ) from error


def check_unchanged(run: str, then: dict[str, str], now: dict[str, str]) -> None:
    """RunError if what a run learns from is not what it began with."""
    for what, value in now.items():
        if then.get(what) != value:
            raise RunError(
                f"the {what} of run {run!r} has changed since it began ({then.get(what)!r} then, {value!r} "
                "now): start a new run, or put back what it learned from"
            )
