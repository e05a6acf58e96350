"""The curve that a threshold draws as it falls: counts at each distinct score, and points to draw."""

from typing import NamedTuple

import numpy as np

from xlite.labels import where_known

POINTS = 200


class Counts(NamedTuple):
    """Counts of one finding at each distinct score, from the highest down; called means score >= cut."""

    cuts: np.ndarray  # (K,) float64, falling
    tp: np.ndarray  # (K,) int64
    fp: np.ndarray  # (K,) int64


def counts_by_score(labels: np.ndarray, scores: np.ndarray) -> Counts:
    """True and false positives of one finding at each distinct score.

    labels (N,) 0, 1 or NaN, whose films are left out; scores (N,) any finite numbers; raises ValueError if
    one is NaN.
    """
    labels, scores = where_known(labels, np.asarray(scores, dtype=np.float64))
    if np.isnan(scores).any():
        raise ValueError(f"{int(np.isnan(scores).sum())} of {len(scores)} scores are NaN; expected numbers")
    order = np.argsort(-scores, kind="stable")
    cuts, positive = scores[order], labels[order].astype(bool)
    last = np.flatnonzero(np.append(cuts[1:] != cuts[:-1], True)) if len(cuts) else np.zeros(0, np.int64)
    tp = np.cumsum(positive, dtype=np.int64)[last]
    return Counts(cuts[last], tp, last + 1 - tp)


def roc_points(labels: np.ndarray, scores: np.ndarray, limit: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """The ROC curve of one finding as (fpr, tpr), each (K <= limit,) rising from 0 to 1.

    Empty if the finding is never, or always, positive. A point that is left out lies within
    2 / (limit - 1) of a kept one, measured along the curve.
    """
    curve = counts_by_score(labels, scores)
    if not len(curve.cuts) or not curve.tp[-1] or not curve.fp[-1]:
        return np.zeros(0), np.zeros(0)
    fpr = np.append(0, curve.fp / curve.fp[-1])
    tpr = np.append(0, curve.tp / curve.tp[-1])
    return _thinned(fpr, tpr, fpr + tpr, limit)  # both rise, so this is the length walked right and up


def pr_points(labels: np.ndarray, scores: np.ndarray, limit: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """The precision-recall curve of one finding as (recall rising to 1, precision), each (K <= limit,).

    A point for each score of a positive, as average precision sums them. Empty if a finding is never
    positive. A point that is left out lies within 1 / (limit - 1) of the curve's length of a kept one; this
    counts every rise and fall of the precision, and may be above 2.
    """
    curve = counts_by_score(labels, scores)
    if not len(curve.cuts) or not curve.tp[-1]:
        return np.zeros(0), np.zeros(0)
    rises = np.diff(curve.tp, prepend=0) > 0
    tp, fp = curve.tp[rises], curve.fp[rises]
    recall, precision = tp / tp[-1], tp / (tp + fp)
    along = recall + np.cumsum(np.abs(np.diff(precision, prepend=precision[0])))
    return _thinned(recall, precision, along, limit)


def _thinned(x: np.ndarray, y: np.ndarray, along: np.ndarray, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """At most `limit` of the points, evenly spread over `along` (K,), which rises."""
    if len(x) <= limit:
        return x, y
    keep = np.unique(np.searchsorted(along, np.linspace(along[0], along[-1], limit)))
    return x[keep], y[keep]
