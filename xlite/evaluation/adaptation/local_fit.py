"""What some films of another hospital make of a model's calibrator and thresholds."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from xlite.findings import FINDINGS
from xlite.metrics.calibration import apply_calibrator
from xlite.metrics.recalibration import Climbed, climb
from xlite.metrics.thresholds import ChosenByHand, Thresholds
from xlite.metrics.validation_record import validation_records
from xlite.models.adapted import AdaptedTo
from xlite.models.info import ModelInfo


@dataclass(frozen=True, eq=False)
class LocalFit:
    """A calibrator, and a threshold a finding (14,), NaN if none, that local films give a model.

    A threshold that these are too few to choose is the model's own, carried along with the probabilities, so
    that it calls the same films as before. chosen: of the local films alone.
    """

    climbed: Climbed
    chosen: Thresholds
    cuts: np.ndarray

    @classmethod
    def of(cls, info: ModelInfo, logits: np.ndarray, labels: np.ndarray, patients: np.ndarray) -> "LocalFit":
        """By the logits and labels (N, 14), NaN if unknown, of the local films; patients (N,)."""
        climbed = climb(logits, labels, patients, info.calibration)
        chosen = Thresholds.choose(labels, apply_calibrator(logits, climbed.calibrator), patients)
        pairs = zip(FINDINGS, own_cuts(info), strict=True)
        carried = [climbed.carried(finding, cut) for finding, cut in pairs]
        return cls(climbed, chosen, np.where(np.isnan(chosen.cuts), carried, chosen.cuts))

    @property
    def findings(self) -> tuple[str, ...]:
        """Those whose threshold the local films choose."""
        return tuple(
            finding for finding, cut in zip(FINDINGS, self.chosen.cuts, strict=True) if not np.isnan(cut)
        )

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Those of logits (N, 14)."""
        return apply_calibrator(logits, self.climbed.calibrator)


def own_cuts(info: ModelInfo) -> np.ndarray:
    """A model's own thresholds (14,), NaN if it has none."""
    return Thresholds.of(info.thresholds or dict.fromkeys(FINDINGS), info.thresholds_chosen_on).cuts


def adapted_info(
    before: ModelInfo,
    fit: LocalFit,
    logits: np.ndarray,
    labels: np.ndarray,
    patients: np.ndarray,
    adapted_to: AdaptedTo,
) -> ModelInfo:
    """The model's info with what the local films say; of findings whose threshold stays, as it was.

    logits and labels (N, 14), patients (N,): of the local films.
    """
    now = Thresholds(fit.cuts, fit.chosen.chosen_on)
    staying = set(FINDINGS).difference(fit.findings)
    counts = {name: one for name, one in (before.thresholds_chosen_on or {}).items() if name in staying}
    records = {
        name: one.carried(partial(fit.climbed.carried, name))
        for name, one in (before.validation or {}).items()
        if name in staying
    }
    notes = {"adapted_to": adapted_to, "thresholds_by_hand": _by_hand(before, fit, staying)}
    return before.model_copy(
        update={
            "calibration": fit.climbed.calibrator,
            "thresholds": now.by_finding(),
            "thresholds_chosen_on": (now.chosen_on_by_finding() or {}) | counts,
            "validation": validation_records(labels, fit.probabilities(logits), patients, now) | records,
            "notes": before.notes.without_hand().model_copy(
                update={name: value for name, value in notes.items() if value}
            ),
        }
    )


def _by_hand(before: ModelInfo, fit: LocalFit, staying: Collection[str]) -> dict[str, ChosenByHand]:
    """The notes of thresholds that a person chose, if they stay; with what they took the place of."""
    return {
        name: replace(
            one,
            before=None if one.before is None else float(fit.climbed.carried(name, np.array(one.before))),
        )
        for name, one in before.notes.thresholds_by_hand.items()
        if name in staying
    }
