"""The ladder of recalibration: to each finding as many numbers are fitted as its local patients can bear.

The rungs: as it is; the intercept alone, which carries the prevalence; intercept and slope. Updates that are
as small as the data ask for: Janssen et al., J Clin Epidemiol 61 (2008) 76; Vergouwe et al., Stat Med 36
(2017) 4529. Isotonic regression is not on it: it wants some 1,000 positives of each finding.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from xlite.errors import CheckpointError
from xlite.findings import FEW_POSITIVES, FINDINGS
from xlite.metrics.calibration import Calibrator, Isotonic, Platt, Temperature, fit_intercept, fit_line
from xlite.patients import fewer_patients

Rung = Literal["as_it_is", "intercept", "line"]
LINE_PATIENTS = 30
"""From so many patients with a finding, and as many without it, its slope is fitted, too."""


@dataclass(frozen=True)
class Climbed:
    """A calibrator, and how far up the ladder each finding went for it (14)."""

    calibrator: Platt
    rungs: tuple[Rung, ...]

    @property
    def moved(self) -> np.ndarray:
        """bool (14,): whether anything was fitted to the finding."""
        return np.array([rung != "as_it_is" for rung in self.rungs])


def climb(logits: np.ndarray, labels: np.ndarray, patients: np.ndarray, before: Calibrator | None) -> Climbed:
    """The calibrator `before`, moved to where local films put it.

    logits and labels (N, 14) of these films, a label NaN if it is not known; patients (N,). Raises
    CheckpointError if `before` is isotonic, whose steps no line moves.
    """
    scales, biases = _line_of(before)
    lines, rungs = [], []
    for c in range(len(FINDINGS)):
        known = ~np.isnan(labels[:, c])
        y = labels[known, c].astype(np.float64)
        z = scales[c] * logits[known, c].astype(np.float64) + biases[c]
        rung = _rung(y, patients[known])
        scale, bias = _fitted(z, y, rung)
        lines.append((scale * scales[c], scale * biases[c] + bias))
        rungs.append(rung)
    return Climbed(Platt(scale=tuple(s for s, _ in lines), bias=tuple(b for _, b in lines)), tuple(rungs))


def _line_of(before: Calibrator | None) -> tuple[np.ndarray, np.ndarray]:
    """Scale and bias (14,) of a calibrator's logits."""
    count = len(FINDINGS)
    match before:
        case None:
            return np.ones(count), np.zeros(count)
        case Temperature(temperature=temperature):
            return np.full(count, 1 / temperature), np.zeros(count)
        case Platt(scale=scale, bias=bias):
            return np.array(scale), np.array(bias)
        case Isotonic():
            raise CheckpointError(
                "an isotonic calibrator has steps that a few local films cannot move: give the model another "
                "one first, by `xlite evaluate MODEL --calibration platt`"
            )


def _rung(y: np.ndarray, patients: np.ndarray) -> Rung:
    fewer = int(fewer_patients(y[:, None], patients)[0]) if len(y) else 0
    if fewer < FEW_POSITIVES:
        return "as_it_is"
    return "intercept" if fewer < LINE_PATIENTS else "line"


def _fitted(z: np.ndarray, y: np.ndarray, rung: Rung) -> tuple[float, float]:
    if rung == "as_it_is":
        return 1.0, 0.0
    return (1.0, fit_intercept(z, y)) if rung == "intercept" else fit_line(z, y)
