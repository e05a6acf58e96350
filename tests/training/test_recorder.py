"""A run goes on only with what it began with."""

import shutil

import pytest
from tiny_runs import config, run_to_end, stop_after_first_epoch

from xlite.data.folder import NihFolder
from xlite.data.splits import make_split, write_split
from xlite.errors import RunError
from xlite.runs.run import Run
from xlite.training.loop import train

pytestmark = pytest.mark.usefixtures("quick_report")


def test_a_run_whose_split_changed_does_not_go_on(films):
    """The new split would train on films that the run had kept apart, and no report could tell."""
    run = Run.create(config(films, "moved"))
    stop_after_first_epoch(run)
    folder = NihFolder.open(films)
    write_split(folder, make_split(folder, "patient", seed=7))
    with pytest.raises(RunError, match="the split of run 'moved' has changed since it began"):
        train(run.config(), run)


def test_a_run_whose_teacher_changed_does_not_go_on(films):
    run_to_end(config(films, "teacher", epochs=1))
    run = Run.create(config(films, "pupil", teacher="teacher"))
    stop_after_first_epoch(run)
    shutil.rmtree(Run.named("teacher").folder)
    run_to_end(config(films, "teacher", epochs=1, seed=9))
    with pytest.raises(RunError, match="the teacher of run 'pupil' has changed"):
        train(run.config(), run)
