"""Files of X-Lite 0.1.0: a run that was stopped after two of three epochs goes on, its report and log are read."""

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

OLD = Path(__file__).parent / "data" / "old_run"


@pytest.fixture
def old_run(own_home: Path, tmp_path: Path) -> Run:
    """The stopped run in a home of today, on the films that it began with."""
    write_phantom(tmp_path / "films", 40, 16, 64, 7)
    folder = own_home / "checkpoints" / "old"
    shutil.copytree(OLD, folder, ignore=shutil.ignore_patterns("evaluation", "results.csv", "*whole*"))
    config = json.loads((folder / "config.json").read_text()) | {"data": str(tmp_path / "films")}
    (folder / "config.json").write_text(json.dumps(config))
    return Run.named("old")


def test_an_old_run_goes_on_exactly(old_run: Run, no_charts: None) -> None:
    assert old_run.status().state == "stopped" and old_run.status().epoch == 2
    assert xlite(["train", "--resume", "old"]) == 0
    whole = pd.read_csv(OLD / "metrics_of_the_whole_run.csv").drop(columns="seconds")
    pd.testing.assert_frame_equal(old_run.read_metrics().drop(columns="seconds"), whole, rtol=1e-3)


def test_an_old_model_file_is_read() -> None:
    student, info = load_model(OLD / "model.safetensors")
    assert (info.backbone, info.hidden, info.split_id) == ("test_efficientnet", 8, "patient-42-a1039843")
    assert info.notes["epoch"] == 2 and not student.training


def test_an_old_report_and_log_are_read() -> None:
    evaluation = read_evaluation("old", OLD / "evaluation")
    assert evaluation.group == ("patient-42-a1039843", "test", "2020")
    [row] = read_results(OLD / "results.csv").to_dict("records")
    assert (row["experiment_id"], row["val_auc"], row["test_auc"]) == ("old", 0.408333, 0.333333)
