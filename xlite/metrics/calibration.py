"""Maps from logits to probabilities, fitted on validation and kept in the model file.

Platt scaling, sigmoid(scale * logit + bias) per finding (Platt 1999); temperature scaling, sigmoid(logit / T)
with one T for all (Guo et al., ICML 2017); isotonic regression per finding (Zadrozny & Elkan, KDD 2002).
"""

from collections.abc import Callable

import numpy as np

from xlite.errors import CheckpointError
from xlite.findings import FEW_POSITIVES, FINDINGS

METHODS = ("temperature", "platt", "isotonic")
MIN_SCALE = 0.01
PULL = 1.0  # strength of the pull towards the identity, in units of a film's log loss


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)) without overflow; float64 of the same shape."""
    # tanh saturates where exp would overflow
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(logits, dtype=np.float64)))


def logit(probs: np.ndarray) -> np.ndarray:
    """log(p / (1 - p)) of probabilities 0-1, kept finite; float64 of the same shape."""
    p = np.clip(np.asarray(probs, dtype=np.float64), 1e-12, 1 - 1e-12)
    return np.log(p) - np.log1p(-p)


def fit_calibration(logits: np.ndarray, labels: np.ndarray, method: str = "platt") -> dict | None:
    """The map by one of METHODS, or none: logits and labels (N, 14) of the validation part.

    Returns what `apply_calibration` takes. Raises CheckpointError for another method.
    """
    fits: dict[str, Callable[[np.ndarray, np.ndarray], dict | None]] = {
        "none": lambda *_: None,
        "temperature": fit_temperature,
        "platt": fit_platt,
        "isotonic": fit_isotonic,
    }
    if method not in fits:
        raise CheckpointError(f"calibration {method!r} is not known; expected one of {', '.join(fits)}")
    return fits[method](logits, labels)


def fit_platt(logits: np.ndarray, labels: np.ndarray) -> dict:
    """Scale and bias per finding that make sigmoid(scale * logit + bias) a probability.

    logits and labels (N, 14) of the validation part -> {"method": "platt", "scale": [14] > 0, "bias": [14]}.
    The identity where a finding has fewer than FEW_POSITIVES positives or negatives.
    """
    pairs = [_fit(x, y) for x, y in zip(np.asarray(logits, np.float64).T, labels.T, strict=True)]
    return {"method": "platt", "scale": [s for s, _ in pairs], "bias": [b for _, b in pairs]}


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> dict:
    """The temperature of the least log loss over all findings: {"method": "temperature", "temperature": T}.

    logits and labels (N, 14). The same pull and least scale as Platt's keep 1 / T finite and above 0. T is 1
    with fewer than FEW_POSITIVES positives or negatives in all.
    """
    x, y = np.asarray(logits, np.float64).ravel(), np.asarray(labels, np.float64).ravel()
    if _few(y):
        return {"method": "temperature", "temperature": 1.0}
    scale, _ = _newton(x, y, np.array([1.0, 0.0]), free=np.array([True, False]))
    return {"method": "temperature", "temperature": float(1 / max(scale, MIN_SCALE))}


def fit_isotonic(logits: np.ndarray, labels: np.ndarray) -> dict:
    """The best rising map per finding: {"method": "isotonic", "logits": [14 lists], "probabilities": …}.

    Between the knots the map is a straight line, outside them level, so it makes ties. Both lists are empty,
    for the plain sigmoid, where a finding has fewer than FEW_POSITIVES positives or negatives.
    """
    knots = [_knots(x, y) for x, y in zip(np.asarray(logits, np.float64).T, labels.T, strict=True)]
    return {"method": "isotonic", "logits": [x for x, _ in knots], "probabilities": [y for _, y in knots]}


def without_map(calibration: dict | None) -> list[str]:
    """The findings that a calibration leaves to the plain sigmoid; without a calibration all."""
    if calibration is None:
        return list(FINDINGS)
    if calibration["method"] == "temperature":
        return list(FINDINGS) if calibration["temperature"] == 1 else []
    if calibration["method"] == "platt":  # a fit is never the identity to the last bit
        pairs = zip(calibration["scale"], calibration["bias"], strict=True)
        plain = [pair == (1, 0) for pair in pairs]
    else:
        plain = [not knots for knots in calibration["logits"]]
    return [finding for finding, bare in zip(FINDINGS, plain, strict=True) if bare]


def apply_calibration(logits: np.ndarray, calibration: dict | None) -> np.ndarray:
    """Probabilities float32 in 0-1 of logits (…, 14).

    calibration as `fit_calibration` returns it; None is the plain sigmoid. Raises CheckpointError where it is
    of another kind.
    """
    logits = np.asarray(logits, dtype=np.float64)
    method = "none" if calibration is None else calibration.get("method")
    if method == "platt":
        logits = logits * np.asarray(calibration["scale"]) + np.asarray(calibration["bias"])
    elif method == "temperature":
        logits = logits / calibration["temperature"]
    elif method == "isotonic":
        return _step(logits, calibration["logits"], calibration["probabilities"]).astype(np.float32)
    elif method != "none":
        raise CheckpointError(f"calibration {method!r} is not known; expected one of {', '.join(METHODS)}")
    return sigmoid(logits).astype(np.float32)


def _knots(x: np.ndarray, y: np.ndarray) -> tuple[list[float], list[float]]:
    """Both ends of each level of the isotonic regression of y over x."""
    from scipy.optimize import isotonic_regression

    if _few(y):
        return [], []
    seen, place, films = np.unique(x, return_inverse=True, return_counts=True)
    fitted = isotonic_regression(np.bincount(place, y) / films, weights=films).x.clip(0, 1)
    steps = np.diff(fitted) > 0
    ends = np.append(True, steps) | np.append(steps, True)
    return seen[ends].tolist(), fitted[ends].tolist()


def _step(logits: np.ndarray, knots: list[list[float]], heights: list[list[float]]) -> np.ndarray:
    columns = [
        np.interp(logits[..., c], x, y) if x else sigmoid(logits[..., c])
        for c, (x, y) in enumerate(zip(knots, heights, strict=True))
    ]
    return np.stack(columns, axis=-1)


def _few(y: np.ndarray) -> bool:
    positives = int(np.sum(y > 0))
    return min(positives, len(y) - positives) < FEW_POSITIVES


def _fit(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    if _few(y):
        return 1.0, 0.0
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
        p = sigmoid(point[0] * x + point[1])
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
