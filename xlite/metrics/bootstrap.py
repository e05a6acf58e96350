"""Intervals by resampling patients with replacement, never images: films of one patient are alike.

A resample is a column of whole-number weights, how often each patient was drawn. Every figure is then a
function of a few weighted sums, so films are sorted once and a thousand resamples cost some matrix products.
"""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array

from xlite.metrics.per_finding import ECE_BINS, auc_per_class, ece_bin, macro, rates, ratio

CHUNK = 250  # resamples at a time: bounds the memory


def patient_counts(patients: np.ndarray, resamples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(owner, counts): row of each film's patient (N,) int, and how often each of P patients was drawn.

    patients (N,) any hashable ids; counts (P, resamples) float32 whole numbers, each column summing to P.
    """
    unique, owner = np.unique(patients, return_inverse=True)
    rng, size = np.random.default_rng(seed), len(unique)
    counts = np.empty((size, resamples), dtype=np.float32)
    for r in range(resamples):
        counts[:, r] = np.bincount(rng.integers(size, size=size), minlength=size)
    return owner, counts


def draw_patients(patients: np.ndarray, resamples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """As `patient_counts`, but all 0 where there is one patient: its resamples are all alike, so no figure
    of theirs is defined.
    """
    owner, counts = patient_counts(patients, resamples, seed)
    return owner, counts if len(counts) > 1 else np.zeros_like(counts)


def interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % percentile interval of those resamples (R,) where the figure is defined; NaN where in none."""
    defined = values[~np.isnan(values)]
    if not len(defined):
        return np.nan, np.nan
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high)


def or_none(value: float) -> float | None:
    """A float as JSON can hold it: None where it is undefined."""
    return None if np.isnan(value) else float(value)


def figure(value: float, drawn: np.ndarray) -> dict[str, float | None]:
    """{"value", "low", "high"} of a figure and its resamples (R,), None where undefined."""
    low, high = interval(drawn)
    return {"value": or_none(value), "low": or_none(low), "high": or_none(high)}


def recentred(values: np.ndarray, centre: float) -> np.ndarray:
    """Resamples (R,) of a figure >= 0, moved so that their mean is its value on all films.

    Resampling adds noise of its own, which a calibration error, a sum of distances, counts as more error.
    """
    return np.maximum(values - np.nanmean(values) + centre, 0) if not np.isnan(values).all() else values


