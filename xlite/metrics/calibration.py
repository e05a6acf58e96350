"""Calibrators, from logits to probabilities: fitted on validation and kept in the model file.

Platt scaling, sigmoid(scale * logit + bias) per finding (Platt 1999); temperature scaling, sigmoid(logit / T)
with one T for all (Guo et al., ICML 2017); isotonic regression per finding (Zadrozny & Elkan, KDD 2002).
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy import special
from scipy.special import expit

from xlite.errors import CheckpointError
from xlite.findings import FEW_POSITIVES, FINDINGS
from xlite.labels import where_known
from xlite.patients import fewer_patients

METHODS = ("temperature", "platt", "isotonic")
MIN_SCALE = 0.01
# No fit reaches these; a calibrator beyond them answers the same for every film, or nothing.
LEAST_SCALE, MOST = 1e-3, 1e6
PULL = 1.0  # strength of the pull towards the identity, in units of a film's log loss

Numbers = tuple[float, ...]


class _Fitted(BaseModel, ABC):
    """What all calibrators share: they are frozen, and checked, as a model file can say anything."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _check(cls, content: Any) -> Any:
        if not isinstance(content, Mapping):
            return content
        if {*content, "method"} != cls.model_fields.keys():
            method = cls.model_fields["method"].default
            raise ValueError(
                f"calibration {method!r} has {', '.join(sorted(content))}, expected "
                f"{', '.join(sorted(cls.model_fields))}"
            )
        cls._check_values(content)
        return content

    @classmethod
    @abstractmethod
    def _check_values(cls, content: Mapping[str, Any]) -> None:
        """Raises ValueError for values that no calibrator of this kind works with."""


