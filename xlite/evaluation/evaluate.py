"""A model judged on a part of a data folder's split, and what must be said about it."""

import logging
from dataclasses import replace
from pathlib import Path

from xlite.classify import Classifier
from xlite.data.dataset import open_films
from xlite.data.film_names import stem_of
from xlite.data.folder import NihFolder
from xlite.data.joined import doubtful_patients, open_data
from xlite.data.split_files import load_split
from xlite.data.splits import Split
from xlite.errors import CheckpointError, DataError
from xlite.evaluation.contamination.caveats import (
    AdaptedOn,
    Caveat,
    ChosenThresholds,
    FlatFilms,
    MissingFilms,
)
from xlite.evaluation.contamination.contamination import model_teacher_caveat
from xlite.evaluation.contamination.own_training import is_whole, own_split, split_caveats, training_caveats
from xlite.evaluation.contamination.sources import takes_lists
from xlite.evaluation.elsewhere.elsewhere import beside_own_test
from xlite.evaluation.elsewhere.own_test import own_films
from xlite.evaluation.films import Films
from xlite.evaluation.full_report import Beside, InUse, Judgement, ValidationFilms, full_report
from xlite.evaluation.left_out import read_left_out
from xlite.evaluation.likeness import measured
from xlite.evaluation.localisation.localise import localise_part
from xlite.evaluation.options import KEEP, JudgeOptions
from xlite.evaluation.part_judged import PartJudged, all_films
from xlite.evaluation.radiologists import read_radiologists
from xlite.evaluation.read_films import beside_answers, read_films
from xlite.evaluation.report_base import Stamp
from xlite.evaluation.validation import fit_info, record_validation
from xlite.evaluation.validation_report import Validation
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.calibration import in_effect, uncalibrated
from xlite.metrics.thresholds import Thresholds
from xlite.models.adapted import film_marks
from xlite.models.info import ModelInfo
from xlite.split_names import ALL_FILMS

log = logging.getLogger(__name__)


def judge_model(
    spec: str | Path, data: str | Path, split: str, part: str, options: JudgeOptions
) -> Judgement:
    """Judges a model on one part (train, val, test) of a folder's split, or on all of its films (ALL_FILMS).

    Thresholds and calibrators are compared on the val part of the model's own split. With options.calibration
    the calibrator is fitted there first, or what the model's own says there is recorded, and the judgement's
    classifier has it. A split that shares patients is judged too, with a caveat; films of a folder without
    the model's split beside those of its own test part. Raises CheckpointError or DataError if model, folder,
    split, list or films cannot be read.
    """
    classifier, folder = _open(spec, data, options)
    own_folder = own_films(classifier, folder, options.own_data) if options.own_data else None
    chosen = all_films(folder) if part == ALL_FILMS else load_split(folder, split, allow_leakage=True)
    marks = read_radiologists(options.radiologists) if options.radiologists else None
    validation = _validation(classifier, folder, chosen, part, options)
    if options.calibration is not None:
        method = options.calibration
        classifier, validation = _fitted_here(classifier, folder, validation, method, options)
    films, flat = read_films(classifier, folder, chosen, part, options)
    info, calibrator = classifier.info, in_effect(classifier.info.calibration)
    localised = localise_part(classifier, folder, chosen, part, options.resamples, options.seed)
    resamples = Resamples(films.patients, options.resamples, options.seed)
    names = [one.root.resolve().name for one in folder.parts]
    whole = " and ".join(names) if part == ALL_FILMS else ""
    report = full_report(
        films,
        Stamp(classifier.name, chosen.id, part, folder.label_version, info.notes.seed, whole),
        resamples,
        InUse(
            Thresholds.of(info.thresholds, info.thresholds_chosen_on) if info.thresholds else None,
            calibrator.method if calibrator else "none",
            uncalibrated(calibrator),
        ),
        validation,
        _caveats(info, PartJudged(folder, chosen, part, films.stems), flat, options.teacher_list),
        Beside(marks, localised.report if localised else None, drawn=folder.is_phantom),
    )
    report = report.model_copy(
        update={"elsewhere": beside_own_test(classifier, folder, films, report, own_folder)}
    )
    targets = localised.targets if localised else None
    return Judgement(report, films, resamples, classifier, validation.films, targets=targets)


def _open(spec: str | Path, data: str | Path, options: JudgeOptions) -> tuple[Classifier, NihFolder]:
    """The model and the data folder; an error if the model cannot do what the options ask for."""
    if options.folds and options.calibration in (None, "none", KEEP):
        raise CheckpointError(
            f"{', '.join(options.folds)} would fit a calibrator, and none is fitted: give one by "
            "--calibration, as platt"
        )
    classifier = Classifier.load(spec, options.device, has_maps=False)
    if options.calibration is not None and not classifier.has_weights:
        raise CheckpointError(
            f"{classifier.name} has no weights of its own: calibrate what its export was made from and "
            "export it again, or an ensemble by `xlite ensemble --data`"
        )
    folder = open_data(data)
    if warning := doubtful_patients(folder):
        log.warning("Warning: %s", warning)
    if options.teacher_list is not None and not takes_lists(classifier.info, folder):
        raise DataError(
            f"{classifier.name} had no teacher, so there is nothing that {options.teacher_list} could list"
        )
    return classifier, folder