def resample_auc_ap(
    labels: np.ndarray, scores: np.ndarray, owner: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(AUC, average precision) of each finding in each resample, both (R, C) float64, ties exact.

    labels and scores (N, C), owner and counts as `patient_counts` gives them; NaN where undefined.
    """
    shape = (counts.shape[1], labels.shape[1])
    auc, ap = np.empty(shape), np.empty(shape)
    for c, part, walked in _walks(labels, scores, owner, counts):
        auc[part, c], ap[part, c] = _auc(*walked), _ap(*walked)
    return auc, ap


def resample_auc(labels: np.ndarray, scores: np.ndarray, owner: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The first of `resample_auc_ap`, in less time."""
    auc = np.empty((counts.shape[1], labels.shape[1]))
    for c, part, walked in _walks(labels, scores, owner, counts):
        auc[part, c] = _auc(*walked)
    return auc


def _walks(
    labels: np.ndarray, scores: np.ndarray, owner: np.ndarray, counts: np.ndarray
) -> Iterator[tuple[int, slice, tuple[np.ndarray, ...]]]:
    """For each finding and slice of resamples: the positives on each step, and `walk` along the steps."""
    drawn = chunks(counts)
    for c in range(labels.shape[1]):
        positive, negative = steps(labels[:, c].astype(bool), scores[:, c], owner, len(counts))
        for part, weights in drawn:
            found = positive @ weights
            yield c, part, (found, *walk(found, negative @ weights))


def chunks(counts: np.ndarray) -> list[tuple[slice, np.ndarray]]:
    """The counts (P, R) in slices of CHUNK resamples, each contiguous, as sparse products want them."""
    starts = range(0, counts.shape[1], CHUNK)
    parts = [slice(start, min(start + CHUNK, counts.shape[1])) for start in starts]
    return [(part, np.ascontiguousarray(counts[:, part])) for part in parts]


def steps(
    positive: np.ndarray, scores: np.ndarray, owner: np.ndarray, patients: int
) -> tuple[csr_array, csr_array]:
    """Films of each patient on each step of the falling score: positives (K, P), negatives (2K + 1, P).

    The K steps are the distinct scores of positives. Negatives lie above step k (row 2k), tied with it
    (row 2k + 1), or below them all (row 2K).
    """
    steps = np.unique(-scores[positive])
    row = np.searchsorted(steps, -scores[~positive])
    tied = row < len(steps)
    tied[tied] = steps[row[tied]] == -scores[~positive][tied]
    rows = (np.searchsorted(steps, -scores[positive]), 2 * row + tied)
    heights = (len(steps), 2 * len(steps) + 1)
    return tuple(
        csr_array((np.ones(len(r), np.float32), (r, owner[films])), shape=(height, patients))
        for r, films, height in zip(rows, (positive, ~positive), heights, strict=True)
    )


def _auc(
    positive: np.ndarray, tp: np.ndarray, above: np.ndarray, within: np.ndarray, negatives: np.ndarray
) -> np.ndarray:
    """Area under the ROC curve of each resample (R,), from what `_walks` yields."""
    won = np.einsum("kr,kr->r", positive, negatives - (above + within) / 2, dtype=np.float64)
    return ratio(won, _last(tp, negatives) * negatives.astype(np.float64))


def _ap(
    positive: np.ndarray, tp: np.ndarray, above: np.ndarray, within: np.ndarray, negatives: np.ndarray
) -> np.ndarray:
    """Average precision of each resample (R,), from what `_walks` yields."""
    hits = np.einsum("kr,kr->r", positive, tp / np.maximum(tp + within, 1), dtype=np.float64)
    return ratio(hits, _last(tp, negatives))


def _last(tp: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    return tp[-1].astype(np.float64) if len(tp) else np.zeros(len(negatives))


def walk(positive: np.ndarray, negative: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """True positives after each step, false ones before and after its ties, each (K, R); negatives (R,).

    float32, which counts films exactly up to 16 million.
    """
    fp = np.cumsum(negative, axis=0)
    return np.cumsum(positive, axis=0), fp[:-1:2], fp[1::2], fp[-1]


def resample_rates(
    labels: np.ndarray, probs: np.ndarray, thresholds: np.ndarray, owner: np.ndarray, counts: np.ndarray
) -> dict[str, np.ndarray]:
    """F1, precision, recall, specificity and accuracy at thresholds (C,), each (R, C) float64."""
    positive, called = labels.astype(bool), probs >= thresholds
    cells = (positive & called, ~positive & called, positive & ~called, ~positive & ~called)
    return rates(*(_by_patient(cell, owner, counts) for cell in cells))


def resample_brier(
    labels: np.ndarray, probs: np.ndarray, owner: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Brier score of each finding in each resample, (R, C) float64."""
    errors = _by_patient((np.asarray(probs, np.float64) - labels) ** 2, owner, counts)
    return ratio(errors, _by_patient(np.ones((len(labels), 1)), owner, counts))


def _by_patient(values: np.ndarray, owner: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Weighted sums of values (N, C) in each resample: (R, C) float64, to float32's precision."""
    sums = np.stack([np.bincount(owner, column, minlength=len(counts)) for column in values.T])
    return (sums.astype(np.float32) @ counts).T.astype(np.float64)


def resample_ece(labels: np.ndarray, probs: np.ndarray, owner: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Expected calibration error of each finding in each resample, (R, C) float64."""
    films = _by_patient(np.ones((len(labels), 1)), owner, counts)
    which, excess = ece_bin(probs, ECE_BINS), np.asarray(probs, np.float64) - labels
    columns = [
        csr_array((excess[:, c], (which[:, c], owner)), shape=(ECE_BINS, len(counts)))
        for c in range(labels.shape[1])
    ]
    return ratio(np.stack([np.abs(column @ counts).sum(axis=0) for column in columns], axis=1), films)


def compare_auc(
    labels: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    patients: np.ndarray,
    resamples: int = 1000,
    seed: int = 0,
) -> dict:
    """Paired test of two models on the same films: macro AUC of the first minus that of the second.

    labels, first and second (N, 14), patients (N,) -> as `paired_difference`; both models are judged on the
    same resamples.
    """
    return paired_difference(
        *(draw_macro_auc(labels, scores, patients, resamples, seed) for scores in (first, second))
    )


def draw_macro_auc(
    labels: np.ndarray, scores: np.ndarray, patients: np.ndarray, resamples: int = 1000, seed: int = 0
) -> tuple[float, np.ndarray]:
    """Macro AUC of scores (N, 14) on all films, and (R,) on resampled patients; same seed, same resamples."""
    owner, counts = patient_counts(patients, resamples, seed)
    whole = float(macro(auc_per_class(labels, scores)))
    return whole, macro(resample_auc_ap(labels, scores, owner, counts)[0])


def paired_difference(first: tuple[float, np.ndarray], second: tuple[float, np.ndarray]) -> dict:
    """The first model less the second, each as `draw_macro_auc` gives it for the same films and seed.

    {"first", "second", "difference": {"value", "low", "high"}, "p", "tie"}; p is two-sided, at least
    2 / (R + 1); a tie is a difference whose interval reaches zero.
    """
    differences = first[1] - second[1]
    low, high = interval(differences)
    tail = min(np.sum(differences <= 0), np.sum(differences >= 0))
    return {
        "first": first[0],
        "second": second[0],
        "difference": {"value": first[0] - second[0], "low": low, "high": high},
        "p": float(min(1, 2 * (tail + 1) / (len(differences) + 1))),
        "tie": not (low > 0 or high < 0),
    }
