"""What follows from what a picture is: its verdict, the reasons for it, and a sentence for each.

Codes are those of guards.csv. refuse: no probabilities at all; offer: X-Lite can turn or invert the film, and
says so; caution: read, with a warning.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from xlite.guards.limits import Limits
from xlite.guards.measure import Measurements
from xlite.images import LEAST_CONTRAST
from xlite.text import significant

Verdict = Literal["pass", "caution", "offer", "refuse"]
Reason = Literal[
    "not_chest",
    "blank",
    "inverted",
    "rotated_90",
    "rotated_180",
    "rotated_270",
    "mirrored",
    "lateral",
    "child",
    "cut",
    "range",
    "unlike",
]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
REASONS: tuple[Reason, ...] = get_args(Reason)
HARDLY = 1 / 3
"""A probability that is less than chance among three kinds."""
_REFUSE: set[Reason] = {"not_chest", "blank"}
QUARTERS: dict[Reason, int] = {"rotated_90": 1, "rotated_180": 2, "rotated_270": 3}
"""By how many quarters, counterclockwise, a film is turned upright."""
_OFFER: set[Reason] = {"inverted", *QUARTERS}
_SENTENCES: dict[Reason, str] = {
    "not_chest": "This does not look like a chest X-ray",
    "blank": "The picture is blank: it shows nothing",
    "inverted": "The film looks inverted: bones are dark on it",
    "rotated_90": "The film looks turned by 90° clockwise",
    "rotated_180": "The film looks upside down",
    "rotated_270": "The film looks turned by 90° counterclockwise",
    "mirrored": "The film may be mirrored (or dextrocardia); it is read as it is",
    "lateral": "This looks like a lateral film; the model learned from frontal films alone",
    "child": "This looks like a film of a child; few films of training were of children",
    "cut": "The film looks cut: a part of the lungs is not on it",
    "range": "Greys or sharpness are beyond those of the gate's training films",
    "unlike": "The film is unlike the films that the model learned from",
}
_PROBABILITY_OF: dict[tuple[Reason, bool], str] = {
    ("not_chest", True): " of a chest X-ray",
    ("not_chest", False): " of another picture",
    ("unlike", True): " of a frontal film",
}
"""By reason, and whether it is too low: what a probability is of, if not of what the reason says."""
FIXED = "It was turned upright or inverted back before it was read."


def sentence_of(reason: Reason) -> str:
    """What a reason says, without what was measured and without a full stop."""
    return _SENTENCES[reason]


def offers(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Those of the reasons that X-Lite can undo."""
    return tuple(reason for reason in reasons if reason in _OFFER)


@dataclass(frozen=True)
class Check:
    """One check that gave a reason: what was measured, its value, and the limit that it passed.

    measure is "probability", "contrast", "grey range", "sharpness" or "distance"; a value below `limit` gave
    the reason if `below`, otherwise one at or above it.
    """

    reason: Reason
    measure: str
    value: float
    limit: float
    below: bool = False

    def __str__(self) -> str:
        side = "the least that passes is" if self.below else "the limit is"
        whose = _PROBABILITY_OF.get((self.reason, self.below), "")
        measured = f"{self.measure}{whose} {significant(self.value)}"
        return f"{sentence_of(self.reason)} ({measured}, {side} {significant(self.limit)})."


