"""The training loop, hand-written on Lightning Fabric: open → epochs → finish."""

import math
import time
from dataclasses import dataclass
from functools import partial

from lightning_fabric import Fabric

from xlite.config import TrainConfig
from xlite.runs.device_queue import Device, device_turn
from xlite.runs.follower import follows, leading
from xlite.runs.results import read_results
from xlite.runs.run import Run
from xlite.training.distributed import farewell, leader_first
from xlite.training.epochs import PROGRESS_EVERY_S, Epochs, Say, Stopped
from xlite.training.fabric import open_fabric, usable_devices
from xlite.training.finish import finish
from xlite.training.job import Job, open_job
from xlite.training.provenance import record_attempt
from xlite.training.state import STATE_FILE
from xlite.training.step import seed_all


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
    if follows():
        return _train(config, run, say, usable_devices(config.device)[0])
    devices = usable_devices(config.device)
    if config.devices > 1:
        devices = devices[: config.devices]  # the first of them: each process knows which without a word
    needs = min(config.devices, len(devices))
    with run.hold(), device_turn(run, devices, needs) as held:
        if not held:
            run.write_progress(
                {**vars(run.status()), "state": "stopped", "message": "stopped before its turn came"}
            )
            return FitResult("stopped", 0, math.nan)
        with leading(run):
            return _train(config, run, say, held[0])


def _train(config: TrainConfig, run: Run, say: Say, device: Device) -> FitResult:
    """Opens the job, runs its epochs, and judges the best of them on the test part."""
    read_results()  # a damaged log is refused before the work, not after it
    try:
        fabric = open_fabric(config, device.name, partial(_wait, run, say))
        wait_for_all = farewell()
        job = _open_job(config, run, say, fabric)
    except Stopped:
        return FitResult("stopped", 0, math.nan)
    epochs = Epochs(fabric, job, run, say)
    reason = epochs.train()
    state = epochs.state
    if not fabric.is_global_zero:
        wait_for_all()
        return FitResult(reason, state.epoch, state.best_auc)
    ending = {
        "finished": f"finished after {state.epoch} epoch{'s' * (state.epoch != 1)}",
        "early": f"finished early: no better validation AUC since epoch {state.best_epoch}",
        "stopped": f"stopped after epoch {state.epoch}; resume goes on from there",
    }[reason]
    if reason != "stopped":
        epochs.report("judging the best epoch on the test part")
        finish(job, run, fabric.device, say)
    run.write_progress({**epochs.progress(ending), "state": "stopped" if reason == "stopped" else "finished"})
    say(f"Run {run.name}: {ending}")
    wait_for_all()
    return FitResult(reason, state.epoch, state.best_auc)


def _wait(run: Run, say: Say, sentence: str) -> None:
    """Tells what the run waits for, in its status and its log; raises where it was asked to stop."""
    status = run.read_progress()
    if run.stop_requested():
        run.write_progress({**vars(status), "state": "stopped", "message": "stopped before the first step"})
        raise Stopped
    if sentence != status.message:
        run.write_progress({**vars(status), "message": sentence})
        say(f"Run {run.name} {sentence}")


def _open_job(config: TrainConfig, run: Run, say: Say, fabric: Fabric) -> Job:
    """Opens all that the run needs, the first process before the others; progress.json says how far."""
    opening = {"state": "running", "epochs": config.epochs, "device": str(fabric.device)}
    last_report = -math.inf

    def decoding(done: int, total: int) -> None:
        nonlocal last_report
        if time.monotonic() - last_report > PROGRESS_EVERY_S and fabric.is_global_zero:
            last_report = time.monotonic()
            run.write_progress({**opening, "message": f"decoded {done:,} of {total:,} films"})
            if run.stop_requested():
                run.write_progress(
                    {**opening, "state": "stopped", "message": "stopped before the first step"}
                )
                raise Stopped

    with leader_first():
        if fabric.is_global_zero:
            run.write_progress({**opening, "message": "opening data and models"})
        seed_all(config.seed, 0)
        job = open_job(config, not (run.folder / STATE_FILE).exists(), say, decoding)
        if fabric.is_global_zero:
            record_attempt(run, job, fabric.device, fabric.world_size)
    return job
