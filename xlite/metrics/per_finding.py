"""Metrics per finding: AUC-ROC, average precision, calibration error, Brier score and rates at thresholds.

labels (N, 14) 0 or 1, NaN if unknown; scores or probabilities (N, 14); results float64 (14,), NaN if
undefined. Each finding is judged by the films whose label of it is known.

AUC and average precision equal scikit-learn's to 1e-12, as the tests check. They are our own because
scikit-learn's take 20 to 40 times as long on a few hundred films, 3 times as long on 22,000, and refuse a
finding that is undefined.
"""

import numpy as np
from numpy.typing import ArrayLike

from xlite.labels import films_known, known, negative, positive, where_known, zero_if_unknown
from xlite.metrics.curves import counts_by_score

ECE_BINS = 15


def ratio(above: ArrayLike, below: ArrayLike) -> np.ndarray:
    """above / below, NaN if below is 0; float64 of their common shape."""
    above, below = np.broadcast_arrays(np.asarray(above, np.float64), np.asarray(below, np.float64))
    quotient = np.full(above.shape, np.nan)
    np.divide(above, below, out=quotient, where=below != 0)
    return quotient


def auc_per_class(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Area under the ROC curve per finding, ties counted half; NaN if all or no labels are positive."""
    return np.array([_auc(y, s) for y, s in zip(labels.T, scores.T, strict=True)], dtype=np.float64)


def _auc(labels: np.ndarray, scores: np.ndarray) -> float:
    curve = counts_by_score(labels, scores)
    if not len(curve.cuts) or not curve.tp[-1] or not curve.fp[-1]:
        return np.nan
    heights = curve.tp + np.append(0, curve.tp[:-1])  # twice each step's mean: whole numbers stay exact
    area = np.sum(np.diff(curve.fp, prepend=0) * heights)
    return float(area / (2 * curve.tp[-1] * curve.fp[-1]))


def cross_auc(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """AUC of each finding (row) by the scores of each other (column), (14, 14); NaN if undefined."""
    if known(labels).all():
        return _cross_auc(labels, scores)
    return np.concatenate([_cross_auc(y[:, None], s) for y, s in (where_known(y, scores) for y in labels.T)])


def _cross_auc(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """`cross_auc` of findings (C,) that are known of all the films: (C, 14)."""
    from scipy.stats import rankdata  # takes nearly a second to import, and few need it

    truth = np.asarray(labels, np.float64)
    positives = truth.sum(axis=0)[:, None]
    ranks = rankdata(scores, axis=0)  # equal scores share the mean of their ranks
    won = truth.T @ ranks - positives * (positives + 1) / 2
    return ratio(won, positives * (len(labels) - positives))


def ap_per_class(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Average precision per finding (no interpolation); NaN if a finding is never positive."""
    return np.array([_ap(y, s) for y, s in zip(labels.T, scores.T, strict=True)], dtype=np.float64)


def _ap(labels: np.ndarray, scores: np.ndarray) -> float:
    curve = counts_by_score(labels, scores)
    if not len(curve.cuts) or not curve.tp[-1]:
        return np.nan
    steps = np.diff(curve.tp, prepend=0)
    return float(np.sum(steps * curve.tp / (curve.tp + curve.fp)) / curve.tp[-1])


def ece_bin(probs: np.ndarray, bins: int = ECE_BINS) -> np.ndarray:
    """The equal-width bin 0 … bins - 1 of each probability 0-1; a lower edge belongs to its bin."""
    edges = np.linspace(0, 1, bins + 1)
    return np.searchsorted(edges[1:-1], probs, side="right")


def ece_per_class(labels: np.ndarray, probs: np.ndarray, bins: int = ECE_BINS) -> np.ndarray:
    """Expected calibration error per finding: the mean |probability - share positive| of the bins."""
    which = ece_bin(probs, bins)
    excess = zero_if_unknown(np.asarray(probs, np.float64) - labels, labels)
    gaps = [np.abs(np.bincount(b, e, minlength=bins)).sum() for b, e in zip(which.T, excess.T, strict=True)]
    return ratio(np.array(gaps), films_known(labels))


def perfect_ece_per_class(
    probs: np.ndarray, bins: int = ECE_BINS, draws: int = 100, labels: np.ndarray | None = None
) -> np.ndarray:
    """The mean calibration error that these probabilities would have on as many films if all were right.

    It is not 0: on few films the share of positives in a bin is off by chance. Labels are drawn by the
    probabilities, one film independent of the others, always with the same seed. labels: only which films are
    known of a finding is taken from them, by default all; NaN of none.
    """
    rng, which = np.random.default_rng(0), ece_bin(probs, bins)
    given = which if labels is None else labels
    columns = (where_known(y, p, b) for y, p, b in zip(given.T, probs.T, which.T, strict=True))
    return np.array([_perfect_ece(rng, p, b, draws) if len(p) else np.nan for _, p, b in columns])


def _perfect_ece(rng: np.random.Generator, probs: np.ndarray, which: np.ndarray, draws: int) -> float:
    order = np.argsort(which, kind="stable")
    starts = np.searchsorted(which[order], np.unique(which))
    p = np.asarray(probs, np.float32)[order]
    gaps = [
        np.abs(np.add.reduceat((rng.random(len(p), np.float32) < p) - p, starts, dtype=np.float64)).sum()
        for _ in range(draws)
    ]
    return float(np.mean(gaps) / len(probs))


def brier_per_class(labels: np.ndarray, probs: np.ndarray) -> np.ndarray:
    """Mean squared distance between probability and label per finding."""
    errors = zero_if_unknown((np.asarray(probs, np.float64) - labels) ** 2, labels)
    return ratio(np.sum(errors, axis=0), films_known(labels))


def rates(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> dict[str, np.ndarray]:
    """F1, precision, recall, specificity and accuracy from counts of any one shape.

    F1 and recall are NaN if nothing is positive, precision if nothing is called, specificity if nothing is
    negative.
    """
    return {
        "f1": np.where(tp + fn > 0, ratio(2 * tp, 2 * tp + fp + fn), np.nan),
        "precision": ratio(tp, tp + fp),
        "recall": ratio(tp, tp + fn),
        "specificity": ratio(tn, tn + fp),
        "accuracy": ratio(tp + tn, tp + fp + fn + tn),
    }


def rates_at(labels: np.ndarray, probs: np.ndarray, thresholds: np.ndarray) -> dict[str, np.ndarray]:
    """`rates` per finding; thresholds (14,), a film is called if its probability >= the threshold.

    NaN if the threshold is: nothing is called by one that is withheld, and that is not a rate of 0.
    """
    return known_rates(rates(*(c.sum(axis=0) for c in confusion(labels, probs >= thresholds))), thresholds)


def confusion(
    labels: np.ndarray, called: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Which films are true and false positives, false and true negatives: four times bool (N, C)."""
    have, lack = positive(labels), negative(labels)
    return have & called, lack & called, have & ~called, lack & ~called


def prevalence(labels: np.ndarray) -> np.ndarray:
    """The share of positive films, float64 (…), of labels (N, …): a mean in float32 is rounded."""
    if known(labels).all():
        return np.asarray(np.mean(labels, axis=0, dtype=np.float64))
    return ratio(positive(labels).sum(axis=0), films_known(labels))


def known_rates(found: dict[str, np.ndarray], thresholds: np.ndarray) -> dict[str, np.ndarray]:
    """The rates (…, 14), NaN if the threshold (14,) is."""
    return {name: np.where(np.isnan(thresholds), np.nan, values) for name, values in found.items()}


def macro(values: np.ndarray) -> np.ndarray:
    """Mean over the findings, the last axis, that have the metric; NaN if none has it."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1))
