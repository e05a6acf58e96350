"""Reports on predictions that anyone's model made, judged by an NIH table. Imports no torch."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from xlite.data.nih import find_table, label_version, read_table
from xlite.errors import DataError
from xlite.evaluation.bootstrap import compare_auc
from xlite.evaluation.predictions import Predictions, read_predictions
from xlite.evaluation.report import evaluate_predictions, write_report
from xlite.evaluation.thresholds import read_thresholds
from xlite.files import write_atomic
from xlite.findings import FINDINGS


def score_predictions(
    path: str | Path,
    table: str | Path,
    out: str | Path,
    thresholds: str | Path | None = None,
    ignore_unknown: bool = False,
    say: Callable[[str], None] = print,
    resamples: int = 1000,
) -> dict:
    """Judges anyone's predictions by an NIH table and writes the report into `out`.

    table: the file, or the folder that holds it; thresholds: a JSON file {finding: probability}, without
    which 0.5 is used, and said. Returns the report as `evaluate_predictions` does; raises DataError for films
    that the table lacks, unless `ignore_unknown`.
    """
    predictions = read_predictions(path)
    cuts = read_thresholds(thresholds) if thresholds else None
    table = find_table(table) if Path(table).is_dir() else Path(table)
    films = read_table(table).set_index("stem")
    known, unknown = _known(predictions, films, path, table, ignore_unknown)
    films = films.loc[known.stems]
    labels, version = films[list(FINDINGS)].to_numpy(np.float32), label_version(table)
    report = evaluate_predictions(
        labels,
        known.probs,
        films["patient"].to_numpy(),
        split_id=f"table:{version}:{_digest(known.stems)}",
        part="all",
        label_version=version,
        thresholds=cuts,
        warnings=[f"{unknown} films that the table lacks are left out"] if unknown else [],
        resamples=resamples,
    )
    write_report(out, report, known.names, labels, known.probs)
    say(f"{len(known.stems)} films judged, report in {out}")
    return report


def _known(
    predictions: Predictions, films: pd.DataFrame, path: str | Path, table: Path, ignore_unknown: bool
) -> tuple[Predictions, int]:
    """The predictions whose films the table lists, and how many others there are."""
    rows = np.flatnonzero(np.isin(predictions.stems, films.index.to_numpy(str)))
    unknown = len(predictions.stems) - len(rows)
    if unknown == len(predictions.stems):
        raise DataError(
            f"none of the {unknown} films of {path} is in {table}; check that they belong together"
        )
    if unknown and not ignore_unknown:
        first = next(stem for stem in predictions.stems if stem not in films.index)
        raise DataError(
            f"{table} lacks {unknown} of the {len(predictions.stems)} films of {path}, {first} first; "
            "give the table they come from, or leave them out with --ignore-unknown"
        )
    if not unknown:
        return predictions, 0
    stems, names = ([column[row] for row in rows] for column in predictions[:2])
    return Predictions(stems, names, predictions.probs[rows]), unknown


def _digest(stems: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(stems)).encode()).hexdigest()[:8]


def compare_files(
    first: str | Path, second: str | Path, table: str | Path, resamples: int = 1000, seed: int = 0
) -> dict:
    """Paired test of two predictions files on the films both have, labels and patients from an NIH table.

    Returns `compare_auc`'s dict with "images", "patients" and "tie", whether the interval of the difference
    reaches zero. Raises DataError where the films that both have are none, of one patient, or all alike.
    """
    a, b = read_predictions(first), read_predictions(second)
    table = find_table(table) if Path(table).is_dir() else Path(table)
    films = read_table(table).set_index("stem")
    row_a, row_b = ({stem: row for row, stem in enumerate(p.stems)} for p in (a, b))
    common = [stem for stem in a.stems if stem in row_b and stem in films.index]
    if not common:
        raise DataError(
            f"{first} and {second} share no film of {table}; compare predictions for the same films"
        )
    films = films.loc[common]
    patients = films["patient"].to_numpy()
    if len(np.unique(patients)) == 1:
        raise DataError(
            f"{first} and {second} share films of one patient only; patients are resampled, so give several"
        )
    compared = compare_auc(
        films[list(FINDINGS)].to_numpy(np.float32),
        a.probs[[row_a[stem] for stem in common]],
        b.probs[[row_b[stem] for stem in common]],
        patients,
        resamples,
        seed,
    )
    difference = compared["difference"]
    if np.isnan(difference["low"]):
        raise DataError(
            f"the {len(common)} films that {first} and {second} share have no finding that some of them have "
            "and others lack, so there is no AUC to compare; give predictions for more films"
        )
    tie = not (difference["low"] > 0 or difference["high"] < 0)
    return {**compared, "images": len(common), "patients": len(np.unique(patients)), "tie": tie}


def write_comparison(out: str | Path, comparison: dict) -> None:
    """Writes what `compare_files` returned to comparison.json in the folder `out`; atomic."""
    text = json.dumps(comparison, indent=1, allow_nan=False)
    write_atomic(Path(out) / "comparison.json", (text + "\n").encode())


def comparison_sentence(comparison: dict, other: str | Path) -> str:
    """What `compare_files` found, in a sentence; `other` is the second file."""
    difference = comparison["difference"]
    higher = "higher" if difference["value"] > 0 else "lower"
    verdict = "a tie, the difference is within the noise" if comparison["tie"] else f"{higher} than {other}"
    return (
        f"Macro AUC {comparison['first']:.4f} against {comparison['second']:.4f} of {other}, on the "
        f"{comparison['images']:,} films of {comparison['patients']:,} patients that both have: difference "
        f"{difference['value']:+.4f} ({difference['low']:+.4f} to {difference['high']:+.4f}), "
        f"p {comparison['p']:.3f}: {verdict}"
    )
