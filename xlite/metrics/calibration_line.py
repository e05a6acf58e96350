"""Calibration intercept and slope per finding: they see what a calibration error hides if a finding is rare.

A line through the logits, as logistic regression of the labels fits it (Cox, Biometrika 45 (1958) 562; Van
Calster et al., BMC Medicine 17 (2019) 230). Intercept, with the slope held at 1: above 0 probabilities are
too low, below 0 too high. Slope: below 1 they are too extreme, above 1 not extreme enough.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, stdtrit

from xlite.findings import FEW_POSITIVES
from xlite.labels import where_known
from xlite.metrics.calibration import logit
from xlite.metrics.estimate import Estimate
from xlite.patients import fewer_patients, patient_places


@dataclass(frozen=True)
class CalibrationLine:
    """Intercept and slope of one finding; undefined if too few patients have it, or too few do not."""

    intercept: Estimate = Estimate(None)
    slope: Estimate = Estimate(None)


def calibration_lines(labels: np.ndarray, probs: np.ndarray, patients: np.ndarray) -> list[CalibrationLine]:
    """The line of each finding, with 95 % intervals that count films of a patient as alike.

    labels and probs (N, C), patients (N,); of films whose label is known, not NaN. Intervals by the clustered
    sandwich estimator (Liang & Zeger, Biometrika 73 (1986) 13), which is too narrow if few patients decide:
    it is widened to Student's quantile for k of them. None below FEW_POSITIVES patients with the finding or
    without it.
    """
    owner = patient_places(patients)
    k = fewer_patients(labels, owner)
    return [
        _line(int(k[c]), *where_known(labels[:, c], logit(probs[:, c]), owner))
        if k[c] >= FEW_POSITIVES
        else CalibrationLine()
        for c in range(labels.shape[1])
    ]


def _line(k: int, labels: np.ndarray, x: np.ndarray, owner: np.ndarray) -> CalibrationLine:
    y = (labels > 0).astype(np.float64)
    ones = np.ones((1, len(x)))
    intercept = _fit(y, ones, x, np.zeros(1), owner, k)
    with_it, without = x[y > 0], x[y == 0]
    if with_it.min() >= without.max() or with_it.max() <= without.min():  # told apart: the steeper the better
        return CalibrationLine(intercept)
    both = np.stack([x, ones[0]])
    return CalibrationLine(intercept, _fit(y, both, np.zeros(len(x)), np.array([1.0, 0.0]), owner, k))


def _fit(
    y: np.ndarray, design: np.ndarray, offset: np.ndarray, start: np.ndarray, owner: np.ndarray, k: int
) -> Estimate:
    """The first coefficient of the logistic regression of y (N,) on the rows of the design (D, N)."""
    from scipy.optimize import minimize  # takes a while to import, and few need it

    def loss(at: np.ndarray) -> float:
        z = at @ design + offset
        return float(np.mean(np.logaddexp(0, z) - y * z))

    def gradient(at: np.ndarray) -> np.ndarray:
        return np.asarray(design @ (expit(at @ design + offset) - y) / len(y))

    def curvature(at: np.ndarray) -> np.ndarray:
        p = expit(at @ design + offset)
        return np.asarray((design * (p * (1 - p))) @ design.T / len(y))

    found = minimize(loss, start, jac=gradient, hess=curvature, method="trust-exact", options={"gtol": 1e-9})
    bread = np.linalg.inv(curvature(found.x)) / len(y)
    errors = design * (y - expit(found.x @ design + offset))
    meat = np.stack([np.bincount(owner, row) for row in errors])
    quantile = -float(stdtrit(k - 1, 0.025)) * (k / (k - 1)) ** 0.5
    half = quantile * float(np.sqrt((bread @ meat @ meat.T @ bread)[0, 0]))
    value = float(found.x[0])
    return Estimate(value, value - half, value + half)
