"""What cross-fitted runs said of the folds that they left out, joined into a teacher's predictions file."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xlite.data.folder import NihFolder
from xlite.data.predictions import PREDICTIONS_FILE, Predictions, read_predictions, write_predictions
from xlite.data.splits import Split
from xlite.errors import RunError
from xlite.files import write_atomic
from xlite.metrics.bootstrap import or_none
from xlite.metrics.per_finding import auc_per_class, macro
from xlite.places import checkpoints_dir
from xlite.runs.run_files import LEFT_OUT_FILE
from xlite.sweeps.leaderboard import Joined
from xlite.text import counted

KNOWN_FILE = "known.txt"


def join_folds(runs: Sequence[str], folder: NihFolder, split: Split, out: Path) -> Joined:
    """Joins what the runs of a study said of the folds that they left out, as two files in the folder `out`.

    predictions.csv is a teacher's file: each film has the mean of the seeds' probabilities. known.txt lists
    the films of train and val, which the models know among them. RunError if films of train have no answer.
    """
    said: dict[str, list[np.ndarray]] = defaultdict(list)
    for run in runs:
        answers = _answers(run)
        for stem, probabilities in zip(answers.stems, answers.probs, strict=True):
            said[stem].append(probabilities)
    stems = [stem for stem in split.stems("train") if stem in folder.paths]
    if lacking := [stem for stem in stems if stem not in said]:
        raise RunError(
            f"{len(lacking):,} of {counted(len(stems), 'training film')} have no answer, {lacking[0]} first: "
            "the runs of their folds have not finished here"
        )
    mean = np.array([np.mean(said[stem], axis=0) for stem in stems])
    write_predictions(out / PREDICTIONS_FILE, folder.names(stems), mean)
    known = [*split.parts["train"], *split.parts["val"]]
    write_atomic(out / KNOWN_FILE, "\n".join([*known, ""]).encode())
    aucs = auc_per_class(folder.labels(stems), mean)
    findings = int(np.sum(~np.isnan(aucs)))
    return Joined(
        films=len(stems),
        auc=or_none(float(macro(aucs))),
        predictions=out / PREDICTIONS_FILE,
        known=out / KNOWN_FILE,
        findings=findings,
    )


def _answers(run: str) -> Predictions:
    path = checkpoints_dir() / run / LEFT_OUT_FILE
    if not path.is_file():
        raise RunError(
            f"run {run!r} has no {LEFT_OUT_FILE} here: copy its folder into {checkpoints_dir()}, and go on"
        )
    return read_predictions(path)
