"""How unlike the training films a film is, in the model's own features.

The distance is Mahalanobis' under a normal distribution whose covariance is known along the main axes and is
the same in all other directions (probabilistic PCA: Tipping and Bishop, 1999). Features have heavy tails, so
that it is taken of their square roots, with their signs (Perronnin, Sanchez and Mensink, ECCV 2010). A
model's output does not tell films from other pictures (Lee et al., 2018; for chest films Wollek et al.,
2024); its features do.
"""

import base64
import binascii
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from xlite.guards.verdict import Check

_AXES = 32
LEAST_TRAINING, LEAST_VALIDATION = 200, 100
"""With fewer films the main axes, or the distance that hardly a film exceeds, are not known."""
QUANTILE, SPARE = 0.99, 1.3
"""The limit is the distance that this share of validation films does not exceed, times the second: films of
other hospitals are further away than those of the training's own, and have to pass."""


@dataclass(frozen=True, eq=False)
class _Parts:
    """The numbers of a likeness: mean (C,), variances (K,), rest () in all other directions, axes (K, C)."""

    mean: np.ndarray
    variances: np.ndarray
    rest: float
    axes: np.ndarray


class Likeness(BaseModel):
    """What a model file keeps of its training films' features, of which all numbers are `_rooted`.

    channels: C features of a film; axes: K main axes; values: in base64, little-endian, as float32 the mean
    (C,), the variances along the axes (K,) and the variance in any other direction, as float16 the axes
    (K, C); limit: the `SPARE`-fold distance that a share `quantile` of `films` validation films did not
    exceed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    channels: Annotated[int, Field(ge=1, le=8192)]
    axes: Annotated[int, Field(ge=1, le=256)]
    values: str
    limit: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    quantile: Annotated[float, Field(gt=0, lt=1)]
    films: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        parts = self._parts
        if not all(np.isfinite(part).all() for part in vars(parts).values()):
            raise ValueError("the numbers of a likeness have to be finite")
        if (parts.variances <= 0).any() or parts.rest <= 0:
            raise ValueError("the variances of a likeness have to be above 0")
        return self

    @cached_property
    def _parts(self) -> _Parts:
        try:
            content = base64.b64decode(self.values, validate=True)
        except binascii.Error as error:
            raise ValueError(f"the values of a likeness are not base64 ({error})") from error
        singles = self.channels + self.axes + 1
        if len(content) != 4 * singles + 2 * self.axes * self.channels:
            raise ValueError(f"{len(content)} bytes are not the numbers of a likeness")
        numbers = np.frombuffer(content, "<f4", singles)
        axes = np.frombuffer(content, "<f2", offset=4 * singles).astype(np.float64)
        return _Parts(
            numbers[: self.channels],
            numbers[self.channels : -1],
            float(numbers[-1]),
            axes.reshape(self.axes, self.channels),
        )

    def distance(self, features: np.ndarray) -> np.ndarray:
        """Distances float64 (N,) of pooled features (N, C): about 1 for a training film, more if unlike."""
        parts = self._parts
        away = _rooted(features) - parts.mean
        along = away @ parts.axes.T
        beside = np.clip((away**2).sum(1) - (along**2).sum(1), 0, None)
        distances: np.ndarray = np.sqrt(
            ((along**2 / parts.variances).sum(1) + beside / parts.rest) / self.channels
        )
        return distances

    @property
    def usual(self) -> float:
        """The distance that a share `quantile` of validation films did not exceed."""
        return self.limit / SPARE

    def check(self, features: np.ndarray) -> Check | None:
        """The reason `unlike` for one film's pooled features (C,); None if they are near enough."""
        distance = float(self.distance(features[None])[0])
        return Check("unlike", "distance", distance, self.limit) if distance > self.limit else None


def fit(training: np.ndarray, validation: np.ndarray, quantile: float = QUANTILE) -> Likeness:
    """The likeness of a model from the pooled features (N, C) of its training and validation films.

    Raises ValueError for fewer than LEAST_TRAINING or LEAST_VALIDATION films.
    """
    films, channels = training.shape
    roots = _rooted(training)
    if films < LEAST_TRAINING or len(validation) < LEAST_VALIDATION:
        raise ValueError(
            f"{films} training and {len(validation)} validation films are too few for a likeness, expected "
            f"{LEAST_TRAINING} and {LEAST_VALIDATION}"
        )
    mean = roots.mean(0)
    _, singular, axes = np.linalg.svd(roots - mean, full_matrices=False)
    spread = singular**2 / (films - 1)
    kept = max(1, min(_AXES, (spread > spread[0] * 1e-9).sum() - 1))
    left = max(channels - kept, 1)
    rest = max(spread[kept:].sum() / left, spread[0] * 1e-9, np.finfo(np.float32).tiny)
    numbers = np.concatenate([mean, np.maximum(spread[:kept], rest), [rest]]).astype("<f4")
    values = numbers.tobytes() + axes[:kept].astype("<f2").tobytes()
    made = Likeness(
        channels=channels,
        axes=int(kept),
        values=base64.b64encode(values).decode(),
        limit=1.0,
        quantile=quantile,
        films=len(validation),
    )
    limit = SPARE * float(np.quantile(made.distance(validation), quantile))
    return made.model_copy(update={"limit": limit})


def _rooted(features: np.ndarray) -> np.ndarray:
    """The square roots of features of any shape, with their signs: float64."""
    values = features.astype(np.float64)
    return np.sign(values) * np.sqrt(np.abs(values))
