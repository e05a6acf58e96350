"""The ladder of recalibration: to each finding as many numbers are fitted as its local patients can bear.

The rungs: as it is; the intercept alone, which carries the prevalence; intercept and slope. Updates that are
as small as the data ask for: Janssen et al., J Clin Epidemiol 61 (2008) 76; Vergouwe et al., Stat Med 36
(2017) 4529. Isotonic regression is not on it: it wants some 1,000 positives of each finding.

An intercept is fitted however few the positives are, as the pull of `fit_intercept` towards no change, which
is a normal prior of one logit, is outweighed only by as many expected or found positives as speak for a
change. So one positive among 200 films, if the model says 40, moves it far, and one if it says 2 hardly.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit

from xlite.errors import CheckpointError
from xlite.findings import FINDINGS
from xlite.metrics.calibration import Calibrator, Isotonic, Platt, Temperature, fit_intercept, fit_line, logit
from xlite.patients import fewer_patients

Rung = Literal["as_it_is", "intercept", "line"]
LINE_PATIENTS = 30
"""From so many patients with a finding, and as many without it, its slope is fitted, too."""


@dataclass(frozen=True)
class Climbed:
    """A calibrator, how far up the ladder each finding went for it (14), and its line there (14).

    lines: scale and bias on top of the logits that the calibrator before gave.
    """

    calibrator: Platt
    rungs: tuple[Rung, ...]
    lines: tuple[tuple[float, float], ...]

    def carried(self, finding: str, probs: np.ndarray) -> np.ndarray:
        """Probabilities of a finding by the calibrator before, float (…), as the new one gives them."""
        scale, bias = self.lines[FINDINGS.index(finding)]
        return np.asarray(expit(scale * logit(probs) + bias))


def climb(logits: np.ndarray, labels: np.ndarray, patients: np.ndarray, before: Calibrator | None) -> Climbed:
    """The calibrator `before`, moved to where local films put it.

    logits and labels (N, 14) of these films, a label NaN if it is not known; patients (N,). Raises
    CheckpointError if `before` is isotonic, whose steps no line moves.
    """
    scales, biases = line_of(before)
    rungs, lines = [], []
    for c in range(len(FINDINGS)):
        known = ~np.isnan(labels[:, c])
        y = labels[known, c].astype(np.float64)
        z = scales[c] * logits[known, c].astype(np.float64) + biases[c]
        rung = _rung(y, patients[known])
        rungs.append(rung)
        lines.append(_fitted(z, y, rung))
    scale, bias = np.array(lines).T
    whole = Platt(scale=tuple((scale * scales).tolist()), bias=tuple((scale * biases + bias).tolist()))
    return Climbed(whole, tuple(rungs), tuple(lines))


def line_of(before: Calibrator | None) -> tuple[np.ndarray, np.ndarray]:
    """Scale and bias (14,) by which a calibrator takes logits; CheckpointError if it is isotonic."""
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
                "an isotonic calibrator has steps that no line moves: give the model another one first, by "
                "`xlite evaluate MODEL --calibration platt`"
            )


def _rung(y: np.ndarray, patients: np.ndarray) -> Rung:
    if not len(y):
        return "as_it_is"
    return "line" if fewer_patients(y[:, None], patients)[0] >= LINE_PATIENTS else "intercept"


def _fitted(z: np.ndarray, y: np.ndarray, rung: Rung) -> tuple[float, float]:
    if rung == "as_it_is":
        return 1.0, 0.0
    return (1.0, fit_intercept(z, y)) if rung == "intercept" else fit_line(z, y)
