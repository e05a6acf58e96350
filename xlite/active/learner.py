"""What a study asks of whoever learns from some films of a pool: answers for all of it and for the test."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from xlite.active import Strategy
from xlite.active.strategies import Candidates


@dataclass(frozen=True, eq=False)
class Lesson:
    """What was learned: scores (T, 14) of the test films; of the pool probs (P, 14), features (P, C) and
    disagreement (P, 14), None without a committee. What nobody asked for may be empty.
    """

    test: np.ndarray
    probs: np.ndarray
    features: np.ndarray
    disagreement: np.ndarray | None = None

    def candidates(
        self, rest: np.ndarray, labelled: np.ndarray, labels: np.ndarray, patients: np.ndarray
    ) -> Candidates:
        """The films of the rows `rest` of the pool as those that may be labelled, beside the labelled ones.

        labels (P, 14) and patients (P,) of the pool.
        """
        return Candidates(
            self.probs[rest],
            self.features[rest],
            patients[rest],
            labels[labelled],
            self.features[labelled],
            None if self.disagreement is None else self.disagreement[rest],
        )


class Learner(Protocol):
    """Learns anew each time, always from the same start."""

    def learn(self, rows: np.ndarray, seed: int, strategy: Strategy) -> Lesson:
        """Learns from the films of these rows (L,) of the pool, and answers what the strategy has to know."""
        ...
