"""Weights against class imbalance: which one goes into the loss and which one into the sampler.

The design document's weight_i = N / (C n_i) runs from 0.40 (Infiltration) to 35.3 (Hernia) on NIH's data.
Both uses below are options and no default: on the full data a public attempt measured weighted BCE together
with a balanced sampler at -0.022 macro AUC against plain BCE, and both make the probabilities too high for
what is rare.
"""

import numpy as np


def inverse_frequency(labels: np.ndarray) -> np.ndarray:
    """weight_i = N / (C n_i) of labels (N, C) in 0 and 1: float32 (C,). A finding that never occurs counts
    as once.
    """
    films, findings = labels.shape
    return (films / (findings * np.maximum(labels.sum(0), 1))).astype(np.float32)


def positive_weights(labels: np.ndarray) -> np.ndarray:
    """The `pos_weight` of weighted BCE, float32 (C,): it multiplies the loss of the positive films of a
    finding.

    `inverse_frequency`, but never below 1: as it stands it would under-weight the positives of the common
    findings.
    """
    return np.maximum(inverse_frequency(labels), 1).astype(np.float32)


def balanced_sample_weights(labels: np.ndarray) -> np.ndarray:
    """The weight of each film in a WeightedRandomSampler, float64 (N,), mean 1.

    A film counts as its rarest finding, or as `No Finding`, and weighs one over how many films have that: a
    batch then holds about as many films of each. The loss takes no further weight from it.
    """
    with_none = np.column_stack([labels > 0, ~(labels > 0).any(1)])
    rarity = 1 / np.maximum(with_none.sum(0), 1)
    weights = (with_none * rarity).max(1)
    return weights / weights.mean()


def epoch_order(films: int, seed: int, epoch: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Which rows an epoch goes through, int64 (films,): a shuffle, or draws with replacement by weight (N,).

    A pure function of its arguments.
    """
    rng = np.random.default_rng((seed, epoch))
    if weights is None:
        return rng.permutation(films)
    return rng.choice(films, size=films, p=weights / weights.sum())
