"""What the films judged cannot tell, found from their labels, patients and metrics."""

from collections.abc import Mapping, Sequence

import numpy as np

from xlite.evaluation.contamination.caveats import (
    AlwaysPositive,
    BelowChance,
    Caveat,
    FewPositives,
    MostlyOnePatient,
    NeverCalled,
    NeverPositive,
    NotLabelled,
    OnePatient,
    OtherPrevalence,
    UnknownLabels,
    WithheldThresholds,
)
from xlite.findings import FEW_POSITIVES, FINDINGS, NIH_PREVALENCE
from xlite.labels import films_known, known, negative, positive
from xlite.metrics import per_finding as metrics
from xlite.metrics.bootstrap import or_none
from xlite.metrics.estimate import Estimate
from xlite.metrics.finding_estimates import PatientCounts
from xlite.metrics.intervals import wilson
from xlite.metrics.thresholds import Thresholds


def metric_caveats(
    labels: np.ndarray,
    values: Mapping[str, np.ndarray],
    auc: Sequence[Estimate],
    counts: Sequence[PatientCounts],
    owner: np.ndarray,
    thresholds: Thresholds,
) -> list[Caveat]:
    """What limits metrics on these films: labels (N, 14), each metric's values (14,), auc with intervals.

    counts: the patients of each finding; owner (N,) int: whose film each is.
    """
    return [
        *_withheld(thresholds),
        *_unknown(labels),
        *_gaps(labels, values, counts, ~np.isnan(thresholds.cuts)),
        *_other_prevalence(metrics.prevalence(labels), counts),
        *_of_one_patient(owner),
        *_below_chance(auc, counts),
    ]


def _of_one_patient(owner: np.ndarray) -> list[Caveat]:
    """Whether all films, or most of them, are of one patient."""
    films = np.unique(owner, return_counts=True)[1]
    if len(films) == 1:
        return [OnePatient()]
    most = int(films.max())
    if 2 * most <= len(owner):
        return []
    return [MostlyOnePatient(most=most, films=len(owner), patients=len(films))]


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
    """Findings whose prevalence has Wilson's whole interval above twice, or below half, NIH's."""
    here = dict[str, float]()
    for finding, share, count in zip(FINDINGS, prevalence.tolist(), counts, strict=True):
        nih = NIH_PREVALENCE[finding]
        low, high = wilson(share, count.effective) or (0.0, 1.0)
        if share and (low > 2 * nih or high < nih / 2):  # as its sentence says
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
    labels: np.ndarray,
    values: Mapping[str, np.ndarray],
    counts: Sequence[PatientCounts],
    with_threshold: np.ndarray,
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
