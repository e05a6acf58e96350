"""Thresholds per finding, chosen on validation films and never on the films they are then judged on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field
from pydantic_core import from_json

from xlite.errors import DataError
from xlite.files import read_file
from xlite.findings import FEW_POSITIVES, FINDINGS, canonical
from xlite.labels import negative, positive
from xlite.metrics.curves import counts_by_score
from xlite.patients import patients_with

PLAIN_THRESHOLD = 0.5
"""Of every finding if no thresholds are given."""
SENSITIVITY, SPECIFICITY = 0.90, 0.95
RULES = {
    "f1": "best F1",
    "youden": "best sensitivity + specificity (Youden)",
    "sensitivity_90": "90 % sensitivity",
    "specificity_95": "95 % specificity",
}


_Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class ValidationPatients:
    """The validation patients that a threshold was chosen on: those with the finding and those without it."""

    positive: _Count
    negative: _Count

    @property
    def few(self) -> bool:
        """Whether they are too few to choose by: what the threshold promises would not hold."""
        return min(self.positive, self.negative) < FEW_POSITIVES


@dataclass(frozen=True)
class ChosenByHand:
    """A threshold that a person chose: on which films, of how many patients, and when (an ISO date).

    positive, negative: patients with the finding and without it. before: what it took the place of, None if
    there was none.
    """

    split_id: str
    part: str
    positive: _Count
    negative: _Count
    day: str
    before: float | None = None

    def __str__(self) -> str:
        """`chosen by hand on the val part of split S on 2026-11-28`."""
        return f"chosen by hand on the {self.part} part of split {self.split_id} on {self.day}"


@dataclass(frozen=True, eq=False)
class Thresholds:
    """A threshold per finding, float64 (14,) in 0-1, NaN if it is withheld, and what chose it.

    chosen_on: of each finding; None if X-Lite did not choose, or an old model file does not say.
    """

    cuts: np.ndarray
    chosen_on: tuple[ValidationPatients, ...] | None = None

    @classmethod
    def choose(cls, labels: np.ndarray, probs: np.ndarray, patients: np.ndarray, rule: str = "f1") -> Self:
        """`choose_thresholds`, each withheld if too few of the patients (N,) have the finding, or lack it."""
        kinds = (positive(labels), negative(labels))
        both = (patients_with(films, patients).tolist() for films in kinds)
        chosen_on = tuple(ValidationPatients(*counts) for counts in zip(*both, strict=True))
        few = np.array([one.few for one in chosen_on])
        return cls(np.where(few, np.nan, choose_thresholds(labels, probs, rule)), chosen_on)

    @classmethod
    def of(cls, cuts: Mapping[str, float | None], chosen_on: Mapping[str, ValidationPatients] | None) -> Self:
        """Those that a model file holds by finding."""
        values = np.array([cuts[finding] for finding in FINDINGS], np.float64)  # None becomes NaN
        counts = tuple(chosen_on[finding] for finding in FINDINGS) if chosen_on else None
        return cls(values, counts)

    def by_finding(self) -> dict[str, float | None]:
        """What `of` takes: None if withheld."""
        return {
            finding: None if np.isnan(cut) else float(cut)
            for finding, cut in zip(FINDINGS, self.cuts, strict=True)
        }

    def chosen_on_by_finding(self) -> dict[str, ValidationPatients] | None:
        """What `of` takes."""
        return dict(zip(FINDINGS, self.chosen_on, strict=True)) if self.chosen_on else None


def choose_thresholds(labels: np.ndarray, probs: np.ndarray, rule: str = "f1") -> np.ndarray:
    """A threshold per finding by one of RULES: labels and probs (N, 14) of validation films -> (14,) in 0-1.

    A film is called if its probability >= the threshold; one whose label is unknown, NaN, has no say in it.
    The threshold lies half-way to the next lower probability seen, so that rounding moves no film across. Of
    several that are equally good, and for sensitivity, it is the highest; for specificity the lowest. NaN if
    a finding is never positive, or never negative and the rule asks for negatives. Youden's index: Youden,
    Cancer 3 (1950).
    """
    return np.array([_choose(y, p, rule) for y, p in zip(labels.T, probs.T, strict=True)], dtype=np.float64)


def _choose(labels: np.ndarray, probs: np.ndarray, rule: str) -> float:
    cuts, tp, fp = counts_by_score(labels, probs)
    if not len(cuts) or not tp[-1] or (not fp[-1] and rule in ("youden", "specificity_95")):
        return float("nan")
    if rule == "f1":
        best = int(np.argmax(2 * tp / (tp + fp + tp[-1])))  # the denominator is 2tp + fp + fn
    elif rule == "youden":
        best = int(np.argmax(tp * fp[-1] - fp * tp[-1]))  # in whole numbers, so that ties are ties
    elif rule == "sensitivity_90":
        best = int(np.argmax(tp >= SENSITIVITY * tp[-1] - 1e-9))
    elif rule == "specificity_95":
        fitting = np.flatnonzero(fp <= (1 - SPECIFICITY) * fp[-1] + 1e-9)
        if not len(fitting):  # the highest score alone has too many negatives: nothing is called
            return float((1 + cuts[0]) / 2)
        best = int(fitting[-1])
    else:
        raise ValueError(f"{rule!r} is not a rule for thresholds; expected one of {', '.join(RULES)}")
    lower = cuts[best + 1] if best + 1 < len(cuts) else cuts[best]
    middle = (cuts[best] + lower) / 2
    return float(middle if middle > lower else cuts[best])


def read_thresholds(path: str | Path) -> np.ndarray:
    """Thresholds (14,) in 0-1 from a JSON file {finding: probability}; raises DataError."""
    try:
        content = from_json(read_file(path))
    except (OSError, ValueError) as error:
        raise DataError(f"the thresholds {path} cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise DataError(f"the thresholds {path} hold no object; expected {{finding: probability}}")
    try:
        values = {canonical(name): value for name, value in content.items()}
    except ValueError as error:
        raise DataError(f"the thresholds {path} are wrong: {error}") from error
    return threshold_array(values)


def threshold_array(values: dict[str, Any]) -> np.ndarray:
    """(14,) float64 from {finding: probability}; raises DataError if one is missing or no probability."""
    missing = [finding for finding in FINDINGS if finding not in values]
    if missing:
        raise DataError(f"thresholds lack {', '.join(missing)}; give one for each of the 14 findings")
    for finding in FINDINGS:
        value = values[finding]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise DataError(f"threshold {value!r} of {finding} is not a probability; expected a number 0-1")
    return np.array([values[finding] for finding in FINDINGS], dtype=np.float64)
