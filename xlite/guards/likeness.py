"""How unlike the training films a film is, in the model's own features.

The distance is Mahalanobis' under a normal distribution whose covariance is known along the main axes and is
the same in all other directions (probabilistic PCA: Tipping and Bishop, 1999). A model's output does not tell
films from other pictures (Lee et al., 2018; for chest films Wollek et al., 2024); its features do.
"""

import base64
from functools import cached_property

import numpy as np
from pydantic import Base64Bytes, BaseModel, ConfigDict, model_validator

from xlite.guards.verdict import Check

_AXES = 32
QUANTILE, SPARE = 0.99, 1.25
"""The limit is the distance that this share of validation films does not exceed, times the second: films of
other hospitals are further away than those of the training's own, and have to pass."""


class Likeness(BaseModel):
    """What a model file keeps of its training films' features.

    channels: C features of a film; axes: K main axes; values: float32, little-endian, in base64: the mean
    (C,), the axes (K, C), the variances along them (K,) and the variance in any other direction; limit: the
    `SPARE`-fold distance that a share `quantile` of `films` validation films did not exceed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    channels: int
    axes: int
    values: Base64Bytes
    limit: float
    quantile: float
    films: int

    @model_validator(mode="after")
    def _whole(self) -> "Likeness":
        count = self.channels * (1 + self.axes) + self.axes + 1
        numbers = np.frombuffer(self.values, "<f4") if len(self.values) % 4 == 0 else np.empty(0)
        if len(numbers) != count or self.channels < 1 or self.axes < 1:
            raise ValueError(f"{len(self.values)} bytes are not the {count} numbers of a likeness")
        if not np.isfinite(numbers).all() or (numbers[-self.axes - 1 :] <= 0).any():
            raise ValueError("the variances of a likeness have to be numbers above 0")
        return self

    @cached_property
    def _parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        numbers = np.frombuffer(self.values, "<f4")
        mean, rest = numbers[: self.channels], numbers[self.channels :]
        size = self.axes * self.channels
        return mean, rest[:size].reshape(self.axes, self.channels), rest[size:-1], float(rest[-1])

    def distance(self, features: np.ndarray) -> np.ndarray:
        """Distances float64 (N,) of pooled features (N, C): about 1 for a training film, more if unlike."""
        mean, axes, variances, rest = self._parts
        away = features.astype(np.float64) - mean
        along = away @ axes.T
        beside = np.clip((away**2).sum(1) - (along**2).sum(1), 0, None)
        distances: np.ndarray = np.sqrt(((along**2 / variances).sum(1) + beside / rest) / self.channels)
        return distances

    def check(self, features: np.ndarray) -> Check | None:
        """The reason `unlike` for one film's pooled features (C,); None if they are near enough."""
        distance = float(self.distance(features[None])[0])
        return Check("unlike", "distance", distance, self.limit) if distance > self.limit else None


def fit(training: np.ndarray, validation: np.ndarray, quantile: float = QUANTILE) -> Likeness:
    """The likeness of a model from the pooled features (N, C) of its training and validation films.

    Raises ValueError for fewer than three training films or no validation film.
    """
    films, channels = training.shape
    if films < 3 or not len(validation):
        raise ValueError(
            f"{films} training and {len(validation)} validation films are too few for a likeness"
        )
    mean = training.mean(0, dtype=np.float64)
    _, singular, axes = np.linalg.svd(training - mean, full_matrices=False)
    spread = singular**2 / (films - 1)
    kept = max(1, min(_AXES, (spread > spread[0] * 1e-9).sum() - 1))
    left = max(channels - kept, 1)
    rest = max(spread[kept:].sum() / left, spread[0] * 1e-9, np.finfo(np.float32).tiny)
    numbers = np.concatenate([mean, axes[:kept].ravel(), np.maximum(spread[:kept], rest), [rest]])
    made = Likeness(
        channels=channels,
        axes=int(kept),
        values=base64.b64encode(numbers.astype("<f4").tobytes()),
        limit=0.0,
        quantile=quantile,
        films=len(validation),
    )
    limit = SPARE * float(np.quantile(made.distance(validation), quantile))
    return made.model_copy(update={"limit": limit})
