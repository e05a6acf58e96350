"""The likeness of a model: how near the films are that it learned from, in its own features."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from xlite.engines.engine import Engine
from xlite.files import Progress
from xlite.guards.likeness import LEAST_TRAINING, LEAST_VALIDATION, Likeness, fit

if TYPE_CHECKING:
    from xlite.data.dataset import FilmRows

FILMS, _BATCH = 1_000, 16
"""So many films of a part at most: more change the main axes by less than one film does."""


def measured(
    engine: Engine, training: "FilmRows | np.ndarray", validation: "FilmRows | np.ndarray"
) -> Likeness | None:
    """The likeness by films uint8 (N, S, S) of the train and the val part; None if they are too few."""
    if len(training) < LEAST_TRAINING or len(validation) < LEAST_VALIDATION:
        return None
    return fit(pooled(engine, training), pooled(engine, validation))


def spread(films: int) -> list[int]:
    """The rows of up to FILMS of so many films, spread over all of them."""
    return [int(row) for row in np.linspace(0, films - 1, min(films, FILMS)).astype(int)]


def pooled(
    engine: Engine,
    films: "FilmRows | np.ndarray",
    rows: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """The pooled features float32 (M, C) of films uint8 (N, S, S): of M rows, else those `spread` over all.

    progress is called with the films read, and all.
    """
    rows = spread(len(films)) if rows is None else rows
    normalize = engine.info.preprocess.normalize
    found = []
    for at in range(0, len(rows), _BATCH):
        batch = films[list(rows[at : at + _BATCH])]
        features = engine.output(np.stack([normalize(film) for film in batch]), None).features
        assert features is not None
        found.append(features)
        if progress:
            progress(at + len(batch), len(rows))
    return np.concatenate(found)
