"""The epochs of one run: trained, validated and saved, one after the other.

An epoch is a pure function of (weights, optimizer, seed, epoch): everything random is seeded from (seed,
epoch) right before the epoch starts, and the state is saved whole at its end. Either an epoch finished or it
never happened, so a run that was killed goes on exactly.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
from lightning_fabric import Fabric

from xlite.errors import RunError
from xlite.files import write_atomic
from xlite.findings import FINDINGS
from xlite.models.checkpoint import MODEL_FILE, save_model
from xlite.runs.run import Run
from xlite.training.device_stats import gauges
from xlite.training.distributed import agreed
from xlite.training.job import Job
from xlite.training.memory import choose_parts, fitting_parts, is_out_of_memory, too_little_memory
from xlite.training.state import STATE_FILE, State, check_unchanged, reading_state, write_state
from xlite.training.step import Trainer, not_compiled
from xlite.training.task import PARTS
from xlite.training.tensorboard import open_curves

PROGRESS_EVERY_S = 0.5
"""How often progress.json is replaced within an epoch."""

AGREE_EVERY = 10
"""Steps from one time that several processes ask each other whether to stop to the next."""

BROKEN_BATCH_FILE = "broken_batch.json"
"""In a run's folder: the epoch, the step and the films with which its loss became no number."""

Say = Callable[[str], None]


class Stopped(Exception):
    """The run was asked to stop; the epoch that it was in is thrown away."""


