"""A device with too little memory: the error names what fits, and --auto-batch finds it."""

import subprocess
import sys

import pytest
import torch
from tiny_runs import assert_same_end, config, run_to_end

from xlite.errors import RunError
from xlite.runs.run import Run
from xlite.training.loop import train
from xlite.training.task import DistillTask

pytestmark = pytest.mark.usefixtures("quick_report")


def _out_of_memory_above(monkeypatch, films: int) -> None:
    """The device refuses steps on more films, as torch does; all else is real."""
    real = DistillTask.forward

    def forward(task, x, *rest):
        if len(x) > films and torch.is_grad_enabled():
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return real(task, x, *rest)

    monkeypatch.setattr(DistillTask, "forward", forward)


@pytest.mark.slow
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
@pytest.mark.alone
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


@pytest.mark.slow
def test_auto_batch_accumulates_until_batches_fit_and_leaves_no_trace(films, monkeypatch, caplog):
    asked, _ = run_to_end(config(films, "asked", accumulate=4, epochs=1))
    _out_of_memory_above(monkeypatch, 5)
    found, _ = run_to_end(config(films, "found", auto_batch=True, epochs=1))
    [line] = [line for line in caplog.messages if line.startswith("Gradient accumulation")]
    assert "16" in line and "4 micro-batches" in line
    assert_same_end(asked, found)
