"""The training loop: exact resume after kill -9, stop, early stopping, refusals. Real runs on noise films."""

import json
import math
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from tiny_runs import assert_same_end, config, on_log, run_to_end, state, stop_after_first_epoch, weights
from torch.utils.data import get_worker_info

from xlite.data.dataset import FilmDataset
from xlite.data.folder import NihFolder
from xlite.data.predictions import read_predictions
from xlite.data.split_files import load_split
from xlite.data.train_part import leave_out, shrink_train
from xlite.errors import DataError, RunError, XliteError
from xlite.findings import FINDINGS
from xlite.images import read_image
from xlite.metrics.calibration import apply_calibrator
from xlite.metrics.per_finding import auc_per_class
from xlite.models.checkpoint import load_model
from xlite.places import results_csv
from xlite.runs.notes import Notes
from xlite.runs.results import Experiment, append_result, read_results
from xlite.runs.run import Run
from xlite.training import loop
from xlite.training.job import open_job
from xlite.training.loop import train
from xlite.training.sampler import EpochSampler

pytestmark = pytest.mark.usefixtures("quick_report")


@pytest.mark.slow
def test_a_run_leaves_what_the_contract_says(films, caplog):
    run = Run.create(config(films, "whole", epochs=2, train_share=0.5))
    result = train(run.config(), run)
    said = caplog.messages
    files = {path.name for path in run.folder.iterdir() if not path.name.startswith(".")}
    assert files >= {
        "config.json",
        "progress.json",
        "metrics.csv",
        "last.ckpt",
        "model.safetensors",
        "evaluation",
    }
    assert run.read_metrics()["epoch"].tolist() == [1, 2]
    assert (result.reason, result.epochs) == ("finished", 2)
    status = run.status()
    assert (status.state, status.epoch, status.epochs) == ("finished", 2, 2)
    assert status.best_auc == pytest.approx(run.read_metrics()["val_auc"].max())
    assert 0 < status.memory_gb < status.memory_total_gb and 0 <= status.load <= 1
    each = run.read_metrics()[[f"val_auc_{name}" for name in FINDINGS]]
    assert each.mean(axis=1).tolist() == pytest.approx(run.read_metrics()["val_auc"].tolist())
    _, info = load_model(run.folder / "model.safetensors")
    assert info.split_id.startswith("patient-42-") and len(info.thresholds) == 14
    assert info.calibration is None and info.notes.run == "whole"
    assert any(line.startswith("Calibration: no calibrator could be fitted") for line in said)
    report = json.loads((run.folder / "evaluation" / "test" / "metrics.json").read_text())
    assert report["split"]["id"] == info.split_id and report["split"]["part"] == "test"
    row = read_results().iloc[0]
    assert row["experiment_id"] == "whole"
    assert row["notes"] == f"split {info.split_id}; labels 2020; seed 5; train share 0.5"
    folder = NihFolder.open(films)
    split = load_split(folder, "patient")
    kept = len(shrink_train(folder, split, 0.5).parts["train"])
    whole, val = len(split.parts["train"]), len(split.parts["val"])
    data = f"Data: {films}, split {info.split_id}: "
    assert (
        f"{data}{kept} films to train on (50% of the {whole} there are, by patient), {val} to validate on"
        in said
    )
    assert info.notes.train_share == 0.5
    judged = read_predictions(run.folder / "evaluation" / "val" / "predictions.csv")
    assert judged.names == split.parts["val"]
    auc = np.nanmean(auc_per_class(folder.labels(judged.stems), judged.probs))
    assert auc == pytest.approx(status.best_auc, abs=1e-6)


