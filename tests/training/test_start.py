"""What the Train page does to start a run: nothing is made before all is found and said."""

from pathlib import Path

import numpy as np
import pytest
from tiny_runs import config

from xlite.data.folder import NihFolder
from xlite.data.predictions import write_predictions
from xlite.errors import XliteError
from xlite.evaluation.contamination.caveats import TeacherKnows
from xlite.runs.run import Run
from xlite.training.start import start_run


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that were started, by name, instead of their processes; after a slash their options."""
    names: list[str] = []
    monkeypatch.setattr(Run, "start", lambda run: names.append(run.name))
    monkeypatch.setattr(Run, "submit", lambda run, options: names.append(f"{run.name}/{' '.join(options)}"))
    return names


def test_a_run_is_started_here_or_submitted(films: Path, started: list[str]) -> None:
    here, there = (
        start_run(config(films, "here"), None, False),
        start_run(config(films, "there"), ["-p"], False),
    )
    assert isinstance(here, Run) and isinstance(there, Run)
    assert started == ["here", "there/-p"] and [run.name for run in Run.list()] == ["there", "here"]


def test_what_a_teacher_may_know_is_said_before_anything_is_made(
    films: Path, tmp_path: Path, started: list[str]
) -> None:
    names = NihFolder.open(films).table["image"].tolist()
    write_predictions(tmp_path / "said.csv", names, np.full((len(names), 14), 0.5, np.float32))
    settings = config(films, "pupil", teacher=str(tmp_path / "said.csv"))
    assert isinstance(start_run(settings, None, told=False), TeacherKnows)
    assert started == Run.list() == []
    assert isinstance(start_run(settings, None, told=True), Run)
    assert started == ["pupil"]


def test_what_is_not_there_leaves_no_run(films: Path, started: list[str]) -> None:
    with pytest.raises(XliteError, match="has no split 'mine'"):
        start_run(config(films, "lost", split="mine"), None, told=True)
    assert started == Run.list() == []
