"""The Sweeps page: the form of each kind of study, a study with its leaderboard, and its deletion."""

from pathlib import Path

import pytest
from app_pages import page, words
from demo_home import SPLIT, save_demo_model
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from xlite.data.folder import NihFolder
from xlite.data.predictions import write_predictions
from xlite.data.split_files import load_split
from xlite.places import checkpoints_dir, sweeps_dir
from xlite.runs.run import Run
from xlite.sweeps.phases import plan_phase
from xlite.sweeps.plan import Design, Range, make_plan
from xlite.sweeps.ranking import make_leaderboard
from xlite.sweeps.status import TrialStatus
from xlite.sweeps.sweep import Sweep

pytestmark = pytest.mark.usefixtures("one_scan", "only_this_home")


def command(test: AppTest) -> str:
    """What would be typed; fails if the page raised or shows an error."""
    assert [error.message for error in test.exception] == []
    assert [error.value for error in test.error] == []
    return str(test.code[0].value)


def kind(test: AppTest, name: str) -> AppTest:
    """The page after somebody has chosen a kind of study."""
    return test.button_group(key="kind").set_value(name).run()


def test_sweep_shows_the_command_of_each_kind(tiny_folder: Path):
    test = page("sweeps", data=str(tiny_folder)).run()
    shared = f"--data {tiny_folder} --split patient --image-size 224 --epochs 50 --batch-size 64"
    assert command(test) == (
        f"xlite sweep phase1 --study phase1 --train-share 0.2 {shared} --seeds 3 "
        "--backbones efficientnet_b0,mobilenetv3_small_100"
    )
    assert "12 runs" in words(test)
    kind(test, "search")
    assert command(test) == (
        f"xlite sweep search --study search {shared} --vary lr=0.0001..0.01:log --trials 20"
    )
    kind(test, "crossfit")
    assert command(test) == f"xlite sweep crossfit --study crossfit {shared} --seeds 1 --folds 5"
    assert "5 runs" in words(test)


def test_no_red_error_greets_who_looks_at_a_phase_that_waits_for_something(tiny_folder: Path):
    test = page("sweeps", data=str(tiny_folder)).run()
    kind(test, "phase2")
    assert [info.value for info in test.info] == [
        "Phase 2 distils: choose a teacher above, and the plan is here."
    ]
    kind(test, "phase3")
    assert [info.value for info in test.info] == [
        "This phase follows another one, which comes first. There is no study 'phase1' in "
        f"{sweeps_dir()}; the studies are: none yet"
    ]
    assert [error.value for error in test.error] == [] and len(test.code) == 0


@pytest.mark.slow
def test_what_varies_is_chosen_from_a_list_each_with_its_range(tiny_folder: Path):
    test = kind(page("sweeps", data=str(tiny_folder)).run(), "search")
    assert {"Learning rate", "Loss", "Horizontal flips"} < set(test.multiselect(key="varies").options)
    test.multiselect(key="varies").set_value(["lr", "hidden", "attention", "flip", "backbone"]).run()
    test.number_input(key="lr_high").set_value(0.05).run()
    test.multiselect(key="attention_values").set_value(["none", "mhsa"]).run()
    assert command(test).endswith(
        "--vary lr=0.0001..0.05:log --vary hidden=26..2560:log --vary attention=none,mhsa "
        "--vary flip=True,False --vary backbone=efficientnet_b0,mobilenetv3_small_100 --trials 20"
    )
    test.multiselect(key="varies").set_value([]).run()
    assert [info.value for info in test.info] == ["Choose above what varies, and the plan is here."]


def test_a_grid_varies_over_values(tiny_folder: Path):
    test = kind(page("sweeps", data=str(tiny_folder)).run(), "search")
    test.number_input(key="trials").set_value(0).run()
    assert command(test).endswith("--seeds 1 --vary lr=0.0001,0.001,0.01")
    assert "3 runs" in words(test)


