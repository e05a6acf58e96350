"""The training loop, hand-written on Lightning Fabric: open → epochs → finish.

An epoch is a pure function of (weights, optimizer, seed, epoch): everything random is seeded from (seed,
epoch) right before the epoch starts, and the state is saved whole at its end. Either an epoch finished or it
never happened, so a run that was killed goes on exactly.
"""

import math
import pickle
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from io import BytesIO

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from timm.utils import ModelEmaV3
from torch.utils.data import DataLoader

from xlite.config import TrainConfig
from xlite.errors import CheckpointError, RunError
from xlite.evaluation.metrics import auc_per_class
from xlite.files import write_atomic
from xlite.models.checkpoint import save_model
from xlite.models.student import Student
from xlite.training.engine import loader_workers, open_fabric
from xlite.training.finish import finish
from xlite.training.run import Run
from xlite.training.setup import Job, open_job

PROGRESS_EVERY_S = 0.5
"""How often progress.json is replaced within an epoch."""

Say = Callable[[str], None]


class _Stopped(Exception):
    """The run was asked to stop in mid-epoch; the epoch is thrown away."""


@dataclass(frozen=True)
class FitResult:
    """Why the loop ended (`finished`, `early`, `stopped`), after how many epochs, and the best macro AUC."""

    reason: str
    epochs: int
    best_auc: float


@dataclass
class State:
    """What an epoch's end leaves behind besides weights and optimizer."""

    epoch: int = 0
    best_score: float = -math.inf
    best_auc: float = math.nan
    best_epoch: int = 0
    elapsed_s: float = 0.0
    rows: list[dict[str, float]] = field(default_factory=list)


def learning_rate(config: TrainConfig, step: int, steps_per_epoch: int) -> float:
    """The rate of a step: linear warm-up, then a cosine from `lr` down to 0 at the last epoch's end."""
    total = config.epochs * steps_per_epoch
    warmup = min(config.warmup_epochs * steps_per_epoch, total / 2)
    if step < warmup:
        return config.lr * (step + 1) / (warmup + 1)
    return config.lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(total - warmup, 1)))


def train(config: TrainConfig, run: Run, say: Say = print) -> FitResult:
    """Trains the run from wherever its folder stands, and leaves model, metrics and test report in it.

    Raises DataError, CheckpointError or RunError with a sentence, which progress.json then carries too.
    """
    with run.hold():
        try:
            return _train(config, run, say)
        except torch.OutOfMemoryError as error:
            raise RunError(
                f"the device has too little memory for batches of {config.batch_size} at {config.image_size} "
                "px: use a smaller --batch-size or --image-size"
            ) from error


