"""In which order films are labelled: those first of which a model would learn most, or at random.

*uncertainty*: the mean over the findings of the entropy of the calibrated probability (uncertainty sampling,
Lewis and Gale 1994; Settles, Active Learning Literature Survey, 2009). *disagreement*: the mean over the
findings of the standard deviation of the probabilities of an ensemble's members (query by committee, Seung
et al. 1992; deep ensembles, Beluch et al., CVPR 2018). *diversity*: greedy k-centre, each film the one that
is furthest in the features from all that are labelled or chosen (Sener and Savarese, ICLR 2018). *rarity*:
the expected number of the film's findings, each divided by how many films are known or expected to have it.
*random*: the control.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import entr

from xlite.active import Strategy
from xlite.errors import DataError
from xlite.labels import positive


@dataclass(frozen=True, eq=False)
class Candidates:
    """Films that may be labelled next, and what is known of them and of those that are labelled.

    probs (N, 14) calibrated, features (N, C), patients (N,) ids; disagreement (N, 14), None without an
    ensemble; labels (L, 14) and centres (L, C), the features, of the films that are labelled already and that
    may not be chosen again.
    """

    probs: np.ndarray
    features: np.ndarray
    patients: np.ndarray
    labels: np.ndarray
    centres: np.ndarray
    disagreement: np.ndarray | None = None

    @classmethod
    def unread(cls, patients: np.ndarray) -> "Candidates":
        """Films of these patients (N,), of which nothing is known: for the random strategy alone."""
        nothing = np.empty((len(patients), 0), np.float32)
        return cls(nothing, nothing, patients, nothing[:0], nothing[:0])


class Picked(NamedTuple):
    """Films by rank: their rows (K,) among the candidates and what they were ranked by (K,)."""

    rows: np.ndarray
    scores: np.ndarray


def pick(
    strategy: Strategy, films: Candidates, budget: int, whole_patients: bool = False, seed: int = 0
) -> Picked:
    """At most `budget` films in the order in which they should be labelled.

    whole_patients: films of a patient stand together, ranked by the mean of their scores, and a patient with
    more films than are left of the budget is passed over. Scores are as the module says: bits, a standard
    deviation, a distance, a weighted number of findings, a random number. Raises DataError for disagreement
    without an ensemble.
    """
    groups = films.patients if whole_patients else np.arange(len(films.patients))
    _, owner = np.unique(groups, return_inverse=True)
    if strategy == "diversity":
        return _spread_out(films, owner, budget)
    scores = _scores(strategy, films, owner, seed)
    means = np.bincount(owner, scores) / np.bincount(owner)
    rows: list[int] = []
    for group in np.argsort(-means, kind="stable"):
        if len(rows) == budget:
            break
        own = np.flatnonzero(owner == group)
        if len(rows) + len(own) <= budget:
            rows += own.tolist()
    chosen = np.array(rows, np.int64)
    return Picked(chosen, means[owner[chosen]])


def _scores(strategy: Strategy, films: Candidates, owner: np.ndarray, seed: int) -> np.ndarray:
    """What each film (N,) is ranked by, the highest first; owner (N,) int: of whom each is."""
    match strategy:
        case "uncertainty":
            return np.asarray(entropy(films.probs).mean(axis=1))
        case "disagreement":
            if films.disagreement is None:
                raise DataError(
                    "disagreement is that of an ensemble's members, and this is one model: name several with "
                    "commas, or choose another strategy"
                )
            return np.asarray(films.disagreement.mean(axis=1, dtype=np.float64))
        case "rarity":
            have = positive(films.labels).sum(axis=0) + films.probs.sum(axis=0, dtype=np.float64)
            return np.asarray((films.probs / np.maximum(have, 1e-9)).sum(axis=1))
        case _:
            return np.asarray(np.random.default_rng(seed).random(owner.max(initial=-1) + 1)[owner])


def entropy(probs: np.ndarray) -> np.ndarray:
    """Bits (…), 0-1, that each label of these probabilities (…) would tell."""
    probs = np.asarray(probs, np.float64)
    return np.asarray((entr(probs) + entr(1 - probs)) / np.log(2))


def _spread_out(films: Candidates, owner: np.ndarray, budget: int) -> Picked:
    """Greedy k-centre; without any centre to begin with it is the mean of all films."""
    from sklearn.metrics import pairwise_distances_argmin_min

    features = np.asarray(films.features, np.float64)
    rows: list[int] = []
    scores: list[float] = []
    left, sizes = np.ones(len(features), bool), np.bincount(owner)
    apart = np.zeros(len(features))
    if len(features):
        centres = films.centres if len(films.centres) else features.mean(axis=0, keepdims=True)
        apart = pairwise_distances_argmin_min(features, np.asarray(centres, np.float64))[1]
    while (fits := left & (sizes[owner] <= budget - len(rows))).any():
        row = int(np.argmax(np.where(fits, apart, -1)))
        own = np.flatnonzero(owner == owner[row])
        rows += own.tolist()
        scores += [float(apart[row])] * len(own)
        left[own] = False
        for one in own:
            apart = np.minimum(apart, np.linalg.norm(features - features[one], axis=1))
    return Picked(np.array(rows, np.int64), np.array(scores))
