"""What an epoch's end leaves in last.ckpt: all that exact resume needs, replaced whole, never unpickled."""

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from xlite.errors import CheckpointError, RunError, Setting
from xlite.files import read_whole, write_atomic
from xlite.images import Preprocess
from xlite.models.available import MODEL_FILE
from xlite.models.checkpoint import load_model
from xlite.models.torch_files import UNREADABLE, load_plain_file

_CHECKED = "sha256"
"""The entry of a state that says that its file ends with a checksum; older files have neither."""

_MARK = b"xlite-sha256 "
_TRAILER = len(_MARK) + 64
"""Bytes behind what torch.save wrote: torch and unzip pass over them."""


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
    """Replaces the state of a run whole, with its checksum; `content` holds tensors and plain values only."""
    buffer = BytesIO()
    torch.save({**content, _CHECKED: True}, buffer)
    digest = hashlib.sha256(buffer.getbuffer()).hexdigest()
    buffer.write(_MARK + digest.encode())
    write_atomic(path, buffer.getvalue())


@contextmanager
def reading_state(path: Path) -> Iterator[dict[str, Any]]:
    """The content of a state file; CheckpointError if it is damaged, none, or lacks what the caller reads."""
    try:
        yield _read_state(path)
    except UNREADABLE as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise CheckpointError(
            f"{path} is not the state of this run ({reason:.200}), so the run cannot go on: ", *_way_out(path)
        ) from error


def kept_preprocess(path: Path, size: int) -> Preprocess:
    """The preprocessing for films of `size` px with which the run of a state file began.

    Older states do not tell it: then it was ImageNet's. CheckpointError if the file is damaged or none.
    """
    with reading_state(path) as content:
        return Preprocess(size, **content.get("normalisation", {}))


def _read_state(path: Path) -> dict[str, Any]:
    """The content of a state file; one of UNREADABLE if it is damaged or none."""
    raw = read_whole(path)
    whole, trailer = raw[:-_TRAILER], raw[-_TRAILER:]
    checked = trailer.startswith(_MARK)
    if checked and trailer != _MARK + hashlib.sha256(whole).hexdigest().encode():
        raise ValueError("it is damaged: its checksum does not match")
    content: dict[str, Any] = load_plain_file(BytesIO(whole if checked else raw))
    if content.get(_CHECKED) and not checked:
        raise ValueError("it is damaged: its checksum is missing")
    return content


def _way_out(path: Path) -> tuple[str, ...]:
    """What a run without a state has left to start another one from, in the words of an error."""
    model = path.with_name(MODEL_FILE)
    try:
        epoch = load_model(model)[1].notes.epoch
    except CheckpointError:
        return ("start a new run",)
    whole = f"the weights of its best epoch, {epoch}, are whole: start a new run with "
    return whole, Setting("weights"), f" {model}"


def check_unchanged(run: str, then: dict[str, str], now: dict[str, str]) -> None:
    """RunError if what a run learns from is not what it began with; older states tell less."""
    for what, value in now.items():
        if then.get(what, value) != value:
            raise RunError(
                f"the {what} of run {run!r} has changed since it began ({then.get(what)!r} then, {value!r} "
                "now): start a new run, or put back what it was"
            )
