"""Labels worth in full: a run of `xlite train` for each set of labelled films, from the same start.

Each run is a process and a folder of its own, below the study's; one that has finished is not trained again,
so a study that was stopped goes on.
"""

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from xlite.active import Strategy
from xlite.active.learner import Lesson
from xlite.classify import Classifier
from xlite.config import TrainConfig
from xlite.data.folder import NihFolder
from xlite.data.predictions import PREDICTIONS_FILE, read_predictions
from xlite.data.split_files import write_split
from xlite.data.splits import Split
from xlite.data.tables import find_table
from xlite.errors import RunError
from xlite.evaluation.answers import read_answers
from xlite.models.available import MODEL_FILE
from xlite.runs.command import train_command
from xlite.runs.launch import xlite_command
from xlite.runs.run_files import SETTINGS_FILE
from xlite.text import last_line

MEMBERS = 3
"""Of the committee, whose disagreement ranks; the first of them is judged."""
_FILMS = "films"


@dataclass(frozen=True, eq=False)
class Retrained:
    """Learns by runs of these settings, in `out`, from films of the pool; val and test are the split's."""

    settings: TrainConfig
    folder: NihFolder
    split: Split
    pool: list[str]
    test: list[str]
    out: Path

    def learn(self, rows: np.ndarray, seed: int, strategy: Strategy) -> Lesson:
        """What a run on the films of these rows says; it reads the pool only for a strategy that asks."""
        name = self._split_of(rows)
        members = range(MEMBERS if strategy == "disagreement" else 1)
        runs = [self._trained(name, 100 * member + seed) for member in members]
        scores = read_predictions(runs[0] / "evaluation" / "test" / PREDICTIONS_FILE)
        places = {stem: row for row, stem in enumerate(scores.stems)}
        test = scores.probs[[places[stem] for stem in self.test]]
        if strategy == "random":
            return Lesson(test, test[:0], test[:0])
        spec = ",".join(str(run / MODEL_FILE) for run in runs)
        films = [(stem, self.folder.paths[stem]) for stem in self.pool]
        answers = read_answers(Classifier.load(spec, self.settings.device), films)
        if answers is None or answers.stems != self.pool:
            raise RunError("a film of the pool could be read and now it cannot: look at the data folder")
        return Lesson(test, answers.probs, answers.features, answers.disagreement)

    @cached_property
    def _linked(self) -> NihFolder:
        """A folder that the splits of the study may be written to: the table, and links to the films."""
        root = self.out / _FILMS
        if not root.is_dir():
            (root / "images").mkdir(parents=True)
            for path in self.folder.paths.values():
                (root / "images" / path.name).symlink_to(path.absolute())
            table = find_table(self.folder.root)
            shutil.copyfile(table, root / table.name)
        return NihFolder.open(root)

    def _split_of(self, rows: np.ndarray) -> str:
        """The name of the split whose train part are these films, written if it is not there."""
        stems = [self.pool[row] for row in rows]
        name = f"films-{hashlib.sha256(' '.join(stems).encode()).hexdigest()[:10]}"
        if not (self._linked.root / "splits" / name).is_dir():
            parts = {**self.split.parts, "train": self.folder.names(stems)}
            write_split(self._linked, replace(self.split, name=name, parts=parts))
        return name

    def _trained(self, split: str, seed: int) -> Path:
        """The folder of the finished run on a split. Raises RunError with what the command said."""
        name = f"{split}-{seed}"
        run = self.out / "checkpoints" / name
        if not (run / "evaluation" / "test" / PREDICTIONS_FILE).is_file():
            changes = {"data": self._linked.root, "split": split, "name": name, "seed": seed}
            config = self.settings.model_copy(update=changes)
            words = train_command(config)[1:]
            if (run / SETTINGS_FILE).is_file():
                words = ["train", "--resume", name]
            home = {**os.environ, "XLITE_HOME": str(self.out)}
            done = subprocess.run(xlite_command(*words), env=home, capture_output=True, text=True)
            if done.returncode:
                raise RunError(f"run {name} failed: {last_line(done.stderr, 'it said nothing')}")
        return run
