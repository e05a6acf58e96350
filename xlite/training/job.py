"""From a TrainConfig to all that the loop needs: films, student, teacher, task, what the model file says."""

import logging
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xlite.config import FOCAL, WEIGHTED, TrainConfig
from xlite.data.cache import fingerprint
from xlite.data.dataset import FilmDataset, loader, model_input, open_films
from xlite.data.folder import NihFolder
from xlite.data.imbalance import positive_weights
from xlite.data.joined import doubtful_patients, open_data
from xlite.data.part_films import part_stems
from xlite.data.splits import Split
from xlite.errors import RunError, Setting
from xlite.evaluation.contamination.caveats import TeacherKnows
from xlite.evaluation.contamination.contamination import teacher_caveat
from xlite.evaluation.part_judged import PartJudged
from xlite.files import Progress
from xlite.images import Preprocess
from xlite.models.batchnorm import is_folded, refit_batchnorm
from xlite.models.info import ModelInfo
from xlite.models.student import Student, describe
from xlite.models.weights import StartWeights, load_start_weights
from xlite.training.auxiliary import attributes_of
from xlite.training.doubts import trained_labels
from xlite.training.learned_from import (
    as_noted,
    log_contamination,
    model_info,
    start_sources,
    teacher_sources,
)
from xlite.training.task import DistillTask, LossSettings
from xlite.training.teachers import Teacher, open_teacher
from xlite.training.training_data import (
    check_labels,
    open_split,
    sample_weights,
    warn_of_flat_films,
    why_unjudged,
)

log = logging.getLogger(__name__)

_REFIT_FILMS = 256
"""Films that re-estimate folded batch-norm statistics; more change them by less than their noise."""


@dataclass(frozen=True)
class Job:
    """What one run trains, on what, and what its model file will say of itself.

    attributes: of the training films, float32 (N, 3) as `attributes_of` gives them.
    films: the fingerprint of the pixels of all films that it trains and validates on; doubts: the digest of
    the list of labels in doubt, empty without one; left_out: the stems of the fold of the train part that it
    leaves out, if it does; unjudged: why it gets no report on the test part, empty if it does.
    """

    config: TrainConfig
    split: Split
    train: FilmDataset
    train_stems: list[str]
    attributes: Tensor
    val: FilmDataset
    val_names: list[str]
    val_patients: NDArray[np.object_]
    sample_weights: NDArray[np.float64] | None
    task: DistillTask
    teacher: Teacher
    info: ModelInfo
    films: str
    doubts: str
    left_out: list[str]
    unjudged: str


def open_job(config: TrainConfig, kept: Preprocess | None, progress: Progress) -> Job:
    """Opens folder, split, student, teacher and films, and logs in plain sentences what will be trained.

    `kept` is the preprocessing of a run that goes on, which takes its weights from last.ckpt; None loads the
    starting weights, and with them comes their normalisation.
    `progress(done, total)` is called while films are decoded. Raises DataError, CheckpointError or RunError
    if any of it cannot be had: all that can be refused is refused before films are decoded.
    """
    folder = open_data(config.data)
    split, stems, left_out = open_split(config, folder)
    if warning := doubtful_patients(folder):
        log.warning(f"Warning: {warning}")
    student = _new_student(config)
    log.info(_size_sentence(student, config))
    started = StartWeights("") if kept else load_start_weights(student, config.weights)
    preprocess = kept or started.preprocess(config.image_size)
    teacher, file_logits = _open_teacher(config, preprocess, stems, folder)
    given = trained_labels(config, folder, split, stems)
    check_labels(config, folder, split, stems, given, teacher, file_logits)
    unjudged = why_unjudged(config, folder, split)
    taught = teacher_sources(config, folder, split, teacher)
    begun = start_sources(config, folder, split, started)
    log_contamination(config, folder, split, [*taught, *begun])
    info = model_info(config, folder, split, stems, taught, preprocess)
    if not kept:
        info = info.noting(started_from=started.noted, start_knows=as_noted(begun))
    if given.digest:
        info = info.noting(labels_dropped=given.dropped, labels_softened=given.softened)

    films, _, _ = open_films(folder, split, "train", preprocess, config.skip_missing, progress)
    facts = [films.facts()]
    train = FilmDataset(films, given.soft, preprocess, seed=config.seed, file_logits=file_logits)
    films, val_labels, val_stems = open_films(folder, split, "val", preprocess, config.skip_missing, progress)
    facts.append(films.facts())
    warn_of_flat_films(facts)
    if not kept:
        log.info(started.sentence)
        log.info(f"Films are normalised with mean {preprocess.mean} and deviation {preprocess.std}")
        _refit_if_folded(student, train)
    return Job(
        config=config,
        split=split,
        train=train,
        train_stems=stems,
        attributes=torch.from_numpy(attributes_of(folder.table.iloc[folder.rows(stems)])),
        val=FilmDataset(films, val_labels, preprocess),
        val_names=folder.names(val_stems),
        val_patients=folder.patients(val_stems),
        sample_weights=sample_weights(config, folder, stems, given.hard),
        task=_task(config, student, teacher, given.hard),
        teacher=teacher,
        info=info,
        films=fingerprint(*facts),
        doubts=given.digest,
        left_out=left_out,
        unjudged=unjudged,
    )


