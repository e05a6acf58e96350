"""Intervals by resampling patients with replacement, never images: films of one patient are alike.

A resample is a column of whole-number weights, how often each patient was drawn. Every metric is then a
function of a few weighted sums, so films are sorted once and a thousand resamples cost some matrix products.
"""

import copy
from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array

from xlite.labels import known, negative, positive, zero_if_unknown
from xlite.metrics.per_finding import ECE_BINS, confusion, ece_bin, known_rates, rates, ratio
from xlite.patients import patient_places, patients_with

RESAMPLES, RESAMPLING_SEED = 1000, 0  # unless a caller asks for others
CHUNK = 250  # resamples at a time: bounds the memory
Steps = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class Resamples:
    """Patients drawn with replacement, once for all metrics of a report: same seed, same draws.

    owner (N,) int: the row of each film's patient; counts (P, R) float32: how often each of P patients was
    drawn, each column summing to P; all 0 for a single patient, whose resamples are all alike, so that no
    metric of theirs is defined. The methods take labels (N, C) 0 or 1, NaN if unknown, and scores (N, C) of
    these films and give float64 (R, C), NaN if undefined: of a finding what they give of the films, by `of`,
    whose label of it is known.
    """

    def __init__(self, patients: np.ndarray, resamples: int = RESAMPLES, seed: int = RESAMPLING_SEED):
        self.owner = patient_places(patients)
        self.resamples, self.seed = resamples, seed
        rng, size = np.random.default_rng(seed), self.patients
        self.counts = np.zeros((size, resamples), dtype=np.float32)
        if size > 1:
            for r in range(resamples):
                self.counts[:, r] = np.bincount(rng.integers(size, size=size), minlength=size)

    @property
    def patients(self) -> int:
        """How many patients the films are of."""
        return len(np.unique(self.owner))

    def of(self, films: np.ndarray) -> "Resamples":
        """The same drawn patients for some of the films, which a mask (N,) or row numbers choose."""
        some = copy.copy(self)
        some.owner = self.owner[films]
        if some.patients == 1:
            some.counts = np.zeros_like(self.counts)
        return some

    def whole(self) -> "Resamples":
        """Each patient once, as the only resample."""
        one = copy.copy(self)
        one.resamples, one.counts = 1, np.ones((len(self.counts), 1), np.float32)
        return one

    def redrawn(self, films: np.ndarray) -> "Resamples":
        """Draws among the patients of these films alone, as many and by the same seed."""
        return Resamples(self.owner[films], self.resamples, self.seed)

    def auc_ap(self, labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(AUC, average precision), ties exact."""
        shape = (self.resamples, labels.shape[1])
        auc, ap = np.empty(shape), np.empty(shape)
        for c, part, walked in self._walks(labels, scores):
            auc[part, c], ap[part, c] = _auc(*walked), _ap(*walked)
        return auc, ap

    def auc(self, labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """The first of `auc_ap`, in less time."""
        auc = np.empty((self.resamples, labels.shape[1]))
        for c, part, walked in self._walks(labels, scores):
            auc[part, c] = _auc(*walked)
        return auc

    def rates(self, labels: np.ndarray, probs: np.ndarray, thresholds: np.ndarray) -> dict[str, np.ndarray]:
        """F1, precision, recall, specificity and accuracy at thresholds (C,), NaN if these are."""
        counts = confusion(self._of_several(labels), probs >= thresholds)
        return known_rates(rates(*map(self._sums, counts)), thresholds)

    def brier(self, labels: np.ndarray, probs: np.ndarray) -> np.ndarray:
        """Brier score."""
        errors = zero_if_unknown((np.asarray(probs, np.float64) - labels) ** 2, labels)
        return ratio(self._sums(errors), self._films(labels))

    def ece(self, labels: np.ndarray, probs: np.ndarray) -> np.ndarray:
        """Expected calibration error."""
        which = ece_bin(probs, ECE_BINS)
        excess = zero_if_unknown(np.asarray(probs, np.float64) - labels, labels)
        columns = [self.bin_sums(which[:, c], excess[:, c]) for c in range(labels.shape[1])]
        return ratio(np.stack([np.abs(one).sum(axis=0) for one in columns], axis=1), self._films(labels))

    def bin_sums(self, which: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Sums of values (N,) in the calibration bin `which` (N,) of each film: (ECE_BINS, R)."""
        bins = csr_array((values, (which, self.owner)), shape=(ECE_BINS, len(self.counts)))
        return np.asarray(bins @ self.counts)

    def chunks(self) -> list[tuple[slice, np.ndarray]]:
        """The counts in slices of CHUNK resamples, each contiguous, as sparse products want them."""
        starts = range(0, self.resamples, CHUNK)
        parts = [slice(start, min(start + CHUNK, self.resamples)) for start in starts]
        return [(part, np.ascontiguousarray(self.counts[:, part])) for part in parts]

    def steps(self, labels: np.ndarray, scores: np.ndarray) -> tuple[csr_array, csr_array]:
        """Films of each patient on each step of the falling score: positives (K, P), negatives (2K + 1, P).

        labels (N,), NaN if unknown, scores (N,). The K steps are the distinct scores of positives. Negatives
        lie above step k (row 2k), tied with it (row 2k + 1), or below them all (row 2K).
        """
        have, lack = positive(labels), negative(labels)
        steps = np.unique(-scores[have])
        row = np.searchsorted(steps, -scores[lack])
        tied = row < len(steps)
        tied[tied] = steps[row[tied]] == -scores[lack][tied]
        own = np.searchsorted(steps, -scores[have])
        return (
            self._placed(own, have, len(steps)),
            self._placed(2 * row + tied, lack, 2 * len(steps) + 1),
        )

    def _placed(self, rows: np.ndarray, films: np.ndarray, height: int) -> csr_array:
        """A matrix (height, P) that counts the chosen films of each patient in their rows."""
        ones = np.ones(len(rows), np.float32)
        return csr_array((ones, (rows, self.owner[films])), shape=(height, len(self.counts)))

    def _walks(
        self, labels: np.ndarray, scores: np.ndarray
    ) -> Iterator[tuple[int, slice, tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]]]:
        """For each finding and slice of resamples: the positives on each step, and `walk` along the steps."""
        drawn, labels = self.chunks(), self._of_several(labels)
        for c in range(labels.shape[1]):
            have, lack = self.steps(labels[:, c], scores[:, c])
            for part, weights in drawn:
                found = have @ weights
                yield c, part, (found, *walk(found, lack @ weights))

    def _of_several(self, labels: np.ndarray) -> np.ndarray:
        """The labels, none of a finding that is known of a single patient: its resamples are all alike."""
        here = known(labels)
        if here.all():
            return labels
        return np.where(patients_with(here, self.owner) == 1, np.nan, labels)

    def _films(self, labels: np.ndarray) -> np.ndarray:
        """How many films of each resample have a known label: (R, C), or (R, 1) if all have; 0 if alike."""
        here = known(self._of_several(labels))
        return self._sums(np.ones((len(labels), 1)) if here.all() else here)

    def _sums(self, values: np.ndarray) -> np.ndarray:
        """Weighted sums of values (N, C) in each resample: (R, C) float64, to float32's precision."""
        sums = np.stack([np.bincount(self.owner, column, minlength=len(self.counts)) for column in values.T])
        return (sums.astype(np.float32) @ self.counts).T.astype(np.float64)


def or_none(value: float) -> float | None:
    """A float as JSON can hold it: None if it is undefined."""
    return None if np.isnan(value) else float(value)


def walk(positive: np.ndarray, negative: np.ndarray) -> Steps:
    """True positives after each step, false ones before and after its ties, each (K, R); negatives (R,).

    float32, which counts films exactly up to 16 million.
    """
    fp = np.cumsum(negative, axis=0)
    return np.cumsum(positive, axis=0), fp[:-1:2], fp[1::2], fp[-1]


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