@pytest.mark.slow
def test_a_run_that_leaves_a_fold_out_answers_for_it(films, caplog):
    run = Run.create(config(films, "apart", epochs=1, fold="2/3"))
    train(run.config(), run)
    folder = NihFolder.open(films)
    split = load_split(folder, "patient")
    kept, stems = leave_out(folder, split, "2/3")
    said = read_predictions(run.folder / "left_out.csv")
    assert said.stems == stems and (said.probs > 0).all() and (said.probs < 1).all()
    model, info = load_model(run.folder / "model.safetensors")
    assert info.notes.fold == "2/3" and info.split_id == split.id
    x = torch.stack([torch.from_numpy(info.preprocess(read_image(folder.paths[stem]))) for stem in stems])
    with torch.inference_mode():
        logits = model.eval()(x).numpy()
    assert said.probs == pytest.approx(apply_calibrator(logits, info.calibration), abs=1e-5)
    assert read_results().iloc[0]["notes"].endswith("seed 5; without fold 2/3")
    told = f"{len(kept.parts['train'])} films to train on without the {len(stems)} of fold 2/3"
    assert any(told in line for line in caplog.messages)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "ema": 0.9, "sampler": "balanced", "loss": "weighted_focal", "teacher": "teacher",
            "feature_weight": 0.5,
        },
    ],
)  # fmt: skip
def test_killed_in_mid_epoch_and_resumed_equals_uninterrupted(films, changes):
    if changes:
        run_to_end(config(films, "teacher", epochs=1, hidden=8))
    whole, _ = run_to_end(config(films, "whole", **changes))
    cut = Run.create(config(films, "cut", **changes))
    child = _train_in_child(cut, dies_in_epoch=2)
    assert child.returncode == -signal.SIGKILL
    assert cut.read_metrics()["epoch"].tolist() == [1]
    assert cut.status().state == "killed"
    result = train(cut.config(), cut)
    assert (result.reason, result.epochs) == ("finished", 3)
    assert_same_end(whole, cut)


def _train_in_child(run: Run, dies_in_epoch: int) -> subprocess.CompletedProcess:
    """Trains in a real process that sends itself SIGKILL in the middle of an epoch."""
    code = f"""
import os, signal
from xlite.training import loop, step as training_step
from xlite.runs.run import Run
plain = training_step.learning_rate
def rate(config, step, steps):
    if step == {dies_in_epoch - 1} * steps + steps // 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(config, step, steps)
training_step.learning_rate = rate
run = Run.named({run.name!r})
loop.train(run.config(), run)
"""
    return subprocess.run([sys.executable, "-c", code], env=os.environ, timeout=120)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_run_whose_worker_is_killed_says_so(films, monkeypatch):
    def die(*_: object) -> None:
        assert get_worker_info() is not None
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(FilmDataset, "__getitems__", die)
    run = Run.create(config(films, "killed", workers=1))
    with pytest.raises(RunError, match=r"a data-loader worker has died, .* use fewer --workers or 0"):
        train(run.config(), run)
    status = run.status()
    assert (status.state, XliteError(*status.said).settings) == ("failed", ("workers",))


@pytest.mark.slow
def test_data_loader_workers_do_not_change_the_weights(films):
    assert_same_end(
        run_to_end(config(films, "none", workers=0))[0], run_to_end(config(films, "two", workers=2))[0]
    )


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(300)
def test_workers_train_with_the_smallest_shared_memory(films, tmp_path):
    """128 kB instead of a container's 64 MB: room for locks (60 kB), not for a batch (8 x 36 kB)."""
    mount = "mount -t tmpfs -o size=128k tmpfs /dev/shm"
    trial = ["unshare", "--mount", "sh", "-c", mount]
    if not shutil.which("unshare") or subprocess.run(trial, capture_output=True).returncode != 0:
        pytest.skip("no file system can be mounted here")
    whole, _ = run_to_end(config(films, "whole", image_size=192))
    run = Run.create(config(films, "small", image_size=192, workers=2))
    command = shlex.join([sys.executable, "-m", "xlite", "train", "--resume", run.name])
    subprocess.run(["unshare", "--mount", "sh", "-c", f"{mount} && exec {command}"], check=True, timeout=200)
    assert_same_end(whole, run)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "hidden": 0, "augment": "light", "mixup": 0.4, "layer_decay": 0.8, "backbone_lr": 0.5,
            "decay_norms": False, "auxiliary": 0.3,
        },
    ],
)  # fmt: skip
def test_stop_drops_the_epoch_and_resume_is_exact(films, changes):
    whole, _ = run_to_end(config(films, "whole", **changes))
    run = Run.create(config(films, "stopped", **changes))
    result = stop_after_first_epoch(run)
    assert (result.reason, result.epochs) == ("stopped", 1)
    assert run.status().state == "stopped" and not (run.folder / "evaluation").exists()
    train(run.config(), run)
    assert_same_end(whole, run)


@pytest.mark.slow
def test_a_finished_run_trains_no_further(films):
    run, _ = run_to_end(config(films, "done", epochs=1))
    before = weights(run)
    result = train(run.config(), run)
    assert (result.reason, result.epochs) == ("finished", 1)
    assert all(torch.equal(before[key], value) for key, value in weights(run).items())
    assert len(read_results()) == 1


