"""A model before and after it was adapted, on films that fitted nothing: metrics, rates, changed calls."""

from collections.abc import Callable
from typing import Literal

import numpy as np

from xlite.evaluation.adaptation.adaptation import AdaptedFinding, Change
from xlite.evaluation.adaptation.local_fit import LocalFit
from xlite.findings import FINDINGS
from xlite.metrics import per_finding as metrics
from xlite.metrics.bootstrap import Resamples, or_none
from xlite.metrics.finding_estimates import PatientCounts, fixed_mean_of
from xlite.metrics.intervals import paired_estimate

_Metric = Callable[[np.ndarray, np.ndarray], np.ndarray]


def change_of(
    name: Literal["ece", "brier"],
    labels: np.ndarray,
    sides: tuple[np.ndarray, np.ndarray],
    judged: np.ndarray,
    resamples: Resamples,
) -> Change:
    """The mean of a metric over the findings judged (14,) bool, by the probabilities before and after."""
    of_films: _Metric = metrics.ece_per_class if name == "ece" else metrics.brier_per_class
    of_resamples: _Metric = resamples.ece if name == "ece" else resamples.brier
    labels = np.where(judged, labels, np.nan)
    counts = PatientCounts.per_finding(labels, labels > 0, resamples.owner)
    drawn = [of_resamples(labels, probs) for probs in sides]
    before, after = (
        fixed_mean_of(name, of_films(labels, probs), one, counts).estimate
        for probs, one in zip(sides, drawn, strict=True)
    )
    means = np.stack([one[:, judged].mean(axis=1) for one in drawn], axis=1)
    return Change(before=before, after=after, difference=paired_estimate(after, before, means[:, ::-1]))


def per_class(
    labels: np.ndarray, before: np.ndarray, after: np.ndarray, cuts: np.ndarray, fit: LocalFit
) -> dict[str, AdaptedFinding]:
    """Each finding by labels and probabilities before and after (N, 14), each at its thresholds (14,)."""
    sides = ((before, cuts), (after, fit.cuts))
    ece, brier = (
        [[or_none(value) for value in metric(labels, probs)] for probs, _ in sides]
        for metric in (metrics.ece_per_class, metrics.brier_per_class)
    )
    rates = [metrics.rates_at(labels, probs, at) for probs, at in sides]
    changed = changed_calls(before, cuts, after, fit.cuts)
    assert fit.chosen.chosen_on is not None

    def both(name: str, c: int) -> tuple[float | None, float | None]:
        return or_none(rates[0][name][c]), or_none(rates[1][name][c])

    return {
        finding: AdaptedFinding(
            rung=fit.climbed.rungs[c],
            with_it=fit.chosen.chosen_on[c].positive,
            without=fit.chosen.chosen_on[c].negative,
            films=int(np.count_nonzero(~np.isnan(labels[:, c]))),
            positives=int(np.count_nonzero(labels[:, c] == 1)),
            ece=(ece[0][c], ece[1][c]),
            brier=(brier[0][c], brier[1][c]),
            threshold=(or_none(cuts[c]), or_none(fit.cuts[c])),
            sensitivity=both("recall", c),
            specificity=both("specificity", c),
            changed=or_none(changed[c]),
        )
        for c, finding in enumerate(FINDINGS)
    }


def changed_calls(
    before: np.ndarray, cuts: np.ndarray, after: np.ndarray, new_cuts: np.ndarray
) -> np.ndarray:
    """The share of films (14,) whose call is another one; NaN without both thresholds."""
    share = ((before >= cuts) != (after >= new_cuts)).mean(axis=0)
    return np.where(np.isnan(cuts) | np.isnan(new_cuts), np.nan, share)
