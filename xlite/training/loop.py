"""The training loop, hand-written on Lightning Fabric: open → epochs → finish.

An epoch is a pure function of (weights, optimizer, seed, epoch): everything random is seeded from (seed,
epoch) right before the epoch starts, and the state is saved whole at its end. Either an epoch finished or it
never happened, so a run that was killed goes on exactly.
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from timm.utils import ModelEmaV3
from torch.utils.data import DataLoader

from xlite.config import TrainConfig
from xlite.errors import RunError
from xlite.evaluation.metrics import auc_per_class
from xlite.files import write_atomic
from xlite.findings import FINDINGS
from xlite.models.checkpoint import MODEL_FILE, save_model
from xlite.training.engine import loader_workers, open_fabric, usable_devices
from xlite.training.finish import finish
from xlite.training.gauges import gauges
from xlite.training.line import Device, device_turn
from xlite.training.optimizer import learning_rate, make_optimizer, set_rate
from xlite.training.results import read_results
from xlite.training.run import Run
from xlite.training.setup import Job, open_job
from xlite.training.state import STATE_FILE, State, check_unchanged, reading_state, write_state

PROGRESS_EVERY_S = 0.5
"""How often progress.json is replaced within an epoch."""

PARTS = ("loss", "hard", "soft", "feature")
"""What a step's losses are summed up as; `loss` is what is minimised."""

Say = Callable[[str], None]


class _Stopped(Exception):
    """The run was asked to stop in mid-epoch; the epoch is thrown away."""


@dataclass(frozen=True)
class FitResult:
    """Why the loop ended (`finished`, `early`, `stopped`), after how many epochs, and the best macro AUC."""

    reason: str
    epochs: int
    best_auc: float


def train(config: TrainConfig, run: Run, say: Say = print) -> FitResult:
    """Trains the run from wherever its folder stands, and leaves model, metrics and test report in it.

    Raises DataError, CheckpointError or RunError with a sentence, which progress.json then carries too.
    """
    with run.hold(), device_turn(run, usable_devices(config.device), say) as device:
        if device is None:
            run.write_progress(
                {**vars(run.status()), "state": "stopped", "message": "stopped before its turn came"}
            )
            return FitResult("stopped", 0, math.nan)
        try:
            return _train(config, run, say, device)
        except RuntimeError as error:
            # torch has an error of its own for a GPU's memory, and a plain RuntimeError for the machine's.
            if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
                raise
            raise RunError(
                f"the device has too little memory for batches of {config.batch_size} at {config.image_size} "
                "px: use a smaller --batch-size or --image-size"
            ) from error


def _train(config: TrainConfig, run: Run, say: Say, device: Device) -> FitResult:
    """Opens the job, runs its epochs, and judges the best of them on the test part."""
    fabric = open_fabric(device.name, config.precision)
    read_results()  # a damaged log is refused before the work, not after it
    opening = {"state": "running", "epochs": config.epochs, "device": str(fabric.device)}
    run.write_progress({**opening, "message": "opening data and models"})
    last_report = time.monotonic()

    def decoding(done: int, total: int) -> None:
        nonlocal last_report
        if time.monotonic() - last_report > PROGRESS_EVERY_S:
            last_report = time.monotonic()
            run.write_progress({**opening, "message": f"decoded {done:,} of {total:,} films"})
            _heed_stop(run)

    _seed_all(config.seed, 0)
    try:
        job = open_job(config, not (run.folder / STATE_FILE).exists(), say, decoding)
    except _Stopped:
        run.write_progress({**opening, "state": "stopped", "message": "stopped before the first step"})
        return FitResult("stopped", 0, math.nan)
    loop = Loop(fabric, job, run, say)
    reason = loop.run_epochs()
    state = loop.state
    ending = {
        "finished": f"finished after {state.epoch} epochs",
        "early": f"finished early: no better validation AUC since epoch {state.best_epoch}",
        "stopped": f"stopped after epoch {state.epoch}; resume goes on from there",
    }[reason]
    if reason != "stopped":
        loop.report("judging the best epoch on the test part")
        finish(job, run, fabric.device, say)
    run.write_progress({**loop.progress(ending), "state": "stopped" if reason == "stopped" else "finished"})
    say(f"Run {run.name}: {ending}")
    return FitResult(reason, state.epoch, state.best_auc)


