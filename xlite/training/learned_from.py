"""What a student learns from, as its model file says it: films, teachers, starting weights."""

import logging
from pathlib import Path
from typing import Any

from xlite import __version__
from xlite.config import TrainConfig
from xlite.data.folder import NihFolder
from xlite.data.joined import FOLDER
from xlite.data.splits import Split
from xlite.evaluation.contamination.contamination import count_source, teacher_caveat
from xlite.evaluation.contamination.sources import Source, distinct, sources_behind, with_lists
from xlite.evaluation.part_judged import PartJudged
from xlite.images import Preprocess
from xlite.models.available import teacher_parts
from xlite.models.info import ModelInfo, ModelNotes
from xlite.models.weights import StartWeights
from xlite.report.caveat_sentences import sentence
from xlite.text import capital, counted
from xlite.training.teachers import Teacher, prediction_files

log = logging.getLogger(__name__)


def log_contamination(config: TrainConfig, folder: NihFolder, split: Split, sources: list[Source]) -> None:
    """Says what its sources know of the films that the student will be judged on."""
    judged = PartJudged(folder, split, "test", split.stems("test"))
    caveat = teacher_caveat(sources, judged, config.teacher_list)
    if caveat is not None:
        log.info(capital(sentence(caveat)))


def teacher_sources(config: TrainConfig, folder: NihFolder, split: Split, teacher: Teacher) -> list[Source]:
    """What the teachers learned from, and what they know of the films that the student is judged on."""
    sources = [Source(list=seen.list, said=f"a teacher has {seen.text}") for seen in teacher.seen]
    sources += [Source(predictions=path.name) for path in prediction_files(config.teacher)]
    sources += [Source(predictions=Path(config.doubts).name)] if config.doubts else []
    for info in teacher.infos:
        sources += sources_behind(info, split, config.train_share)
    listed = with_lists(sources, config.teacher_list, folder)
    return [count_source(source, folder, split, config.teacher_list) for source in listed]


def start_sources(
    config: TrainConfig, folder: NihFolder, split: Split, started: StartWeights
) -> list[Source]:
    """What the model that the student starts from learned from, counted as for a teacher."""
    if started.file is None or started.public:
        return []
    if started.info is None:
        return [Source(weights=started.file.name, start=True)]
    sources = distinct(sources_behind(started.info, split, config.train_share, start=True))
    return [count_source(one, folder, split) for one in sources]


def as_noted(sources: list[Source]) -> tuple[dict[str, Any], ...]:
    """Sources as the notes of a model file keep them."""
    return tuple(source.model_dump() for source in sources)


def _trained_on(folder: NihFolder, stems: list[str]) -> str:
    return f"{counted(len(stems), 'film')} of {counted(len(set(folder.patients(stems))), 'patient')}"


def model_info(
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
            teacher_knows=as_noted(taught),
            loss=config.loss,
            sampler=config.sampler,
            balance=config.balance if FOLDER in folder.table else "",
            seed=config.seed,
            data_fingerprint=folder.fingerprint(),
            xlite=__version__,
        ),
    )
    return info.noting(fold=config.fold) if config.fold else info