class Platt(_Fitted):
    """sigmoid(scale * logit + bias), 14 scales > 0 and 14 biases; 1 and 0 leave a finding as it is."""

    method: Literal["platt"] = "platt"
    scale: Numbers
    bias: Numbers

    @classmethod
    def _check_values(cls, content: Mapping[str, Any]) -> None:
        _check_numbers("calibration's scale", content["scale"], len(FINDINGS), positive=True)
        _check_numbers("calibration's bias", content["bias"], len(FINDINGS))

    def apply(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities float64 of logits float64 (…, 14)."""
        return np.asarray(expit(logits * np.asarray(self.scale) + np.asarray(self.bias)))

    def uncalibrated(self) -> list[str]:
        """The findings left to the plain sigmoid; a fit is never the identity to the last bit."""
        lines = zip(FINDINGS, self.scale, self.bias, strict=True)
        return [finding for finding, scale, bias in lines if (scale, bias) == (1, 0)]


class Temperature(_Fitted):
    """sigmoid(logit / temperature), one temperature > 0 for all findings; 1 leaves them as they are."""

    method: Literal["temperature"] = "temperature"
    temperature: float

    @classmethod
    def _check_values(cls, content: Mapping[str, Any]) -> None:
        _check_numbers("calibration's temperature", [content["temperature"]], 1, positive=True)

    def apply(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities float64 of logits float64 (…, 14)."""
        return np.asarray(expit(logits / self.temperature))

    def uncalibrated(self) -> list[str]:
        """The findings left to the plain sigmoid: all or none."""
        return list(FINDINGS) if self.temperature == 1 else []


class Isotonic(_Fitted):
    """Rising steps: of each finding its knots, and their probabilities; none for the plain sigmoid.

    Between the knots probabilities lie on a straight line, outside them they are level: this makes ties.
    """

    method: Literal["isotonic"] = "isotonic"
    logits: tuple[Numbers, ...]
    probabilities: tuple[Numbers, ...]

    @classmethod
    def _check_values(cls, content: Mapping[str, Any]) -> None:
        _check_steps(content["logits"], content["probabilities"])

    def apply(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities float64 of logits float64 (…, 14)."""
        columns = [
            np.interp(logits[..., c], knots, heights) if knots else expit(logits[..., c])
            for c, (knots, heights) in enumerate(zip(self.logits, self.probabilities, strict=True))
        ]
        return np.stack(columns, axis=-1)

    def uncalibrated(self) -> list[str]:
        """The findings left to the plain sigmoid."""
        return [finding for finding, knots in zip(FINDINGS, self.logits, strict=True) if not knots]


Calibrator = Annotated[Platt | Temperature | Isotonic, Field(discriminator="method")]


def logit(probs: np.ndarray) -> np.ndarray:
    """log(p / (1 - p)) of probabilities 0-1, kept finite; float64 of the same shape."""
    return np.asarray(special.logit(np.clip(np.asarray(probs, np.float64), 1e-12, 1 - 1e-12)))


def fit_calibrator(
    logits: np.ndarray, labels: np.ndarray, patients: np.ndarray, method: str = "platt"
) -> Calibrator | None:
    """The calibrator by one of METHODS, or "none", from the validation part.

    logits and labels (N, 14), NaN if unknown, patients (N,): each finding is fitted to the films whose label
    is known. Raises CheckpointError for another method.
    """
    fits: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], Calibrator | None]] = {
        "none": lambda *_: None,
        "temperature": fit_temperature,
        "platt": fit_platt,
        "isotonic": fit_isotonic,
    }
    if method not in fits:
        raise CheckpointError(f"calibrator {method!r} is not known; expected one of {', '.join(fits)}")
    return fits[method](logits, labels, patients)


def fit_platt(logits: np.ndarray, labels: np.ndarray, patients: np.ndarray) -> Platt:
    """Scale and bias per finding that make sigmoid(scale * logit + bias) a probability.

    logits and labels (N, 14) of the validation part, patients (N,). The identity if fewer than FEW_POSITIVES
    patients have a finding, or lack it.
    """
    columns = zip(np.asarray(logits, np.float64).T, labels.T, _few(labels, patients), strict=True)
    lines = [(1.0, 0.0) if few else fit_line(x, y) for x, y, few in columns]
    return Platt(scale=tuple(scale for scale, _ in lines), bias=tuple(bias for _, bias in lines))


def fit_temperature(logits: np.ndarray, labels: np.ndarray, patients: np.ndarray) -> Temperature:
    """The temperature of the least log loss over all findings; logits and labels (N, 14), patients (N,).

    The same pull and least scale as Platt's keep 1 / T finite and above 0. T is 1 if fewer than FEW_POSITIVES
    patients have any finding, or lack any.
    """
    x, y = np.asarray(logits, np.float64).ravel(), np.asarray(labels, np.float64).ravel()
    if _few(y[:, None], np.repeat(patients, labels.shape[1]))[0]:
        return Temperature(temperature=1.0)
    y, x = where_known(y, x)
    scale, _ = _newton(x, y, np.array([1.0, 0.0]), free=np.array([True, False]))
    return Temperature(temperature=float(1 / max(scale, MIN_SCALE)))


def fit_isotonic(logits: np.ndarray, labels: np.ndarray, patients: np.ndarray) -> Isotonic:
    """The best rising steps per finding; logits and labels (N, 14), patients (N,).

    No knots if fewer than FEW_POSITIVES patients have a finding, or lack it.
    """
    columns = zip(np.asarray(logits, np.float64).T, labels.T, _few(labels, patients), strict=True)
    knots = [((), ()) if few else _knots(x, y) for x, y, few in columns]
    return Isotonic(logits=tuple(x for x, _ in knots), probabilities=tuple(y for _, y in knots))


def uncalibrated(calibrator: Calibrator | None) -> list[str]:
    """The findings that a calibrator leaves to the plain sigmoid: all without one."""
    return list(FINDINGS) if calibrator is None else calibrator.uncalibrated()


def in_effect(calibrator: Calibrator | None) -> Calibrator | None:
    """The calibrator; None if it leaves every finding to the plain sigmoid."""
    return None if len(uncalibrated(calibrator)) == len(FINDINGS) else calibrator


def apply_calibrator(logits: np.ndarray, calibrator: Calibrator | None) -> np.ndarray:
    """Probabilities float32 in 0-1 of logits (…, 14); without a calibrator by the plain sigmoid."""
    logits = np.asarray(logits, dtype=np.float64)
    probs = expit(logits) if calibrator is None else calibrator.apply(logits)
    return np.asarray(probs, dtype=np.float32)


def _check_steps(logits: Any, probabilities: Any) -> None:
    """Raises ValueError unless these are 14 lists of rising knots and 14 of rising probabilities."""
    for name, lists in (("logits", logits), ("probabilities", probabilities)):
        if not isinstance(lists, list | tuple) or len(lists) != len(FINDINGS):
            raise ValueError(f"calibration's {name} are {lists!r:.80}, expected 14 lists")
    for x, y in zip(logits, probabilities, strict=True):
        _check_numbers("calibration's logits", x, len(y) if isinstance(y, list | tuple) else 0)
        _check_numbers("calibration's probabilities", y, len(x))
        if any(after <= before for before, after in pairwise(x)):
            raise ValueError(f"calibration's logits are {x!r:.80}, expected rising numbers")
        if y and (any(after < before for before, after in pairwise(y)) or y[0] < 0 or y[-1] > 1):
            raise ValueError(f"calibration's probabilities are {y!r:.80}, expected rising ones in 0 to 1")


def _check_numbers(name: str, values: Any, count: int, positive: bool = False) -> None:
    kind = "finite numbers above 0" if positive else "finite numbers"
    fits = isinstance(values, list | tuple) and len(values) == count and all(map(_is_number, values))
    if not fits or (positive and min(values) <= 0):
        raise ValueError(f"{name} is {values!r:.80}, expected {count} {kind}")
    if any(abs(value) > MOST for value in values) or (positive and min(values) < LEAST_SCALE):
        least = f"from {LEAST_SCALE:g}" if positive else f"from -{MOST:g}"
        raise ValueError(f"{name} is {values!r:.80}, expected {count} numbers {least} to {MOST:g}")


def _is_number(value: Any) -> bool:
    """Whether it is a finite number that a float can hold: JSON has NaN, and whole numbers of any length."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) <= sys.float_info.max


def _knots(x: np.ndarray, y: np.ndarray) -> tuple[Numbers, Numbers]:
    """Both ends of each level of the isotonic regression of y over x."""
    from scipy.optimize import isotonic_regression

    y, x = where_known(y, x)
    seen, place, films = np.unique(x, return_inverse=True, return_counts=True)
    fitted = isotonic_regression(np.bincount(place, y) / films, weights=films).x.clip(0, 1)
    steps = np.diff(fitted) > 0
    ends = np.append(True, steps) | np.append(steps, True)
    return tuple(seen[ends].tolist()), tuple(fitted[ends].tolist())


def _few(labels: np.ndarray, patients: np.ndarray) -> np.ndarray:
    """bool (C,): whether too few of the patients (N,) have a finding, or lack it, by labels (N, C)."""
    return np.asarray(fewer_patients(labels, patients) < FEW_POSITIVES)


def fit_intercept(x: np.ndarray, y: np.ndarray) -> float:
    """The bias of sigmoid(logit + bias) that fits labels y (N,) best, by logits x (N,)."""
    return float(_newton(x, y, np.array([1.0, 0.0]), free=np.array([False, True]))[1])


def fit_line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Scale and bias of sigmoid(scale * logit + bias) that fit labels y (N,) best, by logits x (N,)."""
    y, x = where_known(y, x)
    scale, bias = _newton(x, y, np.array([1.0, 0.0]), free=np.array([True, True]))
    if scale < MIN_SCALE:  # scores no better than chance: keep their order, let the bias carry the prevalence
        scale, bias = _newton(x, y, np.array([MIN_SCALE, 0.0]), free=np.array([False, True]))
    return float(scale), float(bias)


def _loss(x: np.ndarray, y: np.ndarray, point: np.ndarray) -> float:
    z = point[0] * x + point[1]
    return float(np.sum(np.logaddexp(0, z) - y * z) + PULL / 2 * ((point[0] - 1) ** 2 + point[1] ** 2))


def _newton(x: np.ndarray, y: np.ndarray, point: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The least log loss over the free ones of (scale, bias): Newton steps, halved until they help."""
    design = np.stack([x, np.ones_like(x)])
    for _ in range(100):
        p = expit(point[0] * x + point[1])
        gradient = design @ (p - y) + PULL * (point - [1.0, 0.0])
        hessian = (design * (p * (1 - p))) @ design.T + PULL * np.eye(2)
        step = np.zeros(2)
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
        if gradient @ step < 1e-12:
            break
        size, here = 1.0, _loss(x, y, point)
        while _loss(x, y, point - size * step) > here and size > 1e-9:
            size /= 2
        point = point - size * step
    return point