def test_a_range_that_is_none_is_said_in_one_sentence(tiny_folder: Path):
    test = kind(page("sweeps", data=str(tiny_folder)).run(), "search")
    test.number_input(key="lr_low").set_value(0.5).run()
    assert [error.value.replace("\u2060", "") for error in test.error] == [
        "“Learning rate” cannot run over 0.5..0.01:log: expected two numbers, the lower one first"
    ]


@pytest.mark.slow
def test_a_teacher_and_settings_that_stay_fixed_are_in_the_plan(tiny_folder: Path, own_home: Path):
    save_demo_model(own_home, "mine")
    test = kind(page("sweeps", data=str(tiny_folder), teacher="mine").run(), "search")
    test.number_input(key="epochs").set_value(3).run()
    test.multiselect(key="fixes").set_value(["dropout"]).run()
    test.number_input(key="dropout").set_value(0.5).run()
    assert command(test) == (
        f"xlite sweep search --study search --data {tiny_folder} --split patient --dropout 0.5 "
        "--teacher mine --epochs 3 --vary lr=0.0001..0.01:log --trials 20"
    )


def test_an_address_opens_the_plan_of_a_colleague(tiny_folder: Path):
    test = page("sweeps", data=str(tiny_folder))
    for name, text in {"kind": "Search", "planned": "ours", "lr_high": "0.05", "trials": "7"}.items():
        test.query_params[name] = text
    test.run()
    assert command(test).startswith("xlite sweep search --study ours ")
    assert command(test).endswith("--vary lr=0.0001..0.05:log --trials 7")


def test_a_study_that_the_address_asks_for_in_vain_is_said_and_no_other_is_shown(tiny_folder: Path):
    Sweep.open(plan_phase("phase1", {"data": str(tiny_folder)}, Design("here"), ["resnet18"]))
    test = page("sweeps")
    test.query_params["study"] = "doesnotexist"
    test.run()
    assert [warning.value for warning in test.warning] == [
        "There is no study **doesnotexist** to open here: it was renamed, deleted or damaged, or is of "
        "another home. Choose another one."
    ]
    assert "**here**" not in words(test)
    test.selectbox(key="study").set_value("here").run()
    assert "**here**" in words(test) and len(test.warning) == 0


@pytest.mark.slow
def test_a_search_shows_what_its_settings_do(tiny_folder: Path):
    vary = {"lr": Range(low=1e-4, high=1e-2, log=True), "flip": [True, False]}
    sweep = Sweep.open(make_plan("search", {"data": str(tiny_folder)}, vary, Design("s", trials=8)))
    trials = [
        TrialStatus(
            run=f"s-00{place}",
            state="finished",
            values={"lr": 1e-3 * (place + 1), "flip": place % 2 == 0},
            val_auc=0.6 + 0.02 * place,
        )
        for place in range(8)
    ]
    sweep.update_progress(state="running", split_id=SPLIT, total=8, trials=trials[:1])
    assert len(page("sweeps").run().get("plotly_chart")) == 0
    sweep.update_progress(state="running", split_id=SPLIT, total=8, trials=trials[:4])
    test = page("sweeps").run()
    assert len(test.get("plotly_chart")) == 1
    assert "How much each setting matters is here from 8 finished runs on." in words(test)
    sweep.update_progress(state="stopped", split_id=SPLIT, total=8, trials=trials)
    test = page("sweeps").run()
    assert len(test.get("plotly_chart")) == 2
    assert "(Optuna's fANOVA)" in words(test)


