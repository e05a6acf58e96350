"""The Train page: its form, the command it shows, and a live run."""

import json
import os
from pathlib import Path

import pytest
from app_pages import page, words

from xlite.config import TrainConfig, make_config
from xlite.runs import slurm
from xlite.runs.run import Run
from xlite.runs.status import RunStatus

pytestmark = pytest.mark.usefixtures("one_scan", "only_this_home")


@pytest.mark.slow
def test_train_opens_a_data_folder_below_the_users_own(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tiny_folder.parent))
    started = []
    monkeypatch.setattr(Run, "start", lambda run: started.append(run.config().data))
    test = page("train", data=f"~/{tiny_folder.name}").run()
    [start] = [button for button in test.button if button.label == "Start training"]
    start.click().run()
    assert [error.value for error in test.error] == []
    assert started == [tiny_folder]


@pytest.mark.parametrize("step", ["create", "start"])
def test_train_says_in_one_sentence_that_the_home_cannot_be_written(
    tiny_folder: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch, step: str
):
    if step == "create":
        (own_home / "checkpoints").write_text("a file is in the way")
    else:
        monkeypatch.setattr(Run, "start", full_disk)
    test = page("train", data=str(tiny_folder)).run()
    [start] = [button for button in test.button if button.label == "Start training"]
    start.click().run()
    assert [error.message for error in test.exception] == []
    reason = f"File exists: {own_home / 'checkpoints'}" if step == "create" else FULL
    assert [error.value for error in test.error] == [reason]


FULL = "The disk is full, so log.txt could not be written: free some space and try again"


def full_disk(*_: object) -> None:
    raise OSError(28, "No space left on device", "log.txt")


def test_stop_and_resume_say_in_one_sentence_that_the_disk_is_full(
    tiny_folder: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
):
    run = Run.create(make_config({"data": tiny_folder, "name": "live"}))
    with run.hold():
        run.write_progress(RunStatus(state="running", epoch=3, epochs=8))
        press("Stop", "stop", monkeypatch)
    press("Resume", "start", monkeypatch)


