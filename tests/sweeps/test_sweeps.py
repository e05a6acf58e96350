"""Sweeps with trainers that are played: what is planned, followed, picked up, pruned, and who wins."""

import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from noise_folder import HEADER_2020
from optuna.trial import TrialState
from sqlalchemy import create_engine, event
from sqlalchemy import text as sql
from sqlalchemy.engine import Engine

from xlite.cli import run as run_cli
from xlite.config import checkpoints_dir, make_config, sweeps_dir
from xlite.data.folder import NihFolder
from xlite.data.predictions import write_predictions
from xlite.data.splits import load_split, make_split, shrink_train
from xlite.errors import DataError, RunError
from xlite.findings import FINDINGS
from xlite.runs.results import append_result
from xlite.runs.run import Run
from xlite.sweeps import study as study_module
from xlite.sweeps import work
from xlite.sweeps.check import check_effects, check_sources
from xlite.sweeps.leaderboard import make_leaderboard, remark
from xlite.sweeps.phases import plan_phase
from xlite.sweeps.plan import Plan, Range, make_plan, parse_vary, read_space
from xlite.sweeps.study import Study
from xlite.sweeps.sweep import Sweep

TINY = {"image_size": 32, "epochs": 4}
FILMS = {"split": "patient-42-1", "table": "t"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing waits for the clock or the disk."""
    monkeypatch.setattr(work, "POLL_S", 0.01)
    monkeypatch.setattr(work, "STORAGE_RETRY_S", 0.01)
    monkeypatch.setattr(study_module, "SETTLE_S", 0.0)
    monkeypatch.setattr(study_module, "OPEN_AGAIN_S", (0.0, 0.0))
    event.listen(Engine, "connect", _in_memory)
    yield
    event.remove(Engine, "connect", _in_memory)


def _in_memory(connection: object, _: object) -> None:
    """What only a power cut could tell apart: SQLite leaves it to the system when the disk has a commit."""
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA journal_mode = MEMORY")


class Trainers:
    """Plays every run's trainer at once: its epochs' validation AUCs follow from its settings."""

    def __init__(self, folder: Path):
        self.folder = NihFolder.open(folder)
        self.started: list[str] = []
        self.aucs: Callable[[Run], list[float]] = lambda run: [0.6, 0.7]
        self.end: Callable[[Run], None] = self.finish

    def start(self, run: Run) -> None:
        self.started.append(run.name)
        self.end(run)

    def train(self, run: Run, state: str, message: str = "", epochs: int | None = None) -> None:
        aucs = self.aucs(run)[:epochs]
        rows = [f"{epoch},{auc}" for epoch, auc in enumerate(aucs, 1)]
        run.path("metrics.csv").write_text("\n".join(["epoch,val_auc", *rows]) + "\n")
        run.write_progress({"state": state, "epoch": len(aucs), "epochs": 4, "message": message})

    def finish(self, run: Run) -> None:
        self.train(run, "finished")
        config = run.config()
        split = load_split(self.folder, config.split)
        size = {"resnet18": 44.0}.get(config.backbone, 6.0)
        row = {
            "experiment_id": run.name,
            "val_auc": max(self.aucs(run)),
            "test_auc": 0.55,
            "model_size_mb": size,
        }
        append_result({**row, "inference_time_ms": 5.0}, split.id)
        for part in ("val", "test"):
            labels = self.folder.labels(split.stems(part))
            rng = np.random.default_rng(config.seed)
            skill = max(self.aucs(run)) - 0.5
            probs = np.clip(skill * labels + (1 - skill) * rng.random(labels.shape), 0, 1)
            out = run.folder / "evaluation" / part
            out.mkdir(parents=True)
            write_predictions(out / "predictions.csv", split.parts[part], probs)


@pytest.fixture
def trainers(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Trainers:
    played = Trainers(tiny_folder)
    monkeypatch.setattr(Run, "start", lambda run: played.start(run))
    return played


def grid(data: Path, study: str = "s", seeds: int = 2, **vary: object) -> Plan:
    vary = vary or {"backbone": ["resnet18", "mobilenetv3_small_100"]}
    return make_plan("search", study, {"data": data, **TINY}, vary, seeds=seeds)


def shared(plan: Plan, url: str) -> Plan:
    return plan.model_copy(update={"storage": url})


def states(sweep: Sweep) -> dict[str, str]:
    return {trial["run"]: trial["state"] for trial in sweep.status().trials}


# The share of train


@pytest.fixture
def large_table(tmp_path: Path) -> NihFolder:
    """2,000 films of about 600 patients, as a table alone."""
    rng = np.random.default_rng(0)
    rows, films = [HEADER_2020], Counter()
    for patient in sorted(rng.integers(1, 601, 2000)):
        found = rng.choice(FINDINGS, rng.choice([0, 1, 2], p=[0.5, 0.3, 0.2]), replace=False)
        name, label = f"{patient:08d}_{films[patient]:03d}.png", "|".join(found) or "No Finding"
        films[patient] += 1
        rows.append(f"{name},{label},0,{patient},40,M,PA,64,64,0.14,0.14")
    (tmp_path / "Data_Entry_2017_v2020.csv").write_text("\n".join(rows) + "\n")
    return NihFolder.open(tmp_path)


def test_a_share_of_train_is_whole_patients_in_proportion_and_the_same_for_all(
    large_table: NihFolder,
) -> None:
    folder, split = large_table, make_split(large_table)
    kept = shrink_train(folder, split, 0.2)
    assert kept == shrink_train(folder, split, 0.2)
    assert replace(kept, parts=split.parts) == split
    assert [kept.parts[part] == split.parts[part] for part in ("train", "val", "test")] == [False, True, True]
    assert set(kept.parts["train"]) < set(split.parts["train"])
    inside, outside = kept.stems("train"), sorted(set(split.stems("train")) - set(kept.stems("train")))
    assert not set(folder.patients(inside)) & set(folder.patients(outside))
    assert abs(len(inside) / len(split.parts["train"]) - 0.2) < 0.005
    shares = [np.bincount(folder.finding_counts(stems)) / len(stems) for stems in (inside, outside)]
    np.testing.assert_allclose(*shares, atol=0.01)
    assert shrink_train(folder, split, 1) is split
    other = shrink_train(folder, replace(split, id="another"), 0.2)
    assert other.parts["train"] != kept.parts["train"]


# Plans


def test_phases_are_the_design_documents(tiny_folder: Path) -> None:
    plan = plan_phase("phase1", {"data": tiny_folder, "epochs": 3})
    assert plan.fixed == {"train_share": 0.2, "data": str(tiny_folder), "epochs": 3}
    assert plan.vary == {
        "backbone": ["efficientnet_b0", "mobilenetv3_small_100"],
        "attention": ["none", "mhsa"],
        "seed": [42, 43, 44],
    }
    tried = plan.combinations()
    assert plan.total() == len(tried) == 12
    assert [values["seed"] for values in tried] == [42] * 4 + [43] * 4 + [44] * 4
    given = {"data": tiny_folder, "teacher": "big", "attention": "mhsa"}
    second = plan_phase("phase2", given, seeds=1)
    assert second.total() == 8
    assert {name: second.vary[name] for name in ("temperature", "alpha")} == {
        "temperature": [2.0, 6.0],
        "alpha": [0.5, 0.9],
    }


def test_what_is_given_does_not_vary(tiny_folder: Path) -> None:
    plan = plan_phase(
        "phase1", {"data": tiny_folder, "attention": "none", "train_share": 1.0, "seed": 7}, seeds=2
    )
    assert (plan.total(), plan.vary["seed"], plan.fixed["train_share"]) == (4, [7, 8], 1.0)
    assert "attention" not in plan.vary and plan.fixed["attention"] == "none"


@pytest.mark.parametrize(
    ("phase", "given", "sentence"),
    [
        ("phase1", {}, "a study needs --data FOLDER"),
        ("phase1", {"data": "d", "teacher": "t"}, "phase 1 trains the students alone"),
        ("phase1", {"data": "d", "name": "t"}, "it takes no --name"),
        ("phase1", {"data": "d", "epoch": 1}, "'epoch' is not a setting of a run"),
        ("phase1", {"data": "d", "lr": "fast"}, "--lr is 'fast'; expected a number"),
        ("phase2", {"data": "d"}, "phase 2 distils, so it needs --teacher"),
        ("phase2", {"data": "d", "teacher": "t"}, "there is no study 'phase1'"),
        ("phase3", {"data": "d"}, "there is no study 'phase1'"),
    ],
)
def test_a_phase_that_cannot_be_is_one_sentence(phase: str, given: dict, sentence: str) -> None:
    with pytest.raises(RunError, match=sentence):
        plan_phase(phase, given)
    assert not sweeps_dir().exists()


@pytest.mark.parametrize(
    ("vary", "options", "sentence"),
    [
        ({}, {"trials": 3}, "needs something to vary"),
        ({"lr": Range(low=1e-4, high=1e-2)}, {}, "cannot all be tried"),
        ({"lr": Range(low=1, high=0.1)}, {"trials": 3}, "the lower one first"),
        (
            {"lr": Range(low=0.1, high=20)},
            {"trials": 3},
            "--lr is 20; expected a number, over 0 and at most 10",
        ),
        ({"backbone": Range(low=1, high=2)}, {"trials": 3}, "--backbone is 1; expected text"),
        ({"backbone": []}, {}, "expected a list of values"),
        ({"loss": ["bce", "dice"]}, {}, "--loss is 'dice'; expected one of bce"),
        ({"data": ["a", "b"]}, {}, "data cannot vary"),
        ({"split": ["patient", "official"]}, {}, "split cannot vary"),
        ({"seed": [1, 2]}, {}, "the seeds of a grid are counted"),
        ({"lr": [0.1]}, {"trials": 3, "seeds": 2}, "is no study"),
    ],
)
def test_a_search_that_cannot_be_is_one_sentence(vary: dict, options: dict, sentence: str) -> None:
    with pytest.raises(RunError, match=sentence):
        make_plan("search", "s", {"data": "d"}, vary, **options)


def test_spaces_are_read_from_words_and_json(tmp_path: Path) -> None:
    assert parse_vary("backbone=a, b") == ("backbone", ["a", "b"])
    assert parse_vary("weight-decay=1e-5..1e-2:log") == ("weight_decay", Range(low=1e-5, high=1e-2, log=True))
    assert parse_vary("epochs=3..10") == ("epochs", Range(low=3, high=10))
    for text in ("lr", "lr=", "lr=a..b"):
        with pytest.raises(RunError, match="--vary"):
            parse_vary(text)
    path = tmp_path / "space.json"
    path.write_text('{"lr": {"low": 1e-4, "high": 1e-2, "log": true}, "alpha": [0.5, 0.9]}')
    assert read_space(path) == {"lr": Range(low=1e-4, high=1e-2, log=True), "alpha": [0.5, 0.9]}
    for text in ("[]", "{", '{"lr": {"from": 1}}'):
        path.write_text(text)
        with pytest.raises(RunError):
            read_space(path)


# Following runs


def test_a_grid_runs_to_its_leaderboard_and_not_again(trainers: Trainers, tiny_folder: Path) -> None:
    trainers.aucs = lambda run: [0.5, 0.9 if run.config().backbone == "resnet18" else 0.6]
    sweep = Sweep.open(grid(tiny_folder))
    lines: list[str] = []
    found = work.work_on(sweep, lines.append)
    names = [f"s-00{number}" for number in range(4)]
    assert trainers.started == names
    assert [Run.named(name).config().seed for name in names] == [42, 42, 43, 43]
    assert {Run.named(name).config().image_size for name in names} == {32}
    status = sweep.status()
    assert (status.state, status.total, status.count("finished")) == ("finished", 4, 4)
    first, second = found["rows"]
    assert first["values"] == {"backbone": "resnet18"}
    assert (first["runs"], first["seeds"], first["val_auc"], first["val_sd"]) == (
        ["s-000", "s-002"],
        2,
        0.9,
        0.0,
    )
    assert (second["val_auc"], second["test_auc"], second["model_size_mb"]) == (0.6, 0.55, 6.0)
    assert first["averaged"]["test"]["low"] <= first["averaged"]["test"]["value"]
    assert set(second["against_first"]) == {"val", "test"}
    assert sweep.leaderboard() == found
    assert found["split_id"] == load_split(NihFolder.open(tiny_folder), "patient").id
    assert "validation films" in found["verdict"]
    trainers.started.clear()
    again = work.work_on(Sweep.open(grid(tiny_folder)))
    assert (trainers.started, again) == ([], found)


def test_another_plan_under_the_same_name_is_refused(trainers: Trainers, tiny_folder: Path) -> None:
    work.work_on(Sweep.open(grid(tiny_folder)))
    with pytest.raises(RunError, match=r"other settings \(it differs in backbone\)"):
        Sweep.open(grid(tiny_folder, backbone=["resnet18"]))
    with pytest.raises(RunError, match="it differs in seed"):
        Sweep.open(grid(tiny_folder, seeds=3))


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


def test_the_storage_has_the_last_word_on_what_came_of_a_study(
    trainers: Trainers, tiny_folder: Path, url: str
) -> None:
    sweep = Sweep.open(grid(tiny_folder, seeds=1))
    work.work_on(sweep)
    sweep.path("progress.json").unlink()  # killed before it could say so
    with pytest.raises(RunError, match="holds a study 's' of other settings"):
        work.work_on(Sweep.open(grid(tiny_folder, seeds=2)))
    first, second = (shared(grid(tiny_folder, seeds=seeds), url) for seeds in (1, 2))
    taken = Study(first, url, FILMS, "there#2")
    trial = taken.next_trial()
    with pytest.raises(RunError, match="it differs in seed"):
        Study(second, url, FILMS, "here#1")
    taken.give_back(trial)
    assert len(Study(second, url, FILMS, "here#1").rows()) == 4


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"teacher": "nosuch"}, "there is no teacher 'nosuch'"),
        ({"teacher": "xrv:all,nosuch.csv"}, "there is no teacher 'nosuch.csv'"),
        ({"data": "nowhere"}, "there is no data folder"),
        ({"weights": "nosuch.pth"}, "nosuch.pth': expected imagenet, none or a file"),
        ({"teacher-list": "nosuch.txt"}, "there is no list of a teacher's films"),
    ],
)
def test_what_is_not_there_is_told_before_a_study_is_made(
    given: dict, sentence: str, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {"data": tiny_folder, "attention": "none", "teacher": "xrv:all", **given}
    options = [word for name, value in values.items() for word in (f"--{name}", str(value))]
    assert run_cli(["sweep", "phase2", "--after", "", *options]) == 2
    assert sentence in capsys.readouterr().err
    assert not sweeps_dir().exists() and not checkpoints_dir().exists()
    assert not (tiny_folder / "splits").exists()


@pytest.mark.parametrize(
    ("kind", "given", "vary", "sentence"),
    [
        ("search", {}, {"alpha": [0.5, 0.7]}, "alpha varies without effect: it needs a teacher"),
        ("search", {"teacher": ""}, {"temperature": [2, 4]}, "temperature varies .*: it needs a teacher"),
        (
            "search",
            {"teacher": "xrv:all", "alpha": 0},
            {"temperature": [2, 4]},
            "temperature varies without effect: it needs .* and an alpha over 0",
        ),
        (
            "search",
            {},
            {"focal_gamma": [1, 2]},
            "focal_gamma varies .*: it needs a focal loss, as in --loss foc",
        ),
        ("search", {}, {"focal_alpha": [0.1, 0.2], "loss": ["bce", "weighted_bce"]}, "focal_alpha varies"),
        (
            "search",
            {},
            {"feature_weight": [0, 1]},
            "feature_weight varies .*: it needs a teacher that is one",
        ),
        ("search", {}, {"teacher": ["", "t.csv", "a,b"], "feature_weight": [0, 1]}, "feature_weight varies"),
        ("phase2", {"teacher": "xrv:all", "attention": "none", "alpha": 0}, {}, "temperature varies"),
    ],
)
def test_a_space_whose_trials_would_be_alike_is_one_sentence_and_makes_nothing(
    kind: str, given: dict, vary: dict, sentence: str, tiny_folder: Path
) -> None:
    given = {"data": tiny_folder, **given}
    plan = plan_phase("phase2", given) if kind == "phase2" else make_plan("search", "s", given, vary)
    with pytest.raises(RunError, match=sentence):
        check_sources(plan)
    assert not sweeps_dir().exists() and not (tiny_folder / "splits").exists()


@pytest.mark.parametrize(
    ("given", "vary"),
    [
        ({}, {"teacher": ["", "t.csv"], "alpha": [0.5, 0.7], "temperature": [2, 4]}),
        ({"teacher": "t.csv"}, {"alpha": Range(low=0, high=1), "temperature": [2, 4]}),
        ({}, {"loss": ["bce", "focal"], "focal_gamma": [1, 2], "focal_alpha": [0.1, 0.2]}),
        ({}, {"teacher": ["t.csv", "xrv:all,t.csv"], "feature_weight": [0, 1]}),
    ],
)
def test_a_space_in_which_a_setting_counts_somewhere_is_fine(given: dict, vary: dict) -> None:
    check_effects(make_plan("search", "s", {"data": "d", **given}, vary, trials=3))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("vary", "given", "sentence"),
    [
        ("backbone=resnet18,resnet81", {}, "'resnet81' is no backbone that timm knows; did you mean resnet"),
        ("backbone=resnet18,deit_tiny_patch16_224", {"image-size": 96}, "takes films of 224 px only"),
        ("lr=0.1,0.2", {"device": "gpu"}, "device 'gpu' is unknown"),
        ("lr=0.1,0.2", {"split": "mine"}, "has no split 'mine'"),
    ],
)
def test_a_wrong_name_is_one_sentence_before_a_study_is_made(
    vary: str, given: dict, sentence: str, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    assert run_cli(["sweep", "search", "--data", str(tiny_folder), "--vary", vary, *options]) == 2
    said = capsys.readouterr().err
    assert said.startswith("Error: ") and sentence in said and said.count("\n") == 1
    assert not sweeps_dir().exists() and not checkpoints_dir().exists()
    assert not (tiny_folder / "splits").exists()


def test_a_study_is_deleted_and_its_runs_where_asked(
    trainers: Trainers, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for study in ("s", "t"):
        work.work_on(Sweep.open(grid(tiny_folder, study, seeds=1)), lambda line: None)
    assert run_cli(["sweep", "delete", "s"]) == 2
    assert "nobody can be asked here: add --yes" in capsys.readouterr().err
    with Sweep.named("s").hold():
        assert run_cli(["sweep", "delete", "s", "--yes", "--runs"]) == 2
    assert "is being worked on" in capsys.readouterr().err
    assert len(Run.list()) == 4  # what is refused deletes nothing
    assert run_cli(["sweep", "delete", "s", "--yes"]) == 0
    assert [sweep.name for sweep in Sweep.list()] == ["t"]
    Run.named("t-001").delete()
    Run.create(make_config({"data": tiny_folder, "name": "t-001"}))  # another one of that name
    with Run.named("t-000").hold():
        assert run_cli(["sweep", "delete", "t", "--yes", "--runs"]) == 2
    assert "run 't-000' of study 't' is live" in capsys.readouterr().err
    Run.named("t-000").write_progress({"state": "finished"})
    assert run_cli(["sweep", "delete", "t", "--yes", "--runs"]) == 0
    assert capsys.readouterr().out == "Study t is deleted with 1 run.\n"
    assert sorted(run.name for run in Run.list()) == ["s-000", "s-001", "t-001"]
    assert [path.name for path in sweeps_dir().iterdir() if path.is_dir()] == []


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
    assert sorted(row["seeds"] for row in found["rows"]) == [1, 2]
    assert sweep.status().message.startswith("3 of 4 trials ended well; s-000 failed: the disk was full")


def test_what_fails_always_fails_the_study(trainers: Trainers, tiny_folder: Path) -> None:
    trainers.end = lambda run: trainers.train(run, "failed", f"no weights for {run.name}", epochs=0)
    sweep = Sweep.open(grid(tiny_folder))
    with pytest.raises(RunError, match="every trial so far failed alike, s-001 last: no weights for s-001"):
        work.work_on(sweep)
    assert (trainers.started, sweep.status().state) == (["s-000", "s-001"], "failed")


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
    assert (sweep.status().state, sweep.status().trials) == ("failed", [])


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
    plan = make_plan("search", "s", {"data": tiny_folder, **TINY}, {"lr": rates}, prune=True)
    sweep = Sweep.open(plan)
    found = work.work_on(sweep)
    assert [run for run, state in states(sweep).items() if state == "pruned"] == ["s-004"]
    assert (len(found["rows"]), sweep.status().state) == (5, "finished")


@pytest.mark.slow
def test_tpe_picks_within_the_ranges_and_takes_more_trials(trainers: Trainers, tiny_folder: Path) -> None:
    vary = {"lr": Range(low=1e-4, high=1e-2, log=True), "epochs": Range(low=2, high=5), "alpha": [0.5, 0.9]}

    def plan(trials: int) -> Plan:
        return make_plan("search", "s", {"data": tiny_folder, "image_size": 32}, vary, trials=trials)

    work.work_on(Sweep.open(plan(3)))
    assert trainers.started == ["s-000", "s-001", "s-002"]
    configs = [run.config() for run in Run.list()]
    assert all(1e-4 <= c.lr <= 1e-2 and 2 <= c.epochs <= 5 and c.alpha in (0.5, 0.9) for c in configs)
    assert len({config.lr for config in configs}) == 3
    work.work_on(Sweep.open(plan(5)))
    assert trainers.started == [f"s-00{number}" for number in range(5)]
    with pytest.raises(RunError, match="it differs in trials"):
        Sweep.open(plan(4))


# Storage that is shared


def all_of(study: Study) -> list[str]:
    """Takes and ends trials until none is left; the names of their runs."""
    names = []
    while trial := study.next_trial():
        names.append(trial.user_attrs["run"])
        study.finish(trial, {"val_auc": 0.5})
    return names


def test_what_was_interrupted_is_gone_on_with_first_here_and_by_others(tiny_folder: Path, url: str) -> None:
    plan = shared(grid(tiny_folder, seeds=1), url)
    here = Study(plan, url, FILMS, "here#1")
    first = here.next_trial()
    first.report(0.5, 1)
    here.give_back(first)
    assert [row["state"] for row in here.rows()] == ["waiting", "waiting"]
    again = Study(plan, url, FILMS, "here#1").next_trial()
    assert (again.number, again.params, here.reported(again)) == (first.number, first.params, {1})
    here.give_back(again)
    there = Study(plan, url, FILMS, "there#2")
    there.pick_up_dead()
    assert all_of(there) == ["s-001", "s-000"]


def test_what_a_dead_machine_left_is_picked_up_after_a_while(
    tiny_folder: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = shared(grid(tiny_folder), url)
    there = Study(plan, url, FILMS, "there#2")
    taken = there.next_trial()
    here = Study(plan, url, FILMS, "here#1")
    here.pick_up_dead()
    assert here.elsewhere() == 1
    assert all_of(here) == ["s-001", "s-002", "s-003"]
    monkeypatch.setattr(study_module, "GRACE_S", -1.0)
    here.pick_up_dead()
    assert {row["run"]: row["state"] for row in here.rows()}["s-000"] == "waiting"
    trial = here.next_trial()
    assert (trial.user_attrs["run"], trial.params) == ("s-000", taken.params)


def test_a_sweep_knows_its_own_trials_whatever_its_machine_is_called(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = Sweep.open(grid(tiny_folder, seeds=1))
    signature = sweep.signature()
    monkeypatch.setattr("socket.gethostname", lambda: "renamed")
    assert sweep.signature() == signature
    taken = Study(sweep.plan(), sweep.storage(), FILMS, "here#1").next_trial()
    again = Study(sweep.plan(), sweep.storage(), FILMS, "lost its file#2")  # and nobody else's storage it is
    again.pick_up_dead()
    assert again.next_trial().number == taken.number


def test_a_trial_that_was_taken_and_never_signed_does_not_wait_for_minutes(
    tiny_folder: Path, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    vary = {"lr": Range(low=0.1, high=0.2)}
    tpe = make_plan("search", "t", {"data": tiny_folder}, vary, trials=1)
    for plan, names in ((grid(tiny_folder, seeds=1), ["s-001", "s-000"]), (tpe, ["t-001"])):
        Study(shared(plan, url), url, FILMS, "there#2").study.ask()  # killed right after it
        here = Study(shared(plan, url), url, FILMS, "here#1")
        monkeypatch.setattr(study_module, "UNSIGNED_GRACE_S", 60.0)
        here.pick_up_dead()
        assert (all_of(here), here.elsewhere()) == (names[:-1], 1)
        monkeypatch.setattr(study_module, "UNSIGNED_GRACE_S", -1.0)
        here.pick_up_dead()
        assert all_of(here) == names[-1:]
        alone = Study(plan, f"sqlite:///{tmp_path / plan.study}.db", FILMS, "here#1")
        alone.study.ask()
        assert len(all_of(alone)) == plan.total()


def test_tpe_picks_no_more_where_two_machines_act_at_once(tiny_folder: Path, url: str) -> None:
    vary = {"lr": Range(low=0.1, high=0.2)}
    plan = shared(make_plan("search", "s", {"data": tiny_folder}, vary, trials=2), url)
    one, two = Study(plan, url, FILMS, "here#1"), Study(plan, url, FILMS, "there#2")
    one.finish(one.next_trial(), {"val_auc": 0.5})
    asked = one._asked(), two._asked()  # each saw room for one more
    one._unfinished = two._unfinished = lambda: None
    for study, trial in zip((one, two), asked, strict=True):
        waiting = [trial]
        study._asked = lambda: waiting.pop() if waiting else None  # noqa: B023
        while trial := study.next_trial():
            study.finish(trial, {"val_auc": 0.5})
    assert [row["run"] for row in one.rows()] == ["s-000", "s-001"]


def test_more_trials_than_planned_are_all_of_them(trainers: Trainers, tiny_folder: Path) -> None:
    """Another machine was asked for more trials of the study on the storage that both share."""
    vary = {"lr": Range(low=0.1, high=0.2)}
    url = f"sqlite:///{sweeps_dir().parent / 'shared.db'}"
    sweeps_dir().parent.mkdir()

    def plan(trials: int) -> Plan:
        given = {"data": tiny_folder, **TINY}
        return make_plan("search", "s", given, vary, trials=trials, storage=url)

    work.work_on(Sweep.open(plan(3)), lambda line: None)
    Sweep.named("s").delete()
    sweep = Sweep.open(plan(1))
    work.work_on(sweep, lambda line: None)
    assert (sweep.status().total, sweep.status().count("finished")) == (3, 3)


def test_a_trial_that_two_machines_planned_at_once_is_trained_once(tiny_folder: Path, url: str) -> None:
    study = Study(grid(tiny_folder, seeds=1), url, FILMS, "here#1")
    for trial in study.study.get_trials():
        study.study.enqueue_trial(trial.system_attrs["fixed_params"], user_attrs=trial.user_attrs)
    assert all_of(study) == ["s-000", "s-001"]
    study.pick_up_failed()
    assert study.next_trial() is None
    ended = [(row["run"], row["state"]) for row in study.rows()]
    assert ended == [("s-000", "finished"), ("s-001", "finished")]


def test_two_machines_must_mean_the_same_study(tiny_folder: Path, tmp_path: Path, url: str) -> None:
    Study(shared(grid(tiny_folder), url), url, FILMS, "there#2").next_trial()
    Study(shared(grid(tmp_path / "elsewhere" / "data"), url), url, FILMS, "here#1")
    with pytest.raises(RunError, match="it differs in split"):
        Study(shared(grid(tiny_folder), url), url, {**FILMS, "split": "patient-42-2"}, "here#1")
    with pytest.raises(RunError, match="it differs in seed"):
        Study(shared(grid(tiny_folder, seeds=1), url), url, FILMS, "here#1")


@pytest.mark.parametrize(
    "url", ["nonsense", "sqlite:////nowhere/at/all.db", "postgresql://a:secret@localhost:1/x"]
)
def test_a_storage_that_cannot_be_had_is_a_sentence(tiny_folder: Path, url: str) -> None:
    with pytest.raises(RunError, match="the storage of study 's' cannot be opened") as caught:
        Study(grid(tiny_folder), url, FILMS, "here#1")
    assert "secret" not in str(caught.value)


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
    found = work.work_on(Sweep.open(shared(grid(tiny_folder, seeds=1), url)), lambda line: None)
    assert len(found["rows"]) == 2
    trainers.end = after(f"drop database {name} with (force)")
    sweep = Sweep.open(shared(grid(tiny_folder, "t", seeds=1), url))
    with pytest.raises(
        RunError, match="the storage of study 't' does not answer: .*does not exist"
    ) as caught:
        work.work_on(sweep, lambda line: None)
    assert "secret" not in str(caught.value)
    assert (sweep.status().state, sweep.status().message) == ("failed", str(caught.value))
    admin.dispose()


def test_a_dashboard_of_optuna_sees_the_trials(trainers: Trainers, tiny_folder: Path) -> None:
    import optuna

    sweep = Sweep.open(grid(tiny_folder, seeds=1))
    work.work_on(sweep)
    seen = optuna.load_study(study_name="s", storage=sweep.storage())
    assert [(t.state, t.value, t.user_attrs["run"]) for t in seen.trials] == [
        (TrialState.COMPLETE, 0.7, "s-000"),
        (TrialState.COMPLETE, 0.7, "s-001"),
    ]
    assert seen.trials[0].intermediate_values == {1: 0.6, 2: 0.7}


# The leaderboard


def trial(run: str, backbone: str, seed: int, val: float, size: float = 6.0, **more: object) -> dict:
    values = {"backbone": backbone, "seed": seed}
    figures = {"val_auc": val, "test_auc": val, "model_size_mb": size, "inference_time_ms": 1.0}
    return {"run": run, "state": "finished", "values": values, **figures, **more}


def board(trials: list[dict], folder: Path) -> dict:
    plan = grid(folder, backbone=["a", "b"], seeds=3)
    return make_leaderboard(plan, trials, "patient-42-1", NihFolder.open(folder))


def predict(run: str, folder: NihFolder, skill: float, parts: tuple[str, ...] = ("val",)) -> None:
    """Leaves the run's predictions on the patient split: the labels where its skill is 1, noise where 0."""
    split = load_split(folder, "patient")
    for part in parts:
        labels = folder.labels(split.stems(part))
        noise = np.random.default_rng(1).random(labels.shape)
        out = checkpoints_dir() / run / "evaluation" / part
        out.mkdir(parents=True)
        probs = skill * labels + (1 - skill) * noise
        write_predictions(out / "predictions.csv", split.parts[part], probs)


@pytest.mark.parametrize(
    ("other", "size", "winner", "tie", "words"),
    [
        ([0.70, 0.71, 0.72], 3.0, 0, False, "No other one is within its noise"),
        (
            [0.79, 0.80, 0.81],
            3.0,
            1,
            True,
            "A tie: the other one cannot be told from the best (a, 0.8100), and of those that tie this is "
            "the lightest (3.0 MB).",
        ),
        ([0.79, 0.80, 0.81], 9.0, 0, True, "A tie: the other one cannot be told from it and is not lighter."),
        ([0.79, 0.80, 0.81], 5.99, 0, True, "from it and is not lighter."),
    ],
)
def test_the_winner_is_the_lightest_of_those_within_the_seeds_noise(
    large_table: NihFolder, other: list[float], size: float, winner: int, tie: bool, words: str
) -> None:
    for name, skill in (("a", 1.0), ("b", 0.0)):
        for seed in range(3):
            predict(f"{name}{seed}", large_table, skill)
    trials = [trial(f"a{n}", "a", n, val) for n, val in enumerate([0.80, 0.81, 0.82])]
    trials += [trial(f"b{n}", "b", n, val, size) for n, val in enumerate(other)]
    found = board(trials, large_table.root)
    assert (found["winner"], found["rows"][1]["tie"]) == (winner, tie)
    assert words in found["verdict"]
    said = {
        (0, False): ["wins", ""],
        (0, True): ["best, but ties; chosen", "tie on val"],
        (1, True): ["best, but ties", "tie on val; chosen"],
    }
    assert [remark(found, place) for place in range(2)] == said[winner, tie]


def test_the_best_is_not_counted_among_those_that_tie_with_it(large_table: NihFolder) -> None:
    """Of eight configurations all are alike, then all but one, then more than are compared."""
    trials = [trial(f"{name}0", name, 1, 0.9) for name in "abcdefghijkl"]
    for each in trials:
        predict(each["run"], large_table, 0.0 if each["run"] == "h0" else 1.0)
    found = board(trials[:7], large_table.root)
    assert found["verdict"].endswith(
        " A tie: none of the 6 others can be told from it, and none that ties is lighter."
    )
    assert [remark(found, place) for place in (0, 6)] == ["best, but ties; chosen", "tie on val"]
    found = board(trials[:8], large_table.root)
    assert (
        "A tie: 6 of the 7 others cannot be told from it, and none that ties is lighter." in found["verdict"]
    )
    found = board(trials[:7] + trials[8:], large_table.root)
    assert "A tie: none of the 9 others compared can be told from it, and none" in found["verdict"]


def test_test_films_never_choose(large_table: NihFolder) -> None:
    """The first is perfect on val, the second, which is lighter, on test: the first wins."""
    for run, good, bad in (("a0", "val", "test"), ("b0", "test", "val")):
        predict(run, large_table, 1.0, (good,))
        predict(run, large_table, 0.0, (bad,))
    found = board([trial("a0", "a", 1, 0.9, 9.0), trial("b0", "b", 1, 0.6, 3.0)], large_table.root)
    val, test = (found["rows"][1]["against_first"][part] for part in ("val", "test"))
    assert (val["low"] > 0, val["tie"], test["high"] < 0, test["tie"]) == (True, False, True, False)
    assert (found["winner"], found["rows"][1]["tie"], val["p"]) == (0, False, 2 / 1001)
    assert found["rows"][0]["averaged"]["val"]["value"] == 1.0


def test_what_the_teachers_know_stands_on_the_leaderboard(
    trainers: Trainers, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    knows = "teacher contamination: a teacher was trained on 2 of the 3 test films"

    def finish(run: Run) -> None:
        trainers.finish(run)
        warnings = ["few positives"] + ([knows] if run.config().teacher else [])
        (run.folder / "evaluation" / "test" / "metrics.json").write_text(json.dumps({"warnings": warnings}))

    trainers.end = finish
    found = work.work_on(Sweep.open(grid(tiny_folder, teacher=["", "t"], seeds=1)), lambda line: None)
    assert found["warnings"] == [f"{knows} (runs s-001)"]
    assert run_cli(["sweep", "leaderboard", "s"]) == 0
    assert f"Warning: {knows} (runs s-001)" in capsys.readouterr().out
    assert work.work_on(Sweep.open(grid(tiny_folder, "all", teacher=["t"], seeds=1)))["warnings"] == [knows]


def test_what_was_not_compared_is_not_told_apart(large_table: NihFolder) -> None:
    """Of four configurations two were trained in another home, and one run has lost its predictions."""
    values = {"a0": 0.9, "b0": 0.8, "c0": 0.7, "d0": 0.6}
    for run, skill in (("a0", 1.0), ("d0", 0.0)):
        predict(run, large_table, skill)
    trials = [trial(run, run[0], 1, val, where="two:/home") for run, val in values.items()]
    found = board(trials, large_table.root)
    assert [row["tie"] for row in found["rows"]] == [None, None, None, False]
    assert [remark(found, place) for place in range(4)] == ["wins", "not compared", "not compared", ""]
    assert found["verdict"] == (
        "Chosen by the validation films: a, validation AUC 0.9000 (1 seed). Of the 1 compared with it none "
        "is within its noise. 2 were not compared, as predictions of b0, c0 are not here (trained in "
        "two:/home): run `xlite sweep resume s` there, or here once these runs are in checkpoints/."
    )
    predict("b0", large_table, 1.0)
    found = board(trials, large_table.root)
    assert (found["rows"][1]["tie"], found["winner"]) == (True, 0)
    assert (
        "A tie: 1 of the 2 others compared cannot be told from it and is not lighter. 1 was not"
        in (found["verdict"])
    )


def test_there_is_no_winner_where_the_first_cannot_be_compared(large_table: NihFolder) -> None:
    predict("b0", large_table, 0.0)
    found = board([trial("a0", "a", 1, 0.9, where="two:/home"), trial("b0", "b", 1, 0.6)], large_table.root)
    assert (found["winner"], found["rows"][1]["tie"]) == (None, None)
    assert found["verdict"] == (
        "No winner: the best, a, validation AUC 0.9000 (1 seed), was compared with none, as predictions of "
        "a0 are not here (trained in two:/home): run `xlite sweep resume s` there, or here once these runs "
        "are in checkpoints/."
    )
    assert remark(found, 0) == ""


def test_films_that_are_too_few_to_compare_by_are_told(tiny_folder: Path) -> None:
    folder = NihFolder.open(tiny_folder)
    stem = load_split(folder, "patient").stems("val")[0]
    for run in ("a0", "b0"):
        out = checkpoints_dir() / run / "evaluation" / "val"
        out.mkdir(parents=True)
        write_predictions(out / "predictions.csv", folder.names([stem]), np.full((1, 14), 0.5))
    found = board([trial("a0", "a", 1, 0.9), trial("b0", "b", 1, 0.6)], tiny_folder)
    assert (found["winner"], found["rows"][1]["tie"]) == (0, None)
    assert "None was compared with it, as the validation films are too few." in found["verdict"]
    assert [remark(found, place) for place in range(2)] == ["chosen", "not compared"]


def test_intervals_are_there_before_the_end_and_a_winner_is_not(large_table: NihFolder) -> None:
    for run, skill in (("a0", 1.0), ("b0", 0.0)):
        predict(run, large_table, skill, ("val", "test"))
    trials = [trial("a0", "a", 1, 0.9), trial("b0", "b", 1, 0.6), trial("a1", "a", 2, 0.1, state="running")]
    plan = grid(large_table.root, backbone=["a", "b"], seeds=2)
    found = make_leaderboard(plan, trials, "patient-42-1", large_table, ended=False)
    assert (found["winner"], found["verdict"]) == (None, "")
    first, second = found["rows"]
    assert (first["averaged"]["test"], first["seeds"]) == ({"value": 1.0, "low": 1.0, "high": 1.0}, 1)
    assert second["averaged"]["test"]["low"] < second["averaged"]["test"]["high"] < 0.7
    assert (second["tie"], second["against_first"]["test"]["tie"]) == (False, False)
    assert [remark(found, place) for place in range(2)] == ["", ""]


def test_runs_that_did_not_finish_do_not_count(tiny_folder: Path) -> None:
    trials = [
        trial("a0", "a", 1, 0.8),
        trial("a1", "a", 2, 0.2, state="pruned"),
        trial("b0", "b", 1, 0.9, state="failed"),
    ]
    found = board(trials, tiny_folder)
    assert [(row["values"], row["seeds"], row["val_auc"], row["val_sd"]) for row in found["rows"]] == [
        ({"backbone": "a"}, 1, 0.8, None)
    ]
    assert found["verdict"] == "The only configuration has validation AUC 0.8000 (1 seed)."
    assert remark(found, 0) == "the only one"


# From phase to phase


@pytest.mark.slow
def test_phases_follow_one_another(trainers: Trainers, tiny_folder: Path) -> None:
    trainers.aucs = lambda run: [0.9 if run.config().attention == "mhsa" else 0.6]
    first = plan_phase("phase1", {"data": tiny_folder, **TINY}, seeds=1, backbones=["resnet18", "b"])
    sweep = Sweep.open(first)
    with pytest.raises(
        RunError, match=r"'phase1' has no winner yet \(0 of 0 trials have finished, it is new\)"
    ):
        plan_phase("phase2", {"teacher": "t"})
    found = work.work_on(sweep)
    winner = found["rows"][found["winner"]]["values"]
    second = plan_phase("phase2", {"teacher": "t", "epochs": 2}, seeds=1)
    assert second.fixed == {
        **first.fixed,
        "attention": winner["attention"],
        "teacher": "t",
        "epochs": 2,
    }
    assert (second.vary["backbone"], second.total(), second.after) == (["resnet18", "b"], 8, "phase1")
    assert plan_phase("phase3", {}, seeds=2).fixed["attention"] == winner["attention"]
    sweep.write_leaderboard({**found, "winner": None, "verdict": "No winner: run it on two:/home."})
    with pytest.raises(RunError, match="'phase1' has no winner in this home. No winner: run it on two:/home"):
        plan_phase("phase3", {})
    sweep.write_leaderboard(found)
    third = plan_phase("phase3", {}, seeds=2)
    assert third.fixed == {**first.fixed, **winner, "train_share": 1.0}
    work.work_on(Sweep.open(plan_phase("phase2", {"teacher": "t", "epochs": 2}, seeds=1, backbones=["b"])))
    last = plan_phase("phase3", {})
    assert last.after == "phase2" and {"temperature", "alpha"} <= set(last.fixed)
    assert (last.fixed["teacher"], last.fixed["train_share"], last.total()) == ("t", 1.0, 3)


# Folder and process


def test_a_killed_sweep_is_seen_as_such(tiny_folder: Path) -> None:
    sweep = Sweep.open(grid(tiny_folder))
    assert sweep.status().state == "new"
    with sweep.hold():
        assert sweep.status().state == "running"
        with pytest.raises(RunError, match="is already being worked on"), Sweep.named("s").hold():
            pass
        with pytest.raises(RunError, match="is already being worked on"):
            sweep.start()
    assert sweep.status().state == "killed"
    with pytest.raises(RunError, match=r"does not run \(it is killed\)"):
        sweep.stop()


def test_progress_of_another_hand_is_told(tiny_folder: Path) -> None:
    sweep = Sweep.open(grid(tiny_folder))
    for content in ("{", "[]", '{"state": "running"}'):
        sweep.path("progress.json").write_text(content)
        assert "is not what a sweep writes" in sweep.status().message
    sweep.path("sweep.json").write_text(json.dumps({"study": "s"}))
    with pytest.raises(RunError, match="the plan of study 's' cannot be read"):
        sweep.plan()
