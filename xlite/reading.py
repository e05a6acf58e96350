"""Reading: what a model sees in one film, as numbers, facts and maps. No torch."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np

from xlite.explain.drawing import OPACITY, SCREEN_SIDE, draw_cell, overlay, shrink, upsample_map
from xlite.explain.faults import FAULTS, map_fault, size_caution
from xlite.explain.methods import DEFAULT_METHOD, map_legend
from xlite.findings import FINDINGS, canonical, spoken
from xlite.metrics.calibration import uncalibrated
from xlite.metrics.thresholds import ChosenByHand, ValidationPatients
from xlite.metrics.validation_record import ValidationRecord
from xlite.metrics.worth import Averaged, Worth
from xlite.models.info import ModelInfo
from xlite.text import few_patients


@dataclass(frozen=True, eq=False)
class Reading:
    """What a model sees in a film of shape (H, W): float32 probabilities (14,) and maps (14, h, w) >= 0.

    `method` is the kind of its maps; `thresholds` are the model's own, by finding, if it has any, None if
    withheld, and `chosen_on` counts the validation patients that chose them, if the model file does.
    `by_hand` are those that a person chose. `averaged`: of which readings this is the mean, if nothing was
    fitted to such means.
    `records` are what the validation films say of each finding, None from a file that does not say;
    `uncalibrated` the findings that no calibrator was fitted to. `disagreement` (14,) is the standard
    deviation of an ensemble's members' probabilities. `void`: a guard fired, so that the film is not as the
    validation films were, and no guarantee of theirs holds.
    """

    probabilities: np.ndarray
    maps: np.ndarray
    shape: tuple[int, int]
    method: str = DEFAULT_METHOD
    thresholds: Mapping[str, float | None] | None = None
    chosen_on: Mapping[str, ValidationPatients] | None = None
    records: Mapping[str, ValidationRecord] | None = None
    uncalibrated: Collection[str] = FINDINGS
    disagreement: np.ndarray | None = None
    void: bool = False
    by_hand: Mapping[str, ChosenByHand] = field(default_factory=dict)
    averaged: Averaged | None = None

    @classmethod
    def by(
        cls,
        info: ModelInfo,
        probabilities: np.ndarray,
        disagreement: np.ndarray | None = None,
        void: bool = False,
    ) -> "Reading":
        """What a model file's info says of a film whose calibrated probabilities (14,) are known."""
        return cls(
            probabilities,
            np.empty((len(FINDINGS), 0, 0), np.float32),
            (0, 0),
            thresholds=info.thresholds,
            chosen_on=info.thresholds_chosen_on,
            records=info.validation,
            uncalibrated=uncalibrated(info.calibration),
            disagreement=disagreement,
            void=void,
            by_hand=info.notes.thresholds_by_hand,
            averaged=info.averaged,
        )

    def top(self, count: int = 3) -> list[tuple[str, float]]:
        """The `count` likeliest findings with their probabilities, likeliest first."""
        order = np.argsort(-self.probabilities, kind="stable")[:count]
        return [(FINDINGS[i], float(self.probabilities[i])) for i in order]

    def probability(self, finding: str) -> float:
        """The probability of a finding, 0-1."""
        return float(self.probabilities[FINDINGS.index(canonical(finding))])

    def is_above(self, finding: str) -> bool:
        """Whether a finding reaches the model's threshold; False if it has none."""
        cut = (self.thresholds or {}).get(canonical(finding))
        return cut is not None and self.probability(finding) >= cut

    def worth(self, finding: str) -> Worth:
        """What the verdict on a finding is worth: facts, which `xlite.report.worth` puts into words."""
        name, apart = canonical(finding), self.disagreement
        by_hand = self.by_hand.get(name)
        cut, record = (self.thresholds or {}).get(name), (self.records or {}).get(name)
        return Worth(
            finding=name,
            probability=self.probability(name),
            threshold=cut,
            withheld=self.thresholds is not None and cut is None,
            patients=record.patients if record else None if by_hand else (self.chosen_on or {}).get(name),
            record=record,
            calibrated=name not in self.uncalibrated,
            void=self.void,
            disagreement=None if apart is None else float(apart[FINDINGS.index(name)]),
            by_hand=by_hand,
            averaged=self.averaged,
        )

    def worths(self) -> list[Worth]:
        """What the verdict on each finding is worth, likeliest first."""
        return [self.worth(finding) for finding, _ in self.top(len(FINDINGS))]

    def also_above(self, beyond: int = 3) -> list[tuple[str, float]]:
        """The findings that reach their threshold behind the `beyond` likeliest ones, likeliest first."""
        return [(finding, p) for finding, p in self.top(len(FINDINGS))[beyond:] if self.is_above(finding)]

    def withheld(self) -> str:
        """Why some or all findings have no threshold; nothing if each has one, or the model has none yet."""
        return withheld_sentence(self.thresholds, self.chosen_on, self.averaged)

    def shrunk(self, image: np.ndarray, side: int = SCREEN_SIDE) -> tuple[np.ndarray, "Reading"]:
        """The film uint8 (H, W) with its longer side at most `side` px, and the reading in that frame."""
        small = shrink(image, side)
        return small, self.in_frame(small.shape)

    def in_frame(self, shape: tuple[int, ...]) -> "Reading":
        """The same reading with its maps in a frame of shape (H, W)."""
        height, width = shape
        return replace(self, shape=(height, width))

    def without_maps(self) -> "Reading":
        """The same without its maps, which take the most memory."""
        return replace(self, maps=self.maps[:, :0, :0].copy())

    def map(self, finding: str) -> np.ndarray:
        """Where a finding was seen: float32 (H, W), 0-1, in the frame of the film."""
        return upsample_map(self._coarse(finding), self.shape)

    def legend(self, bar: bool = False) -> str:
        """What the colours of the maps mean, and what they do not; `bar`: a colour bar stands beside them."""
        return map_legend((self.maps.shape[1], self.maps.shape[2]), self.method, bar)

    def fault(self, finding: str) -> str | None:
        """Why the map of a finding shows no place, as what follows "the map"; None if it shows one."""
        fault = map_fault(self._coarse(finding))
        return FAULTS[fault] if fault else None

    def caution(self, finding: str) -> str | None:
        """A sentence if findings of this kind are mostly smaller than one cell of the map, else None."""
        return size_caution(finding, self.maps.shape[1] * self.maps.shape[2])

    def overlay(self, image: np.ndarray, finding: str, opacity: float = OPACITY) -> np.ndarray:
        """The map of a finding over a film uint8 (H, W) of the reading's frame: RGB uint8 (H, W, 3).

        One cell of the map is outlined in the lower left corner. A map with a fault is not painted: the film
        stays bare. Raises ValueError unless the film has the reading's frame.
        """
        if image.shape != self.shape:
            raise ValueError(f"film {image.shape} and reading {self.shape} must have the same frame")
        if self.fault(finding):
            return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
        painted = overlay(image, self._coarse(finding), opacity)
        height, width = self.shape
        draw_cell(painted, (height / self.maps.shape[1], width / self.maps.shape[2]))
        return painted

    def _coarse(self, finding: str) -> np.ndarray:
        coarse: np.ndarray = self.maps[FINDINGS.index(canonical(finding))]
        return coarse