def _train(config: TrainConfig, run: Run, say: Say) -> FitResult:
    """Opens the job, runs its epochs, and judges the best of them on the test part."""
    fabric = open_fabric(config)
    opening = {"state": "running", "epochs": config.epochs, "message": "opening data and models"}
    run.write_progress({**opening, "device": str(fabric.device)})
    _seed_all(config.seed, 0)
    job = open_job(config, fresh=not (run.folder / "last.ckpt").exists(), say=say)
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
        student = job.task.student
        optimizer = torch.optim.AdamW(_parameter_groups(student, config), weight_decay=config.weight_decay)
        # Depthwise convolutions run more than twice as fast on a CPU when the channels come last.
        student.to(memory_format=torch.channels_last)
        self.model, self.optimizer = fabric.setup(student, optimizer)
        job.task.student = self.model
        if job.task.teacher is not None:
            job.task.teacher.to(fabric.device)
        if job.task.positive_weight is not None:
            job.task.positive_weight = job.task.positive_weight.to(fabric.device)
        self.ema = ModelEmaV3(student, decay=config.ema, use_warmup=True) if config.ema else None

    def run_epochs(self) -> str:
        """Runs the epochs that are left; returns why it ended: `finished`, `early` or `stopped`."""
        config, state = self.job.config, self.state
        self._load()
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
        config, task, steps = self.job.config, self.job.task, len(self.loader)
        self.epoch_began = time.monotonic()
        _seed_all(config.seed, epoch)
        self.job.sampler.set_epoch(epoch)
        self.job.train.set_epoch(epoch)
        self.model.train()
        sums = torch.zeros(3, device=self.fabric.device)
        last_report = 0.0
        for step, batch in enumerate(self.loader):
            if self.run.stop_requested():
                raise _Stopped
            rate = learning_rate(config, (epoch - 1) * steps + step, steps)
            for group in self.optimizer.param_groups:
                group["lr"] = rate * group["share"]
            x, labels, known, _ = self.fabric.to_device(batch)
            losses = task(x.contiguous(memory_format=torch.channels_last), labels, known)
            self.fabric.backward(losses["loss"])
            if config.grad_clip:
                self.fabric.clip_gradients(self.model, self.optimizer, max_norm=config.grad_clip)
            self.optimizer.step()
            self.optimizer.zero_grad()
            if self.ema is not None:
                self.ema.update(self.model.module, step=(epoch - 1) * steps + step)
            sums += torch.stack([losses["loss"].detach(), losses["hard"], losses["soft"]])
            if time.monotonic() - last_report > PROGRESS_EVERY_S:
                last_report = time.monotonic()
                self.report("training", epoch, step + 1, float(sums[0]) / (step + 1))
        train_loss, hard, soft = (sums / steps).tolist()
        if not math.isfinite(train_loss):
            raise RunError(f"the training loss became {train_loss} in epoch {epoch}: use a smaller --lr")
        val_loss, aucs = self._validate()
        return {
            "epoch": epoch,
            "train_loss": train_loss,
            "hard_loss": hard,
            "soft_loss": soft,
            "val_loss": val_loss,
            "val_auc": float(np.nanmean(aucs)) if np.isfinite(aucs).any() else math.nan,
            "lr": rate,
            "seconds": time.monotonic() - self.epoch_began,
        }

    def _validate(self) -> tuple[float, np.ndarray]:
        """BCE and the 14 AUCs of the weights that would be kept, on the whole validation part."""
        kept = self._kept().eval()
        logits, labels = [], []
        with torch.inference_mode(), self.fabric.autocast():
            for x, y, _, _ in self.val_loader:
                logits.append(kept(self.fabric.to_device(x)).float().cpu())
                labels.append(y)
        all_logits, all_labels = torch.cat(logits), torch.cat(labels)
        loss = F.binary_cross_entropy_with_logits(all_logits, all_labels).item()
        return loss, auc_per_class(all_labels.numpy(), all_logits.numpy())

    def _kept(self) -> torch.nn.Module:
        """The plain student whose weights are validated and saved: the moving average where there is one."""
        return self.ema.module if self.ema is not None else self.model.module

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
            save_model(self.run.folder / "model.safetensors", self._kept(), info)
        self._save()
        self._write_metrics()
        self.report("training")

    def _save(self) -> None:
        """Replaces last.ckpt, whole, with all that exact resume needs."""
        content: dict[str, object] = {
            "model": self.model.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "state": asdict(self.state),
            "started_from": self.job.info.notes["started_from"],
            "precision": self.fabric.strategy.precision.state_dict(),
        }
        if self.ema is not None:
            content["ema"] = self.ema.module.state_dict()
        buffer = BytesIO()
        torch.save(content, buffer)
        write_atomic(self.run.folder / "last.ckpt", buffer.getvalue())

    def _load(self) -> None:
        """Goes back to the end of the last finished epoch, where there is one."""
        path = self.run.folder / "last.ckpt"
        if not path.exists():
            return
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
            self.model.module.load_state_dict(content["model"])
            self.optimizer.load_state_dict(content["optimizer"])
            if self.ema is not None:
                self.ema.module.load_state_dict(content["ema"])
            self.fabric.strategy.precision.load_state_dict(content["precision"])
            self.state.__dict__.update(content["state"])
            self.job.info.notes["started_from"] = content["started_from"]
        except (RuntimeError, KeyError, ValueError, EOFError, pickle.UnpicklingError) as error:
            raise CheckpointError(
                f"{path} is not the state of this run ({type(error).__name__}): delete it to train anew"
            ) from error
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
            "message": message,
        }


def _parameter_groups(student: Student, config: TrainConfig) -> list[dict[str, object]]:
    """The backbone, which learns at its share of the rate, and the rest, which learns at all of it."""
    backbone = list(student.backbone.parameters())
    known = {id(parameter) for parameter in backbone}
    others = [parameter for parameter in student.parameters() if id(parameter) not in known]
    return [{"params": backbone, "share": config.backbone_lr}, {"params": others, "share": 1.0}]


def _finite(value: float | None) -> float | None:
    """The value, or None where there is none: JSON has no NaN."""
    return value if value is not None and math.isfinite(value) else None
