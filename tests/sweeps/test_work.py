"""Work on a study, with trainers that are played: runs are followed, started again, pruned and given up."""

import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from played import TINY, Trainers, grid, shared, states
from sqlalchemy import create_engine
from sqlalchemy import text as sql

from xlite.cli import run as run_cli
from xlite.config import make_config
from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split
from xlite.errors import DataError, RunError
from xlite.evaluation.contamination.caveats import NeverPositive, TeacherKnows
from xlite.evaluation.contamination.source_facts import SeenByTeacher
from xlite.report.caveat_sentences import sentence
from xlite.runs.run import Run
from xlite.sweeps import work
from xlite.sweeps.leaderboard_sentences import verdict, warnings
from xlite.sweeps.plan import Design, Plan, Range, make_plan
from xlite.sweeps.sweep import Sweep

pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.slow
def test_a_grid_runs_to_its_leaderboard_and_not_again(trainers: Trainers, tiny_folder: Path) -> None:
    trainers.aucs = lambda run: [0.5, 0.9 if run.config().backbone == "resnet18" else 0.6]
    sweep = Sweep.open(grid(tiny_folder))
    found = work.work_on(sweep)
    names = [f"s-00{number}" for number in range(4)]
    assert trainers.started == names
    assert [Run.named(name).config().seed for name in names] == [42, 42, 43, 43]
    assert {Run.named(name).config().image_size for name in names} == {32}
    status = sweep.status()
    assert (status.state, status.total, status.count("finished")) == ("finished", 4, 4)
    first, second = found.rows
    assert first.values == {"backbone": "resnet18"}
    assert (first.runs, first.seeds, first.val_auc, first.val_sd) == (["s-000", "s-002"], 2, 0.9, 0.0)
    assert (second.val_auc, second.test_auc, second.model_size_mb) == (0.6, 0.55, 6.0)
    assert first.averaged["test"].value is not None and first.averaged["test"].low is None  # few patients
    assert set(second.against_first) == {"val", "test"}
    assert sweep.leaderboard() == found
    assert found.split_id == load_split(NihFolder.open(tiny_folder), "patient").id
    assert "validation films" in verdict(found)
    trainers.started.clear()
    again = work.work_on(Sweep.open(grid(tiny_folder)))
    assert (trainers.started, again) == ([], found)


def test_a_copied_folder_does_not_train_in_the_runs_of_the_study(
    trainers: Trainers, tiny_folder: Path
) -> None:
    sweep = Sweep.open(grid(tiny_folder))
    shutil.copytree(sweep.folder, sweep.folder.with_name("copy"))
    with pytest.raises(
        RunError, match="the folder 'copy' has the plan of study 's', whose runs it would train"
    ):
        work.work_on(Sweep.named("copy"))
    assert trainers.started == []


@pytest.mark.slow
def test_a_stopped_study_goes_on_where_it_was(trainers: Trainers, tiny_folder: Path) -> None:
    sweep = Sweep.open(grid(tiny_folder))

    def hang(run: Run) -> None:
        """The second run trains until it is asked to stop."""
        if run.name != "s-001":
            return trainers.finish(run)
        held = threading.Event()

        def train() -> None:
            with run.hold():
                trainers.train(run, "running", epochs=1)
                held.set()
                sweep.stop()
                while not run.stop_requested():
                    time.sleep(0.01)
                trainers.train(run, "stopped", "stopped after epoch 1", epochs=1)

        threading.Thread(target=train).start()
        assert held.wait(10)

    trainers.end = hang
    assert work.work_on(sweep) is None
    assert sweep.status().state == "stopped"
    assert states(sweep) == {"s-000": "finished", "s-001": "waiting", "s-002": "waiting", "s-003": "waiting"}
    trainers.started.clear()
    trainers.end = trainers.finish
    work.work_on(sweep)
    assert trainers.started == ["s-001", "s-002", "s-003"]
    assert set(states(sweep).values()) == {"finished"}


