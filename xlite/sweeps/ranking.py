"""Makes the leaderboard of a study: its configurations by validation AUC, compared in pairs, one chosen.

The winner is chosen by the validation films alone; the test films are only shown. What cannot be told from
the first there is a tie with it, and of those that tie the lightest model is chosen.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xlite.config import Value
from xlite.data.folder import NihFolder
from xlite.data.predictions import PREDICTIONS_FILE, read_predictions
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import or_none
from xlite.places import checkpoints_dir
from xlite.runs.run import Run
from xlite.sweeps.comparison import JudgedModel, judge, optimism
from xlite.sweeps.leaderboard import COMPARED, Configuration, Leaderboard, Optimism, TeacherKnown
from xlite.sweeps.plan import Plan
from xlite.sweeps.status import TeacherCaveat, TrialStatus

SAME_SIZE = 1.01
"""Model files of one architecture differ by what their headers say."""

Films = dict[str, NDArray[np.float64]]
"""Probabilities (14,) by film."""


class OnPart(NamedTuple):
    """Labels (N, 14) and patients (N,) of a part's films, and the probabilities (N, 14) by those rows, named
    by their places, whose predictions are here.
    """

    labels: NDArray[np.float32]
    patients: NDArray[Any]
    scores: dict[int, NDArray[np.float64]]


def make_leaderboard(
    plan: Plan, trials: Sequence[TrialStatus], split_id: str, folder: NihFolder, *, ended: bool = True
) -> Leaderboard:
    """The finished trials by configuration, best mean validation AUC first.

    The first rows are compared with the very first by patient bootstrap. Once the study has ended the winner
    is chosen; there is none if the predictions of the first row are not on this machine.
    """
    rows = _configurations(trials)
    parts = {part: _on_part(rows[:COMPARED], part, folder) for part in ("val", "test")}
    for part, films in parts.items():
        rows[:COMPARED] = _compared(rows[:COMPARED], part, films)
    rows[1:COMPARED] = [row.model_copy(update={"tie": _ties(rows[0], row)}) for row in rows[1:COMPARED]]
    winner, flattered = None, None
    if rows:
        alone = rows[0].absent and len(rows) > 1
        winner = _choose(rows[:COMPARED]) if ended and not alone else None
        flattered = _optimism(rows, rows[winner or 0], parts["val"] if ended else None)
    return Leaderboard(
        study=plan.study,
        kind=plan.kind,
        split_id=split_id,
        vary=[name for name in plan.vary if name != "seed"],
        rows=rows,
        ended=ended,
        winner=winner,
        optimism=flattered,
        teachers=_teachers(trials),
    )


def _configurations(trials: Iterable[TrialStatus]) -> list[Configuration]:
    groups: dict[str, list[TrialStatus]] = defaultdict(list)
    for trial in trials:
        if trial.state == "finished":
            groups[repr(sorted(_without_seed(trial.values).items()))].append(trial)
    rows = [_configuration(group) for group in groups.values()]
    return sorted(rows, key=lambda row: -row.val_auc)


def _configuration(group: Sequence[TrialStatus]) -> Configuration:
    """A configuration from its finished trials, one for each seed."""
    val, test = (_present(trial.val_auc for trial in group), _present(trial.test_auc for trial in group))
    return Configuration(
        values=_without_seed(group[0].values),
        runs=[trial.run for trial in group],
        seeds=len(group),
        val_auc=float(np.mean(val)),
        val_sd=_deviation(val),
        test_auc=_mean(test),
        test_sd=_deviation(test),
        model_size_mb=_mean(_present(trial.model_size_mb for trial in group)),
        inference_time_ms=_mean(_present(trial.inference_time_ms for trial in group)),
        absent={trial.run: trial.where for trial in group if not _is_here(trial.run)},
        epochs=[trial.epochs for trial in group],
    )


def _teachers(trials: Sequence[TrialStatus]) -> list[TeacherKnown]:
    """What the finished runs' reports say of their teachers, each caveat once, with its runs."""
    runs: dict[TeacherCaveat, list[str]] = defaultdict(list)
    for trial in trials:
        if trial.state == "finished" and trial.contamination:
            runs[trial.contamination].append(trial.run)
    return [TeacherKnown(caveat=caveat, runs=names) for caveat, names in runs.items()]


def _without_seed(values: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if name != "seed"}


