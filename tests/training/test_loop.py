"""The training loop: exact resume after kill -9, stop, early stopping, refusals. Real runs on noise films."""

import functools
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from noise_folder import write_noise_folder
from tiny_runs import (
    TINY,
    assert_same_end,
    config,
    on_log,
    run_to_end,
    state,
    stop_after_first_epoch,
    weights,
)

from xlite.config import results_csv
from xlite.data.folder import NihFolder
from xlite.data.predictions import read_predictions, write_predictions
from xlite.data.splits import load_split, make_split, shrink_train, write_split
from xlite.errors import CheckpointError, DataError, RunError
from xlite.evaluation.evaluate import evaluate_model
from xlite.findings import FINDINGS
from xlite.metrics.per_finding import auc_per_class
from xlite.models.checkpoint import load_model
from xlite.report.sentences import clean, interval, mean_of
from xlite.runs.results import read_results
from xlite.runs.run import Run
from xlite.training import finish, loop
from xlite.training.job import open_job
from xlite.training.loop import train
from xlite.training.optimizer import learning_rate
from xlite.training.provenance import git_commit
from xlite.training.sampler import EpochSampler, Rank
from xlite.training.task import DistillTask


@pytest.fixture(autouse=True)
def quick_report(no_charts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run ends with its report, which is not the subject here."""
    monkeypatch.setattr(finish, "evaluate_model", functools.partial(evaluate_model, resamples=20))


@pytest.fixture(autouse=True)
def user_log(caplog: pytest.LogCaptureFixture) -> None:
    """caplog gets the sentences that commands show."""
    caplog.set_level("INFO", "xlite")


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """80 noise films of 40 patients."""
    return write_noise_folder(tmp_path / "films", patients=40)


@pytest.mark.slow
def test_a_compiled_run_learns_the_same(films):
    plain, _ = run_to_end(config(films, "plain", epochs=2, dropout=0))
    compiled, _ = run_to_end(config(films, "compiled", epochs=2, dropout=0, compile=True))
    rows = [run.read_metrics()[["train_loss", "val_loss"]] for run in (plain, compiled)]
    pd.testing.assert_frame_equal(*rows, rtol=1e-3)
    assert weights(plain).keys() == weights(compiled).keys()


@pytest.mark.slow
def test_a_step_that_cannot_be_compiled_says_so(films, tmp_path):
    words = [sys.executable, "-m", "xlite", "train", "--data", str(films), "--name", "no", "--compile"]
    for key, value in TINY.items():
        words += [f"--{key.replace('_', '-')}", str(value)]
    without = {**os.environ, "CXX": "/nowhere", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "compiled")}
    ended = subprocess.run(words, env=without, capture_output=True, text=True)
    assert ended.returncode == 2
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: the step cannot be compiled here (") and last.endswith(
        "leave --compile out"
    )
    assert "Traceback" not in ended.stderr


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
    assert info.calibration is None and info.notes["run"] == "whole"
    assert any(
        line.startswith("Calibration: no map could be fitted: every finding has fewer") for line in said
    )
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
    assert info.notes["train_share"] == 0.5
    judged = read_predictions(run.folder / "evaluation" / "val" / "predictions.csv")
    assert judged.names == split.parts["val"]
    auc = np.nanmean(auc_per_class(folder.labels(judged.stems), judged.probs))
    assert auc == pytest.approx(status.best_auc, abs=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        pytest.param(
            {
                "ema": 0.9, "sampler": "balanced", "loss": "weighted_focal", "teacher": "teacher",
                "feature_weight": 0.5,
            },
            marks=pytest.mark.slow,
        ),
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
def test_data_loader_workers_do_not_change_the_weights(films):
    assert_same_end(
        run_to_end(config(films, "none", workers=0))[0], run_to_end(config(films, "two", workers=2))[0]
    )


def test_stop_drops_the_epoch_and_resume_is_exact(films):
    whole, _ = run_to_end(config(films, "whole"))
    run = Run.create(config(films, "stopped"))
    result = stop_after_first_epoch(run)
    assert (result.reason, result.epochs) == ("stopped", 1)
    assert run.status().state == "stopped" and not (run.folder / "evaluation").exists()
    train(run.config(), run)
    assert_same_end(whole, run)


def test_a_finished_run_trains_no_further(films):
    run, _ = run_to_end(config(films, "done", epochs=1))
    before = weights(run)
    result = train(run.config(), run)
    assert (result.reason, result.epochs) == ("finished", 1)
    assert all(torch.equal(before[key], value) for key, value in weights(run).items())
    assert len(read_results()) == 1


def test_a_run_of_the_name_and_metrics_of_another_is_logged_too(films):
    run, _ = run_to_end(config(films, "same", epochs=1))
    run.rename("same-old")
    again, _ = run_to_end(config(films, "same", epochs=1))
    log = read_results()
    assert log["experiment_id"].tolist() == ["same", "same"]
    assert log["train_loss"].nunique() == 1
    results_csv().unlink()  # as if the run had been killed right before its row was written
    train(again.config(), again)
    assert read_results().equals(log.iloc[1:].reset_index(drop=True))


def test_early_stopping_counts_epochs_since_the_best(films):
    run, result = run_to_end(config(films, "early", epochs=30, patience=1, lr=1e-6))
    rows = run.read_metrics()
    assert result.reason == "early"
    assert result.epochs == rows["epoch"].iloc[-1] == rows["epoch"][rows["val_auc"].idxmax()] + 1


def test_distilled_student_approaches_its_teacher(films):
    teacher, _ = run_to_end(config(films, "teacher", epochs=1))
    run, _ = run_to_end(
        config(films, "student", teacher="teacher", alpha=1.0, epochs=6, augment=False, lr=3e-3)
    )
    rows = run.read_metrics()
    assert rows["soft_loss"].iloc[-1] < 0.5 * rows["soft_loss"].iloc[0]
    assert not any("teacher" in key for key in state(run)["model"])
    assert read_results()["kd_temp"].tolist()[1] == 4.0


def test_what_a_teacher_may_know_of_the_test_films_follows_the_student(films):
    teacher, _ = run_to_end(config(films, "teacher", epochs=1))
    test_list = films / "test_list.txt"
    settings = config(
        films, "student", split="official", teacher="teacher", teacher_list=str(test_list), epochs=1
    )
    run, _ = run_to_end(settings)
    folder = NihFolder.open(films)
    own, other = load_split(folder, "patient"), load_split(folder, "official")
    test = set(other.stems("test"))
    trained, with_val = len(test & set(own.stems("train"))), len(test - set(own.stems("test")))
    patients = int(np.isin(folder.patients(other.stems("test")), folder.patients(own.stems("train"))).sum())
    expected = (
        f"teacher contamination: a teacher was trained on {trained} of the 20 test films of split {other.id} "
        f"({with_val} counting validation), and knows the patients of {with_val} of them; a teacher was "
        f"trained on 20 of the 20 test films of split {other.id}, and knows the patients of 20 of them"
    )
    assert 0 < trained < with_val < 20 and patients == trained
    assert (
        read_results()["notes"]
        .iloc[-1]
        .endswith(
            f"; teacher teacher; teacher saw {trained} of 20 test films ({with_val} counting validation); "
            "teacher saw 20 of 20 test films"
        )
    )
    report = json.loads((run.folder / "evaluation" / "test" / "metrics.json").read_text())
    assert expected in report["warnings"]


def test_predictions_of_a_model_whose_films_nobody_knows_are_told_wherever_metrics_are(
    films, tmp_path, caplog
):
    folder = NihFolder.open(films)
    split = load_split(folder, "patient")
    probs = np.random.default_rng(0).random((len(split.parts["train"]), 14))
    write_predictions(tmp_path / "answers.csv", split.parts["train"], probs)
    run, _ = run_to_end(config(films, "student", teacher=str(tmp_path / "answers.csv"), epochs=1))
    said = caplog.messages
    unknown = (
        "what the model behind the predictions answers.csv was trained on is not known: --teacher-list FILE "
        "tells"
    )
    assert f"Teacher contamination: {unknown}" in said
    report = json.loads((run.folder / "evaluation" / "test" / "metrics.json").read_text())
    assert f"teacher contamination: {unknown}" in report["warnings"]
    assert f"teacher contamination: {unknown}" in (run.folder / "MODEL_CARD.md").read_text()
    assert "teacher may have seen test films" in read_results()["notes"].iloc[-1]
    (tmp_path / "seen.txt").write_text(split.stems("test")[0] + "\n")
    listed = {"resamples": 20, "teacher_list": tmp_path / "seen.txt"}
    again = evaluate_model("student", films, "patient", "test", tmp_path / "again", **listed)
    assert [text for text in again["warnings"] if text.startswith("teacher")] == [
        f"teacher contamination: a teacher was trained on 1 of the {len(split.stems('test'))} test films of "
        f"split {split.id}, and knows the patients of 2 of them"
    ]


def test_the_list_of_a_teachers_films_leads_to_metrics_on_clean_ones(films, tmp_path, caplog):
    folder = NihFolder.open(films)
    split = load_split(folder, "patient")
    probs = np.random.default_rng(0).random((len(split.parts["train"]), 14))
    write_predictions(tmp_path / "answers.csv", split.parts["train"], probs)
    test = split.stems("test")
    (tmp_path / "seen.txt").write_text(test[0] + "\n")
    given = {"teacher": str(tmp_path / "answers.csv"), "teacher_list": str(tmp_path / "seen.txt")}
    run, _ = run_to_end(config(films, "student", **given, epochs=1))
    said = caplog.messages
    report = json.loads((run.folder / "evaluation" / "test" / "metrics.json").read_text())
    spoiled, patients = report["contamination"], folder.patients(test)
    assert (spoiled["films"], spoiled["of"]) == (2, len(test))
    assert spoiled["clean"]["split"]["images"] == int((patients != patients[0]).sum()) == len(test) - 2
    assert f"{clean(report)}." in (run.folder / "MODEL_CARD.md").read_text()
    assert clean(report).startswith(f"On the {len(test) - 2} clean films, ")
    assert (
        f"Test AUC {interval(report['macro']['auc'])}, {mean_of(report)} with 95 % interval, but what it "
        f"learned from knows 2 of the {len(test)} test films. {clean(report)}"
    ) in said


def test_the_learning_rate_warms_up_and_falls_to_nothing():
    settings = config(Path("x"), "x", epochs=10, lr=1e-3, warmup_epochs=1)
    rates = [learning_rate(settings, step, 20) for step in range(200)]
    assert max(rates) == pytest.approx(1e-3, rel=1e-3) and rates.index(max(rates)) == 20
    assert all(b > a for a, b in zip(rates[:20], rates[1:21], strict=True))
    assert all(b < a for a, b in zip(rates[20:], rates[21:], strict=False))
    assert rates[-1] < 1e-6


def test_an_epoch_order_follows_from_seed_and_epoch_alone():
    one, other = EpochSampler(50, 10, seed=3), EpochSampler(50, 10, seed=3)
    list(one)
    for sampler in (one, other):
        sampler.set_epoch(4)
    assert list(one) == list(other) and sorted(one) == list(range(50))
    other.set_epoch(5)
    assert list(one) != list(other)


def test_the_balanced_order_follows_the_weights():
    sampler = EpochSampler(10000, 16, seed=0, weights=np.r_[np.zeros(5000), np.ones(5000)])
    assert min(sampler) >= 5000 and len(list(sampler)) == 10000


@pytest.mark.parametrize("films", [50, 16, 7])
def test_processes_share_every_batch_of_the_one(films):
    alone = EpochSampler(films, 16, seed=3).batches()
    parts = [EpochSampler(films, 16, seed=3, process=Rank(rank, 2)) for rank in (0, 1)]
    shared = [np.reshape(list(part), (part.steps, part.films_a_step)) for part in parts]
    for batch, *of_ranks in zip(alone[:, 0], *shared, strict=True):
        assert np.concatenate(of_ranks).tolist() == batch.tolist()[: films // 2 * 2]


@pytest.mark.parametrize("grad_clip", [0.0, 1.0])
def test_a_loss_that_is_nan_ends_the_run_and_keeps_the_step_and_its_films(films, grad_clip):
    run = Run.create(config(films, "nan", grad_clip=grad_clip, epochs=30))
    with pytest.raises(RunError, match="smaller --lr") as caught:
        settings = run.config().model_copy(update={"lr": 1e30, "warmup_epochs": 0.0})
        train(settings, run)
    assert run.status().state == "failed" and run.status().message == str(caught.value)
    broken = json.loads((run.folder / "broken_batch.json").read_text())
    assert (broken["epoch"], broken["step"]) == (1, 2)  # the first step's update broke the weights
    job = open_job(run.config(), True, lambda done, total: None)
    sampler = EpochSampler(len(job.train), 16, seed=5)
    sampler.set_epoch(1)
    assert broken["images"] == [job.train_stems[row] for row in sampler.batches()[1].ravel()]


def test_accumulated_gradients_are_those_of_the_batch(films):
    """On a model without batch norm, for it alone knows how large its batch is."""
    plain = {"backbone": "test_convnext.r160_in1k", "dropout": 0.0, "epochs": 1}
    whole, _ = run_to_end(config(films, "whole", **plain))
    accumulated, _ = run_to_end(config(films, "accumulated", accumulate=4, **plain))
    at_once, in_four = state(whole)["model"], state(accumulated)["model"]
    assert all(torch.allclose(at_once[key], in_four[key], atol=2e-4) for key in at_once)
    assert not all(torch.equal(at_once[key], in_four[key]) for key in at_once)  # it did go another way


def test_recomputed_activations_change_no_gradient(films):
    plain = {"backbone": "test_convnext.r160_in1k", "epochs": 1}
    kept, _ = run_to_end(config(films, "kept", **plain))
    twice, _ = run_to_end(config(films, "twice", grad_checkpointing=True, **plain))
    kept_weights, again = weights(kept), weights(twice)
    assert all(torch.allclose(kept_weights[key], again[key], atol=1e-6) for key in kept_weights)


def _out_of_memory_above(monkeypatch, films: int) -> None:
    """The device refuses steps on more films, as torch does; all else is real."""
    real = DistillTask.forward

    def forward(task, x, *rest):
        if len(x) > films and torch.is_grad_enabled():
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return real(task, x, *rest)

    monkeypatch.setattr(DistillTask, "forward", forward)


def test_too_little_memory_says_which_batch_would_fit(films, monkeypatch):
    _out_of_memory_above(monkeypatch, 5)
    run = Run.create(config(films, "large"))
    with pytest.raises(RunError, match="16 at 32 px: --batch-size 4 fits, or --accumulate 4") as caught:
        train(run.config(), run)
    assert caught.value.settings == ("batch_size", "accumulate", "auto_batch", "grad_checkpointing")
    _out_of_memory_above(monkeypatch, 1)
    run = Run.create(config(films, "larger", grad_checkpointing=True))
    with pytest.raises(RunError, match="two films") as caught:
        train(run.config(), run)
    assert caught.value.settings == ("image_size", "backbone")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
def test_real_memory_runs_out_and_the_batch_that_fits_is_named(films):
    script = """
import resource, sys
from xlite.cli import main
from xlite.training import loop
real = loop.open_fabric
def with_little_memory(*args):
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 3 * 2**30,) * 2)
    return real(*args)
