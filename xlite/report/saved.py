"""The evaluations that lie beside the models, for those who show them. No torch."""

import json
from dataclasses import dataclass
from pathlib import Path

from xlite.data.predictions import read_predictions
from xlite.errors import DataError
from xlite.evaluation.compare import compare_on
from xlite.evaluation.films import read_labels
from xlite.findings import FINDINGS
from xlite.models.available import model_folders
from xlite.report.sentences import source

_KEYS = (
    "baseline", "calibration", "confusion", "contamination", "macro_findings", "operating_points",
    "radiologists", "references", "subgroups", "validation", "warnings",
)  # fmt: skip
PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class Evaluation:
    """What `xlite evaluate` wrote about one model on one part of one split."""

    model: str
    folder: Path
    metrics: dict
    curves: dict

    @property
    def split_id(self) -> str:
        """Identity of the split: figures of different splits are never ranked together."""
        return self.metrics["split"]["id"]

    @property
    def part(self) -> str:
        """train, val or test."""
        return self.metrics["split"]["part"]

    @property
    def group(self) -> tuple[str, str, str]:
        """What has to be equal before two evaluations may be compared: split, part, edition of the labels."""
        return self.split_id, self.part, self.metrics["split"]["label_version"]

    @property
    def source(self) -> str:
        """One line that belongs on each of its figures: split, part, films, patients, labels, resamples."""
        return source(self.metrics)


def saved_evaluations() -> tuple[list[Evaluation], list[str]]:
    """Every evaluation in `<model>/evaluation/*/`, in the order of the models, a run's own report first.

    Beside them a sentence on each that is damaged.
    """
    found, damaged = [], []
    for folder in model_folders():
        reports = (path.parent for path in folder.glob("evaluation/*/metrics.json"))
        for report in sorted(reports, key=lambda path: (path.name not in PARTS, path.name)):
            try:
                found.append(read_evaluation(folder.name, report))
            except DataError as error:
                damaged.append(str(error))
    return found, damaged


def read_evaluation(model: str, folder: Path) -> Evaluation:
    """The report in a folder. Raises DataError where a file is missing or not what `write_report` writes."""
    if (folder / "metrics.json").is_file() and not (folder / "curves.json").is_file():
        raise DataError(
            f"The evaluation {folder} was written by an older X-Lite and is left out: evaluate the model "
            "again."
        )
    try:
        metrics, curves = (
            json.loads((folder / name).read_bytes()) for name in ("metrics.json", "curves.json")
        )
        evaluation = Evaluation(model, folder, {**metrics, "model": model}, curves)
        _ = evaluation.source, metrics["macro"]["auc"]["value"], [metrics[key] for key in _KEYS]
        for finding in FINDINGS:
            _ = metrics["per_class"][finding]["auc"]["value"]
            _ = [curves[finding][name] for name in ("roc", "pr", "reliability")]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"The evaluation {folder} is damaged and left out ({type(error).__name__}: {error}); "
            "delete it or evaluate the model again."
        ) from error
    return evaluation


def compare_saved(first: Path, second: Path) -> dict:
    """`compare_files` of the models whose evaluations lie in two folders. Raises DataError."""
    if not (first / "labels.csv").is_file():
        raise DataError(
            f"{first} has no labels.csv beside its predictions, so it cannot be compared: evaluate that "
            "model again on your folder"
        )
    files = first / "predictions.csv", second / "predictions.csv"
    answers = tuple(read_predictions(file) for file in files)
    return compare_on(read_labels(first / "labels.csv"), answers, files, first / "labels.csv")
