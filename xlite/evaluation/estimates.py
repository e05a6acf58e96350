"""The metrics of one set of predictions, each finding's and their means, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from xlite.errors import DataError
from xlite.evaluation.contamination.caveats import Caveat, NoThresholds
from xlite.evaluation.contamination.metric_caveats import metric_caveats
from xlite.evaluation.report import Baseline, FindingMetrics, Judged, Means, Metrics
from xlite.evaluation.report_base import Bootstrap, Stamp
from xlite.findings import FEW_POSITIVES, FINDINGS
from xlite.labels import films_known, known, positive
from xlite.metrics import per_finding as metrics
from xlite.metrics.bootstrap import Resamples, or_none
from xlite.metrics.calibration_line import calibration_lines
from xlite.metrics.estimate import Estimate, FixedMean
from xlite.metrics.finding_estimates import (
    PatientCounts,
    finding_estimate,
    fixed_mean,
    mean_estimate,
    whole_mean_auc,
)
from xlite.metrics.thresholds import PLAIN_THRESHOLD, Thresholds
from xlite.text import counted

_OBJECTS = ("auc", "ap")  # these carry their interval in place, the others under "intervals"
_NUMBERS = ("f1", "precision", "recall", "specificity", "ece", "brier")
_NAMES = (*_OBJECTS, *_NUMBERS)
AT_ONE_PREVALENCE = ("ap", "precision")
"""What depends on how many films have a finding: its mean is told at one prevalence."""
Values = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class _Estimates:
    """Each metric by its name: values (14,), resamples (R, 14), and estimates of the 14 findings.

    labels, probs: (N, 14); cuts: (14,), NaN if withheld; patients: of each film, (N,); counts: those of each
    finding; perfect_ece: (14,), of as many films if the probabilities were right.
    """

    labels: np.ndarray
    probs: np.ndarray
    cuts: np.ndarray
    patients: np.ndarray
    counts: Sequence[PatientCounts]
    values: Values
    drawn: Values
    found: dict[str, list[Estimate]]
    perfect_ece: np.ndarray

    @classmethod
    def of(cls, labels: np.ndarray, probs: np.ndarray, cuts: np.ndarray, resamples: Resamples) -> Self:
        """Computed of these films."""
        values, drawn = _values(labels, probs, cuts), _drawn(labels, probs, cuts, resamples)
        counts = PatientCounts.per_finding(labels, probs >= cuts, resamples.owner)
        found = {
            name: [
                finding_estimate(name, value, drawn[name][:, c], counts[c])
                for c, value in enumerate(values[name])
            ]
            for name in _NAMES
        }
        perfect = metrics.perfect_ece_per_class(probs, labels=labels)
        return cls(labels, probs, cuts, resamples.owner, counts, values, drawn, found, perfect)


def evaluate_predictions(
    labels: np.ndarray,
    probs: np.ndarray,
    resamples: Resamples,
    stamp: Stamp,
    thresholds: Thresholds | None = None,
    caveats: Sequence[Caveat] = (),
) -> Metrics:
    """Each metric per finding and macro, with 95 % intervals; what is undefined is named in its caveats.

    labels (N, 14) 0 or 1, NaN if unknown: each finding is judged by the films whose label of it is known.
    probs (N, 14) in 0-1, resamples of these films, thresholds, or None for 0.5 with a caveat; caveats: what
    is known beforehand. Raises DataError if there are no films, or none with a label that is known.
    """
    _check(labels)
    given = thresholds or Thresholds(np.full(len(FINDINGS), PLAIN_THRESHOLD))
    of = _Estimates.of(labels, probs, given.cuts, resamples)
    fixed = {name: fixed_mean(name, of.found[name], of.drawn[name], of.counts) for name in _NAMES}
    return Metrics(
        split=Judged(
            id=stamp.split_id,
            part=stamp.part,
            images=len(labels),
            patients=resamples.patients,
            label_version=stamp.label_version,
            data=stamp.data,
        ),
        macro=_means(of, fixed),
        macro_fixed=fixed,
        per_class=_per_finding(of, given),
        macro_findings={name: int(np.sum(~np.isnan(of.values[name]))) for name in _NAMES},
        macro_prevalence=_prevalence_of_means(of),
        baseline=_baseline(of),
        bootstrap=Bootstrap(resamples=resamples.resamples, seed=resamples.seed),
        training_seed=stamp.training_seed,
        caveats=(
            *caveats,
            *([NoThresholds()] if thresholds is None else []),
            *metric_caveats(labels, of.values, of.found["auc"], of.counts, resamples.owner, given),
        ),
    )


def _check(labels: np.ndarray) -> None:
    if not len(labels):
        raise DataError("there are no films to evaluate; give predictions for at least one film of the table")
    if not known(labels).any():
        raise DataError(
            f"no label of the {counted(len(labels), 'film')} is known, so there is nothing to judge by; give "
            "films of which the table knows at least one finding"
        )


def _means(of: _Estimates, fixed: Mapping[str, FixedMean]) -> Means:
    """The mean of each metric; that of AUC of all findings if those that are fixed give it no interval."""
    means = {name: mean_estimate(of.values[name], fixed[name]) for name in _NAMES}
    if means["auc"].low is None:
        means["auc"] = whole_mean_auc(of.values["auc"], of.drawn["auc"], of.counts)
    return Means(**means)


def _per_finding(of: _Estimates, thresholds: Thresholds) -> dict[str, FindingMetrics]:
    chosen_on = thresholds.chosen_on_by_finding() or {}
    lines = calibration_lines(of.labels, of.probs, of.patients)
    return {
        finding: FindingMetrics(
            **_counted(of.labels[:, c], of.counts[c]),
            **_measured({name: of.found[name][c] for name in _NAMES}),
            always_yes_f1=or_none(always_yes_f1(of.labels)[c]),
            **_called((of.probs[:, c] >= of.cuts[c]) & known(of.labels[:, c]), of.counts[c], of.cuts[c]),
            accuracy=or_none(of.values["accuracy"][c]),
            chosen_on=chosen_on.get(finding),
            perfect_ece=or_none(of.perfect_ece[c]),
            calibration_intercept=lines[c].intercept,
            calibration_slope=lines[c].slope,
            undefined_resamples=_undefined({name: of.drawn[name][:, c] for name in _NAMES}),
        )
        for c, finding in enumerate(FINDINGS)
    }


def _prevalence_of_means(of: _Estimates) -> dict[str, float | None]:
    """The mean prevalence of the findings that a mean is taken over, for metrics that depend on it."""
    prevalence = metrics.prevalence(of.labels)
    return {
        name: or_none(float(metrics.macro(np.where(np.isnan(of.values[name]), np.nan, prevalence))))
        for name in AT_ONE_PREVALENCE
    }


def _baseline(of: _Estimates) -> Baseline:
    prevalence = metrics.prevalence(of.labels)
    return Baseline(
        always_no_accuracy=float(1 - metrics.macro(prevalence)),
        accuracy=or_none(float(metrics.macro(of.values["accuracy"]))),
        prevalence=float(metrics.macro(prevalence)),
        always_yes_f1=or_none(float(metrics.macro(always_yes_f1(of.labels)))),
        perfect_ece=float(metrics.macro(of.perfect_ece)),
    )


def always_yes_f1(labels: np.ndarray) -> np.ndarray:
    """F1 per finding of calling every film, 2π / (1 + π) at the prevalence π; NaN if never positive."""
    prevalence = metrics.prevalence(labels)
    return metrics.ratio(2 * prevalence, np.where(prevalence > 0, 1 + prevalence, 0))


def _values(labels: np.ndarray, probs: np.ndarray, thresholds: np.ndarray) -> Values:
    """Each metric per finding, (14,)."""
    return {
        "auc": metrics.auc_per_class(labels, probs),
        "ap": metrics.ap_per_class(labels, probs),
        "ece": metrics.ece_per_class(labels, probs),
        "brier": metrics.brier_per_class(labels, probs),
        **metrics.rates_at(labels, probs, thresholds),
    }


def _drawn(labels: np.ndarray, probs: np.ndarray, thresholds: np.ndarray, resamples: Resamples) -> Values:
    """`_values` of each resample, (R, 14)."""
    auc, ap = resamples.auc_ap(labels, probs)
    return {
        "auc": auc,
        "ap": ap,
        "ece": resamples.ece(labels, probs),
        "brier": resamples.brier(labels, probs),
        **resamples.rates(labels, probs, thresholds),
    }


def _counted(labels: np.ndarray, counts: PatientCounts) -> dict[str, Any]:
    """What `FindingMetrics` holds of the labels (N,) alone."""
    prevalence = metrics.prevalence(labels)
    return {
        "films": int(films_known(labels)),
        "positives": int(positive(labels).sum()),
        "positive_patients": counts.positive,
        "negative_patients": counts.negative,
        "few_positives": counts.positive < FEW_POSITIVES,
        "prevalence": or_none(float(prevalence)),
        "always_no_accuracy": or_none(float(1 - prevalence)),
    }


def _called(called: np.ndarray, counts: PatientCounts, cut: float) -> dict[str, Any]:
    """What `FindingMetrics` holds of a threshold and the films (N,) that reach it; None if it is withheld."""
    if np.isnan(cut):
        return {"threshold": None}
    return {"threshold": float(cut), "called": int(called.sum()), "called_patients": counts.called}


def _measured(found: Mapping[str, Estimate]) -> dict[str, Any]:
    """One finding's metrics as `FindingMetrics` holds them."""
    return {
        **{name: found[name] for name in _OBJECTS},
        **{name: found[name].value for name in _NUMBERS},
        "intervals": {name: (found[name].low, found[name].high) for name in _NUMBERS},
    }


def _undefined(drawn: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The share of resamples (R,) that lack a metric, of the metrics that some have and some lack."""
    shares = {name: float(np.isnan(values).mean()) for name, values in drawn.items()}
    return {name: share for name, share in shares.items() if 0 < share < 1}
