"""What a run says of itself in progress.json, and how people read it. Imports no torch."""

import json
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, get_args

from xlite.files import read_whole

State = Literal["new", "queued", "running", "finished", "stopped", "failed", "killed"]
LIVE: tuple[State, ...] = ("queued", "running")


@dataclass(frozen=True)
class RunStatus:
    """What a run does now; times in s, memory in GB, load 0-1, `updated` in ISO 8601, None where not known.

    On a GPU memory and load are the device's, on a CPU the memory of the trainer and the load of the machine.
    """

    state: State = "new"
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    loss: float | None = None
    val_auc: float | None = None
    best_auc: float | None = None
    best_epoch: int | None = None
    elapsed_s: float = 0.0
    eta_s: float | None = None
    device: str = ""
    memory_gb: float | None = None
    memory_total_gb: float | None = None
    load: float | None = None
    message: str = ""
    updated: str = ""


def read_status(path: Path) -> RunStatus:
    """The content of a progress.json; `new` without a file, `failed` where no trainer wrote it."""
    try:
        values = json.loads(read_whole(path))
        if not isinstance(values, dict):
            raise TypeError(f"it holds {values!r}")
        known = {field.name: values[field.name] for field in fields(RunStatus) if field.name in values}
        status = RunStatus(**known)
    except FileNotFoundError:
        return RunStatus()
    except (ValueError, TypeError) as error:
        return RunStatus(state="failed", message=f"{path} is not what a trainer writes: {error}")
    if status.state not in get_args(State):
        return RunStatus(state="failed", message=f"{path} has the unknown state {status.state!r}")
    return status


def figures(status: RunStatus) -> dict[str, str]:
    """Where a run stands, as labels and texts for people; a dash where nothing is known."""
    live = status.state in LIVE
    best = "–"
    if status.best_auc is not None and math.isfinite(status.best_auc):
        best = f"{status.best_auc:.3f} (epoch {status.best_epoch})"
    shown = {
        "Epoch": f"{status.epoch} of {status.epochs}" if status.epochs else "–",
        "Loss": "–" if status.loss is None else f"{status.loss:.4f}",
        "Best validation AUC": best,
        "Elapsed": clock(status.elapsed_s),
        "Time left": clock(status.eta_s) if live else "–",
        "Device": status.device or "–",
    }
    if live and status.memory_gb is not None:
        total = "" if status.memory_total_gb is None else f" of {status.memory_total_gb:.1f}"
        shown["Memory"] = f"{status.memory_gb:.1f}{total} GB"
    if live and status.load is not None:
        shown["Load"] = f"{status.load:.0%}"
    return shown


def clock(seconds: float | None) -> str:
    """Seconds as people read them."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
    )
