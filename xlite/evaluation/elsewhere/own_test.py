"""The evaluation of a model on the test part of its own split, as it lies beside the model. No torch."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic_core import from_json

from xlite.data.folder import NihFolder
from xlite.data.predictions import PREDICTIONS_FILE, read_predictions
from xlite.data.splits import PARTS
from xlite.errors import DataError
from xlite.evaluation.contamination.own_training import own_split
from xlite.evaluation.files import LABELS_FILE, METRICS_FILE
from xlite.evaluation.films import read_labels
from xlite.evaluation.report import Report
from xlite.files import read_whole
from xlite.findings import FINDINGS
from xlite.models.available import EXPORT_FILE, MODEL_FILE

if TYPE_CHECKING:
    from xlite.classify import Classifier

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Answers:
    """Labels (N, 14) 1, 0, or NaN if unknown, probabilities (N, 14) 0-1, and patients (N,) of some films."""

    labels: np.ndarray
    probs: np.ndarray
    patients: np.ndarray


@dataclass(frozen=True, eq=False)
class OwnTest:
    """The report, the films' names without suffix, and the answers it rests on; None without labels."""

    report: Report
    stems: frozenset[str]
    answers: Answers | None


class OwnFilms(NamedTuple):
    """The films of a model's own test part in a folder that has them."""

    folder: NihFolder
    stems: list[str]


def own_films(classifier: "Classifier", folder: NihFolder, own_data: str | Path) -> OwnFilms:
    """The films of the model's own test part in a folder other than the one judged.

    Raises DataError if that has not its split, or none of the films, or if the folder judged has it too.
    """
    info, other = classifier.info, NihFolder.open(own_data)
    if own_split(info, folder) is not None:
        raise DataError(
            f"{folder.root} has {info.split_id}, the model's own split: its films are compared with no others"
        )
    own = own_split(info, other)
    stems = [stem for stem in own.stems("test") if stem in other.paths] if own else []
    if not stems:
        raise DataError(
            f"{other.root} has no films of the test part of {info.split_id}, the model's own split: name the "
            "folder that it was trained on"
        )
    return OwnFilms(other, stems)


def evaluation_folders(model: Path) -> list[Path]:
    """The folders of reports in a model's folder, its run's own report first."""
    reports = (path.parent for path in model.glob("evaluation/*/metrics.json"))
    return sorted(reports, key=lambda path: (path.name not in PARTS, path.name))


def own_test(classifier: "Classifier", now: Report) -> OwnTest | None:
    """The evaluation on the model's own test part that lies beside it; None if none does.

    now: the report on other films: one whose thresholds or calibrator are others is of the model as it was
    once, and is passed over, as a damaged one is; both are said in the log.
    """
    path = classifier.path
    if classifier.others or path.name not in (MODEL_FILE, EXPORT_FILE):
        return None
    for folder in evaluation_folders(path.parent):
        try:
            report = Report.model_validate(
                {**from_json(read_whole(folder / METRICS_FILE)), "model": now.model}
            )
            if (report.split.id, report.split.part) != (classifier.info.split_id, "test"):
                continue
            if _turned_into_calls(report) == _turned_into_calls(now):
                return _own_test(folder, report)
            log.warning(
                "Warning: %s is of other thresholds or another calibrator than the model's of today, and is "
                "not set beside these films: evaluate the model on its own test part again",
                folder,
            )
        except (OSError, ValueError, KeyError, TypeError, DataError) as error:
            log.warning("Warning: the evaluation %s is damaged and left out (%.200s)", folder, error)
    return None


def _turned_into_calls(report: Report) -> tuple[str, list[float | None]]:
    """By what scores become probabilities and these become calls."""
    return report.calibration.in_use, [report.per_class[finding].threshold for finding in FINDINGS]


def _own_test(folder: Path, report: Report) -> OwnTest:
    """What lies beside a report. Raises DataError if that is not what was judged."""
    predictions, labels = read_predictions(folder / PREDICTIONS_FILE), folder / LABELS_FILE
    table = read_labels(labels) if labels.is_file() else None
    stems = frozenset(predictions.stems)
    if len(stems) != report.split.images or (table is not None and not stems <= set(table.index)):
        raise DataError("its predictions or labels are not those of the films judged")
    if table is None:
        return OwnTest(report, stems, None)
    rows = table.loc[predictions.stems]
    found = rows[list(FINDINGS)].to_numpy(np.float32)
    return OwnTest(report, stems, Answers(found, predictions.probs, rows["patient"].to_numpy(str)))
