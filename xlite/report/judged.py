"""The films of a saved evaluation, their labels and what the model said of them; and where it was wrong."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from xlite.data.folder import NihFolder
from xlite.data.predictions import PREDICTIONS_FILE, Predictions, read_predictions
from xlite.errors import DataError
from xlite.evaluation.compare import compare_on
from xlite.evaluation.files import LABELS_FILE
from xlite.evaluation.films import read_labels
from xlite.evaluation.report import Comparison
from xlite.findings import FINDINGS, NO_FINDING, spoken
from xlite.labels import known, negative, positive
from xlite.messages import literal
from xlite.report.saved import Evaluation
from xlite.text import counted, labels_of, percent

Kind = Literal["missed", "alarm"]
MISTAKE_KINDS: tuple[Kind, ...] = "missed", "alarm"
_TITLES = {
    "missed": ("Missed", "Lowest of those with it"),
    "alarm": ("Called without it", "Highest of those without it"),
}
"""By kind, with a threshold and without one, which calls nothing and so misses nothing."""
_LEAST = 1e-9
"""A probability of 0 or 1 that is wrong would have an endless loss."""


@dataclass(frozen=True, eq=False)
class JudgedFilms:
    """Films as predictions.csv has them: labels (N, 14) 1, 0, or NaN if unknown, probs (N, 14) in 0-1,
    patients (N,) text.
    """

    names: list[str]
    stems: list[str]
    patients: np.ndarray
    labels: np.ndarray
    probs: np.ndarray


@dataclass(frozen=True)
class Mistake:
    """A film on which a model was wrong about a finding, and by how much.

    loss: minus the logarithm of the probability that it gave to what the label says. labels: the findings
    that the film has; whole: whether its other labels are all known.
    """

    name: str
    stem: str
    patient: str
    probability: float
    loss: float
    labels: tuple[str, ...]
    whole: bool = True


def judged_films(evaluation: Evaluation, folder: NihFolder | None) -> JudgedFilms:
    """The films of an evaluation, with the labels saved beside it, or else those of a data folder.

    Raises DataError if predictions or labels are missing or damaged, or are not those that were judged.
    """
    predictions = read_predictions(evaluation.folder / PREDICTIONS_FILE)
    rows = _judged_rows(evaluation, predictions, folder)
    labels, patients = rows[list(FINDINGS)].to_numpy(np.float32), rows["patient"].to_numpy()
    return JudgedFilms(predictions.names, predictions.stems, patients, labels, predictions.probs)


def compare_judged(first: Evaluation, second: Evaluation, folder: NihFolder | None) -> Comparison:
    """The paired test of two models judged on the same films, and how many of these each of them knows, as
    its report says; with the labels saved beside either, or else those of a data folder.

    Raises DataError as `judged_films` and `compare_on` do.
    """
    files = first.folder / PREDICTIONS_FILE, second.folder / PREDICTIONS_FILE
    answers = read_predictions(files[0]), read_predictions(files[1])
    labelled = [(one.folder / LABELS_FILE).is_file() for one in (first, second)]
    whose = 1 if labelled == [False, True] else 0
    rows = _judged_rows((first, second)[whose], answers[whose], folder)
    found = compare_on(rows, answers, files, "the labels")
    (known, untold), (second_known, second_untold) = (_known(one) for one in (first, second))
    of_first = {"known": known, "untold": untold}
    of_second = {"second_known": second_known, "second_untold": second_untold}
    return found.model_copy(update=of_first | of_second)


def _known(one: Evaluation) -> tuple[int, bool]:
    """How many of the films judged a model knows by its report, and whether nobody can tell of the others."""
    found = one.report.contamination
    return (0, False) if found is None else (found.films, bool(found.unknown))


def _judged_rows(evaluation: Evaluation, predictions: Predictions, folder: NihFolder | None) -> pd.DataFrame:
    """Patient and labels of the films of an evaluation, by stem; raises as `judged_films` does."""
    path = evaluation.folder / LABELS_FILE
    own = path.is_file()
    table = read_labels(path) if own else _labels_of(folder, predictions, evaluation)
    lacking = [stem for stem in predictions.stems if stem not in table.index]
    if lacking:
        raise DataError(
            f"{path if own else 'the data folder'} lacks {counted(len(lacking), 'film')} that "
            f"{evaluation.model} predicts, {lacking[0]} first: evaluate the model again"
        )
    rows = table.loc[predictions.stems]
    labels = rows[list(FINDINGS)].to_numpy(np.float32)
    report = evaluation.report
    judged = [report.per_class[finding].positives for finding in FINDINGS]
    if len(labels) != report.split.images or positive(labels).sum(axis=0).tolist() != judged:
        raise DataError(
            f"the films and labels that {evaluation.model} was judged by are not those found now: evaluate "
            "it again"
        )
    return rows


def _labels_of(folder: NihFolder | None, predictions: Predictions, evaluation: Evaluation) -> pd.DataFrame:
    """The rows of a data folder's table, by stem."""
    split = evaluation.report.split
    if folder is None:
        raise DataError(
            "this evaluation holds no labels: name in the sidebar the data folder that the model was judged "
            "on, or evaluate the model again"
        )
    there = sum(stem in folder for stem in predictions.stems)
    if there < len(predictions.stems) or folder.label_version != split.label_version:
        raise DataError(
            f"this evaluation holds no labels, and the data folder in the sidebar has {there:,} of its "
            f"{counted(len(predictions.stems), 'film')} ({labels_of(folder.label_version)}; it was judged by "
            f"{labels_of(split.label_version)}): name the folder that the model was judged on, or evaluate "
            "it again"
        )
    return folder.table.set_index("stem")


def mistakes(films: JudgedFilms, finding: str, cut: float | None, kind: Kind, count: int) -> list[Mistake]:
    """Films on which the model was wrong about a finding, most confident first.

    "missed": with the finding and below the threshold `cut`; "alarm": without it, at `cut` or above. Without
    a threshold all films of the kind count, by how far the probability is off. Nobody is wrong about a label
    that is unknown.
    """
    column = FINDINGS.index(finding)
    labels, probs = films.labels[:, column], films.probs[:, column]
    called = np.full(len(probs), kind == "alarm") if cut is None else probs >= cut
    wrong = positive(labels) & ~called if kind == "missed" else negative(labels) & called
    loss = -np.log(np.maximum(np.where(positive(labels), probs, 1 - probs), _LEAST))
    places = np.flatnonzero(wrong)
    order = places[np.argsort(-loss[places], kind="stable")][:count]
    return [
        Mistake(
            name=films.names[place],
            stem=films.stems[place],
            patient=str(films.patients[place]),
            probability=float(probs[place]),
            loss=float(loss[place]),
            labels=tuple(FINDINGS[c] for c in np.flatnonzero(positive(films.labels[place]))),
            whole=bool(known(films.labels[place]).all()),
        )
        for place in order
    ]


def mistakes_title(finding: str, cut: float | None, kind: Kind) -> str:
    """What the films are that `mistakes` gives of a finding at its threshold, or without one, as Markdown."""
    called, without = _TITLES[kind]
    if cut is None:
        return f"**{without}**: {spoken(finding)}, no threshold"
    return f"**{called}**: {spoken(finding)} at its threshold of {percent(cut)}, most confident first"


def mistake_caption(mistake: Mistake) -> str:
    """The probability, what the label says, and the film, as Markdown."""
    none = spoken(NO_FINDING) if mistake.whole else "none of the findings that are known"
    labels = ", ".join(map(spoken, mistake.labels)) or none
    return f"**{percent(mistake.probability)}**, labelled {labels}  \n{literal(mistake.stem)}"
