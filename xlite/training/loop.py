"""The training loop of one run, hand-written on Lightning Fabric: set up → epochs → finish.

An epoch is a pure function of (weights, optimizer, seed, epoch): everything random is seeded from (seed,
epoch) right before the epoch starts, and the state is saved whole at its end. Either an epoch finished or it
never happened, so a run that was killed goes on exactly.
"""

import logging
import math
import time
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from lightning_fabric import Fabric

from xlite.config import TrainConfig
from xlite.data.dataset import killed_worker
from xlite.errors import RunError, Setting
from xlite.findings import FINDINGS
from xlite.runs.device_queue import Device, device_turn
from xlite.runs.follower import follows, leading
from xlite.runs.results import read_results
from xlite.runs.run import Run
from xlite.runs.run_files import STATE_FILE
from xlite.runs.status import RunStatus, message_of
from xlite.runs.status import State as WorkState
from xlite.text import counted
from xlite.training.distributed import agreed, final_barrier, leader_first
from xlite.training.fabric import open_fabric, usable_devices
from xlite.training.finish import finish
from xlite.training.job import Job, open_job
from xlite.training.memory import (
    choose_accumulation,
    fitting_accumulation,
    is_out_of_memory,
    too_little_memory,
)
from xlite.training.provenance import record_attempt
from xlite.training.recorder import BROKEN_BATCH_FILE, MidEpoch, Recorder
from xlite.training.state import kept_preprocess
from xlite.training.step import Learner, not_compiled, seed_all
from xlite.training.task import Losses
from xlite.training.training_data import check_input

log = logging.getLogger(__name__)

PROGRESS_EVERY_S = 0.5
"""How often progress.json is replaced within an epoch."""

AGREE_EVERY = 10
"""After how many steps several processes ask each other again whether to stop."""


Ending = Literal["finished", "early", "stopped"]


@dataclass(frozen=True)
class FitResult:
    """Why the loop ended, after how many epochs, and the best mean AUC."""

    reason: Ending
    epochs: int
    best_auc: float


class Stopped(Exception):
    """The run was asked to stop; the epoch that it was in is thrown away."""


def train(config: TrainConfig, run: Run) -> FitResult:
    """Trains the run from wherever its folder stands, and leaves model, metrics and test report in it.

    Raises DataError, CheckpointError or RunError with a sentence, which progress.json then carries too.
    """
    devices = usable_devices(config.device)
    if follows():
        return _train(config, run, devices[0])
    if config.devices > 1:
        devices = devices[: config.devices]  # each process takes the first of them without asking the others
    needs = min(config.devices, len(devices))
    with run.hold(), device_turn(run, devices, needs, partial(check_input, config)) as taken:
        if not taken:
            run.update_progress(state="stopped", **message_of("stopped", " before its turn came"))
            return FitResult("stopped", 0, math.nan)
        with leading(run):
            return _train(config, run, taken[0])


def _train(config: TrainConfig, run: Run, device: Device) -> FitResult:
    """Sets up, trains the epochs that are left, and judges the best of them on the test part."""
    read_results()  # another table is refused, and damaged rows are told, before the work and not after it
    try:
        fabric = open_fabric(config, device.name, partial(_wait, run))
        wait_for_all = final_barrier()
        job = _open_job(config, run, fabric)
    except Stopped:
        return FitResult("stopped", 0, math.nan)
    recorder = Recorder(run, Learner(fabric, job))
    recorder.resume()
    reason = _train_epochs(recorder)
    if fabric.is_global_zero:
        _finish(recorder, reason)
    wait_for_all()
    return FitResult(reason, recorder.state.epoch, recorder.state.best_auc)


def _wait(run: Run, sentence: str) -> None:
    """Says what the run waits for, in its status and its log; raises Stopped if it was asked to stop."""
    if run.stop_requested():
        run.update_progress(state="stopped", **message_of("stopped", " before the first step"))
        raise Stopped
    if sentence != run.read_progress().message:
        run.update_progress(message=sentence)
        log.info("Run %s %s", run.name, sentence)


def _open_job(config: TrainConfig, run: Run, fabric: Fabric) -> Job:
    """Opens all that the run needs, the first process before the others; progress.json says how far it is."""
    opening = RunStatus(
        state="running", message="opening data and models", epochs=config.epochs, device=str(fabric.device)
    )
    pace = _Pace()

    def decoding(done: int, total: int) -> None:
        if not (fabric.is_global_zero and pace.due()):
            return
        run.update_progress(message=f"decoded {done:,} of {total:,} films")
        if run.stop_requested():
            run.update_progress(state="stopped", **message_of("stopped", " before the first step"))
            raise Stopped

    with leader_first():
        if fabric.is_global_zero:
            run.write_progress(opening)
        seed_all(config.seed, 0)
        state = run.folder / STATE_FILE
        kept = kept_preprocess(state, config.image_size) if state.exists() else None
        job = open_job(config, kept, decoding)
        if fabric.is_global_zero:
            record_attempt(run, job, fabric.device, fabric.world_size)
    return job


