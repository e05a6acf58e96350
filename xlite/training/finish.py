"""What a finished run leaves: thresholds and calibrator from val, test report and card, a row in the log."""

import json
import logging
import math
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from xlite.data.dataset import FilmDataset, open_films
from xlite.data.joined import open_data
from xlite.data.predictions import PREDICTIONS_FILE, write_predictions
from xlite.engines.torch_engine import TorchEngine
from xlite.evaluation.contamination.contamination import seen_in_test
from xlite.evaluation.contamination.sources import read_sources
from xlite.evaluation.likeness import measured
from xlite.evaluation.options import JudgeOptions
from xlite.evaluation.read_films import read_logits
from xlite.evaluation.report import Report
from xlite.evaluation.validation import fit_info
from xlite.files import read_whole, write_atomic
from xlite.metrics.calibration import apply_calibrator
from xlite.models.available import MODEL_FILE
from xlite.models.checkpoint import load_model, save_model
from xlite.models.info import ModelInfo
from xlite.models.latency import measure_latency
from xlite.models.student import Student
from xlite.report.card import card_beside
from xlite.report.film_sentences import likeness_sentence
from xlite.report.means import mean_auc
from xlite.report.sentences import calibrator_sentence, clean, thresholds_sentence
from xlite.report.worth import records_sentence
from xlite.report.write import evaluate_model
from xlite.runs.judged import ROW_FILE
from xlite.runs.notes import Notes
from xlite.runs.results import Experiment, append_result
from xlite.runs.run import Run
from xlite.runs.run_files import LEFT_OUT_FILE
from xlite.training.job import Job

log = logging.getLogger(__name__)


def finish(job: Job, run: Run, device: torch.device) -> None:
    """Fits calibrator and thresholds on val, judges the best epoch on test, and logs it in results.csv."""
    path = run.folder / MODEL_FILE
    student, info = load_model(path)
    logits = read_logits(student.to(device), job.val, JudgeOptions().batch_size)
    labels, patients = job.val.labels.numpy(), job.val_patients
    info = fit_info(info, logits, labels, patients).noting(epochs=len(run.read_metrics()))
    engine = TorchEngine(student, info, device)
    info = info.model_copy(update={"likeness": measured(engine, job.train.films, job.val.films)})
    log.info(f"Calibration: {calibrator_sentence(info.calibration, patients)}")
    log.info(f"Thresholds: {thresholds_sentence(info.thresholds_chosen_on or {})}")
    log.info(f"On the validation films: {records_sentence(info.validation or {})}")
    log.info(likeness_sentence(info.likeness))
    if job.left_out:
        _answer_left_out(job, run, student, info)
    save_model(path, student.cpu(), info)
    # Kept for those who choose between runs: a choice by the test films would flatter what it chose.
    out = run.evaluation("val")
    out.mkdir(parents=True, exist_ok=True)
    write_predictions(out / PREDICTIONS_FILE, job.val_names, apply_calibrator(logits, info.calibration))
    report = None if job.unjudged else _judge(job, run, device, logits)
    if report is None:
        log.info(f"The run is not judged: {job.unjudged}")
    else:
        card_beside(path, student, info, report)
        log.info(_sentence(report))
    _log_result(job, run, student, info, report)


def _answer_left_out(job: Job, run: Run, student: Student, info: ModelInfo) -> None:
    """Writes what the model says of the fold that it left out, for those whom it is to teach."""
    folder = open_data(job.config.data)
    apart = replace(job.split, parts={**job.split.parts, "train": folder.names(job.left_out)})
    films, labels, stems = open_films(folder, apart, "train", info.preprocess, job.config.skip_missing)
    films_alone = FilmDataset(films, labels, info.preprocess)
    logits = read_logits(student, films_alone, JudgeOptions().batch_size)
    probabilities = apply_calibrator(logits, info.calibration)
    write_predictions(run.path(LEFT_OUT_FILE), folder.names(stems), probabilities)


def _sentence(report: Report) -> str:
    """The test AUC, and what it is worth if what the student learned from knows test films."""
    over, auc = mean_auc(report)
    text = f"Test AUC {auc}, {over}" + (" with 95 % interval" if auc.low is not None else "")
    contamination = report.contamination
    if contamination is None:
        return text
    if not report.contaminated:
        return f"{text}. {clean(report)}"
    known = f"{contamination.films:,} of the {contamination.of:,} test films"
    return f"{text}, but what it learned from knows {known}. {clean(report)}"


def _judge(job: Job, run: Run, device: torch.device, val_logits: NDArray[np.float32]) -> Report:
    """The report on the test part, which is also written to evaluation/test; val_logits (V, 14)."""
    config = job.config
    options = JudgeOptions(
        device=str(device),
        skip_missing=config.skip_missing,
        val_logits=(job.val_names, val_logits),
        teacher_list=config.teacher_list or None,
    )
    out = run.evaluation("test")
    return evaluate_model(run.folder / MODEL_FILE, config.data, config.split, "test", out, options)


def _log_result(job: Job, run: Run, student: Student, info: ModelInfo, report: Report | None) -> None:
    """Appends the run to the experiment log, once: a run resumed after its end is judged anew, not logged.

    Its own folder keeps the row: another run may have had its name and ended alike.
    """
    kept = run.path(ROW_FILE)
    begun = kept.exists()
    experiment = _kept_row(kept)
    if experiment is None:
        experiment = _experiment(job, run, student, info, report)
        write_atomic(kept, json.dumps(asdict(experiment), indent=1).encode() + b"\n")
    append_result(experiment, _notes(job, info), unless_there=begun)


def _kept_row(path: Path) -> Experiment | None:
    """The row that an earlier end of the run kept; None if there is none, or it is damaged."""
    try:
        return replace(TypeAdapter(Experiment).validate_json(read_whole(path)), notes="")
    except (FileNotFoundError, ValidationError):
        return None


def _notes(job: Job, info: ModelInfo) -> Notes:
    """What the row's notes say of the run."""
    sources = read_sources(info.notes)
    return Notes(
        info.split_id,
        info.label_version,
        job.config.seed,
        job.config.train_share,
        info.notes.teacher or "",
        seen=tuple(seen_in_test([one for one in sources if not one.start], info.split_id)),
        start_seen=tuple(seen_in_test([one for one in sources if one.start], info.split_id)),
        fold=job.config.fold,
    )


def _experiment(job: Job, run: Run, student: Student, info: ModelInfo, report: Report | None) -> Experiment:
    """What results.csv says of the run."""
    config, epochs = job.config, run.read_metrics()
    best = epochs[epochs["epoch"] == info.notes.epoch].iloc[0]
    distilled = bool(config.teacher)
    engine = TorchEngine(student, info, next(student.parameters()).device)
    return Experiment(
        experiment_id=run.name,
        date=date.today().isoformat(),
        model="distilled student" if distilled else "student",
        backbone=config.backbone,
        attention=config.attention,
        kd_temp=config.temperature if distilled else None,
        kd_alpha=config.alpha if distilled else None,
        train_loss=_rounded(best["train_loss"]),
        val_auc=_rounded(best["val_auc"]),
        test_auc=_rounded(report.macro.auc.value) if report else None,
        inference_time_ms=round(measure_latency(engine.logits, config.image_size).p50_ms, 2),
        model_size_mb=round((run.folder / MODEL_FILE).stat().st_size / 1e6, 2),
    )


def _rounded(value: float | None) -> float | None:
    """For the log and JSON: NaN is not a value."""
    return None if value is None or math.isnan(value) else round(float(value), 6)
