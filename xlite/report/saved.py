"""The evaluations that lie beside the models, for those who show them. No torch."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic_core import from_json

from xlite.data.layout import data_roots
from xlite.errors import DataError, sentence
from xlite.evaluation.elsewhere.own_test import evaluation_folders
from xlite.evaluation.files import CURVES_FILE, METRICS_FILE
from xlite.evaluation.report import Report
from xlite.files import read_whole
from xlite.metrics.bands import Curves
from xlite.models.available import EXPORT_FILE, MODEL_FILE, model_folders
from xlite.places import check_run_name
from xlite.report.curves_json import read_curves
from xlite.report.view import View
from xlite.split_names import ALL_FILMS
from xlite.text import films_judged, labels_of

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What `xlite evaluate` wrote about one model on one part of one split."""

    model: str
    folder: Path
    report: Report
    curves: Curves

    @property
    def group(self) -> tuple[str, str, str]:
        """What has to be equal before two evaluations may be compared: split, part, edition of the labels."""
        split = self.report.split
        return split.id, split.part, split.label_version

    @property
    def judged_on(self) -> str:
        """`group` in words, as people choose it."""
        split = self.report.split
        films = films_judged(f"{split.id}, {split.part} part", split.id, split.data)
        return f"{films}, {labels_of(split.label_version)}"

    @property
    def written(self) -> float:
        """When it was written, s since 1970; 0 if it is gone."""
        path = self.folder / METRICS_FILE
        return path.stat().st_mtime if path.is_file() else 0.0

    def view(self, headed: bool = False, on_paper: bool = False) -> View:
        """The report for dark pages, or as on paper for light ones; `headed` if these say what was judged."""
        return View(self.report, self.curves, on_paper, headed)


def newest_of(model: str, found: Iterable[Evaluation]) -> list[Evaluation]:
    """The evaluations of one model, the newest first, and of those on the same films the newest alone."""
    newest: dict[tuple[str, str, str], Evaluation] = {}
    for one in sorted((one for one in found if one.model == model), key=lambda one: -one.written):
        newest.setdefault(one.group, one)
    return list(newest.values())


def beside(first: Evaluation, found: Iterable[Evaluation]) -> dict[str, Evaluation]:
    """The evaluations of other models on the same films with the same labels, by model, each the newest."""
    same = [one for one in found if one.group == first.group and one.model != first.model]
    return {name: newest_of(name, same)[0] for name in dict.fromkeys(one.model for one in same)}


def saved_evaluations() -> tuple[list[Evaluation], list[str]]:
    """Every evaluation in `<model>/evaluation/*/`, in the order of the models, a run's own report first.

    Beside them a sentence on each that is damaged.
    """
    found, damaged = [], []
    for folder in model_folders():
        for report in evaluation_folders(folder):
            try:
                found.append(read_evaluation(folder.name, report))
            except DataError as error:
                damaged.append(str(error))
    return found, damaged


def evaluation_name(split: str, part: str, data: Path) -> str:
    """The folder of an evaluation beside its model: of split and part, or of the data that is judged whole.

    Raises RunError for a split that cannot be a folder's name.
    """
    if part == ALL_FILMS:
        names = "-".join(root.resolve().name for root in data_roots(data))
        return f"{ALL_FILMS}-{_NOT_PLAIN.sub('-', names)[:60]}"
    return f"{check_run_name(split)}-{part}"


def on_test_films(model: Path) -> Report | None:
    """The report on a test part beside a model file, the run's own before others; None if there is none.

    Of the files in a run's folder it holds for the model and for its export in full precision: others answer
    otherwise. Raises DataError if it is damaged.
    """
    if model.name not in (MODEL_FILE, EXPORT_FILE):
        return None
    for folder in evaluation_folders(model.parent):
        report = _read_report(model.parent.name, folder)
        if report.split.part == "test":
            return report
    return None


def read_evaluation(model: str, folder: Path) -> Evaluation:
    """The report in a folder. Raises DataError if a file is missing or not what `write_report` writes."""
    if (folder / METRICS_FILE).is_file() and not (folder / CURVES_FILE).is_file():
        raise DataError(
            f"The evaluation {folder} was written by an older X-Lite and is left out: evaluate the model "
            "again."
        )
    report = _read_report(model, folder)
    with _named(folder):
        return Evaluation(model, folder, report, read_curves(from_json(read_whole(folder / CURVES_FILE))))


def _read_report(model: str, folder: Path) -> Report:
    with _named(folder):
        metrics = from_json(read_whole(folder / METRICS_FILE))
        return Report.model_validate({**metrics, "model": model})


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    """Turns what a damaged file of an evaluation raises into a DataError with the folder."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"The evaluation {folder} is damaged and left out ({sentence(error)}); delete it or evaluate the "
            "model again."
        ) from error
