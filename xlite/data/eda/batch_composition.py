"""What class weights and the balanced sampler do to batches: measured on batches drawn as training does."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from xlite.data.eda.statistics import CLASSES
from xlite.data.imbalance import balanced_sample_weights, epoch_order, inverse_frequency, positive_weights
from xlite.findings import FINDINGS
from xlite.labels import known, positive

DRAWN = 500


@dataclass(frozen=True)
class Batches:
    """`classes`, with a row for each class, and what the balanced sampler makes of one epoch.

    Columns of `classes`: in_batch (mean films of a batch, shuffled), without (share of the batches that have
    none), expected (films of a batch, computed); balanced, balanced_without, balanced_expected (the same for
    the balanced sampler); repeats (how often an epoch of it draws one of the films); weight (N / (C n)),
    pos_weight (of weighted BCE); pull and weighted_pull (positive share of the loss's weight over the
    shuffled batches, plain and weighted). No Finding, films of which no finding is known, has no weight and
    no pull.
    seen: share (0-1) of all films that a balanced epoch draws at least once; most: draws of the film that it
    draws most often.
    """

    size: int
    drawn: int
    classes: pd.DataFrame
    seen: float
    most: int


def measure_batches(labels: np.ndarray, size: int, seed: int, drawn: int = DRAWN) -> Batches:
    """`drawn` batches of `size` films, shuffled and balanced, of labels (N, 14), NaN if unknown.

    If there are fewer films than `size`, a batch is all of them.
    """
    films, size = len(labels), min(size, len(labels))
    have = positive(labels)
    present = np.column_stack([~have.any(axis=1), have])
    weights = balanced_sample_weights(labels)
    rows = draw_batches(films, size, drawn, seed)
    shuffled = present[rows].sum(axis=1)  # (drawn, 15)
    balanced = present[draw_batches(films, size, drawn, seed, weights)].sum(axis=1)
    chance = weights / weights.sum()
    occurring = present.sum(axis=0)
    classes = pd.DataFrame(
        {
            "in_batch": shuffled.mean(axis=0),
            "without": (shuffled == 0).mean(axis=0),
            "expected": size * present.mean(axis=0),
            "balanced": balanced.mean(axis=0),
            "balanced_without": (balanced == 0).mean(axis=0),
            "balanced_expected": size * (chance @ present),
            "repeats": weights @ present / np.where(occurring, occurring, np.nan),
        },
        index=list(CLASSES),
    )
    pull = _pull(labels, shuffled[:, 1:].sum(axis=0), known(labels)[rows].sum(axis=(0, 1)))
    times = np.bincount(epoch_order(films, seed, 1, weights), minlength=films)
    return Batches(size, drawn, classes.join(pull), float((times > 0).mean()), int(times.max()))


def draw_batches(
    films: int, size: int, drawn: int, seed: int, weights: np.ndarray | None = None
) -> np.ndarray:
    """Rows of the first `drawn` batches of a training, epoch after epoch: int64 (drawn, size)."""
    steps = films // size
    epochs = (epoch_order(films, seed, epoch, weights) for epoch in range(1, -(-drawn // steps) + 1))
    return np.concatenate([order[: steps * size].reshape(steps, size) for order in epochs])[:drawn]


def _pull(labels: np.ndarray, positives: np.ndarray, films: np.ndarray) -> pd.DataFrame:
    """The weights of each finding, and the positive share of its loss's weight without and with them.

    positives and films (14,): those drawn that are known to have it, and of which it is known.
    """
    films = np.maximum(films, 1)  # of a finding that is not labelled here nothing is shown
    weight, pos_weight = inverse_frequency(labels), positive_weights(labels)
    weighted = pos_weight * positives
    columns = {
        "weight": weight,
        "pos_weight": pos_weight,
        "pull": positives / films,
        "weighted_pull": weighted / (weighted + films - positives),
    }
    return pd.DataFrame(columns, index=list(FINDINGS))[positive(labels).any(axis=0)].reindex(FINDINGS)
