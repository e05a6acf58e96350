"""One step: compiled, accumulated, with recomputed activations, it learns the same."""

import os
import subprocess
import sys

import pandas as pd
import pytest
import torch
from tiny_runs import TINY, config, run_to_end, state, weights

pytestmark = pytest.mark.usefixtures("quick_report")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*script_method. is deprecated:DeprecationWarning")  # of torch's own
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
