"""Multi-label confusion: for films with one finding, which others are called beside it or in its place."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from xlite.findings import FINDINGS
from xlite.labels import known, negative, positive

_Of14 = Field(min_length=len(FINDINGS), max_length=len(FINDINGS))
Counts = Annotated[tuple[Annotated[int, Field(ge=0)], ...], _Of14]
Matrix = Annotated[tuple[Counts, ...], _Of14]


@dataclass(frozen=True)
class Confusion:
    """Counts of films by true finding (row) and other finding (column), both in NIH order.

    films (14,) have the row's finding; of these it is not called on `missed`, and on `silent` nothing is.
    Matrices (14, 14) count films of which both findings are known: `together` truly have both; on `called`,
    films with the row's finding, the column's is called. Of the wrong calls of these, `beside` call the row's
    finding too, `in_place` do not. withheld: the findings without a threshold, which nothing is called by.
    both: of the films with the row's finding those that the column's is known of; both_missed: of these those
    on which the row's is not called. None if all labels are known, as in old reports.
    """

    findings: tuple[str, ...]
    films: Counts
    missed: Counts
    silent: Counts
    together: Matrix
    called: Matrix
    beside: Matrix
    in_place: Matrix
    withheld: tuple[str, ...] = ()
    both: Matrix | None = None
    both_missed: Matrix | None = None

    def with_column(self, row: int) -> Counts:
        """Of the films with the row's finding, those that each column's (14,) is known of."""
        return (self.films[row],) * len(FINDINGS) if self.both is None else self.both[row]

    def missed_with_column(self, row: int) -> Counts:
        """Of the films on which the row's finding is missed, those that each column's (14,) is known of."""
        return (self.missed[row],) * len(FINDINGS) if self.both_missed is None else self.both_missed[row]


def confusion(labels: np.ndarray, probs: np.ndarray, thresholds: np.ndarray) -> Confusion:
    """The counts of labels (N, 14), NaN if unknown, against probs (N, 14) called at thresholds (14,), NaN if
    none.
    """
    truth, call, here = positive(labels), probs >= thresholds, known(labels)
    hit, missed, wrong = truth & call, truth & ~call, call & negative(labels)
    return Confusion(
        findings=FINDINGS,
        films=_sums(truth),
        missed=_sums(missed),
        silent=_sums(missed & ~call.any(axis=1, keepdims=True)),
        together=_pairs(truth, truth),
        called=_pairs(truth, call & here),
        beside=_pairs(hit, wrong),
        in_place=_pairs(missed, wrong),
        withheld=tuple(finding for finding, cut in zip(FINDINGS, thresholds, strict=True) if np.isnan(cut)),
        both=None if here.all() else _pairs(truth, here),
        both_missed=None if here.all() else _pairs(missed, here),
    )


def _sums(films: np.ndarray) -> tuple[int, ...]:
    return tuple(films.sum(axis=0).tolist())


def _pairs(rows: np.ndarray, columns: np.ndarray) -> Matrix:
    counts = rows.astype(np.int64).T @ columns.astype(np.int64)
    return tuple(tuple(row) for row in counts.tolist())
