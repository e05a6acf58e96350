"""What made a run: versions, commit, data, seeds and device of each attempt, kept in its folder."""

import json
import logging
import os
import platform
import subprocess
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from pydantic_core import from_json

from xlite import __version__
from xlite.files import read_whole, write_atomic
from xlite.places import bundled
from xlite.runs.run import Run
from xlite.training.job import Job

log = logging.getLogger(__name__)

PROVENANCE_FILE = "provenance.json"
_LIBRARIES = (
    "torch",
    "torchvision",
    "timm",
    "lightning-fabric",
    "numpy",
    "albumentations",
    "opencv-python-headless",
)


def record_attempt(run: Run, job: Job, device: torch.device, processes: int) -> None:
    """Adds this attempt to the run's provenance.json, a list with one entry for each start or resume."""
    path = run.path(PROVENANCE_FILE)
    attempts = _earlier_attempts(path)
    attempts.append(
        {
            "started": datetime.now().astimezone().isoformat(timespec="seconds"),
            "xlite": __version__,
            "commit": git_commit(bundled()),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "libraries": {name: _version(name) for name in _LIBRARIES},
            "data": str(job.config.data),
            "data_fingerprint": job.info.notes.data_fingerprint,
            "split": job.split.id,
            "split_seed": job.split.seed,
            "seed": job.config.seed,
            "device": _device_name(device),
            "processes": processes,
            "threads": torch.get_num_threads(),
        }
    )
    write_atomic(path, json.dumps(attempts, indent=2).encode() + b"\n")


def _earlier_attempts(path: Path) -> list[Any]:
    """The attempts in a provenance.json; one that is damaged is set aside, as no run fails for it."""
    try:
        attempts = from_json(read_whole(path))
        if isinstance(attempts, list):
            return attempts
    except FileNotFoundError:
        return []
    except ValueError:
        pass
    aside = path.with_name(f"damaged-{path.name}")
    path.replace(aside)
    log.warning(
        f"Warning: {path} is damaged and now called {aside.name}; its attempts are told anew from here"
    )
    return []


def git_commit(folder: Path) -> str | None:
    """The commit checked out in the folder, with `+changes` if files differ from it; None without git."""
    if not (folder / ".git").exists():
        return None
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        commit, changes = (
            subprocess.run(
                ["git", "-C", str(folder), *words],
                capture_output=True,
                text=True,
                check=True,
                env=environment,
            ).stdout.strip()
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{commit}+changes" if changes else commit


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{device} ({platform.machine()})"