def _present(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _deviation(values: Sequence[float]) -> float | None:
    """Standard deviation over the seeds; None of one seed."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def _on_part(rows: Sequence[Configuration], part: str, folder: NihFolder) -> OnPart | None:
    """The seeds' averaged probabilities on the films of a part; None if the first has none here."""
    answers = {place: _averaged(row.runs, part) for place, row in enumerate(rows)}
    here = {place: films for place, films in answers.items() if films}
    if 0 not in here:
        return None
    stems = [stem for stem in here[0] if stem in folder and all(stem in films for films in here.values())]
    if not stems:
        return None
    scores = {place: np.stack([films[stem] for stem in stems]) for place, films in here.items()}
    return OnPart(folder.labels(stems), folder.patients(stems), scores)


def _compared(rows: Sequence[Configuration], part: str, films: OnPart | None) -> list[Configuration]:
    """The rows with their AUC on the films of a part, and how far the first is above each. Rows whose
    predictions are not here stay as they are, and all do if the films are too few.
    """
    if films is None:
        return list(rows)
    judged = judge(films.labels, list(films.scores.values()), films.patients)
    found = dict(zip(films.scores, judged, strict=True)) if judged else {}
    return [_with(row, part, found[place]) if place in found else row for place, row in enumerate(rows)]


def _with(row: Configuration, part: str, found: JudgedModel) -> Configuration:
    """The row with what was found on a part."""
    update: dict[str, Any] = {
        "averaged": {**row.averaged, part: found.averaged},
        "fixed": {**row.fixed, part: found.fixed},
    }
    if found.against_first is not None:
        update["against_first"] = {**row.against_first, part: found.against_first}
    return row.model_copy(update=update)


def _optimism(rows: Sequence[Configuration], chosen: Configuration, val: OnPart | None) -> Optimism:
    """What the best validation AUC is the best of, and what that adds to it as far as it can be told."""
    epochs = [count for row in rows for count in row.epochs]
    known = [count for count in epochs if count is not None]
    of_choosing = None
    if val is not None and 1 < len(val.scores) == len(rows):
        of_choosing = or_none(optimism(val.labels, list(val.scores.values()), val.patients))
    return Optimism(
        configurations=len(rows),
        epochs=(min(known), max(known)) if known and len(known) == len(epochs) else None,
        of_choosing=of_choosing,
        val_less_test=None if chosen.test_auc is None else chosen.val_auc - chosen.test_auc,
    )


def _averaged(runs: Sequence[str], part: str) -> Films:
    """Probabilities averaged over the runs; empty if a file is not on this machine."""
    files = [_predictions(run, part) for run in runs]
    if not all(map(Path.is_file, files)):
        return {}
    read = [read_predictions(file) for file in files]
    by_film = [dict(zip(found.stems, found.probs, strict=True)) for found in read]
    return {
        stem: np.mean([films[stem] for films in by_film], axis=0).reshape(len(FINDINGS))
        for stem in read[0].stems
        if all(stem in films for films in by_film)
    }


def _predictions(run: str, part: str) -> Path:
    return Run(checkpoints_dir() / run).evaluation(part) / PREDICTIONS_FILE


def _is_here(run: str) -> bool:
    """Whether the run's validation films can be compared on this machine."""
    return _predictions(run, "val").is_file()


def _choose(rows: Sequence[Configuration]) -> int:
    """The winner's place: of the first and those that tie with it on the validation films, the lightest."""
    level = [0] + [place for place, row in enumerate(rows) if row.tie]
    sizes = {place: rows[place].model_size_mb or math.inf for place in level}
    lightest = min(sizes.values())
    return next(place for place in level if sizes[place] <= lightest * SAME_SIZE)


def _ties(first: Configuration, row: Configuration) -> bool | None:
    """Whether a row cannot be told from the first on the validation films; None if nobody knows.

    Either their difference over patients is a tie, or favours the row, or the means lie within two standard
    errors of their seeds.
    """
    films = row.against_first.get("val")
    if films is not None and (films.tie or films.value <= 0):
        return True
    if first.val_sd is not None and row.val_sd is not None:
        error = math.hypot(first.val_sd / first.seeds**0.5, row.val_sd / row.seeds**0.5)
        if first.val_auc - row.val_auc <= 2 * error:
            return True
    return None if films is None else False
