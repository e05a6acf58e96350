"""`xlite jobs`: what it lists, and runs that outlive the command that started them."""

import json
from pathlib import Path

import pytest
from command_line import TINY, Command, child, wait_for

from xlite.config import make_config
from xlite.runs.run import Run
from xlite.runs.status import RunStatus


@pytest.mark.slow
def test_jobs_list_and_status_tell_the_same(xlite: Command) -> None:
    status, out, err = xlite("jobs", "list")
    assert (status, "xlite train" in out, err) == (0, True, "")
    run = Run.create(make_config({"data": "films", "name": "one"}))
    run.write_progress(RunStatus(state="finished", epoch=3, epochs=3, best_auc=0.71234, best_epoch=2))
    status, out, _ = xlite("jobs", "list")
    assert (status, out) == (
        0,
        "Run  State     Epoch   Validation AUC  Best epoch\n"
        "one  finished  3 of 3  0.7123                   2\n",
    )
    listed = json.loads(xlite("jobs", "list", "--json")[1])
    assert listed == [json.loads(xlite("jobs", "status", "one", "--json")[1])]
    assert {"name": "one", "state": "finished", "best_auc": 0.71234}.items() <= listed[0].items()
    run.path("log.txt").write_text("a\nb\nc\n")
    assert xlite("jobs", "logs", "one", "-n", 2) == (0, "b\nc\n", "")
    status, _, err = xlite("jobs", "stop", "one")
    assert (status, "does not run" in err) == (2, True)
    assert xlite("jobs", "resume", "one")[0] == 2


def test_a_run_that_is_refused_in_the_background_says_why_until_it_is_deleted(
    xlite: Command, tiny_folder: Path
) -> None:
    config = make_config({"data": tiny_folder, "name": "one", "split": "nowhere"})
    run = Run.create(config)
    assert xlite("train", "--resume", "one")[0] == 2  # as `jobs start` and the pages do, in a process
    assert "has no split 'nowhere'" in run.status().message
    assert run.status().message in run.log_tail(1)
    assert xlite("jobs", "delete", "one", "--yes")[0] == 0
    assert Run.list() == []


@pytest.mark.release
@pytest.mark.slow
@pytest.mark.usefixtures("no_job_left")
def test_a_job_lives_on_is_stopped_and_resumed(tiny_folder: Path) -> None:
    words = ["--data", tiny_folder, "--name", "job", "--epochs", 2000, "--patience", 2000, *TINY.split()]
    assert child("jobs", "start", *words).stdout == "job\n"
    run = Run.named("job")
    wait_for(lambda: len(run.read_metrics()) > 1)
    assert child("jobs", "start", *words).returncode == 2
    assert "already running" in child("jobs", "resume", "job").stderr
    assert child("jobs", "stop", "job").returncode == 0
    wait_for(lambda: run.status().state == "stopped")
    rows = len(run.read_metrics())
    assert child("jobs", "resume", "job").returncode == 0
    wait_for(lambda: len(run.read_metrics()) > rows)
    assert run.status().state == "running"
    assert child("jobs", "stop", "job").returncode == 0
    wait_for(lambda: run.status().state == "stopped")
    log = child("jobs", "logs", "job", "--lines", 1000).stdout
    assert log.count("\nepoch 1/2000") == 1  # once, though stdout is the log itself
