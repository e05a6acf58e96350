"""What saved evaluations say of single films of a folder, for pages that show films. No torch."""

from pathlib import Path

import numpy as np
from pydantic import BaseModel

from xlite.data.eda.ranking import ModelProbabilities
from xlite.data.folder import NihFolder
from xlite.data.predictions import PREDICTIONS_FILE, Predictions, read_predictions
from xlite.data.splits import PARTS
from xlite.errors import DataError, sentence
from xlite.evaluation.files import LABELS_FILE, METRICS_FILE
from xlite.evaluation.films import read_labels
from xlite.files import read_whole
from xlite.findings import FINDINGS
from xlite.labels import positive
from xlite.models.available import model_folders

ALIKE = 0.9
"""The share of films whose label sets must agree: two editions differ in few, other films in half of them."""


class _Positives(BaseModel):
    positives: int


class _Counted(BaseModel):
    """What a metrics.json counts of each finding."""

    per_class: dict[str, _Positives] = {}


def prediction_files() -> list[tuple[str, Path, int]]:
    """The model's name, the folder and the time of writing (ns) of each saved evaluation with predictions.

    In the order of the models, a run's own report first.
    """
    found = []
    for folder in model_folders():
        files = folder.glob("evaluation/*/predictions.csv")
        for file in sorted(files, key=lambda path: (path.parent.name not in PARTS, path.parent.name)):
            found.append((folder.name, file.parent, file.stat().st_mtime_ns))
    return found


def probabilities_by_model(
    folder: NihFolder, found: list[tuple[str, Path, int]]
) -> tuple[dict[str, ModelProbabilities], list[str]]:
    """By model, what the evaluations of `prediction_files` say of the folder's films; models with none are
    left out.

    Beside them a sentence on each that is damaged. If a film is in several evaluations of a model, the first
    counts. Of several folders open as one, evaluations on all of them come first, then those on each alone.
    """
    whole, damaged = _judged_here(folder, found)
    if len(folder.parts) == 1:
        return whole, damaged
    each = [_judged_here(part, found)[0] for part in folder.parts]
    joined = dict[str, ModelProbabilities]()
    for model in dict.fromkeys(name for one in (whole, *each) for name in one):
        alone = [
            one[model].probs if model in one else _nothing(part)
            for one, part in zip(each, folder.parts, strict=True)
        ]
        probs = np.concatenate(alone)  # films of the parts follow each other in the table
        if model in whole:
            probs = np.where(np.isnan(whole[model].probs), probs, whole[model].probs)
        names = [name for one in (whole, *each) if model in one for name in one[model].parts]
        joined[model] = ModelProbabilities(model, probs, tuple(dict.fromkeys(names)))
    return joined, damaged


def _judged_here(
    folder: NihFolder, found: list[tuple[str, Path, int]]
) -> tuple[dict[str, ModelProbabilities], list[str]]:
    """`probabilities_by_model` on the films as they are called in this folder."""
    probs: dict[str, np.ndarray] = {}
    parts: dict[str, list[str]] = {}
    damaged = []
    for model, place, _ in found:
        try:
            said = read_predictions(place / PREDICTIONS_FILE)
            rows = np.array([row for row, stem in enumerate(said.stems) if stem in folder], dtype=np.int64)
            if not len(rows) or not _are_these(folder, said, rows, place):
                continue
        except (DataError, OSError, ValueError) as error:
            damaged.append(f"The evaluation {place.name} of {model} is left out: {sentence(error)}")
            continue
        kept = probs.setdefault(model, _nothing(folder))
        at = folder.rows([said.stems[row] for row in rows])
        new = np.isnan(kept[at, 0])
        kept[at[new]] = said.probs[rows[new]]
        parts.setdefault(model, []).append(place.name)
    return {
        model: ModelProbabilities(model, kept, tuple(parts[model])) for model, kept in probs.items()
    }, damaged


def _nothing(folder: NihFolder) -> np.ndarray:
    """What a model said of a folder's films if it was asked of none, float32 (N, 14) of NaN."""
    return np.full((len(folder.table), len(FINDINGS)), np.nan, np.float32)


def _are_these(folder: NihFolder, said: Predictions, rows: np.ndarray, place: Path) -> bool:
    """Whether the films judged are the folder's and not others of the same names, as phantoms have NIH's.

    By the labels that lie beside the predictions; an evaluation without them tells how many films have each
    finding.
    """
    stems = [said.stems[row] for row in rows]
    here = folder.labels(stems)
    if (place / LABELS_FILE).is_file():
        labels = read_labels(place / LABELS_FILE).reindex(stems)
        theirs = labels[list(FINDINGS)].to_numpy(np.float32)
        same_patients = bool((labels["patient"].to_numpy() == folder.patients(stems)).all())
        same = (theirs == here) | (np.isnan(theirs) & np.isnan(here))
        return same_patients and float(same.all(axis=1).mean()) >= ALIKE
    # A run keeps its validation part's predictions alone.
    if len(rows) < len(said.stems) or not (place / METRICS_FILE).is_file():
        return False
    told = _Counted.model_validate_json(read_whole(place / METRICS_FILE)).per_class
    counts: list[int] = positive(here).sum(axis=0).tolist()
    return [told[name].positives if name in told else None for name in FINDINGS] == counts
