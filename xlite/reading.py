"""Reading: what a model sees in one film, as numbers, maps and sentences. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from xlite.explain.drawing import OPACITY, SCREEN_SIDE, draw_cell, overlay, shrink, upsample_map
from xlite.explain.faults import FAULTS, map_fault, size_caution
from xlite.explain.methods import DEFAULT_METHOD, map_legend
from xlite.findings import FINDINGS, canonical, spoken
from xlite.metrics.thresholds import ValidationPatients
from xlite.text import counted, few_patients


@dataclass(frozen=True, eq=False)
class Reading:
    """What a model sees in a film of shape (H, W): float32 probabilities (14,) and maps (14, h, w) >= 0.

    `method` is the kind of its maps; `thresholds` are the model's own, by finding, if it has any, None if
    withheld, and `chosen_on` counts the validation patients that chose them, if the model file does.
    `disagreement` (14,) is the standard deviation of an ensemble's members' probabilities.
    """

    probabilities: np.ndarray
    maps: np.ndarray
    shape: tuple[int, int]
    method: str = DEFAULT_METHOD
    thresholds: Mapping[str, float | None] | None = None
    chosen_on: Mapping[str, ValidationPatients] | None = None
    disagreement: np.ndarray | None = None

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

    def is_withheld(self, finding: str) -> bool:
        """Whether the model has thresholds, but none for this finding: too few patients would choose it."""
        return self.thresholds is not None and self.thresholds[canonical(finding)] is None

    def also_above(self, beyond: int = 3) -> list[tuple[str, float]]:
        """The findings that reach their threshold behind the `beyond` likeliest ones, likeliest first."""
        return [(finding, p) for finding, p in self.top(len(FINDINGS))[beyond:] if self.is_above(finding)]

    def threshold_sentence(self, finding: str) -> str | None:
        """`above the model's threshold of 31.0% (25 validation patients)`, or below it.

        `no threshold: 3 validation patients` if it is withheld; None if the model has no thresholds.
        """
        if self.thresholds is None:
            return None
        cut, one = self.thresholds[canonical(finding)], (self.chosen_on or {}).get(canonical(finding))
        if cut is None:
            return "no threshold" + (f": {few_patients(one.positive, one.negative)}" if one else "")
        side = "above" if self.is_above(finding) else "below"
        patients = f" ({counted(one.positive, 'validation patient')})" if one else ""
        return f"{side} the model's threshold of {cut:.1%}{patients}"

    def withheld(self) -> str:
        """`No threshold: Hernia (3 validation patients).`; nothing if each finding has one, or none has."""
        return withheld_sentence(self.thresholds, self.chosen_on)

    def shrunk(self, image: np.ndarray, side: int = SCREEN_SIDE) -> tuple[np.ndarray, "Reading"]:
        """The film uint8 (H, W) with its longer side at most `side` px, and the reading in that frame."""
        small = shrink(image, side)
        return small, self.in_frame(small.shape)

    def in_frame(self, shape: tuple[int, ...]) -> "Reading":
        """The same reading with its maps in a frame of shape (H, W)."""
        height, width = shape
        return replace(self, shape=(height, width))

    def map(self, finding: str) -> np.ndarray:
        """Where a finding was seen: float32 (H, W), 0-1, in the frame of the film."""
        return upsample_map(self._coarse(finding), self.shape)

    def legend(self) -> str:
        """What the colours of the maps mean, and what they do not."""
        return map_legend((self.maps.shape[1], self.maps.shape[2]), self.method)

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
        stays bare.
        """
        if self.fault(finding):
            return np.repeat(image[..., None], 3, axis=2)
        painted = overlay(image, self.map(finding), opacity)
        height, width = self.shape
        draw_cell(painted, (height / self.maps.shape[1], width / self.maps.shape[2]))
        return painted

    def _coarse(self, finding: str) -> np.ndarray:
        coarse: np.ndarray = self.maps[FINDINGS.index(canonical(finding))]
        return coarse


def withheld_sentence(
    thresholds: Mapping[str, float | None] | None, chosen_on: Mapping[str, ValidationPatients] | None
) -> str:
    """Which findings of a model file have no threshold, and why: nothing is called by them."""
    bare = [finding for finding, cut in (thresholds or {}).items() if cut is None]
    few = {name: f" ({few_patients(one.positive, one.negative)})" for name, one in (chosen_on or {}).items()}
    named = [spoken(finding) + few.get(finding, "") for finding in bare]
    return f"No threshold: {', '.join(named)}." if named else ""
