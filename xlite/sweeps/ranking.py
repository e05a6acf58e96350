"""Makes the leaderboard of a study: its configurations by validation AUC, compared in pairs, one chosen.

The winner is chosen by the validation films alone; the test films are only shown. What cannot be told from
the first there is a tie with it, and of those that tie the lightest model is chosen.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlite.config import Value
from xlite.data.folder import NihFolder
from xlite.data.predictions import read_predictions
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import Resamples, estimate
from xlite.metrics.paired import macro_auc, paired_difference
from xlite.places import checkpoints_dir
from xlite.report.caveat_sentences import sentence
from xlite.runs.run import Run
from xlite.sweeps.leaderboard import COMPARED, Configuration, Difference, Leaderboard
from xlite.sweeps.plan import Plan
from xlite.sweeps.status import Contamination, TrialStatus
from xlite.sweeps.verdict import verdict

SAME_SIZE = 1.01
"""Model files of one architecture differ by what their headers say."""

Films = dict[str, NDArray[np.float64]]
"""Probabilities (14,) by film."""

Drawn = tuple[float, NDArray[np.float64]]
"""A macro AUC on all films, and (R,) on resampled patients."""


def make_leaderboard(
    plan: Plan, trials: Sequence[TrialStatus], split_id: str, folder: NihFolder, *, ended: bool = True
) -> Leaderboard:
    """The finished trials by configuration, best mean validation AUC first.

    The first rows are compared with the very first by patient bootstrap. Once the study has ended the winner
    is chosen; there is none if the predictions of the first row are not on this machine.
    """
    rows = _configurations(trials)
    for part in ("val", "test"):
        rows[:COMPARED] = _compared(rows[:COMPARED], part, folder)
    rows[1:COMPARED] = [row.model_copy(update={"tie": _ties(rows[0], row)}) for row in rows[1:COMPARED]]
    winner, words = None, ""
    if ended and rows:
        winner = None if rows[0].absent and len(rows) > 1 else _choose(rows[:COMPARED])
        words = verdict(plan.study, rows, winner)
    return Leaderboard(
        study=plan.study,
        kind=plan.kind,
        split_id=split_id,
        vary=[name for name in plan.vary if name != "seed"],
        warnings=_warnings(trials),
        rows=rows,
        ended=ended,
        winner=winner,
        verdict=words,
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
    )


def _warnings(trials: Sequence[TrialStatus]) -> list[str]:
    """What the runs' reports say of their teachers, each caveat once, with the runs if not of all."""
    finished = [trial for trial in trials if trial.state == "finished"]
    runs: dict[Contamination, list[str]] = defaultdict(list)
    for trial in finished:
        if trial.contamination:
            runs[trial.contamination].append(trial.run)
    return [
        sentence(caveat) + ("" if len(names) == len(finished) else f" (runs {', '.join(names)})")
        for caveat, names in runs.items()
    ]


def _without_seed(values: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if name != "seed"}


def _present(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _deviation(values: Sequence[float]) -> float | None:
    """Standard deviation over the seeds; None of one seed."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def _compared(rows: Sequence[Configuration], part: str, folder: NihFolder) -> list[Configuration]:
    """The rows with the AUC of their seeds' averaged probabilities on the films of a part, and how far the
    first is above each on the same resampled patients. Rows whose predictions are not here stay as they are.
    """
    answers = [_averaged(row.runs, part) for row in rows]
    here = [films for films in answers if films]
    if not answers or not answers[0]:
        return list(rows)
    stems = [stem for stem in here[0] if stem in folder and all(stem in films for films in here)]
    labels, resamples = folder.labels(stems), Resamples(folder.patients(stems))
    compared = []
    first: Drawn | None = None
    for row, films in zip(rows, answers, strict=True):
        if films:
            drawn = macro_auc(labels, np.stack([films[stem] for stem in stems]), resamples)
            first = first or drawn
            row = _with_estimates(row, part, drawn, None if first is drawn else first)
        compared.append(row)
    return compared


def _with_estimates(row: Configuration, part: str, drawn: Drawn, first: Drawn | None) -> Configuration:
    """The row with its AUC on a part and the lead of the first over it; as it is if they are undefined."""
    averaged = estimate(*drawn)
    if averaged.low is None:  # too few films to resample
        return row
    update: dict[str, Any] = {"averaged": {**row.averaged, part: averaged}}
    if first is not None:
        found = paired_difference(first, drawn)
        update["against_first"] = {
            **row.against_first,
            part: Difference.model_validate({**vars(found.difference), "p": found.p, "tie": found.tie}),
        }
    return row.model_copy(update=update)


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
    return Run(checkpoints_dir() / run).evaluation(part) / "predictions.csv"


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

    Either the 95 % interval of their difference over patients reaches zero, or the means lie within two
    standard errors of their seeds.
    """
    films = row.against_first.get("val")
    if films is not None and films.low <= 0:
        return True
    if first.val_sd is not None and row.val_sd is not None:
        error = math.hypot(first.val_sd / first.seeds**0.5, row.val_sd / row.seeds**0.5)
        if first.val_auc - row.val_auc <= 2 * error:
            return True
    return None if films is None else False
