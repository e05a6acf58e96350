"""What a run's epochs leave in its folder: progress.json, metrics.csv, last.ckpt, the model, event files."""

import json
import logging
import math
import time
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from xlite.config import AUGMENT_ONCE
from xlite.files import write_atomic
from xlite.models.available import MODEL_FILE
from xlite.models.checkpoint import save_model
from xlite.runs.run import Run
from xlite.runs.run_files import EPOCHS_FILE, STATE_FILE
from xlite.runs.status import RunStatus, message_of
from xlite.runs.status import State as WorkState
from xlite.training.device_stats import device_stats
from xlite.training.state import State, check_unchanged, reading_state, write_state
from xlite.training.step import Learner
from xlite.training.tensorboard import open_event_writer

log = logging.getLogger(__name__)

_DECISIVE = (
    "train_share", "fold", "backbone", "stages", "attention", "hidden", "dropout", "image_size", "loss",
    "focal_gamma", "focal_alpha", "sampler", "augment", "flip", "mixup", "alpha", "temperature",
    "feature_weight", "batch_size", "lr", "backbone_lr", "layer_decay", "weight_decay", "decay_norms",
    "warmup_epochs", "grad_clip", "ema", "auxiliary", "drop", "soften", "seed",
)  # fmt: skip
"""Settings with which a run goes on or is another one: not the machine's, nor how long it trains."""

BROKEN_BATCH_FILE = "broken_batch.json"
"""In a run's folder: the epoch, the step and the films with which its loss became NaN."""


@dataclass(frozen=True)
class MidEpoch:
    """Where a run stands within an epoch, with the mean loss of its steps so far; `began` is monotonic."""

    epoch: int
    step: int
    loss: float
    began: float


class Recorder:
    """Reads and writes the folder of a run that trains. Every process reads, only the first one writes."""

    def __init__(self, run: Run, learner: Learner):
        self.run, self.learner, self.job = run, learner, learner.job
        self.info, self.state = self.job.info, State()
        self.leads = learner.fabric.is_global_zero
        self.events = open_event_writer(run.folder) if self.job.config.tensorboard and self.leads else None
        if self.leads:
            for draft in run.folder.glob(".*.tmp"):  # of a process that was killed while it wrote
                draft.unlink(missing_ok=True)

    def resume(self) -> None:
        """Goes back to the end of the last finished epoch, if there is one."""
        path = self.run.folder / STATE_FILE
        if not path.exists():
            return
        with reading_state(path) as content:
            check_unchanged(self.run.name, _as_called_today(content["learns_from"]), self._learns_from())
            self.learner.load_state_dict(content)
            self.state = State(**content["state"])
            # An older state lacks what it started from: then nothing is noted of it.
            kept = {name: content[name] for name in ("start_knows",) if name in content}
            self.info = self.info.noting(started_from=content["started_from"], **kept)
        if self.leads:
            self._write_metrics()
        log.info("Going on after epoch %d", self.state.epoch)

    def end_epoch(self, row: dict[str, float]) -> None:
        """Counts the epoch and saves: the model if it is the best yet, then last.ckpt, then metrics.csv."""
        best = self.state.add(row)
        if not self.leads:
            return
        if best:
            info = self.info.noting(epoch=self.state.epoch)
            save_model(self.run.folder / MODEL_FILE, self.learner.kept, info)
        write_state(self.run.folder / STATE_FILE, self._content())
        self._write_metrics()
        if self.events is not None:
            self.events.add(row)
        self.report("training")

    def keep_broken_batch(self, epoch: int, step: int, films: list[str]) -> None:
        """Keeps which films the step saw that broke the loss."""
        content = {"epoch": epoch, "step": step, "images": films}
        write_atomic(self.run.folder / BROKEN_BATCH_FILE, json.dumps(content, indent=1).encode() + b"\n")

    def report(self, message: str, at: MidEpoch | None = None) -> None:
        """Replaces progress.json with where the run stands, in mid-epoch or after the last one."""
        self.run.write_progress(self.progress("running", message, at=at))

    def progress(self, doing: WorkState, *words: str, at: MidEpoch | None = None) -> RunStatus:
        """Where the run stands, in words too; the time left follows from the mean epoch so far."""
        state, steps, epochs = self.state, len(self.learner.loader), self.job.config.epochs
        last = state.rows[-1] if state.rows else {}
        done, elapsed = float(state.epoch), state.elapsed_s
        if at is not None:
            done, elapsed = at.epoch - 1 + at.step / steps, elapsed + time.monotonic() - at.began
        stats = device_stats(self.learner.fabric.device)
        return RunStatus(
            state=doing,
            **message_of(*words),
            epoch=at.epoch if at else state.epoch,
            epochs=epochs,
            step=at.step if at else steps,
            steps=steps,
            loss=finite(at.loss if at else last.get("train_loss")),
            val_auc=finite(last.get("val_auc")),
            best_auc=finite(state.best_auc),
            best_epoch=state.best_epoch,
            elapsed_s=elapsed,
            eta_s=elapsed / done * (epochs - done) if done else None,
            films_a_second=self._films_a_second(at) if at else None,
            device=str(self.learner.fabric.device),
            memory_gb=stats.memory_gb,
            memory_total_gb=stats.memory_total_gb,
            load=stats.load,
        )

    def _films_a_second(self, at: MidEpoch) -> float | None:
        """Films of all processes that the epoch has trained on a second so far."""
        spent = time.monotonic() - at.began
        films = at.step * self.learner.sampler.films_a_step * self.learner.fabric.world_size
        return films / spent if spent else None

    def _content(self) -> dict[str, Any]:
        """What last.ckpt holds: all that exact resume needs."""
        preprocess = self.info.preprocess
        return {
            **self.learner.state_dict(),
            "state": asdict(self.state),
            "normalisation": {"mean": preprocess.mean, "std": preprocess.std},
            **self.info.notes.model_dump(include={"started_from", "start_knows"}),
            "learns_from": self._learns_from(),
        }

    def _learns_from(self) -> dict[str, str]:
        """What must stay as it is: another split, say, would train on films that were kept apart."""
        settings = {f"setting {name}": str(getattr(self.job.config, name)) for name in _DECISIVE}
        return settings | {
            "split": self.info.split_id,
            "table of the data": self.info.notes.data_fingerprint,
            "teacher": self.job.teacher.digest,
            "content of the films": self.job.films,
            "list of labels in doubt": self.job.doubts,
        }

    def _write_metrics(self) -> None:
        """Rewrites metrics.csv from the rows of the state, so that it never disagrees with the weights."""
        content = pd.DataFrame(self.state.rows).to_csv(index=False).encode()
        write_atomic(self.run.folder / EPOCHS_FILE, content)


def _as_called_today(learns_from: dict[str, str]) -> dict[str, str]:
    """What a run learns from, in an older state's words, in those of today."""
    then = learns_from.get("setting augment", "")
    return learns_from | ({"setting augment": AUGMENT_ONCE[then]} if then in AUGMENT_ONCE else {})


def finite(value: float | None) -> float | None:
    """The value; None if it is undefined or infinite, which JSON cannot hold."""
    return value if value is not None and math.isfinite(value) else None
