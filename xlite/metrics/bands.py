"""Curves to draw, with 95 % bands by resampling patients: ROC, precision-recall and reliability."""

from typing import Any

import numpy as np

from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import Resamples, interval, or_none, walk
from xlite.metrics.curves import pr_points, roc_points
from xlite.metrics.per_finding import ECE_BINS, ece_bin, ratio

GRID = np.linspace(0, 1, 51)
Curves = dict[str, dict[str, Any]]


def draw_curves(
    labels: np.ndarray, probs: np.ndarray, resamples: Resamples, raw: np.ndarray | None = None
) -> dict[str, Curves]:
    """curves.json as a dict: {finding: {"roc", "pr", "reliability"}}, empty lists if they are undefined.

    labels and probs (N, 14) of the films of `resamples`. roc: fpr, tpr and a band of tpr over fpr; pr:
    recall, precision and a band of precision over recall; reliability: of each calibration bin that holds
    films their number, mean probability and share of positives, with its band; reliability_before: the same
    of `raw` (N, 14), probabilities before calibration. No bands if all films are of one patient.
    """
    curves = {}
    for c, finding in enumerate(FINDINGS):
        curves[finding] = _finding(labels[:, c], probs[:, c], resamples)
        if raw is not None:
            curves[finding]["reliability_before"] = _reliability(labels[:, c], raw[:, c], resamples)
    return curves


def _finding(labels: np.ndarray, probs: np.ndarray, resamples: Resamples) -> Curves:
    tpr, precision = resample_curves(labels, probs, resamples, GRID)
    roc, pr = roc_points(labels, probs), pr_points(labels, probs)
    return {
        "roc": {**_line("fpr", "tpr", roc), "band": _band("fpr", tpr, len(roc[0]))},
        "pr": {**_line("recall", "precision", pr), "band": _band("recall", precision, len(pr[0]))},
        "reliability": _reliability(labels, probs, resamples),
    }


def _line(x: str, y: str, points: tuple[np.ndarray, np.ndarray]) -> dict[str, list[float]]:
    return {name: values.round(6).tolist() for name, values in zip((x, y), points, strict=True)}


def _band(x: str, drawn: np.ndarray, points: int) -> dict[str, list[float]]:
    """The 95 % percentile interval at each point of GRID over the resamples (R, G) that have a curve."""
    drawn = drawn[~np.isnan(drawn).any(axis=1)]
    if not len(drawn) or not points:
        return {x: [], "low": [], "high": []}
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0).round(6).tolist()
    return {x: GRID.round(6).tolist(), "low": low, "high": high}


def _reliability(labels: np.ndarray, probs: np.ndarray, resamples: Resamples) -> dict[str, Any]:
    which = ece_bin(probs)
    films = np.bincount(which, minlength=ECE_BINS)
    filled = np.flatnonzero(films)
    means, shares = (
        ratio(np.bincount(which, weights, minlength=ECE_BINS), films)[filled] for weights in (probs, labels)
    )
    drawn = resample_bins(labels, probs, resamples)[:, filled]
    low, high = (
        [or_none(round(end, 6)) for end in ends] for ends in zip(*map(interval, drawn.T), strict=True)
    )
    return {
        "films": films[filled].tolist(),
        "probability": means.round(6).tolist(),
        "share": shares.round(6).tolist(),
        "low": low,
        "high": high,
    }


def resample_curves(
    labels: np.ndarray, scores: np.ndarray, resamples: Resamples, grid: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(sensitivity at each false positive rate, precision at each recall) of one finding, both (R, G).

    labels and scores (N,), grid (G,) of rates 0-1. Between two steps the ROC curve is a straight line; the
    precision is that of the first step that reaches the recall. NaN if a resample has no positive, or for the
    first no negative.
    """
    shape = (resamples.resamples, len(grid))
    tpr, precision = np.full(shape, np.nan), np.full(shape, np.nan)
    positive, negative = resamples.steps(labels.astype(bool), scores)
    for part, weights in resamples.chunks():
        walked = walk(positive @ weights, negative @ weights)
        tp, above, within = (np.ascontiguousarray(column.T) for column in walked[:3])
        for r in range(len(tp)):
            if tp.shape[1] and tp[r, -1]:
                place = part.start + r
                tpr[place] = _roc_at(grid, tp[r], above[r], within[r], walked[3][r])
                step = np.searchsorted(tp[r], grid * tp[r, -1] - 1e-9)
                step = np.maximum(step, np.searchsorted(tp[r], 0, side="right"))  # something is called
                precision[place] = tp[r, step] / (tp[r, step] + within[r, step])
    return tpr, precision


def _roc_at(
    grid: np.ndarray, tp: np.ndarray, above: np.ndarray, within: np.ndarray, negatives: float
) -> np.ndarray | float:
    if not negatives:
        return np.nan
    # Up and right across a step's ties, then flat to where the next step begins.
    x = np.append(np.stack([above, within], axis=1).ravel(), negatives)
    y = np.append(0, np.repeat(tp, 2))
    return np.asarray(np.interp(grid * negatives + 1e-9, x, y / tp[-1]))


def resample_bins(labels: np.ndarray, probs: np.ndarray, resamples: Resamples) -> np.ndarray:
    """Share of positives in each calibration bin of one finding, (R, ECE_BINS); labels and probs (N,)."""
    which = ece_bin(probs)
    positives = resamples.bin_sums(which, np.asarray(labels, np.float64))
    return ratio(positives, resamples.bin_sums(which, np.ones(len(labels)))).T