@dataclass(frozen=True)
class Guards:
    """What a picture is: the checks that gave a reason, in the order of REASONS, and all that was measured.

    scores: the gate's probabilities by name (`frontal`, `lateral`, `other`, `turned`, `mirrored`, `inverted`,
    `child`, `cut`, `ap`); empty for a blank picture, which the network is not asked about.
    """

    checks: tuple[Check, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The codes of the reasons; empty if the picture passes."""
        return tuple(check.reason for check in self.checks)

    @property
    def offers(self) -> tuple[Reason, ...]:
        """The reasons that X-Lite can undo."""
        return offers(self.reasons)

    @property
    def verdict(self) -> Verdict:
        """The gravest thing that a reason leads to."""
        if _REFUSE.intersection(self.reasons):
            return "refuse"
        if self.offers:
            return "offer"
        return "caution" if self.checks else "pass"

    @property
    def sentences(self) -> tuple[str, ...]:
        """A sentence for each reason, with its value and its limit."""
        return tuple(map(str, self.checks))

    def with_check(self, check: Check) -> "Guards":
        """The same with one more reason, unless the picture is refused: then nothing else is said of it."""
        if self.verdict == "refuse":
            return self
        checks = sorted((*self.checks, check), key=lambda one: REASONS.index(one.reason))
        return Guards(tuple(checks), self.scores)


def decide(scores: Mapping[str, float], measured: Measurements, limits: Limits) -> Guards:
    """The reasons for what the gate says (`Gate.scores`) and measured. What is refused is not described."""
    if not_chest := _not_chest(scores, limits):
        return Guards((not_chest,), scores)
    asked: tuple[tuple[Reason, float], ...] = (
        ("inverted", limits.inverted),
        ("mirrored", limits.mirrored),
        ("lateral", limits.lateral),
        ("child", limits.child),
        ("cut", limits.cut),
    )
    checks = [
        *_turned(scores, limits),
        *(_probable(reason, scores[reason], limit) for reason, limit in asked if scores[reason] >= limit),
        *_greys(measured, limits),
    ]
    if scores["lateral"] >= limits.lateral:  # ages, cuts and mirrors were learned from frontal films alone
        checks = [check for check in checks if check.reason not in {"mirrored", "child", "cut"}]
    elif scores["frontal"] < limits.frontal:
        checks.append(Check("unlike", "probability", scores["frontal"], limits.frontal, below=True))
    return Guards(tuple(sorted(checks, key=lambda check: REASONS.index(check.reason))), scores)


def blank(measured: Measurements) -> Guards:
    """The verdict on a picture that shows nothing."""
    return Guards((Check("blank", "contrast", measured.contrast, LEAST_CONTRAST, below=True),))


def fixed(image: np.ndarray, guards: Guards) -> np.ndarray:
    """The film uint8 (H, W) turned upright and inverted back, as the offers of its guards say.

    A mirror is never undone: it may be the patient's.
    """
    image = np.rot90(image, quarters_left(guards))
    if "inverted" in guards.reasons:
        image = 255 - image
    return np.ascontiguousarray(image)


def quarters_left(guards: Guards) -> int:
    """How many turns to the left by 90 degrees make a film upright, as its guards have it: 0-3."""
    return sum(quarters for quarters, reason in enumerate(QUARTERS, 1) if reason in guards.reasons)


def _probable(reason: Reason, value: float, limit: float) -> Check:
    return Check(reason, "probability", value, limit)


def _not_chest(scores: Mapping[str, float], limits: Limits) -> Check | None:
    """No chest X-ray: what looks like none, and what is hardly frontal and not certainly lateral."""
    if scores["other"] >= limits.other:
        return _probable("not_chest", scores["other"], limits.other)
    best = max(scores["frontal"], scores["lateral"])
    if scores["frontal"] < HARDLY and best < limits.lateral:
        return Check("not_chest", "probability", best, limits.lateral, below=True)
    return None


def _turned(scores: Mapping[str, float], limits: Limits) -> list[Check]:
    if scores["turned"] < limits.turned:
        return []
    return [_probable(max(QUARTERS, key=lambda turn: scores[turn]), scores["turned"], limits.turned)]


def _greys(measured: Measurements, limits: Limits) -> list[Check]:
    """At most one check: a flat film, else one that is too blurred or too sharp."""
    least, most = limits.sharpness
    if measured.grey_range < limits.grey_range:
        return [Check("range", "grey range", measured.grey_range, limits.grey_range, below=True)]
    if measured.sharpness < least:
        return [Check("range", "sharpness", measured.sharpness, least, below=True)]
    if measured.sharpness > most:
        return [Check("range", "sharpness", measured.sharpness, most)]
    return []
