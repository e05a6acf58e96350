"""What validation films decide, thresholds and calibrators, and what each gives on the films judged."""

from typing import TYPE_CHECKING, get_args

import numpy as np

from xlite.evaluation.films import FilmLogits, Films
from xlite.evaluation.validation_report import (
    CalibrationErrors,
    Expected,
    OperatingPoints,
    PointAtThreshold,
    Rate,
)
from xlite.findings import FINDINGS
from xlite.labels import known, positive, where_known
from xlite.metrics import per_finding as metrics
from xlite.metrics.bootstrap import Resamples, or_none
from xlite.metrics.calibration import METHODS, Calibrator, apply_calibrator, fit_calibrator, in_effect
from xlite.metrics.estimate import Estimate
from xlite.metrics.finding_estimates import (
    PatientCounts,
    finding_estimate,
    fixed_mean,
    fixed_mean_of,
    mean_estimate,
)
from xlite.metrics.thresholds import RULES, Thresholds
from xlite.metrics.validation_record import promised_rates, validation_records

if TYPE_CHECKING:
    from xlite.evaluation.left_out import LeftOut
    from xlite.models.info import ModelInfo

RATES: tuple[Rate, ...] = get_args(Rate)


def fit_info(
    info: "ModelInfo",
    logits: np.ndarray,
    labels: np.ndarray,
    patients: np.ndarray,
    method: str = "platt",
    left_out: "LeftOut | None" = None,
) -> "ModelInfo":
    """The info with the calibrator of that method, or none, and the thresholds of the best F1 after it.

    logits and labels (N, 14) of the validation part, patients (N,); left_out: films that fit the calibrator
    with them. One that leaves every finding as it is, as none has patients enough, is none; a threshold that
    too few patients chose is withheld. The validation films alone choose the thresholds, and what they say of
    both is recorded.
    """
    val = FilmLogits(logits, labels, patients)
    fitting = val if left_out is None else val.beside(left_out.films)
    calibrator = fit_calibrator(fitting.logits, fitting.labels, fitting.patients, method)
    fitted = choose_by(info, calibrator, logits, labels, patients)
    return fitted if left_out is None else fitted.noting(pooled=left_out.note())


def choose_by(
    info: "ModelInfo",
    calibrator: Calibrator | None,
    logits: np.ndarray,
    labels: np.ndarray,
    patients: np.ndarray,
) -> "ModelInfo":
    """The info with a calibrator that is fitted already, and the thresholds of the best F1 after it.

    logits and labels (N, 14), patients (N,): of the validation films, which choose as in `fit_info`.
    """
    calibrator = in_effect(calibrator)
    chosen = Thresholds.choose(labels, apply_calibrator(logits, calibrator), patients)
    fitted = info.model_copy(
        update={
            "calibration": calibrator,
            "thresholds": chosen.by_finding(),
            "thresholds_chosen_on": chosen.chosen_on_by_finding(),
            "notes": info.notes.without_hand(),
        }
    )
    return record_validation(fitted, logits, labels, patients)


def record_validation(
    info: "ModelInfo", logits: np.ndarray, labels: np.ndarray, patients: np.ndarray
) -> "ModelInfo":
    """The info with what the validation films say of its own calibrator and thresholds; these stay.

    logits and labels (N, 14), patients (N,).
    """
    none = dict.fromkeys(FINDINGS)
    thresholds = Thresholds.of(info.thresholds or none, info.thresholds_chosen_on)
    probs = apply_calibrator(logits, info.calibration)
    return info.model_copy(update={"validation": validation_records(labels, probs, patients, thresholds)})


def operating_points(films: Films, validation: Films, resamples: Resamples) -> dict[str, OperatingPoints]:
    """Thresholds by each of RULES, chosen on `validation`, and their rates on `films`, by rule.

    resamples: of `films`.
    """
    return {rule: _points(films, validation, resamples, rule) for rule in RULES}