loop.open_fabric = with_little_memory
main()
"""
    words = ["train", "--data", str(films), "--name", "large", "--backbone", "resnet18", "--weights", "none"]
    words += ["--image-size", "512", "--batch-size", "48", "--device", "cpu", "--epochs", "1"]
    ended = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True)
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
    assert "the device has too little memory for batches of 48 at 512 px: --batch-size" in ended.stderr


def test_auto_batch_accumulates_until_batches_fit_and_leaves_no_trace(films, monkeypatch, caplog):
    asked, _ = run_to_end(config(films, "asked", accumulate=4, epochs=1))
    _out_of_memory_above(monkeypatch, 5)
    found, _ = run_to_end(config(films, "found", auto_batch=True, epochs=1))
    [line] = [line for line in caplog.messages if line.startswith("Gradient accumulation")]
    assert "16" in line and "4 micro-batches" in line
    assert_same_end(asked, found)


def test_a_run_says_what_made_it_and_leaves_the_environment_alone(films):
    before = dict(os.environ)
    run, _ = run_to_end(config(films, "made", epochs=1))
    assert dict(os.environ) == before
    (attempt,) = json.loads((run.folder / "provenance.json").read_text())
    split = json.loads((films / "splits" / "patient" / "split.json").read_text())
    assert attempt["seed"] == 5 and attempt["split"] == split["id"] and attempt["processes"] == 1
    assert attempt["data_fingerprint"] == NihFolder.open(films).fingerprint()
    assert attempt["libraries"]["torch"] == torch.__version__.partition("+")[0]
    assert attempt["device"].startswith("cpu")


def test_the_commit_is_named_with_what_was_changed(tmp_path):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e"]
    assert git_commit(tmp_path) is None
    (tmp_path / "a").write_text("1")
    for words in (["init", "-q"], ["add", "a"], ["commit", "-qm", "a"]):
        subprocess.run([*git, *words], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    assert git_commit(tmp_path) == head
    (tmp_path / "a").write_text("2")
    assert git_commit(tmp_path) == f"{head}+changes"


def test_the_curves_are_event_files_too(films):
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run, _ = run_to_end(config(films, "curves", epochs=2, tensorboard=True))
    events = event_accumulator.EventAccumulator(str(run.folder / "tensorboard"))
    events.Reload()
    rows = run.read_metrics()
    for name in ("train_loss", "val_loss", "val_auc"):
        points = events.Scalars(name)
        assert [point.step for point in points] == [1, 2]
        assert [point.value for point in points] == pytest.approx(rows[name].tolist(), rel=1e-6)


def test_a_run_whose_split_changed_does_not_go_on(films):
    """The new split would train on films that the run had kept apart, and no report could tell."""
    run = Run.create(config(films, "moved"))
    stop_after_first_epoch(run)
    folder = NihFolder.open(films)
    write_split(folder, make_split(folder, "patient", seed=7))
    with pytest.raises(RunError, match="the split of run 'moved' has changed since it began"):
        train(run.config(), run)


def test_a_run_whose_teacher_changed_does_not_go_on(films):
    run_to_end(config(films, "teacher", epochs=1))
    run = Run.create(config(films, "pupil", teacher="teacher"))
    stop_after_first_epoch(run)
    shutil.rmtree(Run.named("teacher").folder)
    run_to_end(config(films, "teacher", epochs=1, seed=9))
    with pytest.raises(RunError, match="the teacher of run 'pupil' has changed"):
        train(run.config(), run)


def test_a_stop_is_heeded_while_films_are_decoded(films, monkeypatch):
    monkeypatch.setattr(loop, "PROGRESS_EVERY_S", 0.0)
    run = Run.create(config(films, "decoding"))
    with on_log(lambda line: run.stop() if line.startswith("Data") else None):
        result = train(run.config(), run)
    assert (result.reason, result.epochs) == ("stopped", 0)
    assert run.status().state == "stopped" and not list((films / "cache").glob("*.npy"))


def test_a_list_of_what_no_teacher_has_seen_is_refused(films):
    run = Run.create(config(films, "list", teacher_list=str(films / "test_list.txt")))
    with pytest.raises(RunError, match="there is no --teacher"):
        train(run.config(), run)


def test_a_damaged_experiment_log_is_refused_before_the_work(films, own_home):
    (own_home / "experiments").mkdir()
    (own_home / "experiments" / "results.csv").write_text("experiment_id;date\n")
    run = Run.create(config(films, "log"))
    with pytest.raises(DataError, match="is not an experiment log"):
        train(run.config(), run)
    assert not (run.folder / "last.ckpt").exists()


def test_a_foreign_last_ckpt_is_refused(films):
    run = Run.create(config(films, "foreign"))
    (run.folder / "last.ckpt").write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match=r"last\.ckpt is not the state of this run"):
        train(run.config(), run)


class Hostile:
    """What a pickle can do when it is read."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_last_ckpt_with_code_in_it_is_refused_and_the_code_not_run(films, tmp_path):
    run = Run.create(config(films, "hostile"))
    torch.save({"model": Hostile(tmp_path / "ran")}, run.folder / "last.ckpt")
    with pytest.raises(CheckpointError, match=r"last\.ckpt is not the state of this run"):
        train(run.config(), run)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(films, device):
    run = Run.create(config(films, "device", device=device))
    with pytest.raises(RunError, match=device):
        train(run.config(), run)


@pytest.mark.slow
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
