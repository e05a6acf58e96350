"""Several processes that train one run: real ones, on gloo. They do what one process does."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pandas as pd
import pytest
import torch.distributed as dist
from tiny_runs import assert_same_training
from torch.multiprocessing import get_context, start_processes
from unknown_labels import hide_some

from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split
from xlite.runs.run import Run
from xlite.training.distributed import final_barrier, leader_first

pytestmark = pytest.mark.slow

# With batch norm and dropout, both of which depend on the whole batch.
TINY = [
    "--backbone",
    "test_resnet.r160_in1k",
    "--weights",
    "none",
    "--image-size",
    "64",
    "--batch-size",
    "16",
    "--epochs",
    "3",
    "--device",
    "cpu",
    "--hidden",
    "16",
    "--ema",
    "0.5",
    "--seed",
    "5",
]


def command(films: Path, name: str, *options: str) -> list[str]:
    return ["xlite", "train", "--data", str(films), "--name", name, *TINY, *options]


def start(words: list[str], **environment: str) -> subprocess.Popen:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(words: list[str]) -> str:
    child = start(words)
    said, _ = child.communicate(timeout=300)
    assert child.returncode == 0, said
    return said


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), marks=pytest.mark.release),
        ("--mixup", "0.4", "--auxiliary", "0.5", "--layer-decay", "0.8", "--augment", "light"),
    ],
)
def test_two_processes_train_as_one(films, options):
    finish(command(films, "one", *options))
    said = finish(command(films, "two", "--devices", "2", *options))
    assert said.count("epoch 3/3") == 1  # the second process says nothing
    assert_same_training(Run.named("one"), Run.named("two"))
    assert Run.named("two").status().state == "finished"


@pytest.mark.release
def test_two_processes_of_which_one_knows_less_than_the_other_train_as_one(films):
    """By the loss of each epoch: what a film weighs does not depend on its process or micro-batch."""
    hide_some(films, share=0.6)
    plain = ["--backbone", "test_convnext.r160_in1k", "--dropout", "0"]  # no batch norm
    finish(command(films, "one", *plain, "--accumulate", "2"))
    finish(command(films, "two", *plain, "--devices", "2"))
    rows = [Run.named(name).read_metrics()[["train_loss", "val_loss", "val_auc"]] for name in ("one", "two")]
    pd.testing.assert_frame_equal(*rows, rtol=0, atol=1e-3)
    assert len(rows[0]) == 3


@pytest.mark.release
def test_torchrun_starts_them_too_and_micro_batches_are_shared(films):
    launcher = ["torch.distributed.run", "--nproc-per-node", "2", "--standalone", "-m"]
    plain = ["--backbone", "test_convnext.r160_in1k", "--dropout", "0", "--accumulate", "2"]
    finish(command(films, "one", *plain))
    finish([*launcher, *command(films, "two", *plain)])
    assert_same_training(Run.named("one"), Run.named("two"))


@pytest.mark.release
def test_a_killed_leader_takes_the_others_along_and_resume_goes_on_as_if_nothing_had_been(films):
    options = ["--devices", "2", "--epochs", "5"]
    finish(command(films, "whole", *options))
    child = start(command(films, "cut", *options))
    run = _wait_for_epoch("cut", 2)
    os.kill(child.pid, signal.SIGKILL)
    child.communicate(timeout=60)  # ends once no follower holds the pipe any more
    assert run.status().state == "killed" and len(run.read_metrics()) < 5
    finish(["xlite", "train", "--resume", "cut"])
    assert_same_training(Run.named("whole"), run)


def test_a_stop_ends_all_processes_in_the_same_step(films):
    child = start(command(films, "stopped", "--devices", "2", "--epochs", "500", "--patience", "500"))
    run = _wait_for_epoch("stopped", 1)
    run.stop()
    said, _ = child.communicate(timeout=60)
    assert child.returncode == 0 and "Go on with: xlite train --resume stopped" in said
    assert run.status().state == "stopped"


def _wait_for_epoch(name: str, epoch: int) -> Run:
    return _wait_for(lambda run: len(run.read_metrics()) >= epoch, name)


def _wait_for(condition: Callable[[Run], bool], name: str) -> Run:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        run = next((run for run in Run.list() if run.name == name), None)
        if run is not None and condition(run):
            return run
        time.sleep(0.05)
    raise AssertionError(f"waited for {name} in vain")


@pytest.mark.release
def test_a_run_on_several_machines_says_what_to_type_on_the_others(films):
    finish(command(films, "one"))
    first = start(command(films, "two", "--nodes", "2"))
    run = _wait_for(lambda run: "waits" in run.status().message, "two")
    status = run.status()
    begin = "waits for the other processes (1 of 2 here); on each other machine type: NODE_RANK=1 "
    assert status.state == "queued" and status.message.startswith(begin)
    typed = status.message.partition("type: ")[2].split()
    assert typed[-4:] == ["xlite", "train", "--resume", "two"]
    second = start(typed[-4:], **dict(word.split("=") for word in typed[:-4]))
    said, _ = first.communicate(timeout=300)
    second.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 0), said
    assert f"Run two {status.message}\n" in said and "srun" not in said
    assert_same_training(Run.named("one"), run)


@pytest.mark.parametrize("by", ["request", "keyboard"])
def test_a_run_that_waits_for_other_machines_can_be_stopped(films, by):
    first = start(command(films, "alone", "--nodes", "3", "--batch-size", "12"))
    run = _wait_for(lambda run: "waits" in run.status().message, "alone")
    assert "NODE_RANK=<1 to 2> " in run.status().message
    run.stop() if by == "request" else first.send_signal(signal.SIGINT)
    first.communicate(timeout=30)
    assert run.status().state == "stopped"


@pytest.mark.release
def test_a_stop_while_the_leader_decodes_ends_all_processes_and_none_decodes_in_its_place(films, tmp_path):
    script, decoders = tmp_path / "slow.py", tmp_path / "decoders"
    script.write_text(
        "import os, time\n"
        "from xlite.cli import main\n"
        "from xlite.data import cache\n"
        "read = cache.read_image\n"
        "def slowly(path):\n"
        f"    with open({str(decoders)!r}, 'a') as log:\n"
        "        print(os.getpid(), file=log)\n"
        "    time.sleep(0.3)\n"
        "    return read(path)\n"
        "cache.read_image = slowly\n"
        "main()\n"
    )
    words = [sys.executable, str(script), *command(films, "stopped", "--devices", "2")[1:]]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    run = _wait_for(lambda run: "decoded" in run.status().message, "stopped")
    run.stop()
    said, _ = child.communicate(timeout=60)  # ends once no follower holds the pipe any more
    assert (child.returncode, run.status().state) == (0, "stopped"), said
    assert said.endswith("Go on with: xlite train --resume stopped\n") and "Traceback" not in said
    assert len(set(decoders.read_text().split())) == 1


def _part(rank: int, rendezvous: str, ends: bool, times: SimpleQueue) -> None:
    dist.init_process_group("gloo", init_method=rendezvous, rank=rank, world_size=2)
    wait_for_all = final_barrier()
    if rank == 0:
        time.sleep(3)
        if not ends:
            os._exit(0)
    began = time.monotonic()
    wait_for_all()
    times.put((rank, time.monotonic() - began))
    dist.destroy_process_group()


@pytest.mark.parametrize("ends", [pytest.param(True, marks=pytest.mark.release), False])
def test_followers_stay_until_the_leader_has_ended_or_died(tmp_path, ends):
    times = get_context("spawn").SimpleQueue()
    rendezvous = f"file://{tmp_path}/rendezvous"
    start_processes(_part, (rendezvous, ends, times), nprocs=2)
    waited = dict(times.get() for _ in range(1 + ends))
    assert waited.keys() == ({0, 1} if ends else {1})
    assert waited[1] > 2


def _in_turn(rank: int, rendezvous: str, ends: bool, times: SimpleQueue, both: Barrier) -> None:
    short = timedelta(
        seconds=2
    )  # what a collective waits, as the first meeting does; the leader is alone for longer
    both.wait()  # one may have started seconds after the other
    dist.init_process_group("gloo", init_method=rendezvous, rank=rank, world_size=2, timeout=short)
    try:
        with leader_first():
            began = time.monotonic()
            if rank == 0:
                time.sleep(6)
                if not ends:
                    os._exit(0)
            times.put((rank, began))
    except RuntimeError:
        times.put((rank, None))


@pytest.mark.parametrize("ends", [True, pytest.param(False, marks=pytest.mark.release)])
def test_others_wait_for_what_the_leader_does_first_however_long_and_end_with_it(tmp_path, ends):
    times, both = get_context("spawn").SimpleQueue(), get_context("spawn").Barrier(2)
    start_processes(_in_turn, (f"file://{tmp_path}/rendezvous", ends, times, both), nprocs=2)
    began = dict(times.get() for _ in range(1 + ends))
    if ends:
        assert began[1] - began[0] > 5.5
    else:
        assert began == {1: None}


@pytest.mark.release
def test_the_step_that_broke_in_any_process_is_told_with_its_films(films, tmp_path):
    """One film has a label that is endless: the process that meets it need not be the one that reports it."""
    script = tmp_path / "poisoned.py"
    script.write_text(
        "from xlite.cli import main\n"
        "from xlite.data.dataset import FilmDataset\n"
        "read = FilmDataset.__getitems__\n"
        "def poisoned(self, rows):\n"
        "    batch = read(self, rows)\n"
        "    batch.labels[batch.rows == 7] = float('inf')\n"
        "    return batch\n"
        "FilmDataset.__getitems__ = poisoned\n"
        "main()\n"
    )
    launcher = ["torch.distributed.run", "--nproc-per-node", "2", "--standalone", str(script)]
    options = ["--backbone", "test_convnext.r160_in1k"]
    said, _ = start([*launcher, *command(films, "nan", *options)[1:]]).communicate(timeout=300)
    assert "the loss is NaN in step" in said and "IndexError" not in said
    run = Run.named("nan")
    assert run.status().state == "failed"
    poison = load_split(NihFolder.open(films), "patient").stems("train")[7]
    broken = json.loads((run.folder / "broken_batch.json").read_text())
    assert poison in broken["images"] and len(broken["images"]) == 16


def test_a_batch_that_cannot_be_shared_is_refused(films):
    child = start(command(films, "odd", "--devices", "3"))
    said, _ = child.communicate(timeout=60)
    assert child.returncode == 2 and "Traceback" not in said
    assert "--batch-size 16" in said and "3 processes" in said and "multiple of 3" in said
