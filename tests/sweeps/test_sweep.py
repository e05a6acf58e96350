"""The folder of a study: its plan, its state, who works on it, and its deletion."""

import json
from pathlib import Path

import pytest
from noise_folder import write_noise_folder
from played import Trainers, grid, states

from xlite.cli import run as run_cli
from xlite.config import make_config
from xlite.data.folder import NihFolder
from xlite.data.joined import open_data
from xlite.data.layout import data_roots
from xlite.data.split_files import load_split
from xlite.errors import RunError
from xlite.places import sweeps_dir
from xlite.runs.results import read_results
from xlite.runs.run import Run
from xlite.runs.status import RunStatus
from xlite.sweeps import work
from xlite.sweeps.sweep import Sweep

pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.slow
def test_another_plan_under_the_same_name_is_refused(trainers: Trainers, tiny_folder: Path) -> None:
    work.work_on(Sweep.open(grid(tiny_folder)))
    with pytest.raises(RunError, match=r"other settings \(it differs in backbone\)"):
        Sweep.open(grid(tiny_folder, backbone=["resnet18"]))
    with pytest.raises(RunError, match="it differs in seed"):
        Sweep.open(grid(tiny_folder, seeds=3))


@pytest.mark.slow
def test_a_study_that_came_to_nothing_gives_up_its_name(trainers: Trainers, tiny_folder: Path) -> None:
    trainers.end = lambda run: trainers.train(run, "failed", "no such weights", epochs=0)
    with pytest.raises(RunError, match="failed alike"):
        work.work_on(Sweep.open(grid(tiny_folder)))
    trainers.end = trainers.finish
    trainers.started.clear()
    sweep = Sweep.open(grid(tiny_folder, backbone=["resnet18"], seeds=1))
    assert sweep.status().state == "new"
    work.work_on(sweep)
    assert (trainers.started, states(sweep)) == (["s-000"], {"s-000": "finished"})
    assert Run.named("s-000").config().backbone == "resnet18"
    with pytest.raises(RunError, match="it differs in backbone"):
        Sweep.open(grid(tiny_folder, seeds=1))


@pytest.mark.slow
def test_a_study_on_two_hospitals_trains_each_run_on_both(
    trainers: Trainers, tiny_folder: Path, tmp_path: Path
) -> None:
    data = Path(f"{tiny_folder},{write_noise_folder(tmp_path / 'east', patients=12, seed=1)}")
    trainers.folder = open_data(data)
    sweep = Sweep.open(grid(data, seeds=1))
    work.work_on(sweep)
    assert states(sweep) == {"s-000": "finished", "s-001": "finished"}
    assert [run.config().data for run in Run.list()] == [data, data]
    own = [load_split(NihFolder.open(root), "patient").id for root in data_roots(data)]
    assert all(row.startswith(f"split {'+'.join(sorted(own))}") for row in read_results()["notes"])


@pytest.mark.slow
def test_a_study_is_deleted_and_its_runs_if_asked(
    trainers: Trainers, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for study in ("s", "t"):
        work.work_on(Sweep.open(grid(tiny_folder, study, seeds=1)))
    assert run_cli(["sweep", "delete", "s"]) == 2
    assert "nobody can be asked here: add --yes" in capsys.readouterr().err
    with Sweep.named("s").hold():
        assert run_cli(["sweep", "delete", "s", "--yes", "--runs"]) == 2
    assert "study 's' is not at rest (running)" in capsys.readouterr().err
    assert len(Run.list()) == 4  # what is refused deletes nothing
    assert run_cli(["sweep", "delete", "s", "--yes"]) == 0
    assert [sweep.name for sweep in Sweep.list()] == ["t"]
    Run.named("t-001").delete()
    Run.create(make_config({"data": tiny_folder, "name": "t-001"}))  # another one of that name
    with Run.named("t-000").hold():
        assert run_cli(["sweep", "delete", "t", "--yes", "--runs"]) == 2
    assert "run 't-000' of study 't' is live" in capsys.readouterr().err
    Run.named("t-000").write_progress(RunStatus(state="finished"))
    assert run_cli(["sweep", "delete", "t", "--yes", "--runs"]) == 0
    assert capsys.readouterr().out == "Study t is deleted with 1 run.\n"
    assert sorted(run.name for run in Run.list()) == ["s-000", "s-001", "t-001"]
    assert [path.name for path in sweeps_dir().iterdir() if path.is_dir()] == []


def test_a_killed_sweep_is_seen_as_such(tiny_folder: Path) -> None:
    sweep = Sweep.open(grid(tiny_folder))
    assert sweep.status().state == "new"
    with sweep.hold():
        assert sweep.status().state == "running"
        with pytest.raises(RunError, match="study 's' is already running"), Sweep.named("s").hold():
            pass
        with pytest.raises(RunError, match="study 's' is already running"):
            sweep.start()
    status = sweep.status()
    died = "the process died; its trials are picked up again when the study goes on"
    assert (status.state, status.message) == ("killed", died)
    with pytest.raises(RunError, match=r"does not run \(it is killed\)"):
        sweep.stop()


def test_progress_of_another_hand_is_told(tiny_folder: Path) -> None:
    sweep = Sweep.open(grid(tiny_folder))
    for content in ("{", "[]", '{"state": "dancing"}', '{"state": "running", "trials": [{"run": "s-000"}]}'):
        sweep.path("progress.json").write_text(content)
        status = sweep.status()
        assert (status.state, "progress.json is not what X-Lite writes" in status.message) == ("failed", True)
    sweep.path("sweep.json").write_text(json.dumps({"study": "s"}))
    with pytest.raises(RunError, match="the plan of study 's' cannot be read"):
        sweep.plan()
    sweep.path("sweep.json").write_text(json.dumps({"storages": "postgresql://me:secret@host/study"}))
    with pytest.raises(RunError, match="the plan of study 's' cannot be read") as refused:
        sweep.plan()
    assert "secret" not in str(refused.value)
