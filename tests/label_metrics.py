"""What every function of metrics and evaluation that takes labels gives, of one drawn set of films."""

from dataclasses import is_dataclass
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel
from scores import films

from xlite.evaluation.estimates import evaluate_predictions
from xlite.evaluation.films import Films
from xlite.evaluation.radiologists import SHARED, beside_radiologists
from xlite.evaluation.report_base import Stamp
from xlite.evaluation.subgroups import subgroups
from xlite.evaluation.validation import calibration_errors, operating_points
from xlite.export.loss import loss
from xlite.findings import FINDINGS
from xlite.metrics import per_finding as metrics
from xlite.metrics.bands import draw_curves
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.calibration import METHODS, fit_calibrator, logit
from xlite.metrics.calibration_line import calibration_lines
from xlite.metrics.confusion import confusion
from xlite.metrics.finding_estimates import PatientCounts
from xlite.metrics.operating_point import operating_point, too_few
from xlite.metrics.paired import compared_findings, paired_test
from xlite.metrics.thresholds import RULES, Thresholds, choose_thresholds
from xlite.metrics.validation_record import validation_records
from xlite.models.info import ModelInfo
from xlite.patients import fewer_patients
from xlite.sweeps.comparison import judge, optimism

Metrics = dict[str, Any]


def label_metrics(labels: np.ndarray, probs: np.ndarray, patients: np.ndarray, draws: int) -> Metrics:
    """What each function says of labels and probs (N, 14) of patients (N,), as plain values, by its name."""
    resamples, other = Resamples(patients, draws), np.roll(probs, 1, axis=0)
    cuts = Thresholds.choose(labels, probs, patients)
    compared = compared_findings(labels, resamples)
    columns = labels.T if np.isnan(labels).any() else labels.T > 0  # as pages give them if all is known
    ids = patients.astype(str)
    table = pd.DataFrame(labels, columns=list(FINDINGS))
    table = table.assign(patient=ids, stem=[f"film_{row}" for row in range(len(table))])
    judged = Films(table, table["stem"].tolist(), logit(probs), probs)
    validation = Films(table.iloc[::2], table["stem"].tolist()[::2], logit(other[::2]), other[::2])
    groups = {"view": np.where(np.arange(len(labels)) % 3 == 0, "AP", "PA")}
    marks = pd.DataFrame({name: labels[:, c] > 0 for c, name in enumerate((*SHARED, "Fracture"))})
    found: Metrics = {
        "auc": metrics.auc_per_class(labels, probs),
        "cross_auc": metrics.cross_auc(labels, probs),
        "ap": metrics.ap_per_class(labels, probs),
        "ece": metrics.ece_per_class(labels, probs),
        "brier": metrics.brier_per_class(labels, probs),
        "prevalence": metrics.prevalence(labels),
        "rates": metrics.rates_at(labels, probs, cuts.cuts),
        "drawn_auc_ap": resamples.auc_ap(labels, probs),
        "drawn_auc": resamples.auc(labels, probs),
        "drawn_rates": resamples.rates(labels, probs, cuts.cuts),
        "drawn_ece": resamples.ece(labels, probs),
        "drawn_brier": resamples.brier(labels, probs),
        "calibrators": {method: fit_calibrator(logit(probs), labels, patients, method) for method in METHODS},
        "lines": calibration_lines(labels, probs, patients),
        "thresholds": {rule: choose_thresholds(labels, probs, rule) for rule in RULES},
        "chosen": cuts.chosen_on_by_finding(),
        "records": validation_records(labels, probs, patients, cuts),
        "counts": [count._asdict() for count in PatientCounts.per_finding(labels, probs >= 0.5, patients)],
        "fewer": fewer_patients(labels, patients),
        "points": [operating_point(columns[c], probs[:, c], resamples, 0.4) for c in range(14)],
        "too_few": [too_few(columns[c], patients) for c in range(14)],
        "confusion": confusion(labels, probs, cuts.cuts),
        "curves": dict(list(draw_curves(labels, probs, resamples, other).items())[:2]),
        "compared": compared._asdict(),
        "paired": paired_test(labels, probs, other, resamples, compared),
        "metrics": evaluate_predictions(labels, probs, resamples, Stamp("m", "s", "p", "l"), cuts),
        "subgroups": subgroups(labels, probs, groups, resamples),
        "operating_points": operating_points(judged, validation, resamples),
        "errors": calibration_errors(judged, validation, resamples),
        "radiologists": beside_radiologists(judged, marks.set_index(table["stem"]), resamples),
        "loss": loss(_info(cuts), labels, patients, logit(probs), logit(other)),
        "judge": [one._asdict() for one in judge(labels, [probs, other], patients)],
        "optimism": optimism(labels, [probs, other], patients),
    }
    return {name: plain(value) for name, value in found.items()}


def drawn_films(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels and probabilities (n, 14) and patients (n,), always the same."""
    return films(n, seed=3)


def _info(cuts: Thresholds) -> ModelInfo:
    return ModelInfo.model_construct(calibration=None, thresholds=cuts.by_finding())


def plain(value: Any) -> Any:
    """A value as JSON has it, None for NaN."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump(mode="json"))
    if is_dataclass(value) and not isinstance(value, type):
        return plain({name: getattr(value, name) for name in vars(value)})
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and np.isnan(value) else value
