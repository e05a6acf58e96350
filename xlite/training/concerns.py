"""What matters before a run is started: one class a fact, put into words by `concern_sentences`. No torch."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from xlite.config import Loss, TrainConfig
from xlite.data.joined import open_data
from xlite.data.part_films import part_stems
from xlite.data.split_files import foresee_split
from xlite.errors import DataError, XliteError
from xlite.evaluation.contamination.caveats import TeacherKnows
from xlite.findings import FINDINGS
from xlite.labels import known, positive
from xlite.models.available import check_teacher_part, teacher_parts
from xlite.training.forecast import Forecast

LONG_S = 3600.0
"""A run that a processor trains for longer is worth a word."""

_FILMS_A_SECOND, _CORES, _SIZE = 20.0, 2, 224
"""What EfficientNet-Lite0 was trained with on so many cores at so many px (docs/RESULTS.md)."""


@dataclass(frozen=True)
class Concern:
    """What all facts share: `refuses` if a run that is started all the same is certain to fail."""

    refuses: ClassVar[bool] = False


@dataclass(frozen=True)
class NoFilms(Concern):
    """The folder has a table of so many films, and no film."""

    refuses = True
    folder: Path
    listed: int


@dataclass(frozen=True)
class Refused(Concern):
    """Whoever opens it for training refuses it, in these words: a split, films that lack, a teacher."""

    refuses = True
    words: tuple[str, ...]


@dataclass(frozen=True)
class SharedPatients(Concern):
    """The split has so many patients in more than one part, and that is allowed."""

    split: str
    patients: int


@dataclass(frozen=True)
class NoPositives(Concern):
    """No training film is known to have these findings, and no teacher speaks of them."""

    findings: tuple[str, ...]


@dataclass(frozen=True)
class TeacherSaw(Concern):
    """The teacher knows test films, or nobody can tell."""

    seen: TeacherKnows


@dataclass(frozen=True)
class CostlyLoss(Concern):
    """A loss that cost AUC."""

    loss: Loss


@dataclass(frozen=True)
class CostlySampler(Concern):
    """Rare findings are drawn more often."""


@dataclass(frozen=True)
class Slow(Concern):
    """A processor trains for long; `measured` on this machine, or else judged by another one."""

    seconds: float
    epochs: int
    image_size: int
    measured: bool


@dataclass(frozen=True)
class LittleMemory(Concern):
    """It needs more memory than is free, in GB."""

    needs: float
    free: float


@dataclass(frozen=True)
class LittleDisk(Concern):
    """What it writes is more than the disk has free, in GB."""

    refuses = True
    needs: float
    free: float


AnyConcern = (
    NoFilms
    | Refused
    | SharedPatients
    | NoPositives
    | TeacherSaw
    | CostlyLoss
    | CostlySampler
    | Slow
    | LittleMemory
    | LittleDisk
)


@dataclass(frozen=True)
class FilmCounts:
    """How many films of a folder's table are there, and how many a split gives to each part; what of it
    matters.

    lacking: the findings that no training film is known to have, if labels of these films are unknown. Of a
    small folder that labels all, whoever made it knows.
    """

    listed: int
    there: int
    train: int
    val: int
    test: int
    concerns: tuple[AnyConcern, ...] = ()
    lacking: tuple[str, ...] = ()


def look_at_films(data: Path, split: str, allow_leakage: bool, skip_missing: bool) -> FilmCounts:
    """What a run would train and be judged on. Writes nothing. DataError if there is no table to read."""
    folder = open_data(data)
    listed, there = len(folder.table), sum(stem in folder.paths for stem in folder.table["stem"])
    if not there:
        return FilmCounts(listed, 0, 0, 0, 0, (NoFilms(folder.root, listed),))
    try:
        found = foresee_split(folder, split, allow_leakage=allow_leakage)
        train, val = (part_stems(folder, found, part, skip_missing) for part in ("train", "val"))
    except DataError as error:
        return FilmCounts(listed, there, 0, 0, 0, (Refused(error.words),))
    test = sum(stem in folder.paths for stem in found.stems("test"))
    shared = found.shared_patients(folder)
    shares = (SharedPatients(split, shared),) if shared else ()
    labels = folder.labels(train)
    lacking = () if known(labels).all() else without_positives(labels)
    return FilmCounts(listed, there, len(train), len(val), test, shares, lacking)


def without_positives(labels: np.ndarray) -> tuple[str, ...]:
    """The findings that none of the films is known to have; labels (N, 14)."""
    have = np.asarray(positive(labels).any(axis=0))
    return tuple(finding for finding, some in zip(FINDINGS, have, strict=True) if not some)


def of_settings(config: TrainConfig, films: FilmCounts, has_gpu: bool) -> list[AnyConcern]:
    """What matters of the settings alone, which can be told at once."""
    found: list[AnyConcern] = [*films.concerns, *_of_teacher(config.teacher)]
    if films.lacking and not config.teacher:  # only an opened one tells of which findings it speaks
        found.append(NoPositives(films.lacking))
    if config.loss != "bce":
        found.append(CostlyLoss(config.loss))
    if config.sampler == "balanced":
        found.append(CostlySampler())
    if config.device == "cpu" or (config.device == "auto" and not has_gpu):
        cores = (os.cpu_count() or 1) / _CORES
        rate = _FILMS_A_SECOND * cores * (_SIZE / config.image_size) ** 2
        seconds = films.train * config.train_share * config.epochs / rate
        if seconds > LONG_S:
            found.append(Slow(seconds, config.epochs, config.image_size, measured=False))
    return found


def of_forecast(config: TrainConfig, forecast: Forecast) -> list[AnyConcern]:
    """What matters of what was measured."""
    found: list[AnyConcern] = []
    if forecast.seen is not None:
        found.append(TeacherSaw(forecast.seen))
    if forecast.device == "cpu" and forecast.seconds > LONG_S:
        found.append(Slow(forecast.seconds, config.epochs, config.image_size, measured=True))
    if forecast.memory_gb and forecast.memory_free_gb and forecast.memory_gb > forecast.memory_free_gb:
        found.append(LittleMemory(forecast.memory_gb, forecast.memory_free_gb))
    for needs, free in (
        (forecast.cache_gb, forecast.cache_free_gb),
        (forecast.run_gb, forecast.run_free_gb),
    ):
        if needs > free:
            found.append(LittleDisk(needs, free))
    return found


def _of_teacher(spec: str) -> Iterator[Refused]:
    """Parts of a teacher that are not there."""
    for part in teacher_parts(spec):
        try:
            check_teacher_part(part)
        except XliteError as error:
            yield Refused(error.words)


def has_gpu() -> bool:
    """Whether this machine has a GPU that training takes unasked, as far as one can tell without torch."""
    import platform

    from pynvml import NVMLError, nvmlDeviceGetCount, nvmlInit

    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return True
    try:
        nvmlInit()
        return bool(nvmlDeviceGetCount())
    except NVMLError:
        return False
