"""What the validation films say of a finding's probabilities, as a model file keeps it for those who read."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Annotated, Self

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from xlite.findings import FINDINGS
from xlite.labels import positive, where_known
from xlite.metrics.estimate import Estimate
from xlite.metrics.intervals import promised_interval
from xlite.metrics.thresholds import Thresholds, ValidationPatients
from xlite.metrics.triage import NotSureZone, not_sure_zone
from xlite.patients import patients_with

STEPS = 100
"""The most of a table of ranks, which has one value more."""
_DECIMALS = 5


def _in_order(found: Estimate) -> Estimate:
    """The estimate, if it is a share with an interval that has it inside."""
    if found.value is None or found.low is None or found.high is None:
        raise ValueError(f"a rate is {found}, expected a value with an interval")
    if not 0 <= found.low <= found.value <= found.high <= 1:
        raise ValueError(f"a rate is {found}, expected shares in rising order")
    return found


def _rising(values: tuple[float, ...]) -> tuple[float, ...]:
    """The table, if it rises."""
    if any(after < before for before, after in pairwise(values)):
        raise ValueError(f"a table of ranks is {values!r:.80}, expected rising numbers")
    return values


_Rate = Annotated[Estimate, AfterValidator(_in_order)]
_Films = Annotated[int, Field(ge=0)]
_Ranks = Annotated[tuple[Annotated[float, Field(ge=0, le=1)], ...], AfterValidator(_rising)]


class ValidationRecord(BaseModel):
    """A finding on the validation films: how many, what its threshold did there, its zone, its ranks.

    sensitivity, specificity: of the model's threshold, by films, with the intervals of what they will be on
    new patients; None without a threshold. ranks_with, ranks_without: the probabilities of the films with the
    finding and without it, as `rank_table` gives them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    patients: ValidationPatients
    positive_films: _Films
    negative_films: _Films
    sensitivity: _Rate | None
    specificity: _Rate | None
    zone: NotSureZone
    ranks_with: _Ranks
    ranks_without: _Ranks

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        counts = (
            ("with", self.patients.positive, self.positive_films, self.sensitivity, self.ranks_with),
            ("without", self.patients.negative, self.negative_films, self.specificity, self.ranks_without),
        )
        for name, patients, films, rate, ranks in counts:
            if patients > films or (films > 0) != (patients > 0):
                raise ValueError(f"{films} films {name} a finding are of {patients} patients")
            if len(ranks) != (min(films, STEPS) + 1 if films else 0):
                raise ValueError(f"{films} films {name} a finding have {len(ranks)} ranks")
            if rate is not None and not films:
                raise ValueError(f"there is a rate of no films {name} a finding")
        return self

    def carried(self, move: Callable[[np.ndarray], np.ndarray]) -> Self:
        """The record if the probabilities become others, in the same order: move takes them to these."""
        low, high = (
            None if cut is None else float(move(np.array(cut))) for cut in (self.zone.low, self.zone.high)
        )
        return self.model_copy(
            update={
                "zone": self.zone.model_copy(update={"low": low, "high": high}),
                "ranks_with": tuple(move(np.array(self.ranks_with)).tolist()),
                "ranks_without": tuple(move(np.array(self.ranks_without)).tolist()),
            }
        )


def validation_records(
    labels: np.ndarray, probs: np.ndarray, patients: np.ndarray, thresholds: Thresholds
) -> dict[str, ValidationRecord]:
    """The record of each finding; labels (N, 14), NaN if unknown, and probs (N, 14) of validation films,
    patients (N,).
    """
    return {
        finding: _record(float(thresholds.cuts[c]), *where_known(labels[:, c], probs[:, c], patients))
        for c, finding in enumerate(FINDINGS)
    }


def _record(cut: float, labels: np.ndarray, probs: np.ndarray, patients: np.ndarray) -> ValidationRecord:
    """Of one finding on the films (N,) whose label is known; cut: NaN without a threshold."""
    has = positive(labels)
    have, lack = patients_with(np.stack([has, ~has], axis=1), patients).tolist()
    none: dict[str, Estimate | None] = {"sensitivity": None, "specificity": None}
    return ValidationRecord(
        patients=ValidationPatients(have, lack),
        positive_films=int(np.count_nonzero(has)),
        negative_films=int(np.count_nonzero(~has)),
        **none if np.isnan(cut) else promised_rates(has, probs >= cut, patients),
        zone=not_sure_zone(has, probs, patients),
        ranks_with=rank_table(probs[has]),
        ranks_without=rank_table(probs[~has]),
    )


def promised_rates(
    positive: np.ndarray, called: np.ndarray, patients: np.ndarray
) -> dict[str, Estimate | None]:
    """Sensitivity and specificity on the films that chose a threshold, with what they will be on others.

    positive, called (N,) bool, patients (N,). None of films that do not exist.
    """
    return {
        "sensitivity": _promised(called[positive], patients[positive]),
        "specificity": _promised(~called[~positive], patients[~positive]),
    }


def _promised(right: np.ndarray, patients: np.ndarray) -> Estimate | None:
    found = promised_interval(right, patients)
    return found and Estimate(float(right.mean()), *found)


def rank_table(probs: np.ndarray) -> tuple[float, ...]:
    """The probabilities (N,) as M + 1 quantiles, rounded up, M the films or STEPS, whichever is less; () of
    none.

    A quantile is a film's own value, the least that its share of the films does not exceed: what is above one
    is truly higher than so many films.
    """
    films = len(probs)
    steps = min(films, STEPS)
    places = [max(0, -(-step * films // steps) - 1) for step in range(steps + 1)] if films else []
    found = np.sort(np.asarray(probs, np.float64))[places]
    return tuple(round(float(up), _DECIMALS) for up in np.ceil(found * 10**_DECIMALS) / 10**_DECIMALS)


def rank(probability: float, table: Sequence[float]) -> int | None:
    """Of how many per cent of a table's films a probability is higher, at least; None of no films."""
    if not len(table):
        return None
    return 100 * max(0, bisect_left(table, float(probability)) - 1) // (len(table) - 1)