def _points(films: Films, validation: Films, resamples: Resamples, rule: str) -> OperatingPoints:
    chosen = Thresholds.choose(validation.labels, validation.probs, validation.patients, rule)
    called = (films.probs >= chosen.cuts) & known(films.labels)
    counts = PatientCounts.per_finding(films.labels, called, resamples.owner)
    values = metrics.rates_at(films.labels, films.probs, chosen.cuts)
    drawn = resamples.rates(films.labels, films.probs, chosen.cuts)
    found = {rate: _estimates(rate, values[rate], drawn[rate], counts) for rate in RATES}
    fixed = {rate: fixed_mean(rate, found[rate], drawn[rate], counts) for rate in RATES}
    cuts, chosen_on = chosen.by_finding(), chosen.chosen_on_by_finding() or {}
    return OperatingPoints(
        macro={rate: mean_estimate(values[rate], fixed[rate]) for rate in RATES},
        macro_findings={rate: int(np.sum(~np.isnan(values[rate]))) for rate in RATES},
        macro_fixed=fixed,
        per_class={
            finding: PointAtThreshold(
                threshold=cuts[finding],
                chosen_on=chosen_on[finding],
                called=None if cuts[finding] is None else int(called[:, c].sum()),
                called_patients=None if cuts[finding] is None else counts[c].called,
                expected={} if cuts[finding] is None else _expected(validation, c, chosen.cuts[c]),
                **{rate: found[rate][c] for rate in RATES},
            )
            for c, finding in enumerate(FINDINGS)
        },
    )


def _expected(validation: Films, c: int, cut: float) -> Expected:
    """Sensitivity and specificity of a finding's threshold on validation, with what they will truly be."""
    labels, probs, patients = where_known(
        validation.labels[:, c], validation.probs[:, c], validation.patients
    )
    found = promised_rates(positive(labels), probs >= cut, patients)
    none = Estimate(None)
    return {"recall": found["sensitivity"] or none, "specificity": found["specificity"] or none}


def calibration_errors(films: Films, validation: Films, resamples: Resamples) -> dict[str, CalibrationErrors]:
    """ECE and Brier score on `films` by calibrator: "none" first, then METHODS, fitted on `validation`.

    resamples: of `films`.
    """
    return {method: _errors(films, validation, resamples, method) for method in ("none", *METHODS)}


def _errors(films: Films, validation: Films, resamples: Resamples, method: str) -> CalibrationErrors:
    fitted = fit_calibrator(validation.logits, validation.labels, validation.patients, method)
    labels, probs = films.labels, apply_calibrator(films.logits, fitted)
    nothing_called = np.zeros(probs.shape, bool)
    counts = PatientCounts.per_finding(labels, nothing_called, resamples.owner)
    ece, brier = metrics.ece_per_class(labels, probs), metrics.brier_per_class(labels, probs)
    return CalibrationErrors(
        macro={
            "ece": _mean("ece", ece, resamples.ece(labels, probs), counts),
            "brier": _mean("brier", brier, resamples.brier(labels, probs), counts),
        },
        per_class={
            finding: {"ece": or_none(ece[c]), "brier": or_none(brier[c])}
            for c, finding in enumerate(FINDINGS)
        },
        perfect_ece=float(metrics.macro(metrics.perfect_ece_per_class(probs, labels=labels))),
    )


def _mean(name: str, values: np.ndarray, drawn: np.ndarray, counts: list[PatientCounts]) -> Estimate:
    """The mean of the named metric, from its values (14,) and resamples (R, 14)."""
    return mean_estimate(values, fixed_mean_of(name, values, drawn, counts))


def _estimates(
    name: str, values: np.ndarray, drawn: np.ndarray, counts: list[PatientCounts]
) -> list[Estimate]:
    """The named metric of each finding, from its values (14,) and resamples (R, 14)."""
    return [finding_estimate(name, value, drawn[:, c], counts[c]) for c, value in enumerate(values)]
