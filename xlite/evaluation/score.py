"""Predictions that anyone's model made, judged by an NIH table. No torch."""

from pathlib import Path

import numpy as np
import pandas as pd

from xlite.data.folder import is_phantom
from xlite.data.leakage import films_sharing_patients, read_training_list
from xlite.data.predictions import Predictions, read_averaged, spoken_name
from xlite.data.tables import find_table, label_version, read_table
from xlite.errors import DataError
from xlite.evaluation.compare import compare_files
from xlite.evaluation.contamination.caveats import (
    Caveat,
    Listed,
    NotListed,
    SharedWithValidation,
    SwappedColumns,
    UnknownFilms,
    not_known,
)
from xlite.evaluation.contamination.contamination import known_stems
from xlite.evaluation.films import Films
from xlite.evaluation.full_report import Beside, InUse, Judgement, ValidationFilms, full_report
from xlite.evaluation.options import ScoreOptions
from xlite.evaluation.radiologists import read_radiologists
from xlite.evaluation.references import films_digest
from xlite.evaluation.report_base import Stamp
from xlite.evaluation.validation_report import Validation
from xlite.findings import FINDINGS
from xlite.labels import positive
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.calibration import logit
from xlite.metrics.per_finding import cross_auc
from xlite.metrics.thresholds import Thresholds, read_thresholds
from xlite.split_names import ALL_FILMS
from xlite.text import are, counted, printable

SWAP_POSITIVES = 30  # that two findings need before their columns are thought to be swapped
SWAP_GAIN = 0.2  # of AUC, over both


def judge_predictions(path: str | Path, table: str | Path, options: ScoreOptions) -> Judgement:
    """Judges anyone's predictions by an NIH table, the file or the folder that holds it.

    Several files of predictions joined by commas stand for their mean. Without
    thresholds and validation predictions 0.5 is used, with a caveat; without a list of what they learned from
    nothing is said of clean films. Raises DataError for films that the
    table lacks, unless options.ignore_unknown.
    """
    given = read_averaged(path)
    table = find_table(table) if Path(table).is_dir() else Path(table)
    rows, version = read_table(table).set_index("stem", drop=False), label_version(table)
    films, unknown = _answered(given, path, rows, table, options.ignore_unknown)
    caveats: list[Caveat] = [UnknownFilms(films=unknown)] if unknown else []
    caveats += _swapped(films)
    if options.trained_on:
        caveats += _learned(films, rows, options.trained_on)
    validation = ValidationFilms(None, Validation(absent="not_given"))
    if options.validation:
        file = options.validation
        others, left = _answered(read_averaged(file), file, rows, table, options.ignore_unknown)
        caveats += [UnknownFilms(films=left, validation=True)] if left else []
        caveats += _apart(films, others, file)
        validation = ValidationFilms(others, Validation(films=len(others), file=spoken_name(file)))
    caveats += [] if options.trained_on else [NotListed()]
    comparison = None
    if options.against:
        comparison = compare_files(
            path, options.against, table, options.resamples, options.seed, known_stems(caveats) or frozenset()
        )
        if not_known(caveats):
            comparison = comparison.model_copy(update={"untold": True, "clean": None})
    cuts = Thresholds(read_thresholds(options.thresholds)) if options.thresholds else None
    if cuts is None and validation.films is not None:
        cuts = Thresholds.choose(validation.films.labels, validation.films.probs, validation.films.patients)
    resamples = Resamples(films.patients, options.resamples, options.seed)
    report = full_report(
        films,
        Stamp(spoken_name(path), f"table:{version}:{films_digest(films.stems)}", ALL_FILMS, version),
        resamples,
        InUse(cuts, "as given"),
        validation,
        caveats,
        Beside(
            radiologists=read_radiologists(options.radiologists) if options.radiologists else None,
            comparison=comparison,
            drawn=is_phantom(table.parent),
        ),
    )
    return Judgement(report, films, resamples, validation=validation.films, listed=len(rows))


def _answered(
    given: Predictions, path: str | Path, rows: pd.DataFrame, table: Path, ignore_unknown: bool
) -> tuple[Films, int]:
    """The films of a predictions file that the table lists, and how many others there are."""
    known, unknown = _known(given, rows, path, table, ignore_unknown)
    return Films(rows.loc[known.stems], known.names, logit(known.probs), known.probs), unknown


def _swapped(films: Films) -> list[Caveat]:
    """Pairs of findings each of which the other's column tells much better."""
    labels = films.labels
    auc = cross_auc(labels, films.probs)
    gain = auc - np.diag(auc)[:, None]
    often = positive(labels).sum(axis=0) >= SWAP_POSITIVES
    mutual = (gain > 0) & (gain.T > 0) & (gain + gain.T > SWAP_GAIN) & often & often[:, None]
    pairs = tuple((FINDINGS[a], FINDINGS[b]) for a, b in np.argwhere(np.triu(mutual)))
    return [SwappedColumns(pairs=pairs)] if pairs else []


def _learned(films: Films, rows: pd.DataFrame, trained_on: str | Path) -> list[Caveat]:
    """Films that the model, or its teacher, has learned from, or films of their patients; maybe none."""
    listed = read_training_list(trained_on)
    shared = films_sharing_patients(listed, films.stems, rows)
    return [
        Listed(
            list_name=printable(Path(trained_on).name),
            films=len(films),
            inside=len({*listed} & {*films.stems}),
            outside=shared.outside,
            untold=shared.untold,
            known=len(shared.films),
            stems=frozenset(shared.films),
        )
    ]


def _apart(films: Films, validation: Films, path: str | Path) -> list[Caveat]:
    """Refuses validation films that are judged too; counts the patients that both have."""
    shared = set(films.stems) & set(validation.stems)
    if shared:
        raise DataError(
            f"{len(shared):,} of the {counted(len(validation), 'film')} of {path} {are(len(shared))} judged "
            f"too, {min(shared)} first: thresholds must be chosen on other films"
        )
    patients = len(np.intersect1d(films.patients, validation.patients))
    return [SharedWithValidation(patients=patients, name=spoken_name(path))] if patients else []


def _known(
    predictions: Predictions, films: pd.DataFrame, path: str | Path, table: Path, ignore_unknown: bool
) -> tuple[Predictions, int]:
    """The predictions whose films the table lists, and how many others there are."""
    rows = np.flatnonzero(np.isin(predictions.stems, films.index.to_numpy(str)))
    unknown = len(predictions.stems) - len(rows)
    if unknown == len(predictions.stems):
        raise DataError(
            f"none of the {counted(unknown, 'film')} of {path} is in {table}; check that they belong together"
        )
    if unknown and not ignore_unknown:
        first = next(stem for stem in predictions.stems if stem not in films.index)
        raise DataError(
            f"{table} lacks {unknown:,} of the {counted(len(predictions.stems), 'film')} of {path}, {first} "
            "first; give the table they come from, or leave them out with --ignore-unknown"
        )
    if not unknown:
        return predictions, 0
    stems, names = ([column[row] for row in rows] for column in predictions[:2])
    return Predictions(stems, names, predictions.probs[rows]), unknown
