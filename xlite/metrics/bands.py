"""Curves to draw, with 95 % bands by resampling patients: ROC, precision-recall and reliability."""

from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from xlite.findings import FINDINGS
from xlite.labels import known, negative, positive
from xlite.metrics.bootstrap import Resamples, walk
from xlite.metrics.curves import pr_points, roc_points
from xlite.metrics.intervals import LEAST, rate_interval
from xlite.metrics.per_finding import ECE_BINS, ece_bin, ratio

GRID = np.linspace(0, 1, 51)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _lists_have_one_length(self) -> Self:
        """A file can say anything, and points are drawn from several lists at once."""
        if len({len(value) for _, value in self if isinstance(value, list)}) > 1:
            raise ValueError("its lists have different lengths")
        return self


class RocBand(_Part):
    """The 95 % interval of the sensitivity at each false positive rate; empty if it is undefined."""

    fpr: list[float]
    low: list[float]
    high: list[float]


class Roc(_Part):
    """A ROC curve, rates 0-1; empty if it is undefined."""

    fpr: list[float]
    tpr: list[float]
    band: RocBand


class PrecisionBand(_Part):
    """The 95 % interval of the precision at each recall; empty if it is undefined."""

    recall: list[float]
    low: list[float]
    high: list[float]


class PrecisionRecall(_Part):
    """A precision-recall curve, rates 0-1; empty if it is undefined."""

    recall: list[float]
    precision: list[float]
    band: PrecisionBand


class Reliability(_Part):
    """The calibration bins that hold films: how many, mean probability, share of positives with interval."""

    films: list[int]
    probability: list[float]
    share: list[float]
    low: list[float | None]
    high: list[float | None]


class FindingCurves(_Part):
    """One finding's curves; `reliability_before` is that before calibration, if there was any."""

    roc: Roc
    pr: PrecisionRecall
    reliability: Reliability
    reliability_before: Reliability | None = None


Curves = dict[str, FindingCurves]


def draw_curves(
    labels: np.ndarray, probs: np.ndarray, resamples: Resamples, raw: np.ndarray | None = None
) -> Curves:
    """The curves of each finding.

    labels, NaN if unknown, and probs (N, 14) of the films of `resamples`; raw (N, 14): probabilities before
    calibration, if there was any. A finding's curves are of the films whose label is known, and empty if none
    is. No bands if fewer than LEAST patients have the finding, or do not.
    """
    curves = {}
    for c, finding in enumerate(FINDINGS):
        here = known(labels[:, c])
        films = slice(None) if here.all() else np.flatnonzero(here)
        y, p, some = labels[films, c], probs[films, c], resamples if here.all() else resamples.of(here)
        before = None if raw is None else _reliability(y, raw[films, c], some)
        curves[finding] = _finding(y, p, some, before)
    return curves


def _finding(
    labels: np.ndarray, probs: np.ndarray, resamples: Resamples, before: Reliability | None
) -> FindingCurves:
    fpr, tpr = map(_rounded, roc_points(labels, probs))
    recall, precision = map(_rounded, pr_points(labels, probs))
    kinds = (positive(labels), negative(labels))
    have, lack = (len(np.unique(resamples.owner[films])) for films in kinds)
    curves, drawn = (resample_curves(labels, probs, one, GRID) for one in (resamples.whole(), resamples))
    patients = have if min(have, lack) >= LEAST else 0
    (roc_x, roc_low, roc_high), (pr_x, pr_low, pr_high) = (
        _band(curve[0], some, patients) for curve, some in zip(curves, drawn, strict=True)
    )
    return FindingCurves(
        roc=Roc(fpr=fpr, tpr=tpr, band=RocBand(fpr=roc_x, low=roc_low, high=roc_high)),
        pr=PrecisionRecall(
            recall=recall, precision=precision, band=PrecisionBand(recall=pr_x, low=pr_low, high=pr_high)
        ),
        reliability=_reliability(labels, probs, resamples),
        reliability_before=before,
    )


def _rounded(values: np.ndarray) -> list[float]:
    return [float(value) for value in values.round(6)]


def _band(
    curve: np.ndarray, drawn: np.ndarray, patients: int
) -> tuple[list[float], list[float], list[float]]:
    """(x, low, high): the interval of a rate at each point of GRID, each of `patients` cases.

    From the curve (G,) and the resamples (R, G) that have one; empty if none has, or there are no patients.
    """
    drawn = drawn[~np.isnan(drawn).any(axis=1)]
    if not len(drawn) or not patients:
        return [], [], []
    found = [rate_interval(value, some, patients) for value, some in zip(curve, drawn.T, strict=True)]
    ends = np.array(found, np.float64).T
    return _rounded(GRID), _rounded(ends[0]), _rounded(ends[1])


def _reliability(labels: np.ndarray, probs: np.ndarray, resamples: Resamples) -> Reliability:
    which = ece_bin(probs)
    films = np.bincount(which, minlength=ECE_BINS)
    filled = np.flatnonzero(films)
    means, shares = (
        ratio(np.bincount(which, weights, minlength=ECE_BINS), films)[filled] for weights in (probs, labels)
    )
    drawn = resample_bins(labels, probs, resamples)[:, filled]
    found = [
        rate_interval(shares[place], drawn[:, place], len(np.unique(resamples.owner[which == bin_])))
        for place, bin_ in enumerate(filled)
    ]
    return Reliability(
        films=films[filled].tolist(),
        probability=_rounded(means),
        share=_rounded(shares),
        low=[ends and round(ends[0], 6) for ends in found],
        high=[ends and round(ends[1], 6) for ends in found],
    )


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
    above_it, between = resamples.steps(labels, scores)
    for part, weights in resamples.chunks():
        walked = walk(above_it @ weights, between @ weights)
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
