"""What validation films decide, thresholds and calibrators, and what each gives on the films judged."""

from typing import TYPE_CHECKING, get_args

import numpy as np

from xlite.evaluation.films import Films
from xlite.evaluation.validation_report import CalibrationErrors, OperatingPoints, PointAtThreshold, Rate
from xlite.findings import FINDINGS
from xlite.metrics import per_finding as metrics
from xlite.metrics.bootstrap import Resamples, estimate, or_none, recentred
from xlite.metrics.calibration import METHODS, apply_calibrator, fit_calibrator, in_effect
from xlite.metrics.thresholds import RULES, choose_thresholds

if TYPE_CHECKING:
    from xlite.models.checkpoint import ModelInfo

RATES: tuple[Rate, ...] = get_args(Rate)


def fit_info(info: "ModelInfo", logits: np.ndarray, labels: np.ndarray, method: str = "platt") -> "ModelInfo":
    """The info with the calibrator of that method, or none, and the thresholds of the best F1 after it.

    logits and labels (N, 14) of the validation part. A calibrator that leaves every finding as it is, as none
    has films enough, is none.
    """
    calibrator = in_effect(fit_calibrator(logits, labels, method))
    chosen = choose_thresholds(labels, apply_calibrator(logits, calibrator))
    thresholds = dict(zip(FINDINGS, chosen.tolist(), strict=True))
    return info.model_copy(update={"calibration": calibrator, "thresholds": thresholds})


def operating_points(films: Films, validation: Films, resamples: Resamples) -> dict[str, OperatingPoints]:
    """Thresholds by each of RULES, chosen on `validation`, and their rates on `films`, by rule.

    resamples: of `films`.
    """
    return {rule: _points(films, validation, resamples, rule) for rule in RULES}


def _points(films: Films, validation: Films, resamples: Resamples, rule: str) -> OperatingPoints:
    cuts = choose_thresholds(validation.labels, validation.probs, rule)
    whole = metrics.rates_at(films.labels, films.probs, cuts)
    drawn = resamples.rates(films.labels, films.probs, cuts)
    return OperatingPoints(
        macro={
            rate: estimate(float(metrics.macro(whole[rate])), metrics.macro(drawn[rate])) for rate in RATES
        },
        per_class={
            finding: PointAtThreshold(
                threshold=float(cuts[c]),
                **{rate: estimate(whole[rate][c], drawn[rate][:, c]) for rate in RATES},
            )
            for c, finding in enumerate(FINDINGS)
        },
    )


def calibration_errors(films: Films, validation: Films, resamples: Resamples) -> dict[str, CalibrationErrors]:
    """ECE and Brier score on `films` by calibrator: "none" first, then METHODS, fitted on `validation`.

    resamples: of `films`.
    """
    return {method: _errors(films, validation, resamples, method) for method in ("none", *METHODS)}


def _errors(films: Films, validation: Films, resamples: Resamples, method: str) -> CalibrationErrors:
    fitted = fit_calibrator(validation.logits, validation.labels, method)
    labels, probs = films.labels, apply_calibrator(films.logits, fitted)
    ece, brier = metrics.ece_per_class(labels, probs), metrics.brier_per_class(labels, probs)
    mean_ece, mean_brier = float(metrics.macro(ece)), float(metrics.macro(brier))
    drawn_ece = recentred(metrics.macro(resamples.ece(labels, probs)), mean_ece)
    return CalibrationErrors(
        macro={
            "ece": estimate(mean_ece, drawn_ece),
            "brier": estimate(mean_brier, metrics.macro(resamples.brier(labels, probs))),
        },
        per_class={
            finding: {"ece": or_none(ece[c]), "brier": or_none(brier[c])}
            for c, finding in enumerate(FINDINGS)
        },
    )
