"""Learning curves of several strategies on the same test films: means, gains and films needed.

A curve is of S seeds and K rounds: the AUC (S, K), and (S, K, R) on R resamples of the test films' patients.
A resample of a study draws seeds as well as patients (the pigeonhole bootstrap, Owen, Annals of Applied
Statistics 1 (2007) 386, rather too wide than too narrow), and the same ones for all strategies: what they
have in common goes out of a difference.
"""

from dataclasses import dataclass

import numpy as np

from xlite.metrics.bootstrap import RESAMPLING_SEED
from xlite.metrics.estimate import Estimate
from xlite.metrics.intervals import resampled


@dataclass(frozen=True, eq=False)
class Curve:
    """One strategy: how many films were labelled (S, K), the AUC (S, K) and its resamples (S, K, R)."""

    films: np.ndarray
    auc: np.ndarray
    drawn: np.ndarray

    @property
    def seeds(self) -> int:
        """How often the study was repeated."""
        return len(self.auc)

    @property
    def sizes(self) -> np.ndarray:
        """The mean number of films labelled, float64 (K,)."""
        return np.asarray(self.films.mean(axis=0))

    def mean(self) -> tuple[np.ndarray, np.ndarray]:
        """The mean AUC (K,) over the seeds, and (K, R) over seeds drawn with replacement."""
        resamples = self.drawn.shape[2]
        seeds = np.random.default_rng(RESAMPLING_SEED).integers(self.seeds, size=(self.seeds, resamples))
        drawn = np.mean([self.drawn[row, :, np.arange(resamples)] for row in seeds], axis=0)
        return self.auc.mean(axis=0), drawn.T

    def estimates(self) -> tuple[Estimate, ...]:
        """The mean AUC of each round."""
        return tuple(map(resampled, *self.mean()))

    def gains(self, over: "Curve") -> tuple[Estimate, ...]:
        """The mean AUC of each round less that of another curve, both on the same resamples."""
        (own, drawn), (other, redrawn) = self.mean(), over.mean()
        return tuple(map(resampled, own - other, drawn - redrawn))

    def needed(self, target: float, targets: np.ndarray) -> Estimate:
        """How many films reach an AUC, given on all films and on the resamples (R,)."""
        own, drawn = self.mean()
        value = films_needed(self.sizes, own[:, None], np.array([target]))
        return resampled(value[0], films_needed(self.sizes, drawn, targets))


def films_needed(sizes: np.ndarray, auc: np.ndarray, target: np.ndarray) -> np.ndarray:
    """With how many films a curve first reaches a target (R,), linear between rounds: float64 (R,).

    sizes (K,) of the rounds, auc (K, R). The first size if it is reached there, the last one if it never is:
    so the last one means "so many or more".
    """
    reached = np.maximum.accumulate(auc, axis=0) >= target
    after = np.where(reached.any(axis=0), reached.argmax(axis=0), len(sizes) - 1)
    before, columns = np.maximum(after - 1, 0), np.arange(auc.shape[1])
    low, high = auc[before, columns], auc[after, columns]
    step = np.where(high > low, (target - low) / np.where(high > low, high - low, 1), 1)
    found = sizes[before] + np.clip(step, 0, 1) * (sizes[after] - sizes[before])
    return np.asarray(np.where(reached.any(axis=0), found, sizes[-1]), np.float64)
