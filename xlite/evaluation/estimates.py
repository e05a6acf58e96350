"""The metrics of one set of predictions, each finding's and their means, with intervals."""

from collections.abc import Sequence

import numpy as np

from xlite.errors import DataError
from xlite.evaluation.base import Bootstrap, Stamp
from xlite.evaluation.caveats import (
    AlwaysPositive,
    BelowChance,
    Caveat,
    FewPositives,
    NeverCalled,
    NeverPositive,
    NoThresholds,
    OnePatient,
)
from xlite.evaluation.report import Baseline, FindingMetrics, Judged, Means, Metrics
from xlite.findings import FEW_POSITIVES, FINDINGS
from xlite.metrics import per_finding as metrics
from xlite.metrics.bootstrap import Resamples, estimate, interval, or_none, recentred
from xlite.metrics.estimate import Estimate
from xlite.metrics.thresholds import PLAIN_THRESHOLD

_OBJECTS = ("auc", "ap")  # these carry their interval in place, the others under "intervals"
_NUMBERS = ("f1", "precision", "recall", "specificity", "ece", "brier")
Values = dict[str, np.ndarray]


def evaluate_predictions(
    labels: np.ndarray,
    probs: np.ndarray,
    resamples: Resamples,
    stamp: Stamp,
    thresholds: np.ndarray | None = None,
    caveats: Sequence[Caveat] = (),
) -> Metrics:
    """Each metric per finding and macro, with 95 % intervals; what is undefined is named in its caveats.

    labels (N, 14) 0 or 1, probs (N, 14) in 0-1, resamples of these films, thresholds (14,), or None for 0.5
    with a caveat; caveats: what is known beforehand. Raises DataError if there are no films.
    """
    if not len(labels):
        raise DataError("there are no films to evaluate; give predictions for at least one film of the table")
    cuts = np.full(len(FINDINGS), PLAIN_THRESHOLD) if thresholds is None else np.asarray(thresholds)
    values, drawn = _values(labels, probs, cuts), _drawn(labels, probs, cuts, resamples)
    names = (*_OBJECTS, *_NUMBERS)
    return Metrics(
        split=Judged(
            id=stamp.split_id,
            part=stamp.part,
            images=len(labels),
            patients=resamples.patients,
            label_version=stamp.label_version,
        ),
        macro=Means(
            **{
                name: _estimate(float(metrics.macro(values[name])), metrics.macro(drawn[name]), name)
                for name in names
            }
        ),
        per_class={finding: _finding(c, labels, cuts, values, drawn) for c, finding in enumerate(FINDINGS)},
        macro_findings={name: int(np.sum(~np.isnan(values[name]))) for name in names},
        baseline=Baseline(
            always_no_accuracy=float(1 - labels.mean()),
            accuracy=float(values["accuracy"].mean()),
            prevalence=float(labels.mean()),
            always_yes_f1=or_none(float(metrics.macro(always_yes_f1(labels)))),
        ),
        bootstrap=Bootstrap(resamples=resamples.resamples, seed=resamples.seed),
        training_seed=stamp.training_seed,
        caveats=(
            *caveats,
            *([NoThresholds()] if thresholds is None else []),
            *_gaps(labels, values),
            *([OnePatient()] if resamples.patients == 1 else []),
            *_below_chance(labels, values["auc"], drawn["auc"]),
        ),
    )


def always_yes_f1(labels: np.ndarray) -> np.ndarray:
    """F1 per finding of calling every film, 2π / (1 + π) at the prevalence π; NaN if never positive."""
    prevalence = labels.mean(axis=0, dtype=np.float64)
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


def _estimate(value: float, drawn: np.ndarray, name: str) -> Estimate:
    """The named metric with the interval of its resamples (R,)."""
    return estimate(value, recentred(drawn, value) if name == "ece" else drawn)


def _finding(c: int, labels: np.ndarray, cuts: np.ndarray, values: Values, drawn: Values) -> FindingMetrics:
    found = {name: _estimate(values[name][c], drawn[name][:, c], name) for name in (*_OBJECTS, *_NUMBERS)}
    positives, prevalence = int(labels[:, c].sum()), labels[:, c].mean()
    return FindingMetrics(
        auc=found["auc"],
        ap=found["ap"],
        positives=positives,
        few_positives=positives < FEW_POSITIVES,
        prevalence=float(prevalence),
        always_yes_f1=or_none(always_yes_f1(labels)[c]),
        always_no_accuracy=float(1 - prevalence),
        accuracy=float(values["accuracy"][c]),
        threshold=float(cuts[c]),
        intervals={name: (found[name].low, found[name].high) for name in _NUMBERS},
        **{name: found[name].value for name in _NUMBERS},
    )


def _gaps(labels: np.ndarray, values: Values) -> list[Caveat]:
    """What these films cannot tell."""
    positives = dict(zip(FINDINGS, labels.sum(axis=0).astype(int).tolist(), strict=True))
    precision = dict(zip(FINDINGS, values["precision"], strict=True))
    never = tuple(finding for finding, count in positives.items() if not count)
    always = tuple(finding for finding, count in positives.items() if count == len(labels))
    uncalled = tuple(finding for finding, value in precision.items() if np.isnan(value))
    few = {finding: count for finding, count in positives.items() if 0 < count < FEW_POSITIVES}
    found = list[Caveat]()
    if never:
        found.append(NeverPositive(findings=never))
    if always:
        found.append(AlwaysPositive(findings=always))
    if uncalled:
        found.append(NeverCalled(findings=uncalled))
    if few:
        enough = values["auc"][labels.sum(axis=0) >= FEW_POSITIVES]
        found.append(FewPositives(positives=few, auc_without=or_none(float(metrics.macro(enough)))))
    return found


def _below_chance(labels: np.ndarray, auc: np.ndarray, drawn: np.ndarray) -> list[Caveat]:
    """Findings whose whole interval lies under 0.5: seldom a bad model, mostly scores turned round."""
    low = {
        finding: float(auc[c])
        for c, finding in enumerate(FINDINGS)
        if labels[:, c].sum() >= FEW_POSITIVES and interval(drawn[:, c])[1] < 0.5
    }
    return [BelowChance(auc=low)] if low else []