def test_sweep_shows_a_study_with_its_leaderboard_and_how_to_go_on(tiny_folder: Path):
    plan = plan_phase("phase1", {"data": str(tiny_folder)}, Design(), ["resnet18"])
    sweep = Sweep.open(plan)
    left = {"test_auc": 0.6, "model_size_mb": 44.0, "inference_time_ms": 5.0}
    known = "teacher contamination: it knows"
    first, second = [
        TrialStatus(run=run, state="finished", values=values, val_auc=auc, contamination=said, **left)
        for run, values, auc, said in zip(
            ("phase1-000", "phase1-001"), plan.combinations(), (0.7, 0.6), (known, None), strict=True
        )
    ]
    folder = NihFolder.open(tiny_folder)
    split = load_split(folder, "patient")
    labels = folder.labels(split.stems("val"))
    for trial, probs in ((first, labels), (second, 1 - labels)):
        out = checkpoints_dir() / trial.run / "evaluation" / "val"
        out.mkdir(parents=True)
        write_predictions(out / "predictions.csv", split.parts["val"], probs)
    sweep.write_leaderboard(make_leaderboard(plan, [first, second], SPLIT, folder))
    trials = [first, second.model_copy(update={"state": "waiting", "val_auc": None})]
    sweep.update_progress(state="stopped", message="by hand", split_id=SPLIT, total=2, trials=trials)
    test = page("sweeps").run()
    text = words(test)
    assert "**phase1** :orange-badge[stopped] by hand" in text
    assert "Go on" in [button.label for button in test.button]
    board, [runs] = test.table[0].value, (frame.value for frame in test.dataframe)
    assert board[
        ["Configuration", "Remark", "Seeds", "Validation AUC", "Test AUC", "MB", "ms"]
    ].values.tolist() == [
        ["resnet18, attention none", "wins", "1", "0.700", "0.600", "44.0", "5.0"],
        ["resnet18, attention mhsa", "", "1", "0.600", "0.600", "44.0", "5.0"],
    ]
    assert [warning.value for warning in test.warning] == [f"{known} (runs phase1-000)"]
    assert runs[["Run", "State"]].values.tolist() == [["phase1-000", "finished"], ["phase1-001", "waiting"]]
    assert f"Split {SPLIT}. The validation films choose the winner" in text
    assert test.success[0].value.startswith("Chosen by the validation films: resnet18, attention none")
    assert any(code.value == f"optuna-dashboard {sweep.storage()}" for code in test.code)


def test_sweep_shows_seeds_as_they_finish_and_more_trials_than_were_planned(tiny_folder: Path):
    plan = plan_phase("phase1", {"data": str(tiny_folder)}, Design(seeds=2), ["resnet18"])
    sweep = Sweep.open(plan)
    trials = [
        TrialStatus(
            run=f"phase1-00{number}", state="finished", values=values, val_auc=auc, test_auc=auc - 0.1
        )
        for number, (values, auc) in enumerate(zip(plan.combinations(), (0.7, 0.6, 0.72), strict=False))
    ]
    folder = NihFolder.open(tiny_folder)
    sweep.write_leaderboard(make_leaderboard(plan, trials, SPLIT, folder, ended=False))
    sweep.update_progress(state="running", split_id=SPLIT, total=2, trials=trials)
    test = page("sweeps").run()
    assert [error.message for error in test.exception] == []
    assert test.table[0].value[["Seeds", "Validation AUC", "Test AUC", "MB"]].values.tolist() == [
        ["2", "0.710\u00a0±\u00a00.014", "0.610\u00a0±\u00a00.014", "–"],
        ["1", "0.600", "0.500", "–"],
    ]


@pytest.mark.slow
def test_sweep_deletes_a_study_asked_twice_and_its_runs_if_told(tiny_folder: Path):
    for study in ("kept", "gone"):
        plan = plan_phase("phase1", {"data": str(tiny_folder)}, Design(study), ["resnet18"])
        sweep, trials = Sweep.open(plan), []
        for number, values in enumerate(plan.combinations()):
            Run.create(plan.config(values, f"{study}-00{number}"))
            trials.append(TrialStatus(run=f"{study}-00{number}", state="waiting", values=values))
        sweep.update_progress(state="stopped", split_id=SPLIT, total=2, trials=trials)
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


def test_a_study_that_would_fail_for_certain_cannot_be_started_and_one_that_would_not_can(tiny_folder: Path):
    def start(test: AppTest) -> Button:
        return next(button for button in test.button if button.label == "Start the study")

    test = page("sweeps", data=str(tiny_folder)).run()
    assert not start(test).disabled
    assert "Estimate time, memory and disk" in [button.label for button in test.button]
    for film in (tiny_folder / "images").iterdir():
        film.unlink()
    test = page("sweeps", data=str(tiny_folder)).run()
    assert start(test).disabled and len(test.error) == 1
