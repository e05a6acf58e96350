"""Each page by itself, as AppTest runs it: what a person reads there, and what bad input does."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from app_pages import page, words
from demo_home import SPLIT, save_demo_evaluation, save_demo_model
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from xlite.config import TrainConfig, bundled, checkpoints_dir, make_config, sweeps_dir
from xlite.data.folder import NihFolder
from xlite.data.predictions import write_predictions
from xlite.data.splits import load_split
from xlite.models import available as folders
from xlite.runs.run import Run
from xlite.sweeps.leaderboard import make_leaderboard
from xlite.sweeps.phases import plan_phase
from xlite.sweeps.sweep import Sweep

pytestmark = pytest.mark.usefixtures("one_scan", "no_charts", "only_this_home")

PAGES = ("overview", "explore", "train", "sweeps", "runs", "results", "classify", "about")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_on_an_empty_home(name: str):
    test = page(name).run()
    assert [error.message for error in test.exception] == []
    assert len(test.title) == 1


def test_home_frames_every_page_with_the_disclaimer():
    test = AppTest.from_file(bundled("app", "Home.py"), default_timeout=300).run()
    assert test.title[0].value == "X-Lite"
    assert test.main.children[0].value == "**Research software, not for clinical use**"


def test_home_lists_every_page_and_pages_hold_no_streamlit_free_module():
    listed = ast.literal_eval(
        next(
            ast.unparse(node.value)
            for node in ast.parse(bundled("app", "Home.py").read_text()).body
            if isinstance(node, ast.Assign) and node.targets[0].id == "PAGES"
        )
    )
    names = {name for section in listed.values() for name, _, _ in section}
    assert names == {path.stem for path in bundled("pages").glob("*.py")} == set(PAGES)


@pytest.mark.parametrize("name", ["overview", "explore"])
@pytest.mark.parametrize("data", ["/nowhere/at/all", "~nobody-of-that-name/data"])
def test_a_wrong_data_folder_is_one_sentence(name: str, data: str):
    test = page(name, data=data).run()
    assert [error.message for error in test.exception] == []
    assert [error.value for error in test.error] == [
        f"There is no data folder {data}; give the folder that holds Data_Entry_2017*.csv"
    ]


@pytest.mark.parametrize("name", ["overview", "explore"])
def test_a_data_folder_that_the_system_refuses_is_one_sentence(name: str):
    data = "/" + "x" * 300
    test = page(name, data=data).run()
    assert [error.message for error in test.exception] == []
    assert [error.value for error in test.error] == [f"File name too long: {data}"]


def shipped(package: Path, name: str = "demo") -> Path:
    """A model that came with X-Lite, with its card; older than all others."""
    path = save_demo_model(package, name, seed=1)
    path.with_name("MODEL_CARD.md").write_text("The card of the **shipped** model.")
    for old in (path, path.parent):
        os.utime(old, (1e9, 1e9))
    return path


def model_box(test: AppTest) -> list[str]:
    """The models that a page lets one choose from, the chosen one first."""
    [box] = [box for box in test.selectbox if box.label == "Model"]
    return [box.value, *(name for name in box.options if name != box.value)]


@pytest.mark.parametrize("home_is_the_checkout", [False, True])
def test_the_shipped_model_is_on_duty_and_then_the_newest_run(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, home_is_the_checkout: bool
):
    package = own_home if home_is_the_checkout else folders.bundled()
    monkeypatch.setattr(folders, "bundled", package.joinpath)
    shipped(package)
    for age, name in ((10, "newer"), (20, "older")):
        path = save_demo_model(own_home, name)
        os.utime(path, (2e9 - age, 2e9 - age))
    assert "**demo**" in words(page("overview").run())
    assert model_box(page("classify").run()) == ["demo", "newer", "older"]
    about = words(page("about").run())
    assert "Model card of demo" in about and "The card of the **shipped** model." in about


def test_ones_own_model_takes_the_place_of_the_shipped_one_of_its_name(own_home: Path):
    from xlite.models.available import find_model

    theirs = shipped(folders.bundled())
    (own_home / "checkpoints" / "demo").mkdir(parents=True)  # a run that has no model yet
    assert folders.model_files() == {"demo": theirs}
    assert find_model("demo") == theirs
    (own_home / "checkpoints" / "demo").rmdir()
    mine = save_demo_model(own_home, "demo")
    save_demo_evaluation(folders.bundled(), "demo")
    assert folders.model_files() == {"demo": mine}
    assert find_model("demo") == mine
    text = words(page("overview").run())
    assert "**demo**" in text and "Not measured yet" in text


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
        run.write_progress({"state": "running", "epoch": 3, "epochs": 8})
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


def test_what_pages_list_with_loads_no_torch():
    modules = (
        "xlite.examples, xlite.explain, xlite.models.available, xlite.report.saved, xlite.report.sentences"
    )
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


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
    progress = {"state": "running", "epoch": 3, "epochs": 8, "step": 5, "steps": 10, "loss": 0.4321}
    with run.hold():
        run.write_progress(progress | {"best_auc": 0.64, "best_epoch": 2, "elapsed_s": 75.0, "eta_s": 130.0})
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
    run.write_progress({"state": "running", "epoch": 3, "epochs": 8})
    test = page("train").run()
    assert "**gone** :red-badge[killed]" in words(test)
    assert [button.label for button in test.button if button.label in ("Stop", "Resume")] == ["Resume"]


@pytest.mark.parametrize("name", ["train", "runs"])
def test_a_refused_run_says_which_switch_helps_and_is_not_resumed(tiny_folder: Path, name: str):
    run = Run.create(make_config({"data": tiny_folder, "name": "refused"}))
    message = "3 films of the train part are missing; put them there, or go on without them with "
    run.write_progress({"state": "failed", "message": f"{message}--skip-missing"})
    test = page(name).run()
    assert f"{message}“Skip missing films”" in words(test)
    assert "Resume" not in [button.label for button in test.button]
    run.path("metrics.csv").write_text("epoch,train_loss,val_loss,val_auc\n1,0.5,0.4,0.61\n")
    assert "Resume" in [button.label for button in page(name).run().button]


def test_train_shows_no_command_without_a_data_folder():
    test = page("train").run()
    assert len(test.code) == 0 and "Start training" not in [button.label for button in test.button]
    assert test.info[0].value.startswith("Name a data folder")


def test_train_keeps_the_run_that_the_address_names(tiny_folder: Path):
    for name in ("first", "second"):
        Run.create(make_config({"data": tiny_folder, "name": name}))
    test = page("train")
    test.query_params["run"] = "first"
    assert "**first**" in words(test.run())


def test_sweep_shows_the_command_of_each_kind(tiny_folder: Path):
    test = page("sweeps", data=str(tiny_folder)).run()
    shared = f"--data {tiny_folder} --split patient --image-size 224 --epochs 50 --batch-size 64"
    assert test.code[0].value == (
        f"xlite sweep phase1 --study phase1 --train-share 0.2 {shared} --seeds 3 "
        "--backbones efficientnet_b0,mobilenetv3_small_100"
    )
    assert "12 runs" in words(test)
    test.segmented_control[0].set_value("search").run()
    assert test.code[0].value == (
        f"xlite sweep search --study search {shared} --vary lr=0.0001..0.01:log --trials 20"
    )
    test.segmented_control[0].set_value("phase3").run()
    assert [error.message for error in test.exception] == []
    assert [error.value for error in test.error] == [
        f"There is no study 'phase1' in {sweeps_dir()}; the studies are: none yet"
    ]


def test_sweep_shows_a_study_with_its_leaderboard_and_how_to_go_on(tiny_folder: Path):
    plan = plan_phase("phase1", {"data": str(tiny_folder)}, seeds=1, backbones=["resnet18"])
    sweep = Sweep.open(plan)
    figures = {"test_auc": 0.6, "model_size_mb": 44.0, "inference_time_ms": 5.0, "message": None}
    trials = [
        {
            "run": f"phase1-00{number}",
            "state": "finished",
            "values": values,
            "val_auc": 0.7 - number / 10,
            **figures,
        }
        for number, values in enumerate(plan.combinations())
    ]
    folder = NihFolder.open(tiny_folder)
    split = load_split(folder, "patient")
    labels = folder.labels(split.stems("val"))
    for trial, probs in zip(trials, (labels, 1 - labels), strict=True):
        out = checkpoints_dir() / trial["run"] / "evaluation" / "val"
        out.mkdir(parents=True)
        write_predictions(out / "predictions.csv", split.parts["val"], probs)
    trials[0]["contamination"] = "teacher contamination: it knows"
    sweep.write_leaderboard(make_leaderboard(plan, trials, SPLIT, folder))
    trials[1] |= {"state": "waiting", "val_auc": None}
    sweep.write_progress(state="stopped", message="by hand", split_id=SPLIT, total=2, trials=trials)
    test = page("sweeps").run()
    text = words(test)
    assert "**phase1** :orange-badge[stopped] by hand" in text
    assert "Go on" in [button.label for button in test.button]
    board, [runs] = test.table[0].value, (frame.value for frame in test.dataframe)
    assert board[["Configuration", "Remark", "Seeds", "Val AUC", "Test AUC", "MB", "ms"]].values.tolist() == [
        ["resnet18, attention none", "wins", "1", "0.700", "0.600", "44.0", "5.0"],
        ["resnet18, attention mhsa", "", "1", "0.600", "0.600", "44.0", "5.0"],
    ]
    assert [warning.value for warning in test.warning] == [
        "teacher contamination: it knows (runs phase1-000)"
    ]
    assert runs[["Run", "State"]].values.tolist() == [["phase1-000", "finished"], ["phase1-001", "waiting"]]
    assert f"Split {SPLIT}. The validation films choose the winner" in text
    assert test.success[0].value.startswith("Chosen by the validation films: resnet18, attention none")
    assert any(code.value == f"optuna-dashboard {sweep.storage()}" for code in test.code)


def test_sweep_shows_seeds_as_they_finish_and_more_trials_than_were_planned(tiny_folder: Path):
    plan = plan_phase("phase1", {"data": str(tiny_folder)}, seeds=2, backbones=["resnet18"])
    sweep = Sweep.open(plan)
    figures = {"model_size_mb": None, "inference_time_ms": None, "message": None}
    trials = [
        {"run": f"phase1-00{number}", "state": "finished", "values": values, "val_auc": auc, **figures}
        for number, (values, auc) in enumerate(zip(plan.combinations(), (0.7, 0.6, 0.72), strict=False))
    ]
    for trial in trials:
        trial["test_auc"] = trial["val_auc"] - 0.1
    folder = NihFolder.open(tiny_folder)
    sweep.write_leaderboard(make_leaderboard(plan, trials, SPLIT, folder, ended=False))
    sweep.write_progress(state="running", split_id=SPLIT, total=2, trials=trials)
    test = page("sweeps").run()
    assert [error.message for error in test.exception] == []
    assert test.table[0].value[["Seeds", "Val AUC", "Test AUC", "MB"]].values.tolist() == [
        ["2", "0.710\u00a0±\u00a00.014", "0.610\u00a0±\u00a00.014", "–"],
        ["1", "0.600", "0.500", "–"],
    ]


def test_runs_lists_runs_and_experiments(tiny_folder: Path):
    from xlite.runs.results import append_result

    Run.create(make_config({"data": tiny_folder, "name": "first", "epochs": 3}))
    append_result({"experiment_id": "first", "backbone": "resnet18", "val_auc": 0.61}, SPLIT)
    test = page("runs").run()
    words(test)
    runs, experiments = test.dataframe[0].value, test.table[0].value
    assert runs.loc[0, ["Run", "State", "Epoch"]].tolist() == ["first", "new", "0 of 3"]
    assert experiments.loc[0, ["Run", "Backbone", "Val AUC"]].tolist() == ["first", "resnet18", "0.610"]


def test_runs_marks_experiments_whose_teacher_knows_test_films():
    from xlite.runs.results import append_result

    for name, notes in {
        "alone": "labels 2020; seed 0",
        "taught": "teacher a; teacher saw 93 of 150 test films (98 counting validation)",
        "two": "teacher a,b; teacher saw 1 of 1,500 test films; teacher saw 20 of 1,500 test films",
        "unknown": "teacher a.csv; teacher may have seen test films",
    }.items():
        append_result({"experiment_id": name, "test_auc": 0.75, "notes": notes}, SPLIT)
    test = page("runs").run()
    text = words(test)
    shown = test.table[0].value
    assert shown[["Run", "Test AUC", "Known test films"]].values.tolist() == [
        ["unknown", "0.750", "unknown"],
        ["two", "~~0.750~~", "20 of 1,500"],
        ["taught", "~~0.750~~", "98 of 150"],
        ["alone", "0.750", "–"],
    ]
    assert "teacher knows test films" in text


@pytest.mark.parametrize("name", ["runs", "overview"])
def test_a_run_that_goes_while_the_page_is_drawn_is_left_out(
    name: str, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    for run in ("first", "second"):
        Run.create(make_config({"data": tiny_folder, "name": run}))
    listed = Run.look()
    Run.named("first").delete()
    monkeypatch.setattr(Run, "look", lambda: listed)
    test = page(name).run()
    words(test)
    assert test.dataframe[0].value["Run"].tolist() == ["second"]


def test_runs_says_which_folder_it_cannot_read(own_home: Path):
    folder = checkpoints_dir() / "broken"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"batch_size": 8}')
    test = page("runs").run()
    words(test)
    assert [warning.value for warning in test.warning] == [
        f"The settings of run 'broken' cannot be read from {folder / 'config.json'}: "
        "“Data folder” is missing; expected a path"
    ]


def test_sweep_deletes_a_study_asked_twice_and_its_runs_where_told(tiny_folder: Path):
    for study in ("kept", "gone"):
        plan = plan_phase("phase1", {"data": str(tiny_folder)}, study=study, seeds=1, backbones=["resnet18"])
        sweep, trials = Sweep.open(plan), []
        for number, values in enumerate(plan.combinations()):
            Run.create(plan.config(values, f"{study}-00{number}"))
            trials.append(
                {"run": f"{study}-00{number}", "state": "waiting", "values": values, "val_auc": None}
            )
            trials[-1] |= {"test_auc": None, "message": None}
        sweep.write_progress(state="stopped", split_id=SPLIT, total=2, trials=trials)
    test = page("sweeps")
    test.query_params["study"] = "gone"
    test.run()

    def button() -> Button:
        return next(one for one in test.button if one.label == "Delete it")

    assert button().disabled
    test.checkbox(key="sure-gone").check().run()
    test.checkbox(key="runs-gone").check().run()
    assert button().disabled
    test.text_input(key="typed-gone").set_value("gone").run()
    button().click().run()
    words(test)
    assert [sweep.name for sweep in Sweep.list()] == ["kept"]
    assert sorted(run.name for run in Run.list()) == ["kept-000", "kept-001"]
