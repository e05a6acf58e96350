"""What a verdict on one film is worth: a probability beside what its finding did on the validation films."""

from dataclasses import dataclass
from typing import Any, Literal

from xlite.metrics.estimate import Estimate
from xlite.metrics.thresholds import ChosenByHand, ValidationPatients
from xlite.metrics.triage import NotSureZone
from xlite.metrics.validation_record import ValidationRecord, rank

Side = Literal["above", "below"]
Zone = Literal["low", "not_sure", "high", "not_certified", "void"]
Remark = Literal[
    "rules_nothing_out",
    "says_little",
    "few_patients",
    "no_threshold",
    "averaged",
    "not_calibrated",
    "two_rules",
    "by_hand",
]
Averaged = Literal["members", "mirror_image"]
"""Readings whose mean an answer is: those of an ensemble's members, or of a film and its mirror image."""

LEAST_FOR, MOST_AGAINST = 2.0, 0.5
"""A likelihood ratio between these changes the odds to a small and rarely important degree (Jaeschke, Guyatt
& Sackett, JAMA 271 (1994) 703)."""


@dataclass(frozen=True)
class Worth:
    """One finding of one film, and all that is known of what its probability may be taken for.

    threshold: None without one, or if it is withheld. record: None if the model file has none. calibrated:
    whether a calibrator was fitted to the finding. void: the film is not as the validation films were, so
    that no guarantee holds. disagreement: the standard deviation of an ensemble's members' probabilities.
    by_hand: set if a person chose the threshold, None if validation films did. averaged: of which readings
    the probability is the mean, if nothing was fitted to such means.
    """

    finding: str
    probability: float
    threshold: float | None
    withheld: bool = False
    patients: ValidationPatients | None = None
    record: ValidationRecord | None = None
    calibrated: bool = False
    void: bool = False
    disagreement: float | None = None
    by_hand: ChosenByHand | None = None
    averaged: Averaged | None = None

    @property
    def side(self) -> Side | None:
        """Where the probability lies, at the threshold or above it, or below; None without a threshold."""
        if self.threshold is None:
            return None
        return "above" if self.probability >= self.threshold else "below"

    @property
    def sensitivity(self) -> Estimate | None:
        """Of the threshold on the validation films."""
        return self.record.sensitivity if self.record else None

    @property
    def specificity(self) -> Estimate | None:
        """Of the threshold on the validation films."""
        return self.record.specificity if self.record else None

    @property
    def cut_offs(self) -> NotSureZone | None:
        """The cut-offs of the "not sure" zone."""
        return self.record.zone if self.record else None

    @property
    def zone(self) -> Zone | None:
        """Where the probability lies by the cut-offs; None if the model file does not say.

        Without one of them the rest is all not sure.
        """
        cuts = self.cut_offs
        if cuts is None:
            return None
        if self.void:
            return "void"
        if cuts.low is None and cuts.high is None:
            return "not_certified"
        if cuts.low is not None and self.probability < cuts.low:
            return "low"
        return "high" if cuts.high is not None and self.probability >= cuts.high else "not_sure"

    @property
    def rank_without(self) -> int | None:
        """Of how many per cent of the validation films without the finding the probability is higher."""
        return rank(self.probability, self.record.ranks_without) if self.record else None

    @property
    def rank_with(self) -> int | None:
        """Of how many per cent of the validation films with the finding the probability is higher."""
        return rank(self.probability, self.record.ranks_with) if self.record else None

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What limits the verdict.

        Below a threshold that misses about as often as it passes rightly nothing is ruled out; above one that
        calls about as many without the finding little is said. The threshold alone says what is called, also
        if a cut-off of the "not sure" zone lies on its other side.
        """
        found: list[Remark] = []
        if self.withheld:
            found.append("no_threshold")
        if self.averaged:
            found.append("averaged")
        if self.sensitivity and self.specificity:
            hit, passed = self.sensitivity.value or 0.0, self.specificity.value or 0.0
            if self.side == "below" and 1 - hit >= MOST_AGAINST * passed:
                found.append("rules_nothing_out")
            if self.side == "above" and hit <= LEAST_FOR * (1 - passed):
                found.append("says_little")
        by_validation = self.threshold is not None and self.by_hand is None
        if by_validation and self.patients is not None and self.patients.few:
            found.append("few_patients")
        if not self.calibrated:
            found.append("not_calibrated")
        if (self.side, self.zone) in (("below", "high"), ("above", "low")):
            found.append("two_rules")
        if self.by_hand is not None:
            found.append("by_hand")
        return tuple(found)

    def facts(self) -> dict[str, Any]:
        """All of it as JSON has it; what is not known is None."""
        record, patients, cuts = self.record, self.patients, self.cut_offs
        return {
            "probability": self.probability,
            "threshold": self.threshold,
            "side": self.side,
            "sensitivity": dict(vars(self.sensitivity)) if self.sensitivity else None,
            "specificity": dict(vars(self.specificity)) if self.specificity else None,
            "positive_films": record.positive_films if record else None,
            "negative_films": record.negative_films if record else None,
            "positive_patients": patients.positive if patients else None,
            "negative_patients": patients.negative if patients else None,
            "zone": self.zone,
            "cut_offs": cuts.model_dump() if cuts else None,
            "calibrated": self.calibrated,
            "rank_without": self.rank_without,
            "rank_with": self.rank_with,
            "remarks": list(self.remarks),
            "void": self.void or (None if self.averaged else False),
            "disagreement": self.disagreement,
        }

    def row(self) -> dict[str, Any]:
        """The same as one row of a table: what is nested is flat, remarks are joined by semicolons."""
        facts = self.facts()
        for name in ("sensitivity", "specificity"):
            rate = facts.pop(name) or {}
            facts[name] = rate.get("value")
            facts |= {f"{name}_{end}": rate.get(end) for end in ("low", "high")}
        cuts = facts.pop("cut_offs") or {}
        facts |= {f"cut_off_{end}": cuts.get(end) for end in ("low", "high")}
        return {"finding": self.finding} | facts | {"remarks": ";".join(facts["remarks"])}


COLUMNS = tuple(Worth("", 0.0, None).row())
"""Those of a row, which are the same whatever is known."""