def _fitted_here(
    classifier: Classifier,
    folder: NihFolder,
    validation: ValidationFilms,
    method: str,
    options: JudgeOptions,
) -> tuple[Classifier, ValidationFilms]:
    """The classifier with calibrator, thresholds and likeness of its own films, and what it says of these.

    DataError if the folder lacks its validation films, or has a part of them only.
    """
    if validation.films is None:
        raise DataError(
            "no calibrator can be fitted and nothing recorded without validation films: give a folder "
            f"that has the val part of {validation.facts.split_id}, the model's own split, and judge "
            "another part"
        )
    if (own := own_split(classifier.info, folder)) and not is_whole(own, classifier.info):
        raise DataError(
            f"the model learned from several data folders, and {folder.root} has a part of its "
            "validation films: give all of them by --data, or fit it to this one by `xlite adapt`"
        )
    info = _fitted(classifier.info, folder, validation.films, method, options)
    classifier = replace(classifier, info=info)
    films = replace(validation.films, probs=classifier.probabilities(validation.films.logits))
    return _with_likeness(classifier, folder), replace(validation, films=films)


def _fitted(
    info: ModelInfo, folder: NihFolder, validation: Films, method: str, options: JudgeOptions
) -> ModelInfo:
    """The info with what validation films say, and the runs' films beside them if there are runs.

    They fit its calibrator and thresholds; with the method KEEP they only say what its own are worth.
    """
    films = validation.logits, validation.labels, validation.patients
    if method == KEEP:
        return record_validation(info, *films)
    left_out = read_left_out(options.folds, info, folder, options) if options.folds else None
    return fit_info(info, *films, method, left_out)


def _with_likeness(classifier: Classifier, folder: NihFolder) -> Classifier:
    """The classifier with what its own training films are like; as it was if too few of them are there."""
    info, own = classifier.info, own_split(classifier.info, folder)
    parts = [stem for stem in own.stems("train") if stem in folder.paths] if own else []
    if own is None or not parts:
        return classifier
    films = (
        open_films(folder, own, part, info.preprocess, skip_missing=True)[0] for part in ("train", "val")
    )
    likeness = measured(classifier.engine, *films)
    info = info.model_copy(update={"likeness": likeness or info.likeness})
    return replace(classifier, info=info)


def _caveats(info: ModelInfo, judged: PartJudged, flat: int, teacher_list: str | Path | None) -> list[Caveat]:
    """What must be said beside metrics on the films judged, `flat` of which have no contrast."""
    films = len(judged.split.parts[judged.part])
    missing = films - len(judged.stems)
    teachers = model_teacher_caveat(info, judged, teacher_list)
    return [
        *([MissingFilms(missing=missing, films=films)] if missing else []),
        *([FlatFilms(flat=flat, films=len(judged.stems))] if flat else []),
        *split_caveats(info, judged),
        *_adapted_on(info, judged),
        *training_caveats(info, judged.folder),
        *([teachers] if teachers else []),
        *_by_hand(info, judged),
    ]


def _adapted_on(info: ModelInfo, judged: PartJudged) -> list[Caveat]:
    """Which of the films judged the model was adapted to."""
    adapted = info.notes.adapted_to
    if adapted is None:
        return []
    marks, stems = set(adapted.film_marks), list(judged.stems)
    pairs = zip(stems, film_marks(judged.folder.fingerprint(), stems), strict=True)
    known = frozenset(stem for stem, mark in pairs if mark in marks)
    return [AdaptedOn(films=len(stems), known=len(known), stems=known, data=adapted.data)] if known else []


def _by_hand(info: ModelInfo, judged: PartJudged) -> list[Caveat]:
    """Which thresholds a person chose, and which of them on the films judged."""
    chosen = info.notes.thresholds_by_hand
    here = [
        finding
        for finding, one in chosen.items()
        if (one.split_id, one.part) == (judged.split.id, judged.part)
    ]
    return [ChosenThresholds(findings=tuple(chosen), here=tuple(here))] if chosen else []


def _validation(
    classifier: Classifier, folder: NihFolder, split: Split, part: str, options: JudgeOptions
) -> ValidationFilms:
    """The validation films of the model's own split, or why there are none."""
    own_id = classifier.info.split_id
    own = split if split.id == own_id else own_split(classifier.info, folder)
    if own is None:
        return ValidationFilms(None, Validation(absent="no_split", split_id=own_id))
    if not own.parts["val"]:
        return ValidationFilms(None, Validation(absent="no_part", split_id=own.id))
    if part == "val":
        return ValidationFilms(None, Validation(absent="same_films", split_id=own.id))
    expected, given = len(own.parts["val"]), options.val_logits
    here = sum(stem in folder.paths for stem in own.stems("val"))
    if given is None and here < expected and not (options.skip_missing and here):
        return ValidationFilms(
            None, Validation(absent="not_here", split_id=own.id, here=here, expected=expected)
        )
    if given is None:
        films, _ = read_films(classifier, folder, own, "val", options)
    else:
        films = beside_answers(classifier, folder, [stem_of(name) for name in given[0]], given[1])
    return ValidationFilms(films, Validation(films=len(films), split_id=own.id))
