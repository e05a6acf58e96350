"""The Sweeps page: the form of each kind of study, a study with its leaderboard, and its deletion."""

from pathlib import Path

import pytest
from app_pages import page, words
from demo_home import SPLIT
from streamlit.testing.v1.element_tree import Button

from xlite.data.folder import NihFolder
from xlite.data.predictions import write_predictions
from xlite.data.splits import load_split
from xlite.places import checkpoints_dir, sweeps_dir
from xlite.runs.run import Run
from xlite.sweeps.phases import plan_phase
from xlite.sweeps.plan import Design
from xlite.sweeps.ranking import make_leaderboard
from xlite.sweeps.status import TrialStatus
from xlite.sweeps.sweep import Sweep

pytestmark = pytest.mark.usefixtures("one_scan", "only_this_home")


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
    test.segmented_control[0].set_value("crossfit").run()
    assert test.code[0].value == f"xlite sweep crossfit --study crossfit {shared} --seeds 1 --folds 5"
    assert "5 runs" in words(test)
    test.segmented_control[0].set_value("phase3").run()
    assert [error.message for error in test.exception] == []
    assert [error.value for error in test.error] == [
        f"There is no study 'phase1' in {sweeps_dir()}; the studies are: none yet"
    ]


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
    assert board[["Configuration", "Remark", "Seeds", "Val AUC", "Test AUC", "MB", "ms"]].values.tolist() == [
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
    assert test.table[0].value[["Seeds", "Val AUC", "Test AUC", "MB"]].values.tolist() == [
        ["2", "0.710\u00a0±\u00a00.014", "0.610\u00a0±\u00a00.014", "–"],
        ["1", "0.600", "0.500", "–"],
    ]


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
