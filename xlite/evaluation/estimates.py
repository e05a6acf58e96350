"""The metrics of one set of predictions, each finding's and their means, with intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

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
    NotLabelled,
    OnePatient,
    OtherPrevalence,
    UnknownLabels,
    WithheldThresholds,
)
from xlite.evaluation.report import Baseline, FindingMetrics, Judged, Means, Metrics
from xlite.findings import FAR_PREVALENCE, FEW_POSITIVES, FINDINGS, NIH_PREVALENCE
from xlite.labels import films_known, known, negative, positive
from xlite.metrics import per_finding as metrics
from xlite.metrics.bootstrap import Resamples, or_none
from xlite.metrics.calibration_line import calibration_lines
from xlite.metrics.estimate import Estimate
from xlite.metrics.finding_estimates import (
    PatientCounts,
    finding_estimate,
    fixed_mean,
    mean_estimate,
    whole_mean_auc,
)
from xlite.metrics.intervals import wilson
from xlite.metrics.thresholds import PLAIN_THRESHOLD, Thresholds
from xlite.text import counted

_OBJECTS = ("auc", "ap")  # these carry their interval in place, the others under "intervals"
_NUMBERS = ("f1", "precision", "recall", "specificity", "ece", "brier")
_NAMES = (*_OBJECTS, *_NUMBERS)
_AT_PREVALENCE = ("ap", "precision")
Values = dict[str, np.ndarray]


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
    if not len(labels):
        raise DataError("there are no films to evaluate; give predictions for at least one film of the table")
    if not known(labels).any():
        raise DataError(
            f"no label of the {counted(len(labels), 'film')} is known, so there is nothing to judge by; give "
            "films of which the table knows at least one finding"
        )
    given = thresholds or Thresholds(np.full(len(FINDINGS), PLAIN_THRESHOLD))
    cuts, chosen_on = given.cuts, given.chosen_on_by_finding() or {}
    values, drawn = _values(labels, probs, cuts), _drawn(labels, probs, cuts, resamples)
    counts = PatientCounts.per_finding(labels, probs >= cuts, resamples.owner)
    found = {name: _estimates(name, values[name], drawn[name], counts) for name in _NAMES}
    fixed = {name: fixed_mean(name, found[name], drawn[name], counts) for name in _NAMES}
    prevalence = metrics.prevalence(labels)
    lines, perfect = (
        calibration_lines(labels, probs, resamples.owner),
        metrics.perfect_ece_per_class(probs, labels=labels),
    )
    means = {name: mean_estimate(values[name], fixed[name]) for name in _NAMES}
    if means["auc"].low is None:
        means["auc"] = whole_mean_auc(values["auc"], drawn["auc"], counts)
    return Metrics(
        split=Judged(
            id=stamp.split_id,
            part=stamp.part,
            images=len(labels),
            patients=resamples.patients,
            label_version=stamp.label_version,
        ),
        macro=Means(**means),
        macro_fixed=fixed,
        per_class={
            finding: FindingMetrics(
                **_counted(labels[:, c], counts[c]),
                **_measured({name: found[name][c] for name in _NAMES}),
                always_yes_f1=or_none(always_yes_f1(labels)[c]),
                **_called((probs[:, c] >= cuts[c]) & known(labels[:, c]), counts[c], cuts[c]),
                accuracy=or_none(values["accuracy"][c]),
                chosen_on=chosen_on.get(finding),
                perfect_ece=or_none(perfect[c]),
                calibration_intercept=lines[c].intercept,
                calibration_slope=lines[c].slope,
                undefined_resamples=_undefined({name: drawn[name][:, c] for name in _NAMES}),
            )
            for c, finding in enumerate(FINDINGS)
        },
        macro_findings={name: int(np.sum(~np.isnan(values[name]))) for name in _NAMES},
        macro_prevalence={
            name: or_none(float(metrics.macro(np.where(np.isnan(values[name]), np.nan, prevalence))))
            for name in _AT_PREVALENCE
        },
        baseline=Baseline(
            always_no_accuracy=float(1 - metrics.macro(prevalence)),
            accuracy=or_none(float(metrics.macro(values["accuracy"]))),
            prevalence=float(metrics.macro(prevalence)),
            always_yes_f1=or_none(float(metrics.macro(always_yes_f1(labels)))),
            perfect_ece=float(metrics.macro(perfect)),
        ),
        bootstrap=Bootstrap(resamples=resamples.resamples, seed=resamples.seed),
        training_seed=stamp.training_seed,
        caveats=(
            *caveats,
            *([NoThresholds()] if thresholds is None else []),
            *_withheld(given),
            *_unknown(labels),
            *_gaps(labels, values, counts, ~np.isnan(cuts)),
            *_other_prevalence(prevalence, counts),
            *([OnePatient()] if resamples.patients == 1 else []),
            *_below_chance(found["auc"], counts),
        ),
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


def _estimates(
    name: str, values: np.ndarray, drawn: np.ndarray, counts: Sequence[PatientCounts]
) -> list[Estimate]:
    """The named metric of each finding, from its values (14,) and its resamples (R, 14)."""
    return [finding_estimate(name, value, drawn[:, c], counts[c]) for c, value in enumerate(values)]


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


def _withheld(thresholds: Thresholds) -> list[Caveat]:
    """The findings without a threshold, and how many patients were to choose it."""
    few = {
        finding: one
        for finding, one in (thresholds.chosen_on_by_finding() or {}).items()
        if thresholds.by_finding()[finding] is None
    }
    if not few:
        return []
    return [
        WithheldThresholds(
            positive={finding: one.positive for finding, one in few.items()},
            negative={finding: one.negative for finding, one in few.items()},
        )
    ]


def _other_prevalence(prevalence: np.ndarray, counts: Sequence[PatientCounts]) -> list[Caveat]:
    """Findings with Wilson's whole interval of the prevalence more than FAR_PREVALENCE times beyond NIH's."""
    here = dict[str, float]()
    for finding, share, count in zip(FINDINGS, prevalence.tolist(), counts, strict=True):
        nih = NIH_PREVALENCE[finding]
        low, high = wilson(share, count.effective) or (0.0, 1.0)
        if share and (low > FAR_PREVALENCE * nih or high * FAR_PREVALENCE < nih):
            here[finding] = share
    return [OtherPrevalence(here=here, nih={name: NIH_PREVALENCE[name] for name in here})] if here else []


def _unknown(labels: np.ndarray) -> list[Caveat]:
    """Of which findings no label is known, and of which some are not."""
    films, found = films_known(labels), list[Caveat]()
    if not films.all():
        found.append(NotLabelled(findings=_those(films == 0)))
    some = (films > 0) & (films < len(labels))
    if some.any():
        counts = {FINDINGS[c]: int(films[c]) for c in np.flatnonzero(some)}
        found.append(UnknownLabels(labelled=counts, films=len(labels)))
    return found


def _those(chosen: np.ndarray) -> tuple[str, ...]:
    """The names of the findings that are chosen, (14,) bool."""
    return tuple(finding for finding, one in zip(FINDINGS, chosen, strict=True) if one)


def _gaps(
    labels: np.ndarray, values: Values, counts: Sequence[PatientCounts], with_threshold: np.ndarray
) -> list[Caveat]:
    """What these films cannot tell; with_threshold (14,) bool."""
    films = dict(zip(FINDINGS, positive(labels).sum(axis=0).tolist(), strict=True))
    patients = {finding: one.positive for finding, one in zip(FINDINGS, counts, strict=True)}
    labelled = known(labels).any(axis=0)
    never, always = (
        _those(labelled & np.logical_not(some(labels).any(axis=0))) for some in (positive, negative)
    )
    uncalled = _those(labelled & np.isnan(values["precision"]) & with_threshold)
    few = {finding: count for finding, count in patients.items() if 0 < count < FEW_POSITIVES}
    found = list[Caveat]()
    if never:
        found.append(NeverPositive(findings=never))
    if always:
        found.append(AlwaysPositive(findings=always))
    if uncalled:
        found.append(NeverCalled(findings=uncalled))
    if few:
        enough = values["auc"][[one.positive >= FEW_POSITIVES for one in counts]]
        found.append(
            FewPositives(
                positives={finding: films[finding] for finding in few},
                patients=few,
                auc_without=or_none(float(metrics.macro(enough))),
            )
        )
    return found


def _below_chance(auc: Sequence[Estimate], counts: Sequence[PatientCounts]) -> list[Caveat]:
    """Findings whose whole interval lies under 0.5: seldom a bad model, mostly scores turned round."""
    low = {
        finding: one.value
        for finding, one, count in zip(FINDINGS, auc, counts, strict=True)
        if one.value is not None and one.high is not None and one.high < 0.5 and count.k >= FEW_POSITIVES
    }
    return [BelowChance(auc=low)] if low else []