def _heed_stop(run: Run) -> None:
    """Raises where somebody asked for the end."""
    if run.stop_requested():
        raise _Stopped


def _seed_all(seed: int, epoch: int) -> None:
    """Seeds torch's draws (dropout, weights) from (seed, epoch); order and augmentation seed their own."""
    torch.manual_seed(int(np.random.SeedSequence((seed, epoch)).generate_state(1, np.uint64)[0] >> 1))


class Loop:
    """The state of one run while it trains: model, optimizer, moving average, and where it stands."""

    def __init__(self, fabric: Fabric, job: Job, run: Run, say: Say):
        self.fabric, self.job, self.run, self.say = fabric, job, run, say
        config = job.config
        self.state = State()
        self.epoch_began = time.monotonic()
        # Workers are started anew each epoch: persistent ones keep random state that a resumed run lacks.
        workers = loader_workers(config, fabric.device)
        self.loader = DataLoader(
            job.train,
            config.batch_size,
            sampler=job.sampler,
            num_workers=workers,
            drop_last=len(job.train) > config.batch_size,
            pin_memory=fabric.device.type == "cuda",
        )
        self.val_loader = DataLoader(job.val, config.batch_size, num_workers=workers)
        for draft in run.folder.glob(".*.tmp"):  # of a process that was killed while it wrote
            draft.unlink(missing_ok=True)
        optimizer = make_optimizer(job.task, config)
        # Depthwise convolutions run more than twice as fast on a CPU when the channels come last.
        job.task.to(memory_format=torch.channels_last)
        self.model, self.optimizer = fabric.setup(job.task, optimizer)
        self.student = job.task.student
        # Outside of what Fabric sets up: it is neither trained nor saved, and no process has to agree on it.
        self.teacher = job.teacher.to(fabric.device, memory_format=torch.channels_last)
        self.ema = ModelEmaV3(self.student, decay=config.ema, use_warmup=True) if config.ema else None

    def run_epochs(self) -> str:
        """Runs the epochs that are left; returns why it ended: `finished`, `early` or `stopped`."""
        self._load()
        config, state = self.job.config, self.state
        while state.epoch < config.epochs:
            if state.epoch - state.best_epoch >= config.patience:
                return "early"
            try:
                row = self._epoch(state.epoch + 1)
            except _Stopped:
                return "stopped"
            self._end_epoch(row)
            self.say(
                f"epoch {state.epoch}/{config.epochs}  loss {row['train_loss']:.4f}  "
                f"val loss {row['val_loss']:.4f}  val AUC {row['val_auc']:.4f}  {row['seconds']:.1f} s"
            )
            if self.run.stop_requested():
                return "stopped" if state.epoch < config.epochs else "finished"
        return "finished"

    def _epoch(self, epoch: int) -> dict[str, float]:
        """Trains and validates one epoch; returns its row of metrics.csv."""
        config, steps = self.job.config, len(self.loader)
        self.epoch_began = time.monotonic()
        _seed_all(config.seed, epoch)
        self.job.sampler.set_epoch(epoch)
        self.job.train.set_epoch(epoch)
        self.model.train()
        sums = torch.zeros(len(PARTS), device=self.fabric.device)
        last_report = 0.0
        for step, batch in enumerate(self.loader):
            _heed_stop(self.run)
            rate = learning_rate(config, (epoch - 1) * steps + step, steps)
            set_rate(self.optimizer, rate)
            x, labels, known, _ = self.fabric.to_device(batch)
            x = x.contiguous(memory_format=torch.channels_last)
            with self.fabric.autocast():
                answer = self.teacher(x, known)
            losses = self.model(x, labels, answer.logits, answer.features)
            self.fabric.backward(losses["loss"])
            if config.grad_clip:
                self.fabric.clip_gradients(self.model, self.optimizer, max_norm=config.grad_clip)
            self.optimizer.step()
            self.optimizer.zero_grad()
            if self.ema is not None:
                self.ema.update(self.student, step=(epoch - 1) * steps + step)
            sums += torch.stack([losses[part].detach() for part in PARTS])
            if time.monotonic() - last_report > PROGRESS_EVERY_S:
                last_report = time.monotonic()
                self.report("training", epoch, step + 1, float(sums[0]) / (step + 1))
        train_loss, hard, soft, feature = (sums / steps).tolist()
        val_loss, aucs = self._validate()
        if not math.isfinite(train_loss + val_loss):
            raise RunError(
                f"the loss is no number any more in epoch {epoch} (training {train_loss}, validation "
                f"{val_loss}): use a smaller --lr"
            )
        return {
            "epoch": epoch,
            "train_loss": train_loss,
            "hard_loss": hard,
            "soft_loss": soft,
            "feature_loss": feature,
            "val_loss": val_loss,
            "val_auc": float(np.nanmean(aucs)) if np.isfinite(aucs).any() else math.nan,
            "lr": rate,
            "seconds": time.monotonic() - self.epoch_began,
            **{f"val_auc_{name}": float(auc) for name, auc in zip(FINDINGS, aucs, strict=True)},
        }

    def _validate(self) -> tuple[float, np.ndarray]:
        """BCE and the 14 AUCs of the weights that would be kept, on the whole validation part."""
        kept = self._kept().eval()
        logits, labels = [], []
        with torch.inference_mode(), self.fabric.autocast():
            for x, y, _, _ in self.val_loader:
                _heed_stop(self.run)
                logits.append(kept(self.fabric.to_device(x)).float().cpu())
                labels.append(y)
        all_logits, all_labels = torch.cat(logits), torch.cat(labels)
        loss = F.binary_cross_entropy_with_logits(all_logits, all_labels).item()
        if not math.isfinite(loss):
            return loss, np.full(len(FINDINGS), np.nan)
        return loss, auc_per_class(all_labels.numpy(), all_logits.numpy())

    def _kept(self) -> torch.nn.Module:
        """The plain student whose weights are validated and saved: the moving average where there is one."""
        return self.ema.module if self.ema is not None else self.student

    def _end_epoch(self, row: dict[str, float]) -> None:
        """Counts the epoch and saves: the model where it is the best, then the state, then the CSV."""
        state = self.state
        state.epoch = int(row["epoch"])
        state.elapsed_s += row["seconds"]
        state.rows.append(row)
        # Without a finding that has both labels in val there is no AUC, and the loss must choose.
        score = row["val_auc"] if math.isfinite(row["val_auc"]) else -row["val_loss"]
        if score > state.best_score:
            state.best_score, state.best_auc, state.best_epoch = score, row["val_auc"], state.epoch
            info = replace(self.job.info, notes={**self.job.info.notes, "epoch": state.epoch})
            save_model(self.run.folder / MODEL_FILE, self._kept(), info)
        self._save()
        self._write_metrics()
        self.report("training")

    def _save(self) -> None:
        """Replaces last.ckpt, whole, with all that exact resume needs."""
        content: dict[str, object] = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "state": asdict(self.state),
            "started_from": self.job.info.notes["started_from"],
            "learns_from": self._learns_from(),
            "precision": self.fabric.strategy.precision.state_dict(),
        }
        if self.ema is not None:
            content["ema"] = self.ema.module.state_dict()
        write_state(self.run.folder / STATE_FILE, content)

    def _learns_from(self) -> dict[str, str]:
        """What must stay as it is: another split, say, would train on films that were kept apart."""
        info = self.job.info
        return {
            "split": info.split_id,
            "table of the data": info.notes["data_fingerprint"],
            "teacher": self.teacher.digest,
        }

    def _load(self) -> None:
        """Goes back to the end of the last finished epoch, where there is one."""
        path = self.run.folder / STATE_FILE
        if not path.exists():
            return
        with reading_state(path) as content:
            check_unchanged(self.run.name, content["learns_from"], self._learns_from())
            self.model.load_state_dict(content["model"])
            self.optimizer.load_state_dict(content["optimizer"])
            if self.ema is not None:
                self.ema.module.load_state_dict(content["ema"])
            self.fabric.strategy.precision.load_state_dict(content["precision"])
            self.state = State(**content["state"])
            self.job.info.notes["started_from"] = content["started_from"]
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
        state, steps, epochs = self.state, len(self.loader), self.job.config.epochs
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
