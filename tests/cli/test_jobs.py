"""Managing runs, from a terminal and from the Runs page: rename, delete, stop, resume, where to train."""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from xlite.cli import run as xlite_command
from xlite.config import bundled, checkpoints_dir, make_config
from xlite.errors import RunError
from xlite.runs import slurm
from xlite.runs.results import append_result, read_results
from xlite.runs.run import Run
from xlite.runs.status import RunStatus, clock, figures

pytestmark = pytest.mark.usefixtures("one_scan")

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def xlite(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command line in this process: its exit status, stdout and stderr."""

    def call(*words: object) -> tuple[int, str, str]:
        status = xlite_command([str(word) for word in words])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


@pytest.fixture
def run(tiny_folder: Path) -> Run:
    """A run that was stopped after its second epoch."""
    run = Run.create(make_config({"data": tiny_folder, "name": "one"}))
    run.path("metrics.csv").write_text(
        "epoch,train_loss,val_loss,val_auc,val_auc_Edema\n1,.5,.4,.61,.7\n2,.4,.3,.64,.8\n"
    )
    run.path("log.txt").write_text("epoch 2/8\n")
    run.write_progress({"state": "stopped", "epoch": 2, "epochs": 8, "best_auc": 0.64, "best_epoch": 2})
    return run


def names() -> list[str]:
    return [run.name for run in Run.list()]


def test_rename_moves_the_folder_and_leaves_the_log_of_experiments(run: Run, xlite: Command) -> None:
    append_result({"experiment_id": "one", "val_auc": 0.6}, "patient-42-1")
    metrics, settings = run.path("metrics.csv").read_bytes(), run.config()
    assert xlite("jobs", "rename", "one", "two") == (0, "Run one is now two.\n", "")
    renamed = Run.named("two")
    assert (names(), renamed.status().state) == (["two"], "stopped")
    assert renamed.path("metrics.csv").read_bytes() == metrics
    assert renamed.config() == settings.model_copy(update={"name": "two"})
    assert read_results()["experiment_id"].tolist() == ["one"]


@pytest.mark.parametrize(
    ("new_name", "sentence"),
    [("taken", "'taken' exists already"), ("../up", "'../up' cannot be a run's name"), ("", "cannot be")],
)
def test_rename_refuses_what_is_no_free_name(run: Run, xlite: Command, new_name: str, sentence: str) -> None:
    Run.create(run.config().model_copy(update={"name": "taken"}))
    status, _, err = xlite("jobs", "rename", "one", new_name)
    assert (status, sentence in err, sorted(names())) == (2, True, ["one", "taken"])


@pytest.mark.parametrize("words", [("rename", "one", "two"), ("delete", "one", "--yes")])
def test_a_live_run_is_neither_renamed_nor_deleted(run: Run, xlite: Command, words: tuple[str, ...]) -> None:
    for state in ("running", "finished"):  # also one that has said its last word, and is about to end
        with run.hold():
            run.write_progress({"state": state, "epoch": 2})
            status, _, err = xlite("jobs", *words)
            assert (status, err) == (
                2,
                f"Error: run 'one' is not at rest ({state}): stop it, then it can be {words[0]}d\n",
            )
    assert names() == ["one"]


def test_delete_is_asked_twice(run: Run, xlite: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = (2, "Error: that is not 'one', so nothing was deleted\n")
    for answers, outcome in {"n\n": (130, "Error: interrupted\n"), "y\ntwo\n": kept}.items():
        monkeypatch.setattr("sys.stdin", Terminal(answers))
        assert xlite("jobs", "delete", "one")[::2] == outcome
        assert names() == ["one"]
    monkeypatch.setattr("sys.stdin", Terminal("y\none\n"))
    status, out, _ = xlite("jobs", "delete", "one")
    assert status == 0 and "its model and 2 epochs?" in out and out.endswith("Run one is deleted.\n")
    assert names() == []


class Terminal(io.StringIO):
    """A stdin that says it is a terminal and gives these lines."""

    def isatty(self) -> bool:
        return True


def test_delete_leaves_nothing_behind_and_needs_a_word(run: Run, xlite: Command) -> None:
    status, _, err = xlite("jobs", "delete", "one")
    assert (status, err.endswith("nobody can be asked here: add --yes\n")) == (2, True)
    assert xlite("jobs", "delete", "one", "--yes") == (0, "Run one is deleted.\n", "")
    assert [path.name for path in checkpoints_dir().iterdir() if path.is_dir()] == []
    assert xlite("jobs", "delete", "one", "--yes")[0] == 2


def test_a_deletion_that_breaks_off_shows_no_half_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        run.delete()
    assert names() == []
    with pytest.raises(RunError, match="there is no run 'one'"):
        Run.named("one")


def test_list_and_status_tell_what_waits_and_what_is_left(run: Run, xlite: Command) -> None:
    with run.hold():
        run.write_progress({"state": "queued", "message": "waits for cpu behind two (1st in line)"})
        assert xlite("jobs", "list")[1].endswith("\none waits for cpu behind two (1st in line)\n")
        told = "queued: waits for cpu behind two (1st in line)\n"
        assert xlite("jobs", "status", "one")[1].startswith(told)
        run.write_progress({"state": "running", "epoch": 2, "epochs": 9, "eta_s": 130.0, "load": 0.5})
        assert xlite("jobs", "list")[1].endswith("\none running, 2 min 10 s left\n")
        (checkpoints_dir() / "odd").mkdir()
        (checkpoints_dir() / "odd" / "config.json").write_text("{")
        status, out, err = xlite("jobs", "list")
        assert (status, "odd" in out, err.count("\n")) == (0, False, 1)
        assert err.startswith("Warning: the settings of run 'odd' cannot be read from ")
        out = xlite("jobs", "status", "one")[1]
    assert "Time left            2 min 10 s\n" in out and "Load                 50%\n" in out


def test_figures_of_a_status() -> None:
    live = RunStatus(
        state="running", epoch=3, epochs=8, loss=0.43214, best_auc=0.64, best_epoch=2, elapsed_s=75,
        eta_s=7290, device="cuda:1", memory_gb=3.24, memory_total_gb=16, load=0.93,
    )  # fmt: skip
    assert figures(live) == {
        "Epoch": "3 of 8",
        "Loss": "0.4321",
        "Best validation AUC": "0.640 (epoch 2)",
        "Elapsed": "1 min 15 s",
        "Time left": "2 h 01 min",
        "Device": "cuda:1",
        "Memory": "3.2 of 16.0 GB",
        "Load": "93%",
    }
    assert set(figures(RunStatus()).values()) == {"–", "0 s"}
    assert clock(59.6) == "1 min 00 s"


@pytest.fixture
def page(run: Run) -> AppTest:
    """The Runs page as it opens with one stopped run."""
    return AppTest.from_file(bundled("pages", "runs.py"), default_timeout=300).run()


def press(page: AppTest, label: str) -> AppTest:
    [button] = [button for button in page.button if button.label == label]
    assert not button.disabled
    return button.click().run()


def labels(page: AppTest, disabled: bool = False) -> set[str]:
    assert [error.message for error in page.exception] == []
    return {button.label for button in page.button if button.disabled == disabled}


def test_the_runs_page_renames(page: AppTest) -> None:
    [field] = [field for field in page.text_input if field.label == "New name"]
    assert labels(page, disabled=True) == {"Rename it", "Delete it"}
    field.set_value("../up").run()
    assert "cannot be a run's name" in press(page, "Rename it").error[0].value
    field.set_value("two").run()
    press(page, "Rename it")
    assert (names(), page.query_params["run"]) == (["two"], "two")
    assert labels(page) == {"Resume"}


def test_the_runs_page_deletes_after_two_confirmations(page: AppTest) -> None:
    def typed(text: str) -> None:
        [field] = [field for field in page.text_input if field.label.startswith("Type its name")]
        field.set_value(text).run()

    page.checkbox[0].check().run()
    assert "Delete it" in labels(page, disabled=True)
    typed("two")
    assert "Delete it" in labels(page, disabled=True)
    typed("one")
    page.checkbox[0].uncheck().run()
    assert "Delete it" in labels(page, disabled=True)
    page.checkbox[0].check().run()
    press(page, "Delete it")
    assert (names(), labels(page)) == ([], set())


def test_the_runs_page_shows_curves_and_log_and_stops_a_live_run(run: Run) -> None:
    with run.hold():
        run.write_progress({"state": "running", "epoch": 2, "epochs": 8, "eta_s": 60.0})
        page = AppTest.from_file(bundled("pages", "runs.py"), default_timeout=300).run()
        assert labels(page) == {"Stop"}
        assert len(page.get("plotly_chart")) == 2
        assert "epoch 2/8" in page.code[0].value
        assert any("Time left 1 min 00 s" in caption.value for caption in page.caption)
        press(page, "Stop")
        assert run.stop_requested()
        assert labels(page, disabled=True) == {"Stop"}


def test_the_train_page_submits_to_slurm_where_there_is_one(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sbatch = tmp_path / "bin" / "sbatch"
    sbatch.parent.mkdir()
    sbatch.write_text("#!/bin/sh\necho 12\n")
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    page = AppTest.from_file(bundled("pages", "train.py"), default_timeout=300)
    page.session_state["data"] = str(tiny_folder)
    assert len(page.run().segmented_control) == 0
    monkeypatch.setenv("PATH", f"{sbatch.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    page.run().segmented_control[0].set_value("SLURM cluster").run()
    page.text_area[0].set_value("--partition=gpu\n\n--time=8:00:00 \n").run()
    options = "--launcher slurm --sbatch-option=--partition=gpu --sbatch-option=--time=8:00:00"
    assert page.code[0].value == f"xlite jobs start {options} --data {tiny_folder}"
    press(page, "Start training")
    [run] = Run.list()
    assert slurm.read_submission(run.folder) == slurm.Submission("12", ("--partition=gpu", "--time=8:00:00"))
    assert json.loads(run.path("progress.json").read_text())["state"] == "queued"
