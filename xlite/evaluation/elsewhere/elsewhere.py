"""A model's report on films of another hospital set beside that on its own test films; what films there are.

Each side has intervals by its own patients. As no film is on both sides, a difference has the interval that
follows from the two.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from xlite.data.ages import AGE_BANDS
from xlite.data.folder import NihFolder
from xlite.evaluation.contamination.contamination import known_stems
from xlite.evaluation.contamination.own_training import own_split
from xlite.evaluation.elsewhere.appearance import appearance_shift
from xlite.evaluation.elsewhere.elsewhere_report import Elsewhere, FindingElsewhere, Shift, Side
from xlite.evaluation.elsewhere.input_shift import input_shift
from xlite.evaluation.elsewhere.own_test import Answers, OwnFilms, OwnTest, own_test
from xlite.evaluation.films import Films
from xlite.evaluation.report import FindingMetrics, Metrics, Report
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate, FixedMean, independent_difference
from xlite.metrics.finding_estimates import PatientCounts, fixed_mean_of
from xlite.metrics.per_finding import auc_per_class

if TYPE_CHECKING:
    from xlite.classify import Classifier

log = logging.getLogger(__name__)

_ALONE = (
    "%s was not judged on the test part of its own split, or not since its thresholds or calibrator are what "
    "they are: once that report lies in the folder evaluation/ beside it, these films are compared with those"
)
_Estimates = Callable[[FindingMetrics], Estimate]


class _Judged(NamedTuple):
    """One side: its metrics, what they rest on if that is known, and what is said of its films."""

    metrics: Metrics
    answers: Answers | None
    side: Side


def beside_own_test(
    classifier: "Classifier",
    folder: NihFolder,
    films: Films,
    report: Report,
    own_folder: OwnFilms | None = None,
) -> Elsewhere | None:
    """The report on the folder's films beside the evaluation on the model's own test part.

    own_folder: where the films of that are, if they are at hand: guards and distances of them stand beside,
    too. None if the folder has the model's own split, so that these films are not elsewhere, or if no
    evaluation of the model as it is today lies beside it, which is said in the log.
    """
    if own_split(classifier.info, folder) is not None:
        return None
    own = own_test(classifier, report)
    if own is None:
        log.info(_ALONE, classifier.name)
        return None
    rows = _new_to_it(report, films)
    stems = [films.stems[row] for row in rows]
    here, there = _own(own), _judged(report, _answers(films, rows))
    seen = input_shift(classifier, folder, stems)
    at_hand = input_shift(classifier, own_folder.folder, own_folder.stems) if own_folder else None
    findings, mean = _mean_auc(here, there)
    labelled = [
        {name for name, one in side.metrics.per_class.items() if one.labelled} for side in (here, there)
    ]
    return Elsewhere(
        here=here.side,
        there=there.side,
        same_names=len(own.stems & {*stems}),
        only_here=_in_order(labelled[0] - labelled[1]),
        only_there=_in_order(labelled[1] - labelled[0]),
        mean_findings=findings,
        mean_auc=mean,
        per_class={name: _finding(name, here, there) for name in _in_order(labelled[0] & labelled[1])},
        mix=_mix(own.report, report),
        guards=seen.guards,
        distances=seen.distances,
        guards_here=at_hand and at_hand.guards,
        distances_here=at_hand and at_hand.distances,
        appearance=appearance_shift(seen.appearance, at_hand and at_hand.appearance, report.bootstrap),
    )


def _in_order(findings: set[str]) -> tuple[str, ...]:
    return tuple(finding for finding in FINDINGS if finding in findings)


def _own(own: OwnTest) -> _Judged:
    """The side of the model's own test part; its answers rest on all films, so not if some are left out."""
    return _judged(own.report, None if own.report.contaminated else own.answers)