def press(label: str, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Presses a button of the run while its method meets a full disk."""
    monkeypatch.setattr(Run, method, full_disk)
    test = page("train").run()
    [button] = [button for button in test.button if button.label == label]
    button.click().run()
    assert [error.message for error in test.exception] == []
    assert [error.value for error in test.error] == [FULL]


def test_train_form_has_every_setting_and_its_default(tiny_folder: Path):
    test = page("train", data=str(tiny_folder)).run()
    widgets = {
        widget.key: widget
        for kind in (test.selectbox, test.text_input, test.number_input, test.toggle)
        for widget in kind
    }
    assert {key.removeprefix("train-") for key in widgets} == set(TrainConfig.model_fields)
    for name, field in TrainConfig.model_fields.items():
        widget = widgets[f"train-{name}"]
        assert (widget.help, widget.label) == (field.description, field.title)
        assert widget.value == (str(tiny_folder) if name == "data" else field.default)
    assert test.code[0].value == f"xlite train --data {tiny_folder}"


def test_train_shows_the_command_and_the_size_of_what_is_chosen(tiny_folder: Path):
    test = page("train", data=str(tiny_folder)).run()
    test.selectbox(key="train-backbone").set_value("resnet18").run()
    test.number_input(key="train-lr").set_value(0.0003).run()
    test.toggle(key="train-flip").set_value(False).run()
    command = f"xlite train --data {tiny_folder} --backbone resnet18 --no-flip --lr 0.0003"
    assert test.code[0].value == command
    assert any("11.31 M parameters" in caption.value for caption in test.caption)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("train-name", "../escape", "'../escape' cannot be a run's name"),
        ("train-name", "taken", "'taken' exists already"),
        ("train-data", "/nowhere/at/all", "/nowhere/at/all"),
        ("train-alpha", 1.5, "“Alpha” is 1.5; expected a number, at least 0 and at most 1"),
    ],
)
def test_train_refuses_bad_values_in_one_sentence(
    tiny_folder: Path, own_home: Path, key: str, value: object, sentence: str
):
    Run.create(make_config({"data": tiny_folder, "name": "taken"}))
    test = page("train", data=str(tiny_folder)).run()
    kind = test.number_input if key == "train-alpha" else test.text_input
    kind(key=key).set_value(value).run()
    start = [button for button in test.button if button.label == "Start training"]
    if start:
        start[0].click().run()
    assert [error.message for error in test.exception] == []
    assert len(test.error) == 1 and sentence in test.error[0].value
    assert [run.name for run in Run.list()] == ["taken"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"teacher": "nosuch.csv"}, "nosuch.csv"),
        ({"teacher": "nosuch"}, "'nosuch' is neither a model file nor a run; no run has a model yet"),
        (
            {"teacher_list": "nosuch.txt"},
            "nosuch.txt lists what a teacher has seen, and there is no “Teacher”",
        ),
    ],
)
def test_start_refuses_what_is_not_there_and_makes_no_run(tiny_folder: Path, given: dict, sentence: str):
    state = {f"train-{name}": value for name, value in given.items()}
    test = page("train", data=str(tiny_folder), **state).run()
    [start] = [button for button in test.button if button.label == "Start training"]
    start.click().run()
    assert [error.message for error in test.exception] == []
    [error] = [error.value.replace("\\", "") for error in test.error]
    assert sentence in error
    assert Run.list() == []


def test_start_refuses_a_folder_without_films(tiny_folder: Path):
    for film in (tiny_folder / "images").iterdir():
        film.unlink()
    test = page("train", data=str(tiny_folder)).run()
    [start] = [button for button in test.button if button.label == "Start training"]
    start.click().run()
    [error] = [error.value for error in test.error]
    assert error.startswith("16 of the 16 films of the train part are missing in")
    assert error.endswith("go on without them with “Skip missing films”")
    test.toggle(key="train-skip_missing").set_value(True).run()
    [start] = [button for button in test.button if button.label == "Start training"]
    start.click().run()
    assert "has no films in" in test.error[0].value
    assert Run.list() == []


def test_train_refuses_an_unknown_backbone_before_anything_starts(tiny_folder: Path):
    state = {"data": str(tiny_folder), "train-backbone": "resnet_of_dreams"}
    test = page("train", **state).run()
    assert [error.message for error in test.exception] == []
    assert len(test.error) == 1 and "'resnet_of_dreams'" in test.error[0].value


def test_train_shows_a_live_run_and_stops_it(tiny_folder: Path):
    run = Run.create(make_config({"data": tiny_folder, "name": "live", "epochs": 8}))
    (run.folder / "metrics.csv").write_text(
        "epoch,train_loss,val_loss,val_auc\n1,0.5,0.4,0.61\n2,0.4,0.3,0.64\n"
    )
    (run.folder / "log.txt").write_text("epoch 2/8\n")
    far = RunStatus(state="running", epoch=3, epochs=8, step=5, steps=10, loss=0.4321)
    told = {"best_auc": 0.64, "best_epoch": 2, "elapsed_s": 75.0, "eta_s": 130.0}
    with run.hold():
        run.write_progress(far.model_copy(update=told))
        test = page("train").run()
        text = words(test)
        assert "**live** :green-badge[running]" in text
        for expected in (
            "**3 of 8**",
            "**0.4321**",
            "**0.640 (epoch 2)**",
            "**1 min 15 s**",
            "**2 min 10 s**",
        ):
            assert expected in text
        assert len(test.get("plotly_chart")) == 1
        assert test.query_params["run"] in ("live", ["live"])
        [stop] = [button for button in test.button if button.label == "Stop"]
        stop.click().run()
        assert run.stop_requested()
        assert [button.label for button in test.button if button.label in ("Stop", "Stopping")] == [
            "Stopping"
        ]


def test_train_offers_to_resume_a_run_whose_process_died(tiny_folder: Path):
    run = Run.create(make_config({"data": tiny_folder, "name": "gone"}))
    run.write_progress(RunStatus(state="running", epoch=3, epochs=8))
    test = page("train").run()
    assert "**gone** :red-badge[killed]" in words(test)
    assert [button.label for button in test.button if button.label in ("Stop", "Resume")] == ["Resume"]


def test_train_shows_no_command_without_a_data_folder():
    test = page("train").run()
    assert len(test.code) == 0 and "Start training" not in [button.label for button in test.button]
    assert test.info[0].value.startswith("Name a data folder")


def test_the_form_takes_over_the_folder_that_the_sidebar_names(tiny_folder: Path):
    test = page("train").run()
    for folder in (str(tiny_folder), "/another/folder"):
        test.session_state["data"] = folder
        test.run()
        assert test.text_input(key="train-data").value == folder
        assert test.code[0].value == f"xlite train --data {folder}"
    test.text_input(key="train-data").set_value("/its/own").run()
    assert test.code[0].value == "xlite train --data /its/own"


def test_train_keeps_the_run_that_the_address_names(tiny_folder: Path):
    for name in ("first", "second"):
        Run.create(make_config({"data": tiny_folder, "name": name}))
    test = page("train")
    test.query_params["run"] = "first"
    assert "**first**" in words(test.run())


def test_the_train_page_submits_to_slurm_if_there_is_one(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sbatch = tmp_path / "bin" / "sbatch"
    sbatch.parent.mkdir()
    sbatch.write_text("#!/bin/sh\necho 12\n")
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    test = page("train", data=str(tiny_folder))
    assert len(test.run().segmented_control) == 0
    monkeypatch.setenv("PATH", f"{sbatch.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    test.run().segmented_control[0].set_value("SLURM cluster").run()
    test.text_area[0].set_value("--partition=gpu\n\n--time=8:00:00 \n").run()
    options = "--launcher slurm --sbatch-option=--partition=gpu --sbatch-option=--time=8:00:00"
    assert test.code[0].value == f"xlite jobs start {options} --data {tiny_folder}"
    [start] = [button for button in test.button if button.label == "Start training"]
    start.click().run()
    [run] = Run.list()
    assert slurm.read_submission(run.folder) == slurm.Submission("12", ("--partition=gpu", "--time=8:00:00"))
    assert json.loads(run.path("progress.json").read_text())["state"] == "queued"