@pytest.mark.slow
def test_a_damaged_row_of_the_log_stops_no_training(films, caplog):
    append_result(Experiment("old", val_auc=0.6), Notes("patient-42-1"))
    with open(results_csv(), "ab") as file:
        file.write(b'=cmd|x,2026,student,x,none,abc,nan,inf,1e999,-5,x,1.62,"x"\n')
    before = results_csv().read_bytes()
    _, result = run_to_end(config(films, "new", epochs=1))
    told = [message for message in caplog.messages if "results.csv" in message]
    assert (result.reason, len(told)) == ("finished", 1)
    assert told[0].startswith(f"Warning: line 3 of {results_csv()} has 'abc' for kd_temp")
    assert results_csv().read_bytes().startswith(before)
    assert read_results()["experiment_id"].tolist() == ["old", "new"]


@pytest.mark.slow
def test_early_stopping_counts_epochs_since_the_best(films):
    run, result = run_to_end(config(films, "early", epochs=30, patience=1, lr=1e-6))
    rows = run.read_metrics()
    assert result.reason == "early"
    assert result.epochs == rows["epoch"].iloc[-1] == rows["epoch"][rows["val_auc"].idxmax()] + 1


@pytest.mark.slow
def test_distilled_student_approaches_its_teacher(films):
    teacher, _ = run_to_end(config(films, "teacher", epochs=1))
    run, _ = run_to_end(
        config(films, "student", teacher="teacher", alpha=1.0, epochs=6, augment="none", lr=3e-3)
    )
    rows = run.read_metrics()
    assert rows["soft_loss"].iloc[-1] < 0.5 * rows["soft_loss"].iloc[0]
    assert not any("teacher" in key for key in state(run)["model"])
    assert read_results()["kd_temp"].tolist()[1] == 4.0


@pytest.mark.slow
@pytest.mark.parametrize("grad_clip", [0.0, 1.0])
def test_a_loss_that_is_nan_ends_the_run_and_keeps_the_step_and_its_films(films, grad_clip):
    run = Run.create(config(films, "nan", grad_clip=grad_clip, epochs=30))
    with pytest.raises(RunError, match="smaller --lr") as caught:
        settings = run.config().model_copy(update={"lr": 1e30, "warmup_epochs": 0.0})
        train(settings, run)
    assert run.status().state == "failed" and run.status().message == str(caught.value)
    broken = json.loads((run.folder / "broken_batch.json").read_text())
    assert (broken["epoch"], broken["step"]) == (1, 2)  # the first step's update broke the weights
    job = open_job(run.config(), None, lambda done, total: None)
    sampler = EpochSampler(len(job.train), 16, seed=5)
    sampler.set_epoch(1)
    assert broken["images"] == [job.train_stems[row] for row in sampler.batches()[1].ravel()]


def test_a_stop_is_heeded_while_films_are_decoded(films, monkeypatch):
    monkeypatch.setattr(loop, "PROGRESS_EVERY_S", 0.0)
    run = Run.create(config(films, "decoding"))
    with on_log(lambda line: run.stop() if line.startswith("Data") else None):
        result = train(run.config(), run)
    assert (result.reason, result.epochs) == ("stopped", 0)
    assert run.status().state == "stopped" and not list((films / "cache").glob("*.npy"))


def test_a_damaged_experiment_log_is_refused_before_the_work(films, own_home):
    (own_home / "experiments").mkdir()
    (own_home / "experiments" / "results.csv").write_text("experiment_id;date\n")
    run = Run.create(config(films, "log"))
    with pytest.raises(DataError, match="is not an experiment log"):
        train(run.config(), run)
    assert not (run.folder / "last.ckpt").exists()


@pytest.mark.slow
@pytest.mark.alone
def test_progress_moves_while_another_process_trains(films):
    run = Run.create(config(films, "live", epochs=200, patience=200))
    run.start()
    seen = set()
    deadline = time.monotonic() + 60
    while len(seen) < 3 and time.monotonic() < deadline:
        status = run.status()
        if status.state == "running" and status.epoch:
            seen.add(status.epoch)
        time.sleep(0.1)
    run.stop()
    while run.status().state == "running" and time.monotonic() < deadline:
        time.sleep(0.1)
    status = run.status()
    assert len(seen) == 3
    assert status.state == "stopped" and status.epoch < 200 and math.isfinite(status.loss)