def worth_rows(name: str, reading: Reading) -> list[dict[str, Any]]:
    """What is known of a film called `name` as flat rows, one a finding; None if something is not known."""
    return [{"image": name} | reading.worth(finding).row() for finding in FINDINGS]


def withheld_sentence(
    thresholds: Mapping[str, float | None] | None,
    chosen_on: Mapping[str, ValidationPatients] | None,
    averaged: Averaged | None = None,
) -> str:
    """Which findings of a model have no threshold, and why: nothing is called by them. Of means none has."""
    if averaged:
        return averaged_sentence(averaged)
    bare = [finding for finding, cut in (thresholds or {}).items() if cut is None]
    few = {name: f" ({few_patients(one.positive, one.negative)})" for name, one in (chosen_on or {}).items()}
    named = [spoken(finding) + few.get(finding, "") for finding in bare]
    return f"No threshold: {', '.join(named)}." if named else ""


def averaged_sentence(averaged: Averaged) -> str:
    """Why a mean of such readings has no thresholds, rates and cut-offs."""
    if averaged == "members":
        return (
            "Not calibrated, and without thresholds, rates and cut-offs: those of its members were fitted to "
            "their own answers, and this is the mean of these."
        )
    return (
        "Without thresholds, rates and cut-offs: those of the model are of single readings, and this is the "
        "mean of two, of the film and of its mirror image."
    )
