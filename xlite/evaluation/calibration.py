"""Platt scaling per finding: sigmoid(scale * logit + bias), fitted on validation, kept in the model file."""

import numpy as np

from xlite.errors import CheckpointError

MIN_CASES = 10
MIN_SCALE = 0.01
PULL = 1.0  # strength of the pull towards the identity, in units of a film's log loss


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)) without overflow; float64 of the same shape."""
    # tanh saturates where exp would overflow
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(logits, dtype=np.float64)))


def fit_platt(logits: np.ndarray, labels: np.ndarray) -> dict:
    """Scale and bias per finding that make sigmoid(scale * logit + bias) a probability.

    logits and labels (N, 14) of the validation part -> {"method": "platt", "scale": [14] > 0, "bias": [14]}.
    The identity where a finding has fewer than MIN_CASES positives or negatives.
    """
    pairs = [_fit(x, y) for x, y in zip(np.asarray(logits, np.float64).T, labels.T, strict=True)]
    return {"method": "platt", "scale": [s for s, _ in pairs], "bias": [b for _, b in pairs]}


def apply_calibration(logits: np.ndarray, calibration: dict | None) -> np.ndarray:
    """Probabilities float32 in 0-1 of logits (…, 14).

    calibration as `fit_platt` returns it; None is the plain sigmoid. Raises CheckpointError where it is of
    another kind.
    """
    logits = np.asarray(logits, dtype=np.float64)
    if calibration is not None:
        if calibration.get("method") != "platt":
            raise CheckpointError(f"calibration {calibration.get('method')!r} is not known; expected 'platt'")
        logits = logits * np.asarray(calibration["scale"]) + np.asarray(calibration["bias"])
    return sigmoid(logits).astype(np.float32)


def _fit(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    positives = int(np.sum(y > 0))
    if min(positives, len(y) - positives) < MIN_CASES:
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
