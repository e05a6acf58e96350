"""Weights against class imbalance, for the loss and for the sampler, and the order of an epoch's films.

The design document's weight_i = N / (C n_i) runs from 0.40 (Infiltration) to 35.3 (Hernia) on NIH's data.
Neither use below is a default: on the full data a public attempt measured weighted BCE together with a
balanced sampler at -0.022 mean AUC against plain BCE, and both make the probabilities of rare findings too
high.

Labels are 0, 1 or NaN; what is not known of a film is neither a positive nor a negative of it.
"""

from collections.abc import Callable

import numpy as np

from xlite.labels import films_known, known, positive


def inverse_frequency(labels: np.ndarray) -> np.ndarray:
    """weight_i = N_i / (C n_i) of labels (N, C): float32 (C,); n_i is at least 1.

    N_i is the number of films whose label of the finding is known, N if all are.
    """
    positives = np.maximum(positive(labels).sum(0), 1)
    weights: np.ndarray = (films_known(labels) / (labels.shape[1] * positives)).astype(np.float32)
    return weights


def positive_weights(labels: np.ndarray) -> np.ndarray:
    """The `pos_weight` of weighted BCE, float32 (C,): it multiplies the loss of a finding's positive films.

    `inverse_frequency`, but never below 1, or positives of common findings would weigh too little.
    """
    weights: np.ndarray = np.maximum(inverse_frequency(labels), np.float32(1))
    return weights


def balanced_sample_weights(labels: np.ndarray, with_unlabelled: bool = False) -> np.ndarray:
    """The weight of each film in a balanced sampler, float64 (N,), mean 1, from labels (N, C).

    A film counts for its rarest finding, or for `No Finding` if none is known, and weighs one over the number
    of films that are known to have it, so a batch holds about as many films of each. The loss takes no weight
    from it. Films without any known label have no weight; with_unlabelled, or if there are no others,
    they count for `No Finding`.
    """
    present = positive(labels)
    told = known(labels).any(axis=1)
    drawn = told | (with_unlabelled or not told.any())
    with_none = np.column_stack([present, ~present.any(1) & drawn])
    rarity = 1 / np.maximum(with_none.sum(0), 1)
    weights: np.ndarray = (with_none * rarity).max(1)
    weights /= weights.mean()
    return weights


def balanced_folder_weights(
    labels: np.ndarray, folders: np.ndarray, of_films: Callable[[np.ndarray], np.ndarray] | None = None
) -> np.ndarray:
    """The weight of each film, float64 (N,), mean 1, by which each folder's films are drawn as often.

    labels (N, C), folders (N,) the name of each film's; of_films weighs the films of one folder by their
    labels, else they are alike.
    """
    weights = np.ones(len(folders))
    for name in np.unique(folders):
        mine = folders == name
        own = np.ones(mine.sum()) if of_films is None else of_films(labels[mine])
        weights[mine] = own / own.sum()
    weights /= weights.mean()
    return weights


def epoch_order(films: int, seed: int, epoch: int, weights: np.ndarray | None = None) -> np.ndarray:
    """The rows of an epoch in order, int64 (films,): shuffled, or drawn with replacement by weights (films,).

    A pure function of its arguments.
    """
    rng = np.random.default_rng((seed, epoch))
    if weights is None:
        return rng.permutation(films)
    return rng.choice(films, size=films, p=weights / weights.sum())
