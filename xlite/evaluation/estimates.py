"""The figures of one set of predictions, each finding's and their means, with intervals."""

from collections.abc import Sequence

import numpy as np

from xlite.errors import DataError
from xlite.findings import FEW_POSITIVES, FINDINGS
from xlite.metrics import bootstrap
from xlite.metrics import per_finding as metrics
from xlite.metrics.bootstrap import or_none
from xlite.metrics.thresholds import PLAIN_THRESHOLD

_OBJECTS = ("auc", "ap")  # these carry their interval in place, the others under "intervals"
_NUMBERS = ("f1", "precision", "recall", "specificity", "ece", "brier")


def evaluate_predictions(
    labels: np.ndarray,
    probs: np.ndarray,
    patients: np.ndarray,
    *,
    split_id: str,
    part: str,
    label_version: str,
    thresholds: np.ndarray | None = None,
    warnings: Sequence[str] = (),
    resamples: int = 1000,
    seed: int = 0,
) -> dict:
    """metrics.json as a dict: each figure per finding and macro, with 95 % intervals by resampling patients.

    labels (N, 14) 0 or 1, probs (N, 14) in 0-1, patients (N,), thresholds (14,), or None for 0.5 with a
    warning. What is undefined is None and named in the warnings. Raises DataError where there are no films.
    """
    if not len(labels):
        raise DataError("there are no films to evaluate; give predictions for at least one film of the table")
    cuts = np.full(len(FINDINGS), PLAIN_THRESHOLD) if thresholds is None else np.asarray(thresholds)
    values = _figures(labels, probs, cuts)
    owner, counts = bootstrap.draw_patients(patients, resamples, seed)
    spread = _resampled(labels, probs, cuts, owner, counts)
    return {
        "split": {
            "id": split_id,
            "part": part,
            "images": len(labels),
            "patients": len(counts),
            "label_version": label_version,
        },
        "macro": {
            name: _figure(float(metrics.macro(values[name])), metrics.macro(spread[name]), name)
            for name in (*_OBJECTS, *_NUMBERS)
        },
        "per_class": {
            finding: _finding(c, labels, cuts, values, spread) for c, finding in enumerate(FINDINGS)
        },
        "macro_findings": {name: int(np.sum(~np.isnan(values[name]))) for name in (*_OBJECTS, *_NUMBERS)},
        "baseline": {
            "always_no_accuracy": float(1 - labels.mean()),
            "accuracy": float(values["accuracy"].mean()),
            "prevalence": float(labels.mean()),
            "always_yes_f1": or_none(float(metrics.macro(always_yes_f1(labels)))),
        },
        "bootstrap": {"unit": "patient", "resamples": resamples, "seed": seed},
        "warnings": [
            *warnings,
            *_gaps(labels, values, len(counts), thresholds is None),
            *_below_chance(labels, values["auc"], spread["auc"]),
        ],
    }


def always_yes_f1(labels: np.ndarray) -> np.ndarray:
    """F1 per finding of calling every film, 2π / (1 + π) at the prevalence π; NaN where never positive."""
    prevalence = labels.mean(axis=0, dtype=np.float64)
    return metrics.ratio(2 * prevalence, np.where(prevalence > 0, 1 + prevalence, 0))


def _figures(labels: np.ndarray, probs: np.ndarray, thresholds: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "auc": metrics.auc_per_class(labels, probs),
        "ap": metrics.ap_per_class(labels, probs),
        "ece": metrics.ece_per_class(labels, probs),
        "brier": metrics.brier_per_class(labels, probs),
        **metrics.rates_at(labels, probs, thresholds),
    }


