"""Files of X-Lite 0.1.0: a run that was stopped after two of three epochs, and a study that has ended."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from xlite.cli import run as xlite
from xlite.data.phantom import write_phantom
from xlite.models.checkpoint import load_model
from xlite.report.saved import read_evaluation
from xlite.runs.results import read_results
from xlite.runs.run import Run
from xlite.sweeps.leaderboard_sentences import board_as_json, verdict
from xlite.sweeps.leaderboard_table import remark
from xlite.sweeps.sweep import Sweep

OLD = Path(__file__).parent / "data" / "old_run"
OLD_STUDY = Path(__file__).parent / "data" / "old_study"


@pytest.fixture
def old_run(own_home: Path, tmp_path: Path) -> Run:
    """The stopped run in a home of today, on the films that it began with."""
    write_phantom(tmp_path / "films", 40, 16, 64, 7)
    folder = own_home / "checkpoints" / "old"
    shutil.copytree(OLD, folder, ignore=shutil.ignore_patterns("evaluation", "results.csv", "*whole*"))
    config = json.loads((folder / "config.json").read_text()) | {"data": str(tmp_path / "films")}
    (folder / "config.json").write_text(json.dumps(config))
    return Run.named("old")


@pytest.mark.slow
def test_an_old_run_goes_on_exactly(old_run: Run, no_charts: None) -> None:
    assert old_run.status().state == "stopped" and old_run.status().epoch == 2
    assert xlite(["train", "--resume", "old"]) == 0
    whole = pd.read_csv(OLD / "metrics_of_the_whole_run.csv").drop(columns="seconds")
    pd.testing.assert_frame_equal(old_run.read_metrics().drop(columns="seconds"), whole, rtol=1e-3)


def test_an_old_model_file_is_read() -> None:
    student, info = load_model(OLD / "model.safetensors")
    assert (info.backbone, info.hidden, info.split_id) == ("test_efficientnet", 8, "patient-42-a1039843")
    assert info.notes.epoch == 2 and not student.training


def test_an_old_report_and_log_are_read() -> None:
    evaluation = read_evaluation("old", OLD / "evaluation")
    assert evaluation.group == ("patient-42-a1039843", "test", "2020")
    [row] = read_results(OLD / "results.csv").to_dict("records")
    assert (row["experiment_id"], row["val_auc"], row["test_auc"]) == ("old", 0.408333, 0.333333)


@pytest.fixture
def old_study(own_home: Path) -> Sweep:
    """A study of two learning rates with two seeds each, which version 0.1.0 brought to its end."""
    shutil.copytree(OLD_STUDY, own_home / "experiments" / "sweeps" / "old")
    return Sweep.named("old")


def test_the_plan_and_status_of_an_old_study_are_read(old_study: Sweep) -> None:
    plan = old_study.plan()
    assert (plan.kind, plan.total(), plan.vary) == ("search", 4, {"lr": [0.001, 0.01], "seed": [1, 2]})
    assert plan.config({"lr": 0.01, "seed": 2}).backbone == "test_efficientnet.r160_in1k"
    status = old_study.status()
    assert (status.state, status.total, status.count("finished")) == ("finished", 4, 4)
    assert status.said == ("4 of 4 trials ended well",)
    last = status.trials[-1]
    assert (last.run, last.where, last.values) == ("old-003", "machine:/home", {"lr": 0.01, "seed": 2})
    assert (last.val_auc, last.model_size_mb, last.contamination) == (0.469091, 0.43, None)
    assert Sweep.open(plan).status() == status


def test_an_old_leaderboard_is_read(old_study: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    board = old_study.leaderboard()
    assert board is not None and board.ended and board.winner == 0
    assert [row.name for row in board.rows] == ["lr 0.01", "lr 0.001"]
    assert [remark(board, place) for place in range(2)] == ["best, but ties; chosen", "tie on validation"]
    kept = json.loads((OLD_STUDY / "leaderboard.json").read_text())
    assert board_as_json(board) == {**kept, "ended": True}
    of_today = board.model_copy(update={"old_verdict": ""})
    assert verdict(of_today) == kept["verdict"]
    assert xlite(["sweep", "leaderboard", "old"]) == 0
    out = capsys.readouterr().out
    assert kept["verdict"] in out and "0.3377 ± 0.1858" in out and "+0.2903 (+0.0708 to +0.7778)" in out


def test_a_study_with_a_damaged_plan_is_a_warning_beside_an_intact_list(
    old_study: Sweep, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(old_study.folder, old_study.folder.with_name("broken"))
    (old_study.folder.with_name("broken") / "sweep.json").write_text("[" * 100_000)
    for words in (["sweep", "list"], ["sweep", "list", "--json"]):
        assert xlite(words) == 0
        out, err = capsys.readouterr()
        assert "old" in out and "broken" not in out
        assert (
            err.startswith("Warning: the plan of study 'broken' cannot be read from ")
            and err.count("\n") == 1
        )
