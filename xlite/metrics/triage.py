"""The "not sure" zone of a finding: two cut-offs that risk control on validation patients certifies.

A patient with the finding is missed by a cut-off if any of their films with it lies below; one without it is
alarmed if any of their films without it reaches it. Cut-offs are tested from the most careful one on, each by
the exact binomial test that too many patients are missed, or alarmed, and the last one that passes before the
first that fails is taken: fixed-sequence testing, so that testing all of them costs no confidence
(Angelopoulos et al., Learn then Test, Annals of Applied Statistics 19 (2025) 1641). As fewer patients pass
with each step, that is an order statistic: the one-sided tolerance limit of Wilks, Annals of Mathematical
Statistics 12 (1941) 91.
"""

import math
from typing import Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy.special import betaincinv

from xlite.metrics.thresholds import SENSITIVITY, SPECIFICITY

MISSED, ALARMED = round(1 - SENSITIVITY, 12), round(1 - SPECIFICITY, 12)
"""The largest share of patients with a finding below the low cut-off; of those without it at the high one."""
CONFIDENCE = 0.95
"""Of each cut-off alone."""

_Share = Annotated[float, Field(ge=0, le=1)]


class NotSureZone(BaseModel):
    """Two cut-offs of a finding, None if too few patients certify one, and what each guarantees.

    With `confidence`, at most the share `missed` of patients with the finding have a film with it below
    `low`, and at most `alarmed` of those without it have a film without it at or above `high`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    low: _Share | None
    high: _Share | None
    missed: _Share = MISSED
    alarmed: _Share = ALARMED
    confidence: _Share = CONFIDENCE

    @model_validator(mode="after")
    def _is_a_zone(self) -> Self:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"a zone from {self.low} to {self.high} ends before it begins")
        return self


def not_sure_zone(positive: np.ndarray, probs: np.ndarray, patients: np.ndarray) -> NotSureZone:
    """The zone of a finding by its validation films: positive (N,) bool, probs (N,) in 0-1, patients (N,).

    Each cut-off lies half-way to the next probability seen, on its careful side, so that rounding moves no
    film across. Cut-offs that cross, as those of a good model may, meet: each may move to its careful side.
    """
    seen = np.unique(probs).astype(np.float64)
    lowest = np.sort(_worst(np.minimum, probs[positive], patients[positive]))
    highest = np.sort(_worst(np.maximum, probs[~positive], patients[~positive]))[::-1]
    low = high = None
    if (spared := allowed(len(lowest), MISSED)) is not None:
        place = int(np.searchsorted(seen, lowest[spared]))
        low = float((seen[place] + seen[max(place - 1, 0)]) / 2)
    if (spared := allowed(len(highest), ALARMED)) is not None and highest[spared] < 1:
        place = int(np.searchsorted(seen, highest[spared]))
        high = float((seen[place] + np.append(seen, 1.0)[place + 1]) / 2)
    if low is not None and high is not None and low > high:
        low = high = (low + high) / 2
    return NotSureZone(low=low, high=high)


def allowed(patients: int, share: float, confidence: float = CONFIDENCE) -> int | None:
    """How many of the patients a cut-off may lose for the true share to be certified; None if not even 0.

    The most of which the upper limit of Clopper & Pearson, Biometrika 26 (1934) 404, is not above the share.
    """
    lost = np.arange(patients)
    limits = betaincinv(lost + 1, patients - lost, confidence)
    fitting = int(np.count_nonzero(limits <= share))
    return fitting - 1 if fitting else None


def needed(share: float, confidence: float = CONFIDENCE) -> int:
    """The fewest patients that can certify a share: so many without any lost. 29 for 10 %, 59 for 5 %."""
    return math.ceil(math.log(1 - confidence) / math.log(1 - share))


def _worst(choose: np.ufunc, probs: np.ndarray, patients: np.ndarray) -> np.ndarray:
    """The least or the greatest probability of each patient's films, (P,)."""
    different, owner = np.unique(patients, return_inverse=True)
    worst = np.full(len(different), np.inf if choose is np.minimum else -np.inf)
    choose.at(worst, owner, probs)
    return worst