def _resampled(
    labels: np.ndarray, probs: np.ndarray, thresholds: np.ndarray, owner: np.ndarray, counts: np.ndarray
) -> dict[str, np.ndarray]:
    """`_figures` of each resample, (R, 14)."""
    auc, ap = bootstrap.resample_auc_ap(labels, probs, owner, counts)
    return {
        "auc": auc,
        "ap": ap,
        "ece": bootstrap.resample_ece(labels, probs, owner, counts),
        "brier": bootstrap.resample_brier(labels, probs, owner, counts),
        **bootstrap.resample_rates(labels, probs, thresholds, owner, counts),
    }


def _figure(value: float, drawn: np.ndarray, name: str) -> dict[str, float | None]:
    """{"value", "low", "high"}, None where undefined; drawn (R,) are the figure's resamples."""
    return bootstrap.figure(value, bootstrap.recentred(drawn, value) if name == "ece" else drawn)


def _finding(
    c: int, labels: np.ndarray, cuts: np.ndarray, values: dict[str, np.ndarray], spread: dict[str, np.ndarray]
) -> dict:
    figures = {name: _figure(values[name][c], spread[name][:, c], name) for name in (*_OBJECTS, *_NUMBERS)}
    return {
        **{name: figures[name] for name in _OBJECTS},
        "positives": int(labels[:, c].sum()),
        "few_positives": bool(labels[:, c].sum() < FEW_POSITIVES),
        "prevalence": float(labels[:, c].mean()),
        "always_yes_f1": or_none(always_yes_f1(labels)[c]),
        "always_no_accuracy": float(1 - labels[:, c].mean()),
        "accuracy": float(values["accuracy"][c]),
        "threshold": float(cuts[c]),
        **{name: figures[name]["value"] for name in _NUMBERS},
        "intervals": {name: [figures[name]["low"], figures[name]["high"]] for name in _NUMBERS},
    }


def _gaps(labels: np.ndarray, values: dict[str, np.ndarray], patients: int, no_thresholds: bool) -> list[str]:
    """Sentences on what these films cannot tell."""
    positives = dict(zip(FINDINGS, labels.sum(axis=0).astype(int).tolist(), strict=True))
    never = [finding for finding, count in positives.items() if not count]
    always = [finding for finding, count in positives.items() if count == len(labels)]
    uncalled = [
        finding for finding, value in zip(FINDINGS, values["precision"], strict=True) if np.isnan(value)
    ]
    few = [f"{finding} ({count})" for finding, count in positives.items() if 0 < count < FEW_POSITIVES]
    said = []
    if no_thresholds:
        said.append("no thresholds given; 0.5 used for every finding")
    if never:
        said.append(
            f"never positive, so without AUC, AP and F1 and left out of their means: {', '.join(never)}"
        )
    if always:
        said.append(f"always positive, so without AUC and left out of its mean: {', '.join(always)}")
    if uncalled:
        said.append(
            "never called at its threshold, so without precision and left out of its mean: "
            + ", ".join(uncalled)
        )
    if few:
        said.append(_few(few, values["auc"], labels))
    if patients == 1:
        said.append("all films are of one patient, so there are no intervals")
    return said


def _few(few: list[str], auc: np.ndarray, labels: np.ndarray) -> str:
    text = (
        f"fewer than {FEW_POSITIVES} positives, so hardly known, yet counted in the means: {', '.join(few)}"
    )
    without = float(metrics.macro(auc[labels.sum(axis=0) >= FEW_POSITIVES]))
    return text if np.isnan(without) else f"{text}; without them the mean AUC is {without:.3f}"


def _below_chance(labels: np.ndarray, auc: np.ndarray, drawn: np.ndarray) -> list[str]:
    """Findings whose whole interval lies under 0.5: seldom a bad model, mostly scores turned round."""
    low = [
        f"{finding} ({auc[c]:.3f})"
        for c, finding in enumerate(FINDINGS)
        if labels[:, c].sum() >= FEW_POSITIVES and bootstrap.interval(drawn[:, c])[1] < 0.5
    ]
    return [f"AUC below chance, so the scores may be turned round: {', '.join(low)}"] if low else []
