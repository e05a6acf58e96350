"""Curves to draw, with 95 % bands by resampling patients: ROC, precision-recall and reliability."""

import numpy as np
from scipy.sparse import csr_array

from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import chunks, draw_patients, interval, or_none, steps, walk
from xlite.metrics.curves import pr_points, roc_points
from xlite.metrics.per_finding import ECE_BINS, ece_bin, ratio

GRID = np.linspace(0, 1, 51)


def draw_curves(
    labels: np.ndarray,
    probs: np.ndarray,
    patients: np.ndarray,
    raw: np.ndarray | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> dict:
    """curves.json as a dict: {finding: {"roc", "pr", "reliability"}}, empty lists where undefined.

    labels and probs (N, 14), patients (N,). roc: fpr, tpr and a band of tpr over fpr; pr: recall, precision
    and a band of precision over recall; reliability: of each calibration bin that holds films their number,
    mean probability and share of positives, with its band; the same of `raw` (N, 14), probabilities before
    calibration, as reliability_before. No bands where all films are of one patient.
    """
    owner, counts = draw_patients(patients, resamples, seed)
    curves = {}
    for c, finding in enumerate(FINDINGS):
        curves[finding] = _finding(labels[:, c], probs[:, c], owner, counts)
        if raw is not None:
            curves[finding]["reliability_before"] = _reliability(labels[:, c], raw[:, c], owner, counts)
    return curves


def _finding(labels: np.ndarray, probs: np.ndarray, owner: np.ndarray, counts: np.ndarray) -> dict:
    tpr, precision = resample_curves(labels, probs, owner, counts, GRID)
    roc, pr = roc_points(labels, probs), pr_points(labels, probs)
    return {
        "roc": {**_line("fpr", "tpr", roc), "band": _band("fpr", tpr, len(roc[0]))},
        "pr": {**_line("recall", "precision", pr), "band": _band("recall", precision, len(pr[0]))},
        "reliability": _reliability(labels, probs, owner, counts),
    }


def _line(x: str, y: str, points: tuple[np.ndarray, np.ndarray]) -> dict[str, list[float]]:
    return {name: values.round(6).tolist() for name, values in zip((x, y), points, strict=True)}


def _band(x: str, drawn: np.ndarray, points: int) -> dict[str, list[float]]:
    """The 95 % percentile interval at each place of GRID over those resamples (R, G) where it is defined."""
    drawn = drawn[~np.isnan(drawn).any(axis=1)]
    if not len(drawn) or not points:
        return {x: [], "low": [], "high": []}
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0).round(6).tolist()
    return {x: GRID.round(6).tolist(), "low": low, "high": high}


def _reliability(labels: np.ndarray, probs: np.ndarray, owner: np.ndarray, counts: np.ndarray) -> dict:
    which = ece_bin(probs)
    films = np.bincount(which, minlength=ECE_BINS)
    filled = np.flatnonzero(films)
    means, shares = (
        ratio(np.bincount(which, weights, minlength=ECE_BINS), films)[filled] for weights in (probs, labels)
    )
    drawn = resample_bins(labels, probs, owner, counts)[:, filled]
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
    labels: np.ndarray, scores: np.ndarray, owner: np.ndarray, counts: np.ndarray, grid: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(sensitivity at each false positive rate, precision at each recall) of one finding, both (R, G).

    labels and scores (N,), grid (G,) of rates 0-1. Between two steps the ROC curve is a straight line; the
    precision is that of the first step that reaches the recall. NaN where a resample has no positive, or for
    the first no negative.
    """
    shape = (counts.shape[1], len(grid))
    tpr, precision = np.full(shape, np.nan), np.full(shape, np.nan)
    positive, negative = steps(labels.astype(bool), scores, owner, len(counts))
    for part, weights in chunks(counts):
        walked = walk(positive @ weights, negative @ weights)
        tp, above, within = (np.ascontiguousarray(column.T) for column in walked[:3])
        for r in range(len(tp)):
            if tp.shape[1] and tp[r, -1]:
                place = part.start + r
                tpr[place] = _roc_at(grid, tp[r], above[r], within[r], walked[3][r])
                step = np.searchsorted(tp[r], grid * tp[r, -1] - 1e-9)
                step = np.maximum(step, np.searchsorted(tp[r], 0, side="right"))  # where something is called
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
    return np.interp(grid * negatives + 1e-9, x, y / tp[-1])


def resample_bins(labels: np.ndarray, probs: np.ndarray, owner: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Share of positives in each calibration bin of one finding, (R, ECE_BINS); labels and probs (N,)."""
    which, shape = ece_bin(probs, ECE_BINS), (ECE_BINS, len(counts))
    positives, films = (
        csr_array((weights, (which, owner)), shape=shape) @ counts
        for weights in (np.asarray(labels, np.float64), np.ones(len(labels)))
    )
    return ratio(positives, films).T
