"""The whole report on films and a model's answers, and the files that hold it."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from xlite.data.predictions import write_predictions
from xlite.errors import DataError
from xlite.evaluation.doubts import Doubt, contaminated, known_stems
from xlite.evaluation.estimates import evaluate_predictions
from xlite.evaluation.films import Films, write_labels
from xlite.evaluation.radiologists import beside_radiologists
from xlite.evaluation.references import published_references
from xlite.evaluation.subgroups import film_groups, subgroup_figures
from xlite.evaluation.validation import calibration_maps, operating_points
from xlite.files import write_atomic
from xlite.metrics.bands import draw_curves
from xlite.metrics.bootstrap import draw_patients
from xlite.metrics.calibration import sigmoid
from xlite.metrics.confusion import confusion
from xlite.report.document import to_html, to_markdown
from xlite.report.sections.whole import whole


class Stamp(NamedTuple):
    """What every figure of a report carries: the model's name, split, part, edition of the labels, and the
    seed that the model was trained with, where that is known.
    """

    model: str
    split_id: str
    part: str
    label_version: str
    training_seed: int | None = None


def full_report(
    films: Films,
    stamp: Stamp,
    *,
    thresholds: np.ndarray | None,
    calibration: str,
    without_map: Sequence[str] = (),
    validation: Films | None,
    validated_on: str,
    doubts: Sequence[Doubt] = (),
    radiologists: pd.DataFrame | None = None,
    localisation: dict | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> dict:
    """metrics.json as a dict: `evaluate_predictions` and, beside the contract's keys, all else to be said.

    thresholds (14,), or None for 0.5 with a warning; calibration: the map in use, in a word, and the findings
    that are without one; validated_on:
    what the validation films are, or why there are none; radiologists as `read_radiologists` gives them;
    localisation as `localise_part` does.
    "contamination" holds the same figures on the films that no doubt counts, "clean", where there are any.
    Raises DataError where there are no films.
    """
    labels, probs = films.labels, films.probs
    judge = partial(_judge, films=films, stamp=stamp, thresholds=thresholds, resamples=resamples, seed=seed)
    report = judge(np.arange(len(films)), warnings=[doubt.text for doubt in doubts])
    known = known_stems(doubts)
    new = np.flatnonzero([known is not None and stem not in known for stem in films.stems])
    spoiled = contaminated(doubts, len(films))
    owner, counts = draw_patients(films.patients, resamples, seed)
    cuts = np.array([figures["threshold"] for figures in report["per_class"].values()])
    decided = validation is not None
    return report | {
        "model": stamp.model,
        "contamination": spoiled and spoiled | {"clean": judge(new) if len(new) else None},
        "validation": {"films": len(validation) if decided else 0, "note": validated_on},
        "operating_points": operating_points(films, validation, owner, counts) if decided else None,
        "calibration": {
            "in_use": calibration,
            "without_map": list(without_map),
            "maps": calibration_maps(films, validation, owner, counts) if decided else None,
        },
        "confusion": confusion(labels, probs, cuts),
        "subgroups": subgroup_figures(labels, probs, film_groups(films.table), owner, counts),
        "radiologists": None
        if radiologists is None
        else beside_radiologists(films, radiologists, resamples, seed),
        "localisation": localisation,
        "references": published_references(films.stems),
    }


def _judge(
    rows: np.ndarray,
    films: Films,
    stamp: Stamp,
    thresholds: np.ndarray | None,
    resamples: int,
    seed: int,
    warnings: Sequence[str] = (),
) -> dict:
    """`evaluate_predictions` of some of the films, under the report's stamp."""
    return evaluate_predictions(
        films.labels[rows],
        films.probs[rows],
        films.patients[rows],
        split_id=stamp.split_id,
        part=stamp.part,
        label_version=stamp.label_version,
        thresholds=thresholds,
        warnings=warnings,
        resamples=resamples,
        seed=seed,
    ) | {"training_seed": stamp.training_seed}


def write_report(out: Path | str, report: dict, films: Films) -> None:
    """Writes predictions.csv, labels.csv, curves.json, report.html, .md and, last, metrics.json into `out`.

    report as `full_report` returns it; each file is replaced whole. Raises DataError where the folder cannot
    be written.
    """
    out, drawn = Path(out), report["bootstrap"]
    raw = sigmoid(films.logits)
    curves = draw_curves(
        films.labels,
        films.probs,
        films.patients,
        None if np.allclose(raw, films.probs, atol=1e-6) else raw,
        drawn["resamples"],
        drawn["seed"],
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_predictions(out / "predictions.csv", films.names, films.probs)
        write_labels(out / "labels.csv", films)
        _write_json(out / "curves.json", curves)
        write_atomic(out / "report.html", to_html(*whole(report, curves)).encode())
        write_atomic(out / "report.md", to_markdown(*whole(report, curves)).encode())
        _write_json(out / "metrics.json", report)
    except OSError as error:
        raise DataError(f"the report cannot be written to {out}: {error.strerror or error}") from error


def _write_json(path: Path, content: dict) -> None:
    write_atomic(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())