@pytest.mark.slow
def test_a_run_that_dies_is_started_again_but_not_for_ever(trainers: Trainers, tiny_folder: Path) -> None:
    deaths = {"s-000": 2, "s-001": 9}

    def die(run: Run) -> None:
        if deaths.get(run.name, 0):
            deaths[run.name] -= 1
            trainers.train(run, "running", epochs=1)  # and nobody holds it: killed
        else:
            trainers.finish(run)

    trainers.end = die
    sweep = Sweep.open(grid(tiny_folder))
    work.work_on(sweep)
    assert trainers.started.count("s-000") == 3
    assert trainers.started.count("s-001") == work._DEATHS + 1
    assert states(sweep) == {"s-000": "finished", "s-001": "failed", "s-002": "finished", "s-003": "finished"}
    assert "s-001 failed: the process died" in sweep.status().message
    deaths.clear()
    work.work_on(sweep)
    assert set(states(sweep).values()) == {"finished"}


@pytest.mark.slow
def test_a_run_that_has_only_just_begun_is_not_taken_for_failed(
    trainers: Trainers, tiny_folder: Path
) -> None:
    def begin(run: Run) -> None:
        held = threading.Event()

        def train() -> None:
            with FileLock(run.path(".lock")):  # as a trainer does before its first word in progress.json
                held.set()
                time.sleep(0.2)
                trainers.finish(run)

        threading.Thread(target=train).start()
        assert held.wait(10)

    trainers.end = begin
    sweep = Sweep.open(grid(tiny_folder, seeds=1))
    work.work_on(sweep)
    assert states(sweep) == {"s-000": "finished", "s-001": "finished"}


@pytest.mark.slow
def test_a_trial_that_fails_lets_the_others_go_on(trainers: Trainers, tiny_folder: Path) -> None:
    def fail(run: Run) -> None:
        if run.name == "s-000":
            trainers.train(run, "failed", "the disk was full", epochs=0)
        else:
            trainers.finish(run)

    trainers.end = fail
    sweep = Sweep.open(grid(tiny_folder))
    found = work.work_on(sweep)
    assert states(sweep) == {"s-000": "failed", "s-001": "finished", "s-002": "finished", "s-003": "finished"}
    assert sorted(row.seeds for row in found.rows) == [1, 2]
    assert sweep.status().message.startswith("3 of 4 trials ended well; s-000 failed: the disk was full")


@pytest.mark.slow
def test_what_fails_always_fails_the_study(trainers: Trainers, tiny_folder: Path) -> None:
    trainers.end = lambda run: trainers.train(run, "failed", f"no weights for {run.name}", epochs=0)
    sweep = Sweep.open(grid(tiny_folder))
    with pytest.raises(RunError, match="every trial so far failed alike, s-001 last: no weights for s-001"):
        work.work_on(sweep)
    assert (trainers.started, sweep.status().state) == (["s-000", "s-001"], "failed")


@pytest.mark.slow
def test_a_foreign_run_of_the_same_name_is_not_touched(trainers: Trainers, tiny_folder: Path) -> None:
    Run.create(make_config({"data": tiny_folder, "name": "s-000"}))
    Run.create(make_config({"data": tiny_folder, "name": "s-001"}))
    with pytest.raises(RunError, match="run 's-001' exists already with other settings"):
        work.work_on(Sweep.open(grid(tiny_folder)))
    assert trainers.started == []


def test_wrong_data_are_a_sentence_before_anything_is_tried(tiny_folder: Path) -> None:
    sweep = Sweep.open(grid(tiny_folder.parent / "nowhere"))
    with pytest.raises(DataError, match="there is no data folder"):
        work.work_on(sweep)
    assert (sweep.status().state, sweep.status().trials) == ("failed", ())


@pytest.mark.slow
def test_a_hopeless_trial_is_stopped_early(trainers: Trainers, tiny_folder: Path) -> None:
    trainers.aucs = lambda run: [0.5, 0.5, 0.5, 0.5] if run.config().lr == 0.05 else [0.7, 0.8, 0.8, 0.8]

    def train(run: Run) -> None:
        if run.config().lr != 0.05:
            return trainers.finish(run)
        held = threading.Event()

        def slowly() -> None:
            with run.hold():
                trainers.train(run, "running", epochs=2)
                held.set()
                while not run.stop_requested():
                    time.sleep(0.01)
                trainers.train(run, "stopped", "stopped after epoch 2", epochs=2)

        threading.Thread(target=slowly).start()
        assert held.wait(10)

    trainers.end = train
    rates = [0.01, 0.02, 0.03, 0.04, 0.05, 0.06]
    plan = make_plan("search", {"data": tiny_folder, **TINY}, {"lr": rates}, Design("s", prune=True))
    sweep = Sweep.open(plan)
    found = work.work_on(sweep)
    assert [run for run, state in states(sweep).items() if state == "pruned"] == ["s-004"]
    assert (len(found.rows), sweep.status().state) == (5, "finished")


