"""Reports on predictions that anyone's model made, judged by an NIH table. Imports no torch."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from xlite.data.leakage import of_known_patients
from xlite.data.predictions import Predictions, read_averaged, spoken_name
from xlite.data.tables import find_table, label_version, read_list, read_table
from xlite.errors import DataError
from xlite.evaluation.compare import compare_files, comparison_sentence, write_comparison
from xlite.evaluation.doubts import Doubt
from xlite.evaluation.films import Films
from xlite.evaluation.judge import Stamp, full_report, write_report
from xlite.evaluation.radiologists import read_radiologists
from xlite.evaluation.references import films_digest
from xlite.findings import FINDINGS
from xlite.metrics.calibration import logit
from xlite.metrics.per_finding import cross_auc
from xlite.metrics.thresholds import choose_thresholds, read_thresholds
from xlite.text import are, counted

SWAP_POSITIVES = 30  # that two findings need before their columns are thought to be swapped
SWAP_GAIN = 0.2  # of AUC, over both


def score_predictions(
    path: str | Path,
    table: str | Path,
    out: str | Path,
    thresholds: str | Path | None = None,
    ignore_unknown: bool = False,
    say: Callable[[str], None] = print,
    resamples: int = 1000,
    *,
    validation: str | Path | None = None,
    radiologists: str | Path | None = None,
    trained_on: str | Path | None = None,
    against: str | Path | None = None,
) -> dict:
    """Judges anyone's predictions by an NIH table and writes the report into `out`.

    table: the file, or the folder that holds it; thresholds: a JSON file {finding: probability}; validation:
    predictions of the same model for other films of the table, which choose thresholds and calibration maps;
    without both, 0.5 is used, and said. radiologists: Google's table; trained_on: a list of films that the
    model, or its teacher, learned from; against: another model's predictions, compared with these on the
    films both have ("comparison" in the report, and comparison.json). Wherever predictions are asked for,
    several files joined by commas stand for their mean. Returns the report as `full_report` does; raises
    DataError for films that the table lacks, unless `ignore_unknown`.
    """
    given = read_averaged(path)
    table = find_table(table) if Path(table).is_dir() else Path(table)
    rows, version = read_table(table).set_index("stem", drop=False), label_version(table)
    films, unknown = _answered(given, path, rows, table, ignore_unknown)
    doubts = _left_out(unknown, "film")
    doubts += _swapped(films)
    if trained_on:
        doubts += _learned(films, rows, trained_on)
    held, note = None, "there are no validation predictions (--validation VAL.csv), so none are chosen"
    if validation:
        held, left = _answered(read_averaged(validation), validation, rows, table, ignore_unknown)
        doubts += _left_out(left, "validation film")
        doubts += _apart(films, held, validation)
        note = f"the {counted(len(held), 'film')} of {spoken_name(validation)}"
    comparison = compare_files(path, against, table) if against else None
    cuts = read_thresholds(thresholds) if thresholds else None
    if cuts is None and held is not None:
        cuts = choose_thresholds(held.labels, held.probs)
    report = full_report(
        films,
        Stamp(spoken_name(path), f"table:{version}:{films_digest(films.stems)}", "all", version),
        thresholds=cuts,
        calibration="as given",
        validation=held,
        validated_on=note,
        doubts=doubts,
        radiologists=read_radiologists(radiologists) if radiologists else None,
        resamples=resamples,
    )
    if comparison:
        report["comparison"] = {
            **comparison,
            "sentence": comparison_sentence(comparison, comparison["names"]),
        }
    write_report(out, report, films)
    if comparison:
        write_comparison(out, report["comparison"])
    say(f"{len(films):,} of the {counted(len(rows), 'film')} of the table judged, report in {out}")
    return report


def _left_out(unknown: int, film: str) -> list[Doubt]:
    return (
        [Doubt(f"{counted(unknown, film)} that the table lacks {are(unknown)} left out")] if unknown else []
    )


def _answered(
    given: Predictions, path: str | Path, rows: pd.DataFrame, table: Path, ignore_unknown: bool
) -> tuple[Films, int]:
    """The films of a predictions file that the table lists, and how many others there are."""
    known, unknown = _known(given, rows, path, table, ignore_unknown)
    return Films(rows.loc[known.stems], known.names, logit(known.probs), known.probs), unknown


def _swapped(films: Films) -> list[Doubt]:
    """Pairs of findings each of which the other's column tells much better."""
    labels = films.labels
    auc = cross_auc(labels, films.probs)
    gain = auc - np.diag(auc)[:, None]
    often = labels.sum(axis=0) >= SWAP_POSITIVES
    mutual = (gain > 0) & (gain.T > 0) & (gain + gain.T > SWAP_GAIN) & often & often[:, None]
    pairs = [f"{FINDINGS[a]} and {FINDINGS[b]}" for a, b in np.argwhere(np.triu(mutual))]
    return [Doubt(f"columns may be swapped, each tells the other finding better: {', '.join(pairs)}")] * bool(
        pairs
    )


def _learned(films: Films, rows: pd.DataFrame, trained_on: str | Path) -> list[Doubt]:
    """Films that the model, or its teacher, has learned from, or other films of their patients."""
    listed = read_list(trained_on)
    known = of_known_patients(listed, films.stems, rows)
    if not known:
        return []
    inside = len({*listed} & {*films.stems})
    text = (
        f"contamination: {inside:,} of these {counted(len(films), 'film')} {are(inside)} in "
        f"{Path(trained_on).name}, and {len(known):,} {are(len(known))} of patients who are"
    )
    return [Doubt.on(text, known)]


def _apart(films: Films, held: Films, path: str | Path) -> list[Doubt]:
    """Refuses validation films that are judged too; counts the patients that both have."""
    shared = set(films.stems) & set(held.stems)
    if shared:
        raise DataError(
            f"{len(shared):,} of the {counted(len(held), 'film')} of {path} {are(len(shared))} judged too, "
            f"{min(shared)} first: thresholds must be chosen on other films"
        )
    patients = len(np.intersect1d(films.patients, held.patients))
    if not patients:
        return []
    of_both = f"{counted(patients, 'patient')} {'has' if patients == 1 else 'have'} films both here and in"
    return [Doubt(f"{of_both} {spoken_name(path)}")]


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
