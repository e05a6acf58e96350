"""Which labels of a finding are probably wrong, by a model that did not learn from the films.

Confident learning (Northcutt, Jiang and Chuang, JAIR 2021) as cleanlab has it, a finding at a time: so do its
multi-label methods, which take no label that is unknown.
"""

from typing import NamedTuple

import numpy as np

from xlite.labels import known


class Doubts(NamedTuple):
    """What is doubtful about the labels of one finding.

    joint: the estimated share of films by their label (rows: no, yes) and by what is right (columns), (2, 2).
    score (N,): the probability 0-1 that the model gives the label, NaN if label or probability is unknown.
    place (N,): the place of each label among those that say the same, the least probable first, from 0;
    infinite without a score. doubtful (N,): whether it is one of the first, as many as are estimated wrong.
    """

    joint: np.ndarray
    score: np.ndarray
    place: np.ndarray
    doubtful: np.ndarray


def doubts(labels: np.ndarray, probs: np.ndarray) -> Doubts:
    """The doubts about labels (N,) of 0 and 1, by out-of-fold probabilities (N,) of 1; NaN is unknown.

    Needs films labelled yes and films labelled no.
    """
    from cleanlab.count import estimate_joint
    from cleanlab.rank import get_label_quality_scores

    score, place = np.full(len(labels), np.nan), np.full(len(labels), np.inf)
    doubtful = np.zeros(len(labels), bool)
    rows = np.flatnonzero(known(labels) & known(probs))
    given, said = labels[rows].astype(np.int64), np.asarray(probs[rows], np.float64)
    both = np.stack([1 - said, said], axis=1)
    joint = np.asarray(estimate_joint(given, both), np.float64)
    score[rows] = get_label_quality_scores(given, both)
    for label in (0, 1):
        alike = rows[given == label]
        alike = alike[np.argsort(score[alike], kind="stable")]
        place[alike] = np.arange(len(alike))
        doubtful[alike[: round(len(rows) * joint[label, 1 - label])]] = True
    return Doubts(joint, score, place, doubtful)
