"""What validation films decide, thresholds and calibration maps, and what each gives on the films judged."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from xlite.evaluation.films import Films
from xlite.findings import FEW_POSITIVES, FINDINGS
from xlite.metrics import bootstrap
from xlite.metrics import per_finding as metrics
from xlite.metrics.bootstrap import figure, or_none
from xlite.metrics.calibration import METHODS, apply_calibration, fit_calibration, without_map
from xlite.metrics.thresholds import RULES, choose_thresholds

if TYPE_CHECKING:
    from xlite.models.checkpoint import ModelInfo

RATES = ("f1", "precision", "recall", "specificity")


def fit_info(info: "ModelInfo", logits: np.ndarray, labels: np.ndarray, method: str = "platt") -> "ModelInfo":
    """The info with the calibration map of that method, or none, and the thresholds of the best F1 after it.

    logits and labels (N, 14) of the validation part. A map that no finding has films enough for is none.
    """
    calibration = fit_calibration(logits, labels, method)
    if len(without_map(calibration)) == len(FINDINGS):
        calibration = None
    chosen = choose_thresholds(labels, apply_calibration(logits, calibration))
    thresholds = dict(zip(FINDINGS, chosen.tolist(), strict=True))
    return replace(info, calibration=calibration, thresholds=thresholds)


def map_sentence(info: "ModelInfo", labels: np.ndarray) -> str:
    """For how many findings `fit_info` found a map, and the positives of those that it had too few of.

    info as it was returned; labels (N, 14) of the validation part.
    """
    bare = without_map(info.calibration)
    positives = dict(zip(FINDINGS, np.sum(labels > 0, axis=0), strict=True))
    few = f"fewer than {FEW_POSITIVES} positives or negatives among the {len(labels):,} validation films"
    counts = ", ".join(f"{finding} {positives[finding]}" for finding in bare)
    if len(bare) == len(FINDINGS):
        return f"no map could be fitted: every finding has {few} (positives: {counts})"
    fitted = f"{info.calibration['method']} map for {len(FINDINGS) - len(bare)} of {len(FINDINGS)} findings"
    return f"{fitted}; the others have {few} (positives: {counts})" if bare else fitted


def operating_points(films: Films, validation: Films, owner: np.ndarray, counts: np.ndarray) -> dict:
    """Thresholds by each of RULES, chosen on `validation`, and their rates on `films`.

    {rule: {"macro": {rate: {"value", "low", "high"}}, "per_class": {finding: {"threshold", rate: {…}}}}};
    owner and counts as `draw_patients` gives them for `films`.
    """
    labels, found = films.labels, {}
    for rule in RULES:
        cuts = choose_thresholds(validation.labels, validation.probs, rule)
        whole = metrics.rates_at(labels, films.probs, cuts)
        drawn = bootstrap.resample_rates(labels, films.probs, cuts, owner, counts)
        found[rule] = {
            "macro": {
                rate: figure(float(metrics.macro(whole[rate])), metrics.macro(drawn[rate])) for rate in RATES
            },
            "per_class": {
                finding: {
                    "threshold": float(cuts[c]),
                    **{rate: figure(whole[rate][c], drawn[rate][:, c]) for rate in RATES},
                }
                for c, finding in enumerate(FINDINGS)
            },
        }
    return found


def calibration_maps(films: Films, validation: Films, owner: np.ndarray, counts: np.ndarray) -> dict:
    """ECE and Brier score on `films` without a map and after each of METHODS, fitted on `validation`.

    {method: {"macro": {"ece": {"value", "low", "high"}, "brier": …}, "per_class": {finding: {"ece", …}}}}
    with "none" first; owner and counts as `draw_patients` gives them for `films`.
    """
    labels, found = films.labels, {}
    for method in ("none", *METHODS):
        fitted = fit_calibration(validation.logits, validation.labels, method)
        probs = apply_calibration(films.logits, fitted)
        ece, brier = metrics.ece_per_class(labels, probs), metrics.brier_per_class(labels, probs)
        errors = metrics.macro(bootstrap.resample_ece(labels, probs, owner, counts))
        value = float(metrics.macro(ece))
        found[method] = {
            "macro": {
                "ece": figure(value, bootstrap.recentred(errors, value)),
                "brier": figure(
                    float(metrics.macro(brier)),
                    metrics.macro(bootstrap.resample_brier(labels, probs, owner, counts)),
                ),
            },
            "per_class": {
                finding: {"ece": or_none(ece[c]), "brier": or_none(brier[c])}
                for c, finding in enumerate(FINDINGS)
            },
        }
    return found