@pytest.mark.slow
def test_tpe_picks_within_the_ranges_and_takes_more_trials(trainers: Trainers, tiny_folder: Path) -> None:
    vary = {"lr": Range(low=1e-4, high=1e-2, log=True), "epochs": Range(low=2, high=5), "alpha": [0.5, 0.9]}

    def plan(trials: int) -> Plan:
        return make_plan("search", {"data": tiny_folder, "image_size": 32}, vary, Design("s", trials=trials))

    work.work_on(Sweep.open(plan(3)))
    assert trainers.started == ["s-000", "s-001", "s-002"]
    configs = [run.config() for run in Run.list()]
    assert all(1e-4 <= c.lr <= 1e-2 and 2 <= c.epochs <= 5 and c.alpha in (0.5, 0.9) for c in configs)
    assert len({config.lr for config in configs}) == 3
    work.work_on(Sweep.open(plan(5)))
    assert trainers.started == [f"s-00{number}" for number in range(5)]
    with pytest.raises(RunError, match="it differs in trials"):
        Sweep.open(plan(4))


@pytest.mark.slow
def test_a_database_that_hangs_up_is_called_again_and_one_that_is_gone_is_a_sentence(
    trainers: Trainers, tiny_folder: Path, new_database: Callable[[], str]
) -> None:
    url = new_database()
    server, _, name = url.rpartition("/")
    admin = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")

    def after(text: str) -> Callable[[Run], None]:
        def end(run: Run) -> None:
            with admin.connect() as connection:
                connection.execute(sql(text))
            trainers.finish(run)

        return end

    hang_up = f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    trainers.end = after(hang_up)
    found = work.work_on(Sweep.open(shared(grid(tiny_folder, seeds=1), url)))
    assert len(found.rows) == 2
    trainers.end = after(f"drop database {name} with (force)")
    sweep = Sweep.open(shared(grid(tiny_folder, "t", seeds=1), url))
    with pytest.raises(
        RunError, match="the storage of study 't' does not answer: .*does not exist"
    ) as caught:
        work.work_on(sweep)
    assert "secret" not in str(caught.value)
    assert (sweep.status().state, sweep.status().message) == ("failed", str(caught.value))
    admin.dispose()


@pytest.mark.slow
@pytest.mark.parametrize("of_old", [False, True])
def test_what_the_teachers_know_stands_on_the_leaderboard(
    trainers: Trainers, tiny_folder: Path, capsys: pytest.CaptureFixture[str], of_old: bool
) -> None:
    seen = SeenByTeacher(split_id="s-1-1", part="test", films=3, trained=2, with_val=2, patients=2)
    caveats = [NeverPositive(findings=("Hernia",)), TeacherKnows(teachers=(seen,), known=2)]
    knows = sentence(caveats[1])

    def finish(run: Run) -> None:
        trainers.finish(run)
        told = caveats if run.config().teacher else caveats[:1]
        report = {"warnings": [sentence(caveat) for caveat in told]}
        if not of_old:
            report["caveats"] = [caveat.model_dump(mode="json") for caveat in told]
        (run.folder / "evaluation" / "test" / "metrics.json").write_text(json.dumps(report))

    trainers.end = finish
    found = work.work_on(Sweep.open(grid(tiny_folder, teacher=["", "t"], seeds=1)))
    assert warnings(found) == [f"{knows} (runs s-001)"]
    assert run_cli(["sweep", "leaderboard", "s"]) == 0
    assert f"Warning: {knows} (runs s-001)" in capsys.readouterr().out
    every = work.work_on(Sweep.open(grid(tiny_folder, "all", teacher=["t"], seeds=1)))
    assert warnings(every) == [knows]
