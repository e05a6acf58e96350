"""The whole report on films and a model's answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from xlite.evaluation.contamination.caveats import Caveat, not_known
from xlite.evaluation.contamination.contamination import count_known, known_stems
from xlite.evaluation.estimates import evaluate_predictions
from xlite.evaluation.films import Films
from xlite.evaluation.localisation.localisation_report import LocalisationReport
from xlite.evaluation.radiologists import beside_radiologists
from xlite.evaluation.references import published_references
from xlite.evaluation.report import Comparison, Contamination, Metrics, Report
from xlite.evaluation.report_base import Stamp
from xlite.evaluation.subgroups import film_groups, subgroups
from xlite.evaluation.validation import calibration_errors, operating_points
from xlite.evaluation.validation_report import CalibrationReport, Validation
from xlite.labels import known
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.confusion import confusion
from xlite.metrics.thresholds import Thresholds

if TYPE_CHECKING:
    from xlite.classify import Classifier


@dataclass(frozen=True, eq=False)
class InUse:
    """What turns scores into calls: thresholds, or None for 0.5 with a caveat, and a calibrator.

    calibrator: its method, "none", or "as given"; uncalibrated: the findings that it leaves as they are.
    """

    thresholds: Thresholds | None
    calibrator: str
    uncalibrated: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class ValidationFilms:
    """The films that choose thresholds and calibrators, None if there are none; facts: which, or why."""

    films: Films | None
    facts: Validation


@dataclass(frozen=True, eq=False)
class Beside:
    """What may stand beside the metrics; radiologists as `read_radiologists` gives them.

    drawn: whether the films are, so that no published result may.
    """

    radiologists: pd.DataFrame | None = None
    localisation: LocalisationReport | None = None
    comparison: Comparison | None = None
    drawn: bool = False


@dataclass(frozen=True, eq=False)
class Judgement:
    """A report with what it was made from: the films, the patients drawn, the model if one read the films.

    validation: the films that chose thresholds and calibrators, if there are any; listed: the films of the
    table that predictions are scored by; targets: what was found of each box, if maps were judged by boxes.
    """

    report: Report
    films: Films
    resamples: Resamples
    classifier: "Classifier | None" = None
    validation: Films | None = None
    listed: int = 0
    targets: "pd.DataFrame | None" = None


def full_report(
    films: Films,
    stamp: Stamp,
    resamples: Resamples,
    in_use: InUse,
    validation: ValidationFilms,
    caveats: Sequence[Caveat] = (),
    beside: Beside | None = None,
) -> Report:
    """`evaluate_predictions` of the films, and all else that is to be said of them.

    resamples of the films. Contamination has the same metrics on the films that no caveat counts, if there
    are any and all that was learned from is known. Raises DataError if there are no films.
    """
    beside, thresholds, chosen_on = beside or Beside(), in_use.thresholds, validation.films
    whole = _metrics(films, np.arange(len(films)), stamp, thresholds, resamples, caveats)
    cuts = np.array([found.threshold for found in whole.per_class.values()], np.float64)
    marks = beside.radiologists
    return Report(
        **dict(whole),
        model=stamp.model,
        contamination=_contamination(films, stamp, thresholds, resamples, caveats),
        validation=validation.facts,
        operating_points=None if chosen_on is None else operating_points(films, chosen_on, resamples),
        calibration=CalibrationReport(
            in_use=in_use.calibrator,
            without_calibrator=tuple(in_use.uncalibrated),
            calibrators=None if chosen_on is None else calibration_errors(films, chosen_on, resamples),
        ),
        confusion=confusion(films.labels, films.probs, cuts),
        subgroups=subgroups(films.labels, films.probs, film_groups(films.table), resamples, cuts),
        radiologists=None if marks is None else beside_radiologists(films, marks, resamples),
        localisation=beside.localisation,
        references=published_references(films.stems, beside.drawn),
        comparison=beside.comparison,
    )


def _contamination(
    films: Films,
    stamp: Stamp,
    thresholds: Thresholds | None,
    resamples: Resamples,
    caveats: Sequence[Caveat],
) -> Contamination | None:
    """How many films the caveats count and the metrics on the others; None if they surely know none."""
    reasons, unknown = [caveat for caveat in caveats if caveat.known], not_known(caveats)
    if not reasons and not unknown:
        return None
    learned = None if unknown else known_stems(reasons)
    clean = np.flatnonzero([learned is not None and stem not in learned for stem in films.stems])
    some = known(films.labels[clean]).any()  # without any there is nothing to judge by
    return Contamination(
        films=count_known(reasons),
        of=len(films),
        reasons=tuple(reasons),
        unknown=unknown,
        clean=_metrics(films, clean, stamp, thresholds, resamples.redrawn(clean)) if some else None,
    )


def _metrics(
    films: Films,
    rows: np.ndarray,
    stamp: Stamp,
    thresholds: Thresholds | None,
    resamples: Resamples,
    caveats: Sequence[Caveat] = (),
) -> Metrics:
    """`evaluate_predictions` of some of the films, with resamples of these, under the report's stamp."""
    return evaluate_predictions(
        films.labels[rows],
        films.probs[rows],
        resamples,
        stamp,
        thresholds,
        caveats,
    )
