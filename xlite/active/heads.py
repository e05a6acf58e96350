"""Labels worth in minutes: logistic regressions on a model's features, which no label changes.

A linear probe (Alain and Bengio, 2016): of training whole networks it says only what the last layer would.
"""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from xlite.active import Strategy
from xlite.active.learner import Lesson
from xlite.findings import FINDINGS
from xlite.labels import known, where_known
from xlite.metrics.linear_probe import STRENGTH

AXES, MEMBERS = 128, 5
"""Main axes of the features that are kept; members of the committee, each of resampled films."""


class Heads:
    """Learns from films of the pool: features (P, C) and labels (P, 14), NaN if unknown; test (T, C)."""

    def __init__(self, features: np.ndarray, labels: np.ndarray, test: np.ndarray):
        axes = min(AXES, *features.shape)
        reduce = make_pipeline(StandardScaler(), PCA(axes, random_state=0)).fit(features)
        self._pool, self._test = (reduce.transform(some) for some in (features, test))
        self.features, self.labels = features, labels

    def learn(self, rows: np.ndarray, seed: int, strategy: Strategy) -> Lesson:
        """What the films of these rows teach; the committee is asked only for its own strategy."""
        both = np.concatenate([self._pool, self._test])
        probs = self._probs(rows, both)
        apart = None
        if strategy == "disagreement":
            rng = np.random.default_rng(seed)
            drawn = [rng.choice(rows, len(rows)) for _ in range(MEMBERS)]
            apart = np.std([self._probs(some, self._pool) for some in drawn], axis=0)
        return Lesson(probs[len(self._pool) :], probs[: len(self._pool)], self.features, apart)

    def _probs(self, rows: np.ndarray, films: np.ndarray) -> np.ndarray:
        """Probabilities (N, 14) of films (N, A); of a finding with one kind of label alone, its share."""
        columns = []
        for labels in self.labels[rows].T:
            y, x = where_known(labels, self._pool[rows])
            if len(np.unique(y)) < 2:
                columns.append(np.full(len(films), y.mean() if known(labels).any() else 0.5))
            else:
                fitted = LogisticRegression(C=STRENGTH, max_iter=2000).fit(x, y)
                columns.append(fitted.predict_proba(films)[:, 1])
        assert len(columns) == len(FINDINGS)
        return np.stack(columns, axis=1)
