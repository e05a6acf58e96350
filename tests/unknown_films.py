"""Films of which some labels are unknown: for the tests of evaluation and reports."""

import functools
from dataclasses import replace

import numpy as np
from demo_home import SPLIT, drawn_films

from xlite.evaluation.films import Films
from xlite.evaluation.full_report import InUse, ValidationFilms, full_report
from xlite.evaluation.report import Report
from xlite.evaluation.report_base import Stamp
from xlite.evaluation.validation_report import Validation
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.thresholds import Thresholds

NOBODY_KNOWS, HALF, ONE_VIEW = "Cardiomegaly", "Effusion", "Edema"
"""Findings of `unknown_films`: labelled on no film, on every second patient's, on those of one view."""


def unknown_films(first: int = 0, count: int = 300, signal: float = 0.3) -> Films:
    """Drawn films with labels as float32, NaN if unknown: of all but three findings they are known."""
    films = drawn_films(np.random.default_rng(first), first, count, signal)
    labels = films.table[list(FINDINGS)].astype(np.float32)
    labels[NOBODY_KNOWS] = np.nan
    labels.loc[films.patients.astype(int) % 2 == 0, HALF] = np.nan
    labels.loc[films.table["view"] == "AP", ONE_VIEW] = np.nan
    return replace(films, table=films.table.assign(**labels))


@functools.cache
def unknown_report() -> tuple[Report, Films]:
    """The report on such films, by thresholds and calibrators of others of the kind."""
    films, validation = unknown_films(), unknown_films(1000)
    cuts = Thresholds.choose(validation.labels, validation.probs, validation.patients)
    report = full_report(
        films,
        Stamp("demo", SPLIT, "test", "2020"),
        Resamples(films.patients, 30, 0),
        InUse(cuts, "none"),
        ValidationFilms(validation, Validation(films=len(validation), split_id=SPLIT)),
    )
    return report, films
