"""What a smaller export loses against its model, on films that neither was fitted to."""

from dataclasses import dataclass

import numpy as np

from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.calibration import apply_calibrator
from xlite.metrics.paired import PairedDifference, compared_findings, paired_test
from xlite.metrics.per_finding import auc_per_class
from xlite.metrics.significance import Found, Look, shared
from xlite.models.info import ModelInfo
from xlite.patients import fewer_patients

MOST_AUC = 0.003
MOST_DECISIONS = 0.02
"""Share of decisions that may change. Cutting a hundredth off each side of the films changes .022 of the
shipped model's decisions, moving them by a pixel .015: a coarser file may not do more than that."""


@dataclass(frozen=True, eq=False)
class Loss:
    """mean AUC of the export (first) and the model (second); per finding the difference, None if undefined.

    The differences hold for all findings together. changed: by finding the share of films that the export
    decides otherwise at the model's own thresholds and calibration, as quantising alone does it; nothing
    without thresholds. films, patients: on how many.
    """

    films: int
    patients: int
    macro: PairedDifference
    by_finding: dict[str, Found]
    changed: dict[str, float]

    @property
    def decisions(self) -> float:
        """The mean share of decisions changed; 0 without thresholds."""
        return float(np.mean(list(self.changed.values()))) if self.changed else 0.0

    def objections(self) -> list[str]:
        """Why the export may not take the model's place; nothing if it may."""
        fall = -(self.macro.difference.value or 0.0)
        said = []
        if not fall <= MOST_AUC:
            said.append(f"mean AUC falls by {fall:.4f}, at most {MOST_AUC:g} is allowed")
        if not self.decisions <= MOST_DECISIONS:
            said.append(f"{self.decisions:.1%} of the decisions change, at most {MOST_DECISIONS:.0%} may")
        return said


def loss(
    info: ModelInfo, labels: np.ndarray, patients: np.ndarray, before: np.ndarray, after: np.ndarray
) -> Loss:
    """What the logits `after` (N, 14) of an export lose against those `before` of the model `info` is of.

    labels (N, 14) 0 or 1, patients (N,).
    """
    resamples = Resamples(patients)
    compared = compared_findings(labels, resamples)
    chosen = np.flatnonzero(compared.findings)
    some = labels[:, chosen]
    macro = paired_test(labels, after, before, resamples, compared)
    values = auc_per_class(some, after[:, chosen]) - auc_per_class(some, before[:, chosen])
    drawn = resamples.auc(some, after[:, chosen]) - resamples.auc(some, before[:, chosen])
    fewer = fewer_patients(some, patients)
    looks = [Look(float(v), drawn[:, c], fewer[c : c + 1]) for c, v in enumerate(values)]
    names = [FINDINGS[c] for c in chosen]
    return Loss(
        len(labels),
        resamples.patients,
        macro,
        dict(zip(names, shared(looks), strict=True)),
        _changed(info, before, after),
    )


def _changed(info: ModelInfo, before: np.ndarray, after: np.ndarray) -> dict[str, float]:
    probs = [apply_calibrator(logits, info.calibration) for logits in (before, after)]
    return {
        finding: float(np.mean((probs[0][:, c] >= cut) != (probs[1][:, c] >= cut)))
        for c, finding in enumerate(FINDINGS)
        if (cut := (info.thresholds or {}).get(finding)) is not None
    }