def _judged(report: Report, answers: Answers | None) -> _Judged:
    """The metrics of a report on the films that the model does not know, on all if these cannot be told."""
    found = report.contamination if report.contaminated else None
    metrics = found.clean if found and found.clean else report
    split = metrics.split
    side = Side(
        split_id=split.id,
        part=split.part,
        films=split.images,
        patients=split.patients,
        label_version=split.label_version,
        data=split.data,
        left_out=report.split.images - split.images,
        contaminated=found is not None and found.clean is None,
        bootstrap=metrics.bootstrap,
    )
    return _Judged(metrics, answers, side)


def _new_to_it(report: Report, films: Films) -> np.ndarray:
    """The rows of the films that `_judged` compares."""
    found = report.contamination if report.contaminated else None
    known = known_stems(found.reasons) if found and found.clean else None
    return np.flatnonzero([known is None or stem not in known for stem in films.stems])


def _answers(films: Films, rows: np.ndarray) -> Answers:
    return Answers(films.labels[rows], films.probs[rows], films.patients[rows])


def _mean_auc(here: _Judged, there: _Judged) -> tuple[tuple[str, ...], Shift]:
    """The mean AUC over the findings that can bear one on both sides, and which these are."""
    fixed = [side.metrics.macro_fixed.get("auc", FixedMean()).findings for side in (here, there)]
    both = tuple(finding for finding in fixed[0] if finding in fixed[1])
    return both, _shift(_mean_over(here, both), _mean_over(there, both))


def _mean_over(side: _Judged, findings: tuple[str, ...]) -> Estimate:
    """The mean AUC over some of the fixed findings; without an interval if its films are not known."""
    fixed, answers = side.metrics.macro_fixed.get("auc", FixedMean()), side.answers
    if not findings or fixed.findings == findings:
        return fixed.estimate if findings else Estimate(None)
    if answers is None:
        values = [side.metrics.per_class[finding].auc.value for finding in findings]
        return Estimate(float(np.mean([value for value in values if value is not None])))
    drawn = Resamples(answers.patients, side.side.bootstrap.resamples, side.side.bootstrap.seed)
    chosen = np.array([finding in findings for finding in FINDINGS])
    labels = np.where(chosen, answers.labels, np.nan)
    counts = PatientCounts.per_finding(labels, labels > 0, drawn.owner)
    return fixed_mean_of(
        "auc", auc_per_class(labels, answers.probs), drawn.auc(labels, answers.probs), counts
    ).estimate


def _finding(finding: str, here: _Judged, there: _Judged) -> FindingElsewhere:
    sides = here.metrics.per_class[finding], there.metrics.per_class[finding]
    films = [
        side.metrics.split.images if one.films is None else one.films
        for side, one in zip((here, there), sides, strict=True)
    ]

    def shift(estimate: _Estimates) -> Shift:
        return _shift(*map(estimate, sides))

    return FindingElsewhere(
        films=(films[0], films[1]),
        positives=(sides[0].positives, sides[1].positives),
        prevalence=(sides[0].prevalence, sides[1].prevalence),
        threshold=sides[1].threshold,
        auc=shift(lambda one: one.auc),
        ece=shift(lambda one: one.estimate("ece")),
        perfect_ece=(sides[0].perfect_ece, sides[1].perfect_ece),
        intercept=shift(lambda one: one.calibration_intercept),
        slope=shift(lambda one: one.calibration_slope),
        sensitivity=shift(lambda one: one.estimate("recall")),
        specificity=shift(lambda one: one.estimate("specificity")),
    )


def _shift(here: Estimate, there: Estimate) -> Shift:
    return Shift(here=here, there=there, difference=independent_difference(there, here))


def _mix(own: Report, report: Report) -> dict[str, dict[str, tuple[int, int]]]:
    """How many films of each group both reports have, of all films that were judged."""
    found = dict[str, dict[str, tuple[int, int]]]()
    for attribute in [name for name in own.subgroups if name in report.subgroups]:
        here, there = (
            {name: group.images for name, group in side.subgroups[attribute].groups.items()}
            for side in (own, report)
        )
        names = sorted({*here, *there}, key=[*AGE_BANDS, *sorted({*here, *there} - {*AGE_BANDS})].index)
        found[attribute] = {name: (here.get(name, 0), there.get(name, 0)) for name in names}
    return found
