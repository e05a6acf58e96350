"""The report of one set of predictions: metrics.json, roc.json and predictions.csv."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xlite.errors import DataError
from xlite.evaluation import bootstrap, metrics
from xlite.evaluation.curves import roc_points
from xlite.evaluation.predictions import write_predictions
from xlite.evaluation.wording import number
from xlite.files import write_atomic
from xlite.findings import FINDINGS

FEW_POSITIVES = 10
PLAIN_THRESHOLD = 0.5
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
    owner, counts = bootstrap.patient_counts(patients, resamples, seed)
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
        "baseline": {
            "always_no_accuracy": float(1 - labels.mean()),
            "accuracy": float(values["accuracy"].mean()),
        },
        "bootstrap": {"unit": "patient", "resamples": resamples, "seed": seed},
        "warnings": [*warnings, *_gaps(labels, values["precision"], len(counts), thresholds is None)],
    }


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
    """`_figures` of each resample, (R, 14); all NaN for one patient, whose resamples are all alike."""
    if len(counts) == 1:
        counts = np.zeros_like(counts)
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
    if name == "ece":
        drawn = bootstrap.recentred(drawn, value)
    low, high = bootstrap.interval(drawn)
    return {"value": _number(value), "low": _number(low), "high": _number(high)}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _finding(
    c: int, labels: np.ndarray, cuts: np.ndarray, values: dict[str, np.ndarray], spread: dict[str, np.ndarray]
) -> dict:
    figures = {name: _figure(values[name][c], spread[name][:, c], name) for name in (*_OBJECTS, *_NUMBERS)}
    return {
        **{name: figures[name] for name in _OBJECTS},
        "positives": int(labels[:, c].sum()),
        "prevalence": float(labels[:, c].mean()),
        "threshold": float(cuts[c]),
        **{name: figures[name]["value"] for name in _NUMBERS},
        "intervals": {name: [figures[name]["low"], figures[name]["high"]] for name in _NUMBERS},
    }


def _gaps(labels: np.ndarray, precision: np.ndarray, patients: int, no_thresholds: bool) -> list[str]:
    """Sentences on what these films cannot tell."""
    positives = dict(zip(FINDINGS, labels.sum(axis=0).astype(int).tolist(), strict=True))
    never = [finding for finding, count in positives.items() if not count]
    always = [finding for finding, count in positives.items() if count == len(labels)]
    uncalled = [finding for finding, value in zip(FINDINGS, precision, strict=True) if np.isnan(value)]
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
        said.append(f"fewer than {FEW_POSITIVES} positives, so hardly known: {', '.join(few)}")
    if patients == 1:
        said.append("all films are of one patient, so there are no intervals")
    return said


def roc_curves(labels: np.ndarray, probs: np.ndarray, report: dict) -> dict:
    """roc.json as a dict: {finding: {"fpr", "tpr", "auc": {"value", …}}}; empty lists where undefined."""
    curves = {}
    for c, finding in enumerate(FINDINGS):
        fpr, tpr = roc_points(labels[:, c], probs[:, c])
        auc = report["per_class"][finding]["auc"]
        curves[finding] = {"fpr": fpr.round(6).tolist(), "tpr": tpr.round(6).tolist(), "auc": auc}
    return curves


def write_report(
    out: Path | str, report: dict, names: list[str], labels: np.ndarray, probs: np.ndarray
) -> None:
    """Writes predictions.csv, roc.json and, last, metrics.json into the folder `out`, each replaced whole.

    Raises DataError where the folder cannot be written.
    """
    out = Path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_predictions(out / "predictions.csv", names, probs)
        _write_json(out / "roc.json", roc_curves(labels, probs, report))
        _write_json(out / "metrics.json", report)
    except OSError as error:
        raise DataError(f"the report cannot be written to {out}: {error.strerror or error}") from error


def _write_json(path: Path, content: dict) -> None:
    write_atomic(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def summary(report: dict) -> str:
    """The report for a terminal: a table of AUC with interval, AP, F1 and positives, then the warnings."""
    lines = [f"{'':<20}{'AUC':>6}  {'95 % interval':<17}{'AP':>6}{'F1':>7}{'positives':>11}"]
    for finding, figures in report["per_class"].items():
        lines.append(
            _line(finding, figures["auc"], figures["ap"]["value"], figures["f1"], figures["positives"])
        )
    mean, split = report["macro"], report["split"]
    lines.append(_line("Mean", mean["auc"], mean["ap"]["value"], mean["f1"]["value"], ""))
    lines.append(
        f"{split['images']} films of {split['patients']} patients, split {split['id']}, "
        f"part {split['part']}, labels {split['label_version']}"
    )
    return "\n".join([*lines, *(f"Warning: {text}" for text in report["warnings"])])


def _line(title: str, auc: dict, ap: float | None, f1: float | None, positives: int | str) -> str:
    value, low, high, precision, rate = (
        number(figure, absent="–") for figure in (auc["value"], auc["low"], auc["high"], ap, f1)
    )
    return f"{title:<20}{value:>6}  {low + ' to ' + high:<17}{precision:>6}{rate:>7}{positives:>11}"
