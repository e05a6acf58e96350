"""From a TrainConfig to all that the loop needs: films, student, teacher, task, the model file's words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Sampler

from xlite import __version__
from xlite.config import TrainConfig
from xlite.data.dataset import FilmDataset, augmentation, open_films
from xlite.data.leakage import leakage_report
from xlite.data.nih import NihFolder, read_list
from xlite.data.splits import Split, load_split
from xlite.data.weights import balanced_sample_weights, positive_weights
from xlite.errors import DataError
from xlite.images import Preprocess
from xlite.models.checkpoint import ModelInfo
from xlite.models.student import Student, describe
from xlite.models.teachers import Teacher, open_teacher
from xlite.models.weights import is_folded, load_start_weights, refit_batchnorm
from xlite.training.task import DistillTask

_REFIT_FILMS = 256
"""Films that re-estimate folded batch-norm statistics; more change them by less than their noise."""


class EpochSampler(Sampler[int]):
    """The order of an epoch as a pure function of (seed, epoch): a shuffle, or draws by weight."""

    def __init__(self, films: int, seed: int, weights: np.ndarray | None = None):
        self.films, self.seed, self.weights, self.epoch = films, seed, weights, 0

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch whose order the next iteration gives."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.films

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng((self.seed, self.epoch))
        if self.weights is None:
            order = rng.permutation(self.films)
        else:
            order = rng.choice(self.films, size=self.films, p=self.weights / self.weights.sum())
        return iter(order.tolist())


@dataclass(frozen=True)
class Job:
    """What one run trains, on what, and what its model file will say of itself."""

    config: TrainConfig
    folder: NihFolder
    split: Split
    train: FilmDataset
    val: FilmDataset
    sampler: EpochSampler
    task: DistillTask
    info: ModelInfo


def open_job(config: TrainConfig, fresh: bool, say: Callable[[str], None]) -> Job:
    """Opens folder, split, cache, student and teacher, and says in plain sentences what will be trained.

    `fresh` loads the starting weights; a run that goes on takes its own from last.ckpt instead. Raises
    DataError, CheckpointError or RunError where any of it cannot be had.
    """
    folder = NihFolder.open(config.data)
    split = load_split(folder, config.split, allow_leakage=config.allow_leakage)
    student = Student(config.backbone, config.attention, config.hidden, config.dropout)
    preprocess = Preprocess(config.image_size)
    films, labels, stems = open_films(folder, split, "train", preprocess, config.skip_missing)
    val_films, val_labels, _ = open_films(folder, split, "val", preprocess, config.skip_missing)
    if len(labels) < 2 or len(val_labels) < 1:
        raise DataError(
            f"split {split.id} leaves {len(labels)} films to train on and {len(val_labels)} to validate on; "
            "at least 2 and 1 are needed"
        )
    teacher, known = None, None
    if config.teacher:
        teacher, known = open_teacher(config.teacher, preprocess, stems, labels)
    train = FilmDataset(
        films, labels, preprocess, augmentation(config.flip) if config.augment else None, config.seed, known
    )
    val = FilmDataset(val_films, val_labels, preprocess)
    say(f"Data: {folder.root}, split {split.id}: {len(train)} films to train on, {len(val)} to validate on")
    size = describe(student, config.image_size)
    say(
        f"Student: {config.backbone}, attention {config.attention}: {size.parameters / 1e6:.2f} M "
        f"parameters, {size.megabytes:.1f} MB, {size.multiply_adds / 1e9:.2f} G multiply-adds "
        f"at {config.image_size} px"
    )
    started_from = _start_weights(student, config, train, say) if fresh else ""
    if teacher is not None:
        say(teacher.sentence)
    weights = balanced_sample_weights(labels) if config.sampler == "balanced" else None
    return Job(
        config=config,
        folder=folder,
        split=split,
        train=train,
        val=val,
        sampler=EpochSampler(len(train), config.seed, weights),
        task=_task(config, student, teacher, labels),
        info=_info(config, folder, split, teacher, started_from),
    )


def _start_weights(
    student: Student, config: TrainConfig, train: FilmDataset, say: Callable[[str], None]
) -> str:
    """Loads the starting weights into the student and returns the sentence that says which."""
    sentence = load_start_weights(student, config.weights)
    say(sentence)
    if is_folded(student):
        step = max(1, len(train) // _REFIT_FILMS)
        rows = list(range(0, len(train), step))[:_REFIT_FILMS]
        plain = [train.plain(row) for row in rows]
        refit_batchnorm(student, [torch.stack(plain[i : i + 32]) for i in range(0, len(plain), 32)])
        say(
            f"Its batch norms were folded into weights: statistics taken anew from {len(rows)} training films"
        )
    return sentence.replace(config.weights, _without_folders(config.weights))


def _contamination(config: TrainConfig, split: Split, teacher: Teacher | None) -> dict[str, str]:
    """A sentence for every report of the student where its teacher may know films of the test part."""
    said = []
    for info in teacher.infos if teacher else ():
        if info.split_id != split.id:
            said.append(
                f"a teacher learned from split {info.split_id}, which may hold test films of {split.id}"
            )
        said += [info.notes["contamination"]] if info.notes.get("contamination") else []
    if config.teacher_list:
        test, known = split.stems("test"), read_list(Path(config.teacher_list))
        seen = leakage_report(split.stems("train"), test, teacher_list=known)["teacher_seen_images"]
        if seen:
            said.append(f"a teacher was trained on {seen} of the {len(test)} test films of split {split.id}")
    return {"contamination": "; ".join(dict.fromkeys(said))} if said else {}


def _without_folders(spec: str) -> str:
    """A teacher or weights as a model file may name them: files by their names, not by where they lay."""
    return ",".join(Path(part).name for part in spec.split(","))


def _task(config: TrainConfig, student: Student, teacher: Teacher | None, labels: np.ndarray) -> DistillTask:
    """The student with the hard loss that the configuration names, and its teacher."""
    weighted, focal = config.loss.startswith("weighted"), config.loss.endswith("focal")
    return DistillTask(
        student,
        teacher,
        alpha=config.alpha,
        temperature=config.temperature,
        positive_weight=torch.from_numpy(positive_weights(labels)) if weighted else None,
        focal_gamma=config.focal_gamma if focal else 0.0,
        focal_alpha=config.focal_alpha if focal else None,
    )


def _info(
    config: TrainConfig, folder: NihFolder, split: Split, teacher: Teacher | None, started_from: str
) -> ModelInfo:
    """What the model file says of itself before thresholds and calibration are known."""
    return ModelInfo(
        backbone=config.backbone,
        attention=config.attention,
        hidden=config.hidden,
        dropout=config.dropout,
        preprocess=Preprocess(config.image_size),
        split_id=split.id,
        label_version=folder.label_version,
        thresholds=None,
        calibration=None,
        notes={
            "run": config.name,
            "teacher": _without_folders(config.teacher),
            **_contamination(config, split, teacher),
            "loss": config.loss,
            "sampler": config.sampler,
            "seed": config.seed,
            "started_from": started_from,
            "data_fingerprint": folder.fingerprint(),
            "xlite": __version__,
        },
    )
