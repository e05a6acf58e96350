"""A few real steps of a run that is not made: what it would take on this machine.

`python -m xlite.training.probe CONFIG`, a program of its own, prints the Forecast as JSON, or the words of
the sentence that says why there is none: a page needs no torch, and goes on answering.
"""

import itertools
import json
import os
import shutil
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from xlite.config import TrainConfig, make_config
from xlite.data.cache import cache_folder, is_cached
from xlite.data.folder import NihFolder
from xlite.errors import XliteError, sentence, words_as_json
from xlite.images import read_image
from xlite.models.student import describe
from xlite.places import home
from xlite.runs.run import Run
from xlite.training.fabric import open_fabric, usable_devices
from xlite.training.forecast import Forecast
from xlite.training.job import Checked, check_job, sample_job
from xlite.training.memory import is_out_of_memory, too_little_memory
from xlite.training.step import Learner, seed_all

if TYPE_CHECKING:
    from lightning_fabric import Fabric

BUDGET_S, LEAST_S = 14.0, 4.0
"""How long a probe works from its start, and at least on steps; what it has begun by then it ends."""

_FIRST, _DECODED, _MOST_STEPS = 4, 16, 6
_STATUS, _MEMINFO = Path("/proc/self/status"), Path("/proc/meminfo")


class _Steps(NamedTuple):
    """What was measured: films a step, s of each step, s a film that is validated on, s before the first
    step, and the memory in GB that steps of as many films as the run's need.
    """

    films: int
    steps: list[float]
    val_film_s: float
    opening_s: float
    memory_gb: float | None
    weights: int


