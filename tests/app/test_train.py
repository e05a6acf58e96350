"""The Train page: its form, the command it shows, and a live run."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from app_pages import page, press_named, words
from forecasts import FORECAST, Played
from noise_folder import write_noise_folder
from streamlit.testing.v1 import AppTest

from xlite.config import TrainConfig, make_config
from xlite.data.folder import NihFolder
from xlite.data.predictions import write_predictions
from xlite.errors import RunError, Setting
from xlite.presets import PRESET_NOTES, PRESET_TITLES
from xlite.runs import slurm
from xlite.runs.form import SHORT
from xlite.runs.run import Run
from xlite.runs.status import RunStatus
from xlite.training import concerns

pytestmark = pytest.mark.usefixtures("one_scan", "only_this_home")


@pytest.mark.slow
def test_train_opens_a_data_folder_below_the_users_own(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tiny_folder.parent))
    started = []
    monkeypatch.setattr(Run, "start", lambda run: started.append(run.config().data))
    test = page("train", data=f"~/{tiny_folder.name}").run()
    test.button(key="start").click().run()
    assert [error.value for error in test.error] == []
    assert started == [tiny_folder]


@pytest.mark.slow
@pytest.mark.parametrize("step", ["create", "start"])
def test_train_says_in_one_sentence_that_the_home_cannot_be_written(
    tiny_folder: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch, step: str
):
    if step == "create":
        (own_home / "checkpoints").write_text("a file is in the way")
    else:
        monkeypatch.setattr(Run, "start", full_disk)
    test = page("train", data=str(tiny_folder)).run()
    test.button(key="start").click().run()
    assert [error.message for error in test.exception] == []
    reason = f"File exists: {own_home / 'checkpoints'}" if step == "create" else FULL
    assert [error.value for error in test.error] == [reason]


FULL = "The disk is full, so log.txt could not be written: free some space and try again"


def full_disk(*_: object) -> None:
    raise OSError(28, "No space left on device", "log.txt")


@pytest.mark.slow
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
    assert set(widgets) == set(TrainConfig.model_fields) - {"data"}  # the sidebar's, no second field
    said = [caption.value for caption in test.caption]
    for name, field in TrainConfig.model_fields.items():
        if name != "data":
            assert (widgets[name].label, widgets[name].value) == (field.title, field.default)
            assert (f"{field.description}." in said) == (name not in SHORT)
    assert test.code[0].value == f"xlite train --data {tiny_folder}"


@pytest.mark.slow
def test_train_shows_the_command_of_what_is_chosen(tiny_folder: Path):
    test = page("train", data=str(tiny_folder)).run()
    test.selectbox(key="backbone").set_value("resnet18").run()
    test.number_input(key="lr").set_value(0.0003).run()
    test.toggle(key="flip").set_value(False).run()
    command = f"xlite train --data {tiny_folder} --backbone resnet18 --no-flip --lr 0.0003"
    assert test.code[0].value == command


def test_an_address_opens_the_form_of_a_colleague(tiny_folder: Path):
    test = page("train", data=str(tiny_folder))
    asked = {"backbone": "resnet18", "epochs": "7", "flip": "false", "loss": "Focal", "name": "mine"}
    for name, text in asked.items():
        test.query_params[name] = text
    test.run()
    command = (
        f"xlite train --data {tiny_folder} --name mine --backbone resnet18 --loss focal --no-flip --epochs 7"
    )
    assert test.code[0].value == command
    assert [warning.value for warning in test.warning if "address" in warning.value] == []


def test_what_an_address_asks_for_in_vain_is_said(tiny_folder: Path):
    test = page("train", data=str(tiny_folder))
    test.query_params["epochs"], test.query_params["loss"] = "many", "hinge"
    test.run()
    assert [warning.value for warning in test.warning] == [
        "The address asks for “Loss” 'hinge': expected one of Plain BCE, Weighted BCE, Focal, Weighted focal",
        "The address asks for “Epochs” 'many': expected a number",
    ]
    assert test.number_input(key="epochs").value == 50


@pytest.mark.slow
def test_a_preset_sets_the_form_and_what_was_chosen_beside_it_stays(tiny_folder: Path):
    test = page("train", data=str(tiny_folder)).run()
    test.text_input(key="name").set_value("mine").run()
    test.button_group(key="preset").set_value("quick").run()
    command = f"xlite train --data {tiny_folder} --name mine --backbone mobilenetv3_small_100"
    quick = f"{command} --hidden 0 --image-size 96 --augment light --no-flip --epochs 5 --batch-size 16"
    assert test.code[0].value == quick
    assert PRESET_NOTES["quick"] in words(test)
    test.number_input(key="epochs").set_value(2).run()
    assert test.code[0].value == quick.replace("--epochs 5", "--epochs 2")
    test.button_group(key="preset").set_value("design").run()
    assert test.code[0].value == f"xlite train --data {tiny_folder} --name mine"
    assert test.selectbox(key="augment").value == "design"


def test_an_address_with_a_preset_opens_what_it_sets(tiny_folder: Path):
    test = page("train", data=str(tiny_folder))
    test.query_params["preset"] = PRESET_TITLES["quick"]
    test.query_params["epochs"] = "50"
    test.run()
    assert (test.number_input(key="image_size").value, test.number_input(key="epochs").value) == (96, 50)


def test_an_address_with_a_preset_that_is_not_there_says_so(tiny_folder: Path):
    test = page("train", data=str(tiny_folder))
    test.query_params["preset"] = "nope"
    test.run()
    assert [error.message for error in test.exception] == []
    assert [warning.value for warning in test.warning] == [
        "The preset 'nope' is asked for, and it is not here"
    ]
    assert test.number_input(key="epochs").value == 50


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("name", "../escape", "'../escape' cannot be a run's name"),
        ("name", "taken", "'taken' exists already"),
        ("alpha", 1.5, "“Alpha” is 1.5; expected a number, at least 0 and at most 1"),
    ],
)
def test_train_refuses_bad_values_in_one_sentence(
    tiny_folder: Path, own_home: Path, key: str, value: object, sentence: str
):
    Run.create(make_config({"data": tiny_folder, "name": "taken"}))
    test = page("train", data=str(tiny_folder)).run()
    kind = test.number_input if key == "alpha" else test.text_input
    kind(key=key).set_value(value).run()
    if value == "taken":
        test.button(key="start").click().run()
    assert [error.message for error in test.exception] == []
    assert len(test.error) == 1 and sentence in test.error[0].value
    assert [run.name for run in Run.list()] == ["taken"]


def test_a_folder_that_is_not_there_is_said():
    test = page("train", data="/nowhere/at/all").run()
    assert [error.message for error in test.exception] == []
    assert len(test.error) == 1 and "/nowhere/at/all" in test.error[0].value


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"teacher": "nosuch.csv"}, "The teacher's predictions file nosuch.csv is not there"),
        ({"teacher": "nosuch"}, "'nosuch' is neither a model file nor a run; there is no model here yet"),
        ({"split": "mine"}, "has no split 'mine'; expected one of patient, official, chexnet, unseen, image"),
        ({"split": "image"}, "the split 'image' puts films of one patient into several parts"),
    ],
)
def test_what_is_certain_to_fail_is_refused_before_start(tiny_folder: Path, given: dict, sentence: str):
    test = page("train", data=str(tiny_folder), **given).run()
    assert [error.message for error in test.exception] == []
    [error] = [error.value.replace("\\", "") for error in test.error]
    assert sentence.lower() in error.lower()
    assert test.button(key="start").disabled
    assert Run.list() == []


def test_a_split_that_leaks_and_is_allowed_is_warned_of(tiny_folder: Path):
    test = page("train", data=str(tiny_folder), split="image", allow_leakage=True).run()
    assert [error.value for error in test.error] == []
    assert ["so its metrics flatter the model" in warning.value for warning in test.warning] == [True]
    assert not test.button(key="start").disabled


def test_a_costly_loss_and_weeks_on_a_processor_are_warned_of(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(concerns, "_FILMS_A_SECOND", 1e-3)
    test = page("train", data=str(tiny_folder), loss="weighted_bce", device="cpu").run()
    told = [warning.value for warning in test.warning]
    assert told[0].startswith("A weighted loss has its price: ") and told[0].endswith("“Loss” bce has none")
    assert told[1].startswith("50 epochs at 224 px on a processor take about ")
    assert told[1].endswith("use fewer “Epochs” or a smaller “Image size (px)”")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"teacher_list": "nosuch.txt"},
            "nosuch.txt lists what a teacher has seen, and there is no “Teacher”",
        ),
        ({"backbone": "resnet_of_dreams"}, "'resnet_of_dreams'"),
    ],
)
def test_start_refuses_what_is_not_there_and_makes_no_run(tiny_folder: Path, given: dict, sentence: str):
    test = page("train", data=str(tiny_folder), **given).run()
    test.button(key="start").click().run()
    assert [error.message for error in test.exception] == []
    [error] = [error.value.replace("\\", "") for error in test.error]
    assert sentence in error
    assert Run.list() == []


@pytest.mark.slow
def test_a_teacher_that_may_know_test_films_is_told_before_its_student_starts(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    names = NihFolder.open(tiny_folder).table["image"].tolist()
    write_predictions(tmp_path / "said.csv", names, np.full((len(names), 14), 0.4, np.float32))
    started: list[str] = []
    monkeypatch.setattr(Run, "start", lambda run: started.append(run.name))
    test = page("train", data=str(tiny_folder), teacher=str(tmp_path / "said.csv")).run()
    test.text_input(key="name").set_value("taught").run()
    assert test.button(key="start").label == "Start training"
    test.button(key="start").click().run()
    assert [error.message for error in test.exception] == []
    [told] = [warning.value for warning in test.warning]
    assert "said.csv" in told and told.endswith("metrics on these films flatter the student")
    assert (started, test.button(key="start").label) == ([], "Start all the same")
    test.button(key="start").click().run()
    assert started == ["taught"]


@pytest.mark.slow
def test_a_folder_without_films_is_refused_before_start(tiny_folder: Path):
    first = next((tiny_folder / "images").glob("00000001_*"))
    first.unlink()
    test = page("train", data=str(tiny_folder), split="official").run()
    [error] = [error.value for error in test.error]
    assert "of the train part is missing in" in error or "of the val part is missing in" in error
    assert error.endswith("go on without them with “Skip missing films”")
    test.toggle(key="skip_missing").set_value(True).run()
    assert [error.value for error in test.error] == []
    for film in (tiny_folder / "images").iterdir():
        film.unlink()
    test.run()
    [error] = [error.value for error in test.error]
    assert error.startswith("There are no films in") and "only a table of 24 films" in error
    assert test.button(key="start").disabled and Run.list() == []


@pytest.mark.slow
def test_time_memory_and_disk_are_told_before_the_start(tiny_folder: Path, played: type[Played]):
    test = page("train", data=str(tiny_folder)).run()
    press_named(test, "Estimate time, memory and disk")
    assert "Trying a few steps on this machine, 3 s so far" in words(test)
    played.found = FORECAST
    test.run()
    text = words(test)
    for expected in (
        "**about 2 min**",
        "**2.0 of 8.0 free GB**",
        "**0.10 GB**",
        "From 3 real steps on 20 films",
    ):
        assert expected in text
    test.text_input(key="name").set_value("another").run()
    assert "**about 2 min**" in words(test)  # a name changes nothing
    test.number_input(key="epochs").set_value(9).run()
    assert "**about 2 min**" not in words(test)


@pytest.mark.slow
def test_what_was_measured_warns_and_refuses(tiny_folder: Path, played: type[Played]):
    test = page("train", data=str(tiny_folder)).run()
    played.found = FORECAST.model_copy(update={"step_s": 9000.0, "cache_gb": 11.0})
    press_named(test, "Estimate time, memory and disk")
    test.run()
    assert [error.value for error in test.error] == [
        "It writes 11.0 GB and 10.0 GB are free on that disk: free some space"
    ]
    assert ["as measured" in warning.value for warning in test.warning] == [True]
    assert test.button(key="start").disabled


@pytest.mark.slow
def test_a_probe_is_cancelled_and_one_that_is_refused_says_why(tiny_folder: Path, played: type[Played]):
    test = page("train", data=str(tiny_folder)).run()
    press_named(test, "Estimate time, memory and disk")
    press_named(test, "Cancel")
    assert played.cancelled == 1
    assert "Trying a few steps" not in words(test)
    played.found = RunError("no such ", Setting("device"))
    press_named(test, "Estimate time, memory and disk")
    assert [error.value for error in test.error] == ["No such “Device”"]
    assert "Estimate time, memory and disk" in [button.label for button in test.button]


@pytest.mark.slow
def test_start_ends_an_estimate_that_is_being_made(
    tiny_folder: Path, played: type[Played], monkeypatch: pytest.MonkeyPatch
):
    cancelled: list[int] = []
    monkeypatch.setattr(Run, "start", lambda run: cancelled.append(played.cancelled))
    test = page("train", data=str(tiny_folder)).run()
    press_named(test, "Estimate time, memory and disk")
    press_named(test, "Start training")
    assert (cancelled, played.cancelled) == ([1], 1)  # before the run begins


@pytest.mark.slow
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
        assert test.selectbox(key="run").value == "live"
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
    assert test.info[0].value.startswith("Name a data folder in the sidebar")


def test_the_form_takes_the_folder_that_the_sidebar_names(tiny_folder: Path, tmp_path: Path):
    test = page("train").run()
    other = write_noise_folder(tmp_path / "other")
    for folder in (str(tiny_folder), str(other)):
        test.session_state["data"] = folder
        test.run()
        assert test.code[0].value == f"xlite train --data {folder}"
        assert f"**Data folder** `{folder}`, as the sidebar has it: " in words(test)


def test_train_keeps_the_run_that_the_address_names(tiny_folder: Path):
    for name in ("first", "second"):
        Run.create(make_config({"data": tiny_folder, "name": name}))
    test = page("train")
    test.query_params["run"] = "first"
    assert "**first**" in words(test.run())


@pytest.mark.slow
def test_a_run_that_the_address_asks_for_in_vain_is_said_and_no_other_is_shown(tiny_folder: Path):
    Run.create(make_config({"data": tiny_folder, "name": "first"}))
    test = page("train")
    test.query_params["run"] = "doesnotexist"
    test.run()
    for _ in range(2):
        assert [warning.value for warning in test.warning] == [
            "There is no run **doesnotexist** to open here: it was renamed, deleted or damaged, or is of "
            "another home. Choose another one."
        ]
        assert "**first**" not in words(test)
        test.run()
    test.selectbox(key="run").set_value("first").run()
    assert "**first**" in words(test) and len(test.warning) == 0


@pytest.mark.slow
def test_a_run_that_has_ended_leads_on_to_what_came_of_it(tiny_folder: Path):
    run = Run.create(make_config({"data": tiny_folder, "name": "done"}))
    run.write_progress(RunStatus(state="finished", epoch=3, epochs=3))
    there = [
        ("See its results", "results?model=done"),
        ("Read a film with it", "classify?model=done"),
        ("Among all runs", "runs?run=done"),
    ]

    def ways_on() -> list[tuple[str, str]]:
        return [one for one in links(page("train").run()) if one in there]

    assert ways_on() == there[2:]
    run.path("model.safetensors").write_bytes(b"weights")
    assert ways_on() == there[1:]
    run.path("evaluation/test").mkdir(parents=True)
    run.path("evaluation/test/metrics.json").touch()
    assert ways_on() == there


def links(test: AppTest) -> list[tuple[str, str]]:
    """The links to other pages: label, and page with what it is to show; fails if the page raised."""
    assert [error.message for error in test.exception] == []
    protos = [one.proto for one in test.get("page_link")]
    return [(one.label, f"{one.page}?{one.query_string}") for one in protos]


@pytest.mark.slow
def test_the_train_page_submits_to_slurm_if_there_is_one(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sbatch = tmp_path / "bin" / "sbatch"
    sbatch.parent.mkdir()
    sbatch.write_text("#!/bin/sh\necho 12\n")
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    test = page("train", data=str(tiny_folder))
    assert [control.label for control in test.run().segmented_control] == ["What to train"]
    monkeypatch.setenv("PATH", f"{sbatch.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    test.run().segmented_control[1].set_value("SLURM cluster").run()
    test.text_area[0].set_value("--partition=gpu\n\n--time=8:00:00 \n").run()
    options = "--launcher slurm --sbatch-option=--partition=gpu --sbatch-option=--time=8:00:00"
    assert test.code[0].value == f"xlite jobs start {options} --data {tiny_folder}"
    test.button(key="start").click().run()
    [run] = Run.list()
    assert slurm.read_submission(run.folder) == slurm.Submission("12", ("--partition=gpu", "--time=8:00:00"))
    assert json.loads(run.path("progress.json").read_text())["state"] == "queued"
