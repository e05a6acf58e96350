"""From a TrainConfig to all that the loop needs: films, student, teacher, task, what the model file says."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xlite import __version__
from xlite.config import FOCAL, WEIGHTED, TrainConfig
from xlite.data.cache import FilmFacts, fingerprint
from xlite.data.dataset import FilmDataset, loader, model_input, open_films
from xlite.data.folder import NihFolder
from xlite.data.imbalance import balanced_folder_weights, balanced_sample_weights, positive_weights
from xlite.data.joined import FOLDER, doubtful_patients, open_data
from xlite.data.part_films import part_stems
from xlite.data.split_files import load_split
from xlite.data.splits import Split
from xlite.data.train_part import as_trained
from xlite.errors import DataError, RunError, Setting
from xlite.evaluation.caveats import TeacherKnows
from xlite.evaluation.contamination import count_source, teacher_caveat
from xlite.evaluation.part_judged import PartJudged
from xlite.evaluation.sources import Source, distinct, sources_behind, with_lists
from xlite.files import Progress
from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.labels import known
from xlite.models.available import teacher_parts
from xlite.models.batchnorm import is_folded, refit_batchnorm
from xlite.models.info import ModelInfo, ModelNotes
from xlite.models.student import Student, describe
from xlite.models.weights import StartWeights, load_start_weights
from xlite.report.sentences import capital, sentence
from xlite.text import counted, verb
from xlite.training.auxiliary import known_of
from xlite.training.concern_words import without_positives_sentence
from xlite.training.concerns import without_positives
from xlite.training.doubts import TrainedLabels, trained_labels
from xlite.training.task import DistillTask, LossSettings
from xlite.training.teachers import Teacher, open_teacher, prediction_files

log = logging.getLogger(__name__)

_REFIT_FILMS = 256
"""Films that re-estimate folded batch-norm statistics; more change them by less than their noise."""


@dataclass(frozen=True)
class Job:
    """What one run trains, on what, and what its model file will say of itself.

    known: what the table knows of the training films besides, float32 (N, 3) as `known_of` gives it.
    films: the fingerprint of the pixels of all films that it trains and validates on; doubts: the digest of
    the list of labels in doubt, empty without one; left_out: the stems of the fold of the train part that it
    leaves out, if it does.
    """

    config: TrainConfig
    split: Split
    train: FilmDataset
    train_stems: list[str]
    known: Tensor
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


def open_job(config: TrainConfig, kept: Preprocess | None, progress: Progress) -> Job:
    """Opens folder, split, student, teacher and films, and logs in plain sentences what will be trained.

    `kept` is the preprocessing of a run that goes on, which takes its weights from last.ckpt; None loads the
    starting weights, and with them comes their normalisation.
    `progress(done, total)` is called while films are decoded. Raises DataError, CheckpointError or RunError
    if any of it cannot be had: all that can be refused is refused before films are decoded.
    """
    folder = open_data(config.data)
    split, stems, left_out = _open_split(config, folder)
    if warning := doubtful_patients(folder):
        log.warning(f"Warning: {warning}")
    student = _new_student(config)
    log.info(_size_sentence(student, config))
    started = StartWeights("") if kept else load_start_weights(student, config.weights)
    preprocess = kept or started.preprocess(config.image_size)
    teacher, file_logits = _open_teacher(config, preprocess, stems, folder)
    given = trained_labels(config, folder, split, stems)
    _check_labels(config, folder, split, stems, given, teacher, file_logits)
    taught = _teacher_sources(config, folder, split, teacher)
    begun = _start_sources(config, folder, split, started)
    _log_contamination(config, folder, split, [*taught, *begun])
    info = _info(config, folder, split, stems, taught, preprocess)
    if not kept:
        info = info.noting(started_from=started.noted, start_knows=_as_noted(begun))
    if given.digest:
        info = info.noting(labels_dropped=given.dropped, labels_softened=given.softened)

    films, _, _ = open_films(folder, split, "train", preprocess, config.skip_missing, progress)
    facts = [films.facts()]
    train = FilmDataset(films, given.soft, preprocess, seed=config.seed, file_logits=file_logits)
    films, val_labels, val_stems = open_films(folder, split, "val", preprocess, config.skip_missing, progress)
    facts.append(films.facts())
    _warn_of_flat_films(facts)
    if not kept:
        log.info(started.sentence)
        log.info(f"Films are normalised with mean {preprocess.mean} and deviation {preprocess.std}")
        _refit_if_folded(student, train)
    return Job(
        config=config,
        split=split,
        train=train,
        train_stems=stems,
        known=torch.from_numpy(known_of(folder.table.iloc[folder.rows(stems)])),
        val=FilmDataset(films, val_labels, preprocess),
        val_names=folder.names(val_stems),
        val_patients=folder.patients(val_stems),
        sample_weights=_sample_weights(config, folder, stems, given.hard),
        task=_task(config, student, teacher, given.hard),
        teacher=teacher,
        info=info,
        films=fingerprint(*facts),
        doubts=given.digest,
        left_out=left_out,
    )


def _sample_weights(
    config: TrainConfig, folder: NihFolder, stems: list[str], labels: NDArray[np.float32]
) -> NDArray[np.float64] | None:
    """How often each film is drawn, by finding and by folder as is asked for; None if all are alike."""
    weights = balanced_sample_weights if config.sampler == "balanced" else None
    if config.balance == "folder" and FOLDER in folder.table:
        folders = folder.table[FOLDER].to_numpy(str)[folder.rows(stems)]
        return balanced_folder_weights(labels, folders, weights)
    return weights(labels) if weights else None


def _warn_of_flat_films(facts: list[FilmFacts]) -> None:
    """One warning if films of the train and val parts have no contrast: they count like any other."""
    flat, films = sum(part.flat for part in facts), sum(len(part.contrast) for part in facts)
    if flat:
        log.warning(
            f"Warning: {flat:,} of {counted(films, 'film')} to train and validate on "
            f"{verb(flat, 'has', 'have')} no contrast (blank, black or white); `xlite data check` lists them"
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
    split, stems, _ = _open_split(config, folder)
    student, preprocess = _new_student(config), Preprocess(config.image_size)
    if config.weights != "imagenet":
        preprocess = load_start_weights(student, config.weights).preprocess(config.image_size)
    teacher, file_logits = _open_teacher(config, preprocess, stems, folder)
    given = trained_labels(config, folder, split, stems)
    _check_labels(config, folder, split, stems, given, teacher, file_logits)
    taught = _teacher_sources(config, folder, split, teacher)
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
        known=torch.from_numpy(known_of(folder.table.iloc[folder.rows(stems)])),
        val=FilmDataset(films, labels, preprocess),
        val_names=folder.names(stems),
        val_patients=folder.patients(stems),
        sample_weights=None,
        task=_task(config, checked.student, checked.teacher, labels),
        teacher=checked.teacher,
        info=_info(config, folder, checked.split, stems, [], preprocess),
        films="",
        doubts="",
        left_out=[],
    )


def _new_student(config: TrainConfig) -> Student:
    """The student that a run is to train, with random weights."""
    return Student(config.backbone, config.attention, config.hidden, config.dropout, config.stages)


def _open_split(config: TrainConfig, folder: NihFolder) -> tuple[Split, list[str], list[str]]:
    """The split with what is asked for of its train part, the stems of its training films and those left out.

    DataError if fewer than two films are left.
    """
    split = load_split(folder, config.split, allow_leakage=config.allow_leakage)
    whole = len(split.parts["train"])
    split, left_out = as_trained(folder, split, config.train_share, config.fold)
    stems = part_stems(folder, split, "train", config.skip_missing)
    val_count = len(part_stems(folder, split, "val", config.skip_missing))
    if len(stems) < 2:
        raise DataError(
            f"split {split.id} leaves {counted(len(stems), 'film')} to train on; at least 2 are needed"
        )
    share = (
        f" ({config.train_share:.0%} of the {whole} there are, by patient)" if config.train_share < 1 else ""
    )
    without = f" without the {len(left_out)} of fold {config.fold}" if config.fold else ""
    log.info(
        f"Data: {folder.root}, split {split.id}: {len(stems)} films to train on{share}{without}, "
        f"{val_count} to validate on"
    )
    return split, stems, left_out


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


def _check_labels(
    config: TrainConfig,
    folder: NihFolder,
    split: Split,
    stems: list[str],
    given: TrainedLabels,
    teacher: Teacher,
    file_logits: NDArray[np.float32] | None,
) -> None:
    """Warns of findings that neither labels nor a teacher of the training films `stems` let it learn.

    DataError if nothing is known of these films, or of those that it is to be validated on.
    """
    val_stems = part_stems(folder, split, "val", config.skip_missing)
    if not known(folder.labels(val_stems)).any():
        raise DataError(
            f"no label of the {counted(len(val_stems), 'validation film')} is known, so nothing could tell "
            "which epoch is the best; use a split whose val part is labelled"
        )
    labels, silent = given.hard, torch.full((1, len(FINDINGS)), torch.nan)
    said = silent if file_logits is None else torch.from_numpy(file_logits)
    taught = teacher.speaks(said).any(dim=0) & (config.alpha > 0)
    if not known(labels).any() and not taught.any():
        raise DataError(
            f"no label of the {counted(len(stems), 'training film')} is known, and no teacher speaks of "
            "them: there is nothing to learn"
        )
    unlearnt = [name for name in without_positives(labels) if not taught[FINDINGS.index(name)]]
    if unlearnt:
        log.warning(f"Warning: {without_positives_sentence(unlearnt)}")


def _log_contamination(config: TrainConfig, folder: NihFolder, split: Split, sources: list[Source]) -> None:
    """Says what its sources know of the films that the student will be judged on."""
    judged = PartJudged(folder, split, "test", split.stems("test"))
    caveat = teacher_caveat(sources, judged, config.teacher_list)
    if caveat is not None:
        log.info(capital(sentence(caveat)))


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


def _teacher_sources(config: TrainConfig, folder: NihFolder, split: Split, teacher: Teacher) -> list[Source]:
    """What the teachers learned from, and what they know of the films that the student is judged on."""
    sources = [Source(list=seen.list, said=f"a teacher has {seen.text}") for seen in teacher.seen]
    sources += [Source(predictions=path.name) for path in prediction_files(config.teacher)]
    sources += [Source(predictions=Path(config.doubts).name)] if config.doubts else []
    for info in teacher.infos:
        sources += sources_behind(info, split, config.train_share)
    listed = with_lists(sources, config.teacher_list, folder)
    return [count_source(source, folder, split, config.teacher_list) for source in listed]


def _start_sources(
    config: TrainConfig, folder: NihFolder, split: Split, started: StartWeights
) -> list[Source]:
    """What the model that the student starts from learned from, counted as for a teacher."""
    if started.file is None or started.public:
        return []
    if started.info is None:
        return [Source(weights=started.file.name, start=True)]
    sources = distinct(sources_behind(started.info, split, config.train_share, start=True))
    return [count_source(one, folder, split) for one in sources]


def _as_noted(sources: list[Source]) -> tuple[dict[str, Any], ...]:
    return tuple(source.model_dump() for source in sources)


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


def _trained_on(folder: NihFolder, stems: list[str]) -> str:
    return f"{counted(len(stems), 'film')} of {counted(len(set(folder.patients(stems))), 'patient')}"


def _info(
    config: TrainConfig,
    folder: NihFolder,
    split: Split,
    stems: list[str],
    taught: list[Source],
    preprocess: Preprocess,
) -> ModelInfo:
    """What the model file says of itself before thresholds and calibration are known.

    taught: the sources of its teachers.
    """
    info = ModelInfo(
        backbone=config.backbone,
        attention=config.attention,
        hidden=config.hidden,
        dropout=config.dropout,
        stages=config.stages,
        preprocess=preprocess,
        split_id=split.id,
        label_version=folder.label_version,
        thresholds=None,
        calibration=None,
        notes=ModelNotes(
            run=config.name,
            train_share=config.train_share,
            trained_on=_trained_on(folder, stems),
            phantoms=folder.is_phantom,
            teacher=",".join(Path(part).name for part in teacher_parts(config.teacher)),
            teacher_knows=_as_noted(taught),
            loss=config.loss,
            sampler=config.sampler,
            balance=config.balance if FOLDER in folder.table else "",
            seed=config.seed,
            data_fingerprint=folder.fingerprint(),
            xlite=__version__,
        ),
    )
    return info.noting(fold=config.fold) if config.fold else info
