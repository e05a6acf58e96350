"""One step: compiled, accumulated, with recomputed activations, it learns the same; also if labels are
unknown.
"""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from tiny_runs import TINY, config, run_to_end, state, weights
from unknown_labels import hide_some

from xlite.data.dataset import model_input
from xlite.metrics.per_finding import auc_per_class
from xlite.training.batch import StepBatch
from xlite.training.fabric import open_fabric
from xlite.training.job import open_job
from xlite.training.step import Learner

pytestmark = pytest.mark.usefixtures("quick_report")


@pytest.mark.release
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*script_method. is deprecated:DeprecationWarning")  # of torch's own
def test_a_compiled_run_learns_the_same(films):
    plain, _ = run_to_end(config(films, "plain", epochs=2, dropout=0))
    compiled, _ = run_to_end(config(films, "compiled", epochs=2, dropout=0, compile=True))
    rows = [run.read_metrics()[["train_loss", "val_loss"]] for run in (plain, compiled)]
    pd.testing.assert_frame_equal(*rows, rtol=1e-3)
    assert weights(plain).keys() == weights(compiled).keys()


@pytest.mark.release
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


@pytest.mark.slow
def test_accumulated_gradients_are_those_of_the_batch(films):
    """On a model without batch norm, for it alone knows how large its batch is."""
    plain = {"backbone": "test_convnext.r160_in1k", "dropout": 0.0, "epochs": 1}
    whole, _ = run_to_end(config(films, "whole", **plain))
    accumulated, _ = run_to_end(config(films, "accumulated", accumulate=4, **plain))
    at_once, in_four = state(whole)["model"], state(accumulated)["model"]
    assert all(torch.allclose(at_once[key], in_four[key], atol=2e-4) for key in at_once)
    assert not all(torch.equal(at_once[key], in_four[key]) for key in at_once)  # it did go another way


@pytest.mark.slow
def test_recomputed_activations_change_no_gradient(films):
    plain = {"backbone": "test_convnext.r160_in1k", "epochs": 1}
    kept, _ = run_to_end(config(films, "kept", **plain))
    twice, _ = run_to_end(config(films, "twice", grad_checkpointing=True, **plain))
    kept_weights, again = weights(kept), weights(twice)
    assert all(torch.allclose(kept_weights[key], again[key], atol=1e-6) for key in kept_weights)


def learner_on(films, **changes) -> Learner:
    """A learner without batch norm, whose batch would be more than its films."""
    plain = {"backbone": "test_convnext.r160_in1k", "dropout": 0.0, "augment": "none", **changes}
    settings = config(films, "step", **plain)
    return Learner(open_fabric(settings, "cpu"), open_job(settings, None, lambda done, total: None))


def gradients(learner: Learner, batch: StepBatch, micro_batches: int = 1) -> list[torch.Tensor]:
    """Those of one step, its losses first."""
    learner.optimizer.zero_grad()
    losses = learner.gradients(batch, micro_batches)
    return [losses[:1], *(p.grad.clone() for p in learner.student.parameters() if p.grad is not None)]


def uneven(learner: Learner) -> StepBatch:
    """The first batch, of whose first half almost nothing is known."""
    learner.begin(1)
    batch = next(iter(learner.batches()))
    batch.labels[: len(batch.labels) // 2, 1:] = torch.nan
    return batch


@pytest.mark.slow
def test_micro_batches_that_know_more_or_less_are_one_step(films):
    hide_some(films)
    learner = learner_on(films)
    batch = uneven(learner)
    whole, in_four = gradients(learner, batch), gradients(learner, batch, micro_batches=4)
    assert len(whole) > 10 and whole[1].abs().sum() > 0
    for one, other in zip(whole, in_four, strict=True):
        torch.testing.assert_close(one, other, atol=2e-6, rtol=2e-4)


@pytest.mark.slow
def test_processes_that_know_more_or_less_are_one_step(films, monkeypatch):
    """Each of two has half of the batch; what they tell each other is the mean of what both know."""
    hide_some(films)
    learner = learner_on(films)
    batch = uneven(learner)
    whole, half = gradients(learner, batch), len(batch.x) // 2
    shares = [StepBatch(*(tensor[part] for tensor in batch)) for part in (slice(half), slice(half, None))]
    mine: list[torch.Tensor] = []
    monkeypatch.setattr(learner, "over_processes", lambda told: mine.append(told) or told)
    for share in shares:
        learner._told(share)
    both = (mine[0] + mine[1]) / 2
    assert mine[0] < 0.5 * mine[1]
    monkeypatch.setattr(learner, "over_processes", lambda told: both)
    halves = [gradients(learner, share) for share in shares]
    for one, *parts in zip(whole, *halves, strict=True):
        torch.testing.assert_close(one, (parts[0] + parts[1]) / 2, atol=2e-6, rtol=2e-4)


@pytest.mark.slow
def test_where_all_labels_are_known_processes_need_not_ask_each_other(films, monkeypatch):
    learner = learner_on(films)
    monkeypatch.setattr(learner, "over_processes", None)
    learner.begin(1)
    assert learner._told(next(iter(learner.batches()))) == 1


@pytest.mark.slow
def test_an_epoch_and_its_validation_leave_out_what_is_unknown(films):
    folder = hide_some(films)
    learner = learner_on(films, mixup=0.4, loss="weighted_focal", sampler="balanced")
    *_, means = learner.epoch(1)
    assert means.isfinite().all() and means[0] > 0
    loss, aucs = learner.validate(lambda: None)
    labels = learner.job.val.labels.numpy()
    np.testing.assert_array_equal(labels, folder.labels(learner.job.split.stems("val")))
    with torch.inference_mode():
        films_read = torch.cat([learner.kept(x) for x in _inputs(learner)]).float().numpy()
    known = ~np.isnan(labels)
    bce = F.binary_cross_entropy_with_logits(*map(torch.from_numpy, (films_read[known], labels[known])))
    assert loss == pytest.approx(bce.item(), rel=1e-5)
    expected = [
        auc_per_class(labels[here, c : c + 1], films_read[here, c : c + 1])[0]
        for c, here in enumerate(known.T)
    ]
    np.testing.assert_allclose(aucs, expected)
    assert 0 < np.isfinite(aucs).sum() < 14


def _inputs(learner: Learner):
    return [model_input(batch.films, learner.job.val.preprocess) for batch in learner.val_loader]