def measure(config: TrainConfig, began: float) -> Forecast:
    """Looks for all that the run names and trains a few steps, without a run; `began` is monotonic.

    Weights begin at random, and nothing is compiled: neither changes what a step takes by much. Raises what
    `check_job` does, and RunError if the device has too little memory.
    """
    device = usable_devices(config.device)[0]
    checked = check_job(config)
    processes = config.devices * config.nodes
    step_films = max(1, min(config.batch_size, len(checked.stems)) // processes)
    films, decode_film_s = _decoded(checked, config.image_size)
    alone = _alone(config)
    fabric = open_fabric(alone, device.name)
    try:
        found = _measured(fabric, alone, checked, films, -(-step_films // config.accumulate), began)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise too_little_memory(config, None) from error
    uncached = sum(_uncached(one, config.image_size) for one in checked.folder.parts)
    threads = os.cpu_count() or 1
    own = sum(p.numel() for p in checked.student.parameters())
    return Forecast(
        device=str(fabric.device),
        student=f"{describe(checked.student, config.image_size)} a film of {config.image_size} px",
        films=len(checked.stems),
        val_films=len(checked.val_stems),
        test_films=sum(stem in checked.folder.paths for stem in checked.split.stems("test")),
        epochs=config.epochs,
        steps=max(len(checked.stems) // config.batch_size, 1),
        step_films=step_films,
        measured=found.films,
        measured_steps=len(found.steps),
        step_s=median(found.steps) * step_films / found.films,
        val_film_s=found.val_film_s,
        opening_s=found.opening_s,
        decode_s=uncached * decode_film_s / threads,
        film_decode_s=decode_film_s / threads,
        film_cache_gb=config.image_size**2 / 1e9,
        memory_gb=found.memory_gb,
        memory_free_gb=_free_gb(fabric.device),
        cache_gb=uncached * config.image_size**2 / 1e9,
        cache_free_gb=min(_disk_free_gb(cache_folder(one.root)) for one in checked.folder.parts),
        run_gb=4 * (own + (3 + bool(config.ema)) * found.weights) / 1e9,
        run_free_gb=_disk_free_gb(home()),
        processes=processes,
        load=_load(),
        beside=sum(run.status().state == "running" for run in Run.list()),
        seen=checked.seen,
    )


def _alone(config: TrainConfig) -> TrainConfig:
    """The settings of a run by one process that begins at once."""
    simple = {"compile": False, "workers": 0, "devices": 1, "nodes": 1, "accumulate": 1}
    return config.model_copy(update={**simple, "auto_batch": False, "tensorboard": False})


def _uncached(folder: NihFolder, size: int) -> int:
    """How many films of one folder will have to be decoded: all that its cache will hold, or none."""
    paths = [folder.paths[stem] for stem in sorted(folder.table["stem"]) if stem in folder.paths]
    return 0 if is_cached(paths, size, cache_folder(folder.root)) else len(paths)


def _decoded(checked: Checked, size: int) -> tuple[NDArray[np.uint8], float]:
    """Some training films, uint8 (n, S, S), and how long one takes to decode."""
    began = time.monotonic()
    paths = [checked.folder.paths[stem] for stem in checked.stems[:_DECODED]]
    films = np.stack([checked.preprocess.resize(read_image(path)) for path in paths])
    return films, (time.monotonic() - began) / len(paths)


def _measured(
    fabric: "Fabric",
    config: TrainConfig,
    checked: Checked,
    films: NDArray[np.uint8],
    most: int,
    began: float,
) -> _Steps:
    """Steps on a few films, then on as many as the budget bears, `most` at the most."""
    count = min(_FIRST, most)
    learner = _learner(fabric, config, checked, films, count)
    opening_s, before = time.monotonic() - began, _used_gb(fabric.device)
    end = max(began + BUDGET_S, time.monotonic() + LEAST_S)
    steps = _timed(learner, 3, end)
    left = end - time.monotonic()
    bears = int(left / 4 / (min(steps[1:]) / count))  # the first step, two that count, and the validation
    if count < most and bears > count:
        count = min(most, bears)
        learner = _learner(fabric, config, checked, films, count)
        steps = _timed(learner, _MOST_STEPS, end)
    learner.validate(lambda: None)
    start = time.monotonic()
    learner.validate(lambda: None)
    peak = _peak_gb(fabric.device)
    grown = None if before is None or peak is None else before + max(0.0, peak - before) * most / count
    weights = sum(p.numel() for p in learner.job.task.parameters())
    return _Steps(count, steps[1:], (time.monotonic() - start) / count, opening_s, grown, weights)


def _learner(
    fabric: "Fabric", config: TrainConfig, checked: Checked, films: NDArray[np.uint8], count: int
) -> Learner:
    """A learner whose one step has so many films, the decoded ones over and over."""
    seed_all(config.seed, 0)
    rows = np.arange(count) % len(films)
    job = sample_job(config.model_copy(update={"batch_size": max(2, count)}), checked, films[rows])
    return Learner(fabric, job)


def _timed(learner: Learner, most: int, end: float) -> list[float]:
    """How long each of some steps takes: two at least, of which the first warms up; fewer if time is up."""
    times: list[float] = []
    for epoch in itertools.count(1):
        start = time.monotonic()
        learner.begin(epoch)
        for batch in learner.batches():
            learner.step(batch, epoch - 1).cpu()  # waits for the device
        times.append(time.monotonic() - start)
        late = time.monotonic() + times[-1] > end
        if len(times) >= most or (len(times) >= 2 and late):
            return times
    raise AssertionError


def _used_gb(device: torch.device) -> float | None:
    """The memory that this process holds now, on its device."""
    if device.type == "cuda":
        return torch.cuda.memory_reserved(device) / 1e9
    return _kilobytes(_STATUS, "VmRSS") if device.type == "cpu" else None


def _peak_gb(device: torch.device) -> float | None:
    """The most memory that it has held."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device) / 1e9
    return _kilobytes(_STATUS, "VmHWM") if device.type == "cpu" else None


def _free_gb(device: torch.device) -> float | None:
    """The memory that a run could have once this process is gone."""
    if device.type == "cuda":
        return (torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)) / 1e9
    there, mine = _kilobytes(_MEMINFO, "MemAvailable"), _kilobytes(_STATUS, "VmRSS")
    return None if device.type != "cpu" or there is None or mine is None else there + mine


def _kilobytes(file: Path, name: str) -> float | None:
    """A line `name: 12 kB` of a file of the system, in GB; None if the system has none."""
    if not file.exists():
        return None
    found = [line.split() for line in file.read_text().splitlines() if line.startswith(f"{name}:")]
    return int(found[0][1]) * 1024 / 1e9 if found else None


def _load() -> float | None:
    """How many programs each core has had in the last minute, this one among them; None if nothing tells."""
    return os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else None


def _disk_free_gb(folder: Path) -> float:
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(there).free / 1e9


def main() -> None:
    """Prints the forecast of the settings given as JSON, or {"refused": words}."""
    began = time.monotonic()
    try:
        answer = measure(make_config(json.loads(sys.argv[1])), began).model_dump_json()
    except (XliteError, OSError) as error:
        words = error.words if isinstance(error, XliteError) else (sentence(error),)
        answer = json.dumps({"refused": words_as_json(words)})
    print(answer)


if __name__ == "__main__":
    main()