class Epochs:
    """The epochs of one run, from wherever its folder stands, and what each leaves there."""

    def __init__(self, fabric: Fabric, job: Job, run: Run, say: Say):
        self.fabric, self.job, self.run, self.say = fabric, job, run, say
        self.trainer = Trainer(fabric, job)
        self.state = State()
        self.leads = fabric.is_global_zero
        self.curves = open_curves(run.folder) if job.config.tensorboard and self.leads else None
        self.epoch_began = time.monotonic()
        if self.leads:
            for draft in run.folder.glob(".*.tmp"):  # of a process that was killed while it wrote
                draft.unlink(missing_ok=True)

    def train(self) -> str:
        """Trains the epochs that are left; returns why it ended: `finished`, `early` or `stopped`."""
        self._load()
        config, state = self.job.config, self.state
        if config.auto_batch and not state.epoch:
            self.say(choose_parts(self.trainer))
        while state.epoch < config.epochs:
            if state.epoch - state.best_epoch >= config.patience:
                return "early"
            try:
                row = self._epoch(state.epoch + 1)
            except Stopped:
                return "stopped"
            except RuntimeError as error:
                if config.compile and (why := not_compiled(error)):
                    raise RunError(
                        f"the step cannot be compiled here ({why}): leave --compile out"
                    ) from error
                if not is_out_of_memory(error):
                    raise
                row = None
            if row is None:  # out of the handler, where nothing of the step that failed holds memory any more
                raise too_little_memory(config, fitting_parts(self.trainer))
            self._end_epoch(row)
            self.say(
                f"epoch {state.epoch}/{config.epochs}  loss {row['train_loss']:.4f}  "
                f"val loss {row['val_loss']:.4f}  val AUC {row['val_auc']:.4f}  {row['seconds']:.1f} s"
            )
            if agreed(self.run.stop_requested()):
                return "stopped" if state.epoch < config.epochs else "finished"
        return "finished"

    def _epoch(self, epoch: int) -> dict[str, float]:
        """Trains and validates one epoch; returns its row of metrics.csv."""
        self.epoch_began = time.monotonic()
        last_report = 0.0
        for step, means in enumerate(self.trainer.epoch(epoch), 1):
            self._heed_stop(step)
            if self.leads and time.monotonic() - last_report > PROGRESS_EVERY_S:
                last_report = time.monotonic()
                if self.fabric.world_size == 1:  # several find out together, at the epoch's end
                    self._refuse_no_number(epoch, float(means[0]))
                self.report("training", epoch, step, float(means[0]))
        parts = dict(zip(PARTS, self.fabric.all_reduce(means).tolist(), strict=True))
        self._refuse_no_number(epoch, parts["loss"])
        val_loss, aucs = self.trainer.validate(self._heed_stop)
        if not math.isfinite(val_loss):
            raise RunError(f"the validation loss is no number any more in epoch {epoch}: use a smaller --lr")
        return {
            "epoch": epoch,
            "train_loss": parts["loss"],
            "hard_loss": parts["hard"],
            "soft_loss": parts["soft"],
            "feature_loss": parts["feature"],
            "val_loss": val_loss,
            "val_auc": float(np.nanmean(aucs)) if np.isfinite(aucs).any() else math.nan,
            "lr": self.trainer.optimizer.param_groups[-1]["lr"],
            "seconds": time.monotonic() - self.epoch_began,
            **{f"val_auc_{name}": float(auc) for name, auc in zip(FINDINGS, aucs, strict=True)},
        }

    def _heed_stop(self, step: int = 0) -> None:
        """Raises where somebody asked for the end; several processes do so in the same step or not at all."""
        if self.fabric.world_size == 1:
            asked = self.run.stop_requested()
        else:
            asked = step % AGREE_EVERY == 1 and agreed(self.run.stop_requested())
        if asked:
            raise Stopped

    def _refuse_no_number(self, epoch: int, loss: float) -> None:
        """Ends the run where the loss is no number, and keeps which films the step that broke it saw.

        Of several processes each must call it with the same loss: the first step that broke in any is told.
        """
        if math.isfinite(loss):
            return
        step = int(self.fabric.all_reduce(self.trainer.broke_at, reduce_op="min"))
        films = [self.job.train_stems[row] for row in self.trainer.sampler.batches()[step].ravel()]
        content = {"epoch": epoch, "step": step + 1, "images": films}
        write_atomic(self.run.folder / BROKEN_BATCH_FILE, json.dumps(content, indent=1).encode() + b"\n")
        raise RunError(
            f"the loss is no number any more in step {step + 1} of epoch {epoch}: use a smaller --lr, or "
            f"look at the films of that step, which {BROKEN_BATCH_FILE} names"
        )

    def _end_epoch(self, row: dict[str, float]) -> None:
        """Counts the epoch and saves: the model where it is the best, then the state, then the CSV."""
        state = self.state
        state.epoch = int(row["epoch"])
        state.elapsed_s += row["seconds"]
        state.rows.append(row)
        # Without a finding that has both labels in val there is no AUC, and the loss must choose.
        score = row["val_auc"] if math.isfinite(row["val_auc"]) else -row["val_loss"]
        best = score > state.best_score
        if best:
            state.best_score, state.best_auc, state.best_epoch = score, row["val_auc"], state.epoch
        if self.leads:
            self._save(best)
            self._write_metrics()
            if self.curves is not None:
                self.curves.add(row)
            self.report("training")

    def _save(self, best: bool) -> None:
        """Replaces the model where it is the best yet, then last.ckpt with all that exact resume needs."""
        if best:
            info = replace(self.job.info, notes={**self.job.info.notes, "epoch": self.state.epoch})
            save_model(self.run.folder / MODEL_FILE, self.trainer.kept, info)
        content = {
            **self.trainer.state_dict(),
            "state": asdict(self.state),
            "started_from": self.job.info.notes["started_from"],
            "learns_from": self._learns_from(),
        }
        write_state(self.run.folder / STATE_FILE, content)

    def _learns_from(self) -> dict[str, str]:
        """What must stay as it is: another split, say, would train on films that were kept apart."""
        info = self.job.info
        return {
            "split": info.split_id,
            "table of the data": info.notes["data_fingerprint"],
            "teacher": self.job.teacher.digest,
        }

    def _load(self) -> None:
        """Goes back to the end of the last finished epoch, where there is one."""
        path = self.run.folder / STATE_FILE
        if not path.exists():
            return
        with reading_state(path) as content:
            check_unchanged(self.run.name, content["learns_from"], self._learns_from())
            self.trainer.load_state_dict(content)
            self.state = State(**content["state"])
            self.job.info.notes["started_from"] = content["started_from"]
        if self.leads:
            self._write_metrics()
        self.say(f"Going on after epoch {self.state.epoch}")

    def _write_metrics(self) -> None:
        """Rewrites metrics.csv from the rows of the state, so that it never disagrees with the weights."""
        write_atomic(
            self.run.folder / "metrics.csv", pd.DataFrame(self.state.rows).to_csv(index=False).encode()
        )

    def report(self, message: str, epoch: int = 0, step: int = 0, loss: float | None = None) -> None:
        """Replaces progress.json with where the run stands, in mid-epoch or (epoch 0) after the last one."""
        self.run.write_progress({**self.progress(message, epoch, step, loss), "state": "running"})

    def progress(
        self, message: str, epoch: int = 0, step: int = 0, loss: float | None = None
    ) -> dict[str, object]:
        """The keys of progress.json but the state; the time left follows from the mean epoch so far."""
        state, steps, epochs = self.state, len(self.trainer.loader), self.job.config.epochs
        last = state.rows[-1] if state.rows else {}
        done = (epoch - 1) + step / steps if epoch else state.epoch
        elapsed = state.elapsed_s + (time.monotonic() - self.epoch_began if epoch else 0.0)
        return {
            "epoch": epoch or state.epoch,
            "epochs": epochs,
            "step": step if epoch else steps,
            "steps": steps,
            "loss": _finite(last.get("train_loss") if loss is None else loss),
            "val_auc": _finite(last.get("val_auc")),
            "best_auc": _finite(state.best_auc),
            "best_epoch": state.best_epoch,
            "elapsed_s": elapsed,
            "eta_s": elapsed / done * (epochs - done) if done else None,
            "device": str(self.fabric.device),
            **gauges(self.fabric.device),
            "message": message,
        }


def _finite(value: float | None) -> float | None:
    """The value, or None where there is none: JSON has no NaN."""
    return value if value is not None and math.isfinite(value) else None