@dataclass(frozen=True)
class Checked:
    """What `check_job` opened: all of a job but its films. `stems` and `val_stems` are those of its films.

    file_logits: float32 (N, 14) of the teacher's predictions files, None without; seen: what teachers know of
    the test films, None if that is nothing.
    """

    folder: NihFolder
    split: Split
    stems: list[str]
    val_stems: list[str]
    student: Student
    preprocess: Preprocess
    teacher: Teacher
    file_logits: NDArray[np.float32] | None
    seen: TeacherKnows | None


def check_job(config: TrainConfig) -> Checked:
    """Raises what `open_job` would before it decodes films: for a page, which asks before it makes a run.

    Starting weights from ImageNet are left out: without them a student begins at random.
    """
    folder = open_data(config.data)
    split, stems, _ = open_split(config, folder)
    student, preprocess = _new_student(config), Preprocess(config.image_size)
    if config.weights != "imagenet":
        preprocess = load_start_weights(student, config.weights).preprocess(config.image_size)
    teacher, file_logits = _open_teacher(config, preprocess, stems, folder)
    given = trained_labels(config, folder, split, stems)
    check_labels(config, folder, split, stems, given, teacher, file_logits)
    why_unjudged(config, folder, split)
    taught = teacher_sources(config, folder, split, teacher)
    judged = PartJudged(folder, split, "test", split.stems("test"))
    seen = teacher_caveat(taught, judged, config.teacher_list)
    val_stems = part_stems(folder, split, "val", config.skip_missing)
    return Checked(folder, split, stems, val_stems, student, preprocess, teacher, file_logits, seen)


def sample_job(config: TrainConfig, checked: Checked, films: NDArray[np.uint8]) -> Job:
    """The job on some of its training films, uint8 (n, S, S), the first ones: to measure what a step takes.

    It validates on the same films.
    """
    stems = checked.stems[: len(films)]
    folder, preprocess, file_logits = checked.folder, checked.preprocess, checked.file_logits
    labels = folder.labels(stems)
    taught = None if file_logits is None else file_logits[: len(stems)]
    return Job(
        config=config,
        split=checked.split,
        train=FilmDataset(films, labels, preprocess, seed=config.seed, file_logits=taught),
        train_stems=stems,
        attributes=torch.from_numpy(attributes_of(folder.table.iloc[folder.rows(stems)])),
        val=FilmDataset(films, labels, preprocess),
        val_names=folder.names(stems),
        val_patients=folder.patients(stems),
        sample_weights=None,
        task=_task(config, checked.student, checked.teacher, labels),
        teacher=checked.teacher,
        info=model_info(config, folder, checked.split, stems, [], preprocess),
        films="",
        doubts="",
        left_out=[],
        unjudged="",
    )


def _new_student(config: TrainConfig) -> Student:
    """The student that a run is to train, with random weights."""
    return Student(config.backbone, config.attention, config.hidden, config.dropout, config.stages)


def _size_sentence(student: Student, config: TrainConfig) -> str:
    size = describe(student, config.image_size)
    return f"Student: {config.backbone}, attention {config.attention}: {size} at {config.image_size} px"


def _open_teacher(
    config: TrainConfig, preprocess: Preprocess, stems: list[str], folder: NihFolder
) -> tuple[Teacher, NDArray[np.float32] | None]:
    """The teacher, and the logits (N, 14) of its predictions files or None; without a teacher an empty one.

    `stems` are the training films.
    """
    if not config.teacher and config.teacher_list:
        raise RunError(
            f"{config.teacher_list} lists what a teacher has seen, and there is no ", Setting("teacher")
        )
    teacher, file_logits = Teacher(), None
    if config.teacher:
        teacher, file_logits = open_teacher(
            config.teacher, preprocess, stems, folder.labels(stems), folder.patients(stems)
        )
        log.info(teacher.sentence)
    if config.feature_weight > 0 and not teacher.feature_channels:
        has = (
            "is an export, which gives none: name the model that it was made from"
            if len(teacher.networks) == 1
            else f"has {len(teacher.networks)}"
        )
        raise RunError(
            Setting("feature_weight"),
            f" {config.feature_weight:g} needs a teacher with one network, whose features the student is to "
            "meet; ",
            Setting("teacher"),
            f" {config.teacher!r} {has}",
        )
    return teacher, file_logits


def _refit_if_folded(student: Student, train: FilmDataset) -> None:
    """Re-estimates batch-norm statistics if the starting weights have them folded away."""
    if not is_folded(student):
        return
    step = max(1, len(train) // _REFIT_FILMS)
    rows = range(0, len(train), step)[:_REFIT_FILMS]
    refit_batchnorm(
        student, [model_input(batch.films, train.preprocess) for batch in loader(train, 32, rows)]
    )
    log.info(
        f"Its batch norms were folded into weights: statistics taken anew from {len(rows)} training films"
    )


def _task(
    config: TrainConfig, student: Student, teacher: Teacher, labels: NDArray[np.float32]
) -> DistillTask:
    """The student with the losses that the configuration names."""
    weighted, focal = config.loss in WEIGHTED, config.loss in FOCAL
    return DistillTask(
        student,
        LossSettings(
            alpha=config.alpha,
            temperature=config.temperature,
            focal_gamma=config.focal_gamma if focal else 0.0,
            focal_alpha=config.focal_alpha if focal else None,
            feature_weight=config.feature_weight,
            auxiliary=config.auxiliary,
        ),
        torch.from_numpy(positive_weights(labels)) if weighted else None,
        teacher.feature_channels,
    )