def _train_epochs(recorder: Recorder) -> Ending:
    """Trains the epochs that are left; returns why it ended."""
    run, learner, state = recorder.run, recorder.learner, recorder.state
    config = learner.job.config
    if config.auto_batch and not state.epoch:
        log.info(choose_accumulation(learner))
    while state.epoch < config.epochs:
        if state.epoch - state.best_epoch >= config.patience:
            return "early"
        try:
            row = _train_epoch(recorder, state.epoch + 1)
        except Stopped:
            return "stopped"
        except RuntimeError as error:
            if config.compile and (why := not_compiled(error)):
                raise RunError(
                    f"the step cannot be compiled here ({why}): leave ", Setting("compile"), " out"
                ) from error
            if killed := killed_worker(error):
                raise killed from error
            if not is_out_of_memory(error):
                raise
            row = None
        if row is None:  # out of the handler, where nothing of the step that failed holds memory any more
            raise too_little_memory(config, fitting_accumulation(learner))
        recorder.end_epoch(row)
        log.info(
            f"epoch {state.epoch}/{config.epochs}  loss {row['train_loss']:.4f}  "
            f"val loss {row['val_loss']:.4f}  val AUC {row['val_auc']:.4f}  {row['seconds']:.1f} s"
        )
        if agreed(run.stop_requested()):
            return "stopped" if state.epoch < config.epochs else "finished"
    return "finished"


def _train_epoch(recorder: Recorder, epoch: int) -> dict[str, float]:
    """Trains and validates one epoch; returns its row of metrics.csv."""
    run, learner, pace = recorder.run, recorder.learner, _Pace()
    alone, began = learner.fabric.world_size == 1, time.monotonic()
    for step, means in enumerate(learner.epoch(epoch), 1):
        _heed_stop(run, alone, step)
        if recorder.leads and pace.due():
            loss = float(means[0])
            if alone:  # several find out together, at the epoch's end
                _refuse_nan(recorder, epoch, loss)
            recorder.report("training", MidEpoch(epoch, step, loss, began))
    losses = Losses(*learner.over_processes(means).cpu())
    _refuse_nan(recorder, epoch, losses.loss.item())
    val_loss, aucs = learner.validate(partial(_heed_stop, run, alone))
    if not math.isfinite(val_loss):
        raise RunError(f"the validation loss is NaN in epoch {epoch}: use a smaller ", Setting("lr"))
    return {
        "epoch": epoch,
        "train_loss": losses.loss.item(),
        "hard_loss": losses.hard.item(),
        "soft_loss": losses.soft.item(),
        "feature_loss": losses.feature.item(),
        **({"auxiliary_loss": losses.auxiliary.item()} if learner.job.config.auxiliary else {}),
        "val_loss": val_loss,
        "val_auc": float(np.nanmean(aucs)) if np.isfinite(aucs).any() else math.nan,
        "lr": learner.optimizer.param_groups[-1]["lr"],
        "seconds": time.monotonic() - began,
        **{f"val_auc_{name}": float(auc) for name, auc in zip(FINDINGS, aucs, strict=True)},
    }


def _heed_stop(run: Run, alone: bool, step: int = 0) -> None:
    """Raises Stopped if the run is asked to stop; several processes do so in the same step or not at all."""
    asked = run.stop_requested() if alone else step % AGREE_EVERY == 1 and agreed(run.stop_requested())
    if asked:
        raise Stopped


def _refuse_nan(recorder: Recorder, epoch: int, loss: float) -> None:
    """Ends the run if the loss is NaN or infinite, and keeps which films the step that broke it saw.

    Of several processes each must call it with the same loss: the first step that broke in any is reported.
    """
    if math.isfinite(loss):
        return
    learner = recorder.learner
    step = int(learner.over_processes(learner.finite_steps, "min"))
    films = [learner.job.train_stems[row] for row in learner.sampler.batches()[step].ravel()]
    recorder.keep_broken_batch(epoch, step + 1, films)
    raise RunError(
        f"the loss is NaN in step {step + 1} of epoch {epoch}: use a smaller ",
        Setting("lr"),
        f", or look at the films of that step, which {BROKEN_BATCH_FILE} names",
    )


def _finish(recorder: Recorder, reason: Ending) -> None:
    """Judges a run that has trained all that it will, and says how it ended."""
    run, learner, state = recorder.run, recorder.learner, recorder.state
    endings: dict[Ending, tuple[WorkState, str]] = {
        "finished": ("finished", f" after {counted(state.epoch, 'epoch')}"),
        "early": ("finished", f" early: no better validation AUC since epoch {state.best_epoch}"),
        "stopped": ("stopped", f" after epoch {state.epoch}; resume goes on from there"),
    }
    if reason != "stopped":
        recorder.report("judging the best epoch on the test part")
        finish(learner.job, run, learner.fabric.device)
    doing, rest = endings[reason]
    ended = recorder.progress(doing, doing, rest)
    run.write_progress(ended)
    log.info("Run %s: %s", run.name, ended.message)


class _Pace:
    """Says when PROGRESS_EVERY_S have passed since it last said so; at once the first time."""

    def __init__(self) -> None:
        self.last = -math.inf

    def due(self) -> bool:
        """Whether it is time again."""
        now = time.monotonic()
        if now - self.last <= PROGRESS_EVERY_S:
            return False
        self.last = now
        return True
