"""A run: how it is made, found and named, and what its files hold."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from xlite.config import make_config
from xlite.errors import RunError
from xlite.places import checkpoints_dir
from xlite.runs.listing import Listing
from xlite.runs.run import Run
from xlite.runs.status import RunStatus, State


@pytest.fixture
def run() -> Run:
    return Run.create(make_config({"data": "films", "name": "one"}))


def test_create_keeps_the_config_with_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "start.pt").touch()
    (tmp_path / "teacher.csv").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "seen.txt").touch()
    values = {
        "data": "films",
        "name": "a",
        "weights": "start.pt",
        "teacher": "big,teacher.csv,folder",
        "teacher_list": "seen.txt",
        "epochs": 3,
    }
    run = Run.create(make_config(values))
    expected = {
        **values,
        "data": tmp_path / "films",
        "weights": str(tmp_path / "start.pt"),
        "teacher": f"big,{tmp_path / 'teacher.csv'},{tmp_path / 'folder'}",
        "teacher_list": str(tmp_path / "seen.txt"),
    }
    assert run.folder == checkpoints_dir() / "a"
    assert run.config() == make_config(expected)
    assert Run.named("a").status() == RunStatus(state="new")


def test_create_refuses_a_name_that_exists(run: Run) -> None:
    before = run.path("config.json").read_bytes()
    with pytest.raises(RunError, match="'one' exists already"):
        Run.create(make_config({"data": "other", "name": "one"}))
    assert run.path("config.json").read_bytes() == before


@pytest.mark.parametrize(
    ("state", "advice"),
    [
        ("stopped", ": choose another name, or resume that run"),
        ("finished", ", and that run has finished: choose another name, or delete that run"),
    ],
)
def test_what_to_do_about_a_name_that_exists_depends_on_the_runs_state(
    run: Run, state: State, advice: str
) -> None:
    run.write_progress(RunStatus(state=state))
    with pytest.raises(RunError) as caught:
        Run.create(run.config())
    assert str(caught.value) == f"'one' exists already in {checkpoints_dir()}{advice}"


def test_a_model_without_settings_cannot_be_resumed(own_home: Path) -> None:
    (checkpoints_dir() / "shipped").mkdir(parents=True)
    with pytest.raises(RunError, match="'shipped' exists already in .*: choose another name$"):
        Run.create(make_config({"data": "films", "name": "shipped"}))


def test_a_failed_run_keeps_its_name_while_it_holds_anything_trained(run: Run) -> None:
    run.write_progress(RunStatus(state="failed", message="the disk was full"))
    run.path("model.safetensors").write_bytes(b"weights")
    with pytest.raises(RunError, match="'one' exists already"):
        Run.create(run.config())
    assert run.path("model.safetensors").read_bytes() == b"weights"


def test_a_run_that_failed_before_its_first_epoch_gives_up_its_name(run: Run) -> None:
    run.write_progress(RunStatus(state="failed", message="no films"))
    corrected = Run.create(make_config({"data": "other", "name": "one"}))
    assert (corrected.config().data.name, corrected.status().state) == ("other", "new")
    corrected.path("last.ckpt").touch()
    corrected.write_progress(RunStatus(state="failed"))
    with pytest.raises(RunError, match="exists already"):
        Run.create(make_config({"data": "third", "name": "one"}))


def test_empty_names_are_picked_and_never_clash() -> None:
    config = make_config({"data": "films", "backbone": "hf-hub:timm/some.model"})
    runs: list[Run] = []
    threads = [threading.Thread(target=lambda: runs.append(Run.create(config))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = {run.name for run in runs}
    assert len(names) == 6
    assert all("-hf-hub-timm-some-model" in name for name in names)
    assert {run.config().name for run in runs} == names


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a..b", "x" * 81, "a b"])
def test_named_refuses_what_is_no_name(name: str) -> None:
    with pytest.raises(RunError, match="cannot be a run's name"):
        Run.named(name)


def test_named_tells_which_runs_there_are(run: Run) -> None:
    with pytest.raises(RunError, match=r"there is no run 'two' in .*; the runs are: one"):
        Run.named("two")


def test_list_is_newest_first_and_leaves_foreign_folders_out(run: Run) -> None:
    newer = Run.create(make_config({"data": "films", "name": "newer"}))
    os.utime(run.path("config.json"), (1, 1))
    for name, content in {
        "hugging": '{"hidden_size": 8}',
        "broken": "{",
        "list": "[]",
        "bytes": "\xff",
    }.items():
        folder = checkpoints_dir() / name
        folder.mkdir()
        (folder / "config.json").write_text(content, encoding="latin-1")
    (checkpoints_dir() / "empty").mkdir()
    (checkpoints_dir() / "notes.txt").touch()
    assert [found.name for found in Run.list()] == [newer.name, run.name]
    runs, damaged = Listing(checkpoints_dir()).runs()
    assert [found.name for found in runs] == [newer.name, run.name]
    said = sorted(map(str, damaged))
    assert [sentence.split(" cannot be read from ")[0] for sentence in said] == [
        f"the settings of run '{name}'" for name in ("broken", "bytes", "hugging", "list")
    ]
    reasons = dict(zip(("broken", "bytes", "hugging", "list"), said, strict=True))
    assert "EOF while parsing an object" in reasons["broken"] and "expected value" in reasons["bytes"]
    assert "config.json: --data is missing" in reasons["hugging"]
    assert reasons["list"].endswith("config.json: it is not an object of settings")


def test_a_link_to_itself_and_a_damaged_state_are_told(run: Run) -> None:
    """Neither makes a run vanish, and a run that trained does not become a failed one without a word."""
    linked = checkpoints_dir() / "linked"
    linked.mkdir()
    (linked / "config.json").symlink_to("config.json")
    run.path("progress.json").write_text('{"state": ')
    runs, damaged = Listing(checkpoints_dir()).runs()
    assert [found.name for found in runs] == [run.name]
    said = sorted(map(str, damaged))
    assert "linked" in said[0] and "Too many levels of symbolic links" in said[0]
    assert said[1].startswith(f"the state of run {run.name!r} is not known: ")
    assert "progress.json is not what X-Lite writes" in said[1]
    with pytest.raises(RunError, match="that is not a file"):
        Run.named("linked")


def test_a_run_that_goes_while_one_looks_is_left_out(run: Run, monkeypatch) -> None:
    other = Run.create(make_config({"data": "films", "name": "other"}))
    read = Run.config

    def config(looked_at: Run) -> object:
        if looked_at.name == "other" and other.folder.exists():
            other.delete()
        return read(looked_at)

    monkeypatch.setattr(Run, "config", config)
    assert [found.name for found in Run.list()] == ["one"]


def test_list_is_empty_without_a_folder() -> None:
    assert Run.list() == []


def test_config_that_is_none_is_a_sentence(run: Run) -> None:
    run.path("config.json").write_text("{")
    with pytest.raises(RunError, match="the settings of run 'one' cannot be read"):
        run.config()


def test_read_metrics(run: Run) -> None:
    assert run.read_metrics().empty
    run.path("metrics.csv").write_text("")
    assert run.read_metrics().empty
    run.path("metrics.csv").write_text("epoch,train_loss,val_loss,val_auc\n1,.5,.4,0.5\n2,.5,.4,\n")
    assert run.read_metrics()["epoch"].tolist() == [1, 2]


def test_a_finished_run_is_not_started_again(run: Run) -> None:
    run.write_progress(RunStatus(state="finished"))
    with pytest.raises(RunError, match="has finished"):
        run.start()


@pytest.mark.slow
def test_run_and_results_import_neither_torch_nor_pandas() -> None:
    modules = "xlite.runs.run, xlite.runs.results"
    code = f"import sys, {modules}\nprint({{'torch', 'pandas'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_what_can_go_on(run: Run) -> None:
    can = {}
    for state in ("new", "stopped", "finished", "failed"):
        run.write_progress(RunStatus(state=state))
        can[state] = run.can_resume()
    assert can == {"new": True, "stopped": True, "finished": False, "failed": False}
    run.path("metrics.csv").write_text("epoch,val_auc\n1,0.6\n")
    assert run.can_resume()
    with run.hold():
        assert not run.can_resume()


def test_where_its_reports_are(run: Run) -> None:
    assert run.evaluation("test") == checkpoints_dir() / "one" / "evaluation" / "test"
