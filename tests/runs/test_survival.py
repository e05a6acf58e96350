"""Runs that die at any moment or meet a full disk: nothing finished is lost, and going on is exact."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from noise_folder import write_noise_folder
from streamlit.testing.v1 import AppTest
from tiny_runs import assert_same_end, config, run_to_end, state

from xlite.errors import DataError, RunError
from xlite.models.checkpoint import load_model
from xlite.places import bundled, checkpoints_dir
from xlite.runs.device_queue import Device, device_turn
from xlite.runs.run import Run
from xlite.runs.status import RunStatus
from xlite.training.loop import train

# Imports once and forks for each attempt: every attempt is a process of its own, and starts at once.
FORKING = """
import os, sys
from xlite.training.loop import train
from xlite.runs.run import Run
run = Run.named(sys.argv[1])
print("ready", flush=True)
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        train(run.config(), run)
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("over", flush=True)
"""


@pytest.fixture
def forty_films(tmp_path: Path) -> Path:
    """40 noise films of 20 patients."""
    return write_noise_folder(tmp_path / "films", patients=20)


class Attempts:
    """Starts trainers of one run, one after the other, and kills them."""

    def __init__(self, run: Run):
        self.run = run
        words = [sys.executable, "-c", FORKING, run.name]
        self.server = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.server.stdout.readline() == "ready\n"

    def start(self) -> int:
        """The process id of a new trainer."""
        self.server.stdin.write("\n")
        self.server.stdin.flush()
        return int(self.server.stdout.readline())

    def wait(self) -> None:
        """Until the trainer has ended."""
        assert self.server.stdout.readline() == "over\n"

    def close(self) -> None:
        """Ends the server."""
        self.server.stdin.close()
        self.server.wait(60)
        self.server.stdout.close()


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("kills", [10, pytest.param(50, marks=pytest.mark.release)])
def test_kills_lose_no_finished_epoch_and_change_no_bit(forty_films: Path, kills: int) -> None:
    """Half of the kills come within milliseconds of a file being written, the others at any time: a tenth of
    all after one more epoch has ended, so that the run moves on however slow the machine is.
    """
    epochs = 2 * kills
    settings = {"epochs": epochs, "patience": epochs, "ema": 0.9}
    whole, _ = run_to_end(config(forty_films, "whole", **settings))
    run = Run.create(config(forty_films, "killed", **settings))
    attempts, chance, finished, first_epoch_s = Attempts(run), random.Random(7), 0, 0.0
    for kill in range(kills):
        trainer, began = attempts.start(), time.monotonic()
        if kill == 0 or kill % 2:
            wait_for_a_draft(run, trainer)
            first_epoch_s = first_epoch_s or time.monotonic() - began
            time.sleep(chance.uniform(0, 0.003))
        else:
            if kill % 5 == 4:
                wait_for_an_epoch(run, after=finished)
            wait_for_an_epoch(run, after=finished + 1, at_most_s=chance.uniform(0, first_epoch_s))
        os.kill(trainer, signal.SIGKILL)
        attempts.wait()
        assert run.status().state in ("killed", "new")
        finished = check_what_is_left(run, finished)
    assert kills // 10 <= finished < epochs
    attempts.start()
    attempts.wait()
    attempts.close()
    assert run.status().state == "finished"
    assert not list(run.folder.glob(".*.tmp"))
    assert_same_end(whole, run)


def wait_for_a_draft(run: Run, trainer: int) -> None:
    """Returns as soon as this trainer writes a checkpoint or a model."""
    drafts = (f".last.ckpt.{trainer}.", f".model.safetensors.{trainer}.")
    deadline = time.monotonic() + 120
    while not any(name.startswith(drafts) for name in os.listdir(run.folder)):
        assert time.monotonic() < deadline


def wait_for_an_epoch(run: Run, after: int, at_most_s: float | None = None) -> None:
    """Returns once the run's state holds more epochs than `after`, or when that time is over."""
    deadline = time.monotonic() + (120 if at_most_s is None else at_most_s)
    while len(run.read_metrics()) <= after:
        if time.monotonic() >= deadline:
            assert at_most_s is not None
            return
        time.sleep(0.002)


def check_what_is_left(run: Run, finished: int) -> int:
    """The epochs that the state holds: no fewer than before, nor than metrics.csv tells of."""
    if not run.path("last.ckpt").exists():
        assert finished == 0 and run.read_metrics().empty
        return 0
    epochs = state(run)["state"]["epoch"]
    assert epochs >= finished
    assert epochs - len(run.read_metrics()) in (0, 1)  # the state is written first
    load_model(run.path("model.safetensors"))
    return epochs


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB, mounted for the test; skipped if that needs more rights."""
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)]
    if sys.platform != "linux" or subprocess.run(words, capture_output=True).returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Leaves not one free byte on a disk."""
    filler = disk / "filler"
    with open(filler, "ab", buffering=0) as file:
        for size in (2**20, 2**12, 1):
            try:
                while file.write(b"\xff" * size) == size:
                    pass
            except OSError:
                continue
    return filler


@pytest.mark.release
@pytest.mark.slow
@pytest.mark.alone
def test_a_full_disk_keeps_the_last_epoch_and_the_run_says_why(
    forty_films: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"epochs": 30, "patience": 30}
    whole, _ = run_to_end(config(forty_films, "whole", **settings))
    monkeypatch.setenv("XLITE_HOME", str(small_disk))
    run = Run.create(config(forty_films, "full", **settings))
    run.start()
    deadline = time.monotonic() + 120
    while len(run.read_metrics()) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    filler = fill(small_disk)
    while run.is_held():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    status, rows = run.status(), len(run.read_metrics())
    assert 2 <= rows < 30
    assert status.state == "failed"
    assert status.message.startswith(f"the disk is full, so {run.folder}/")
    assert status.message in run.log_tail(3)
    assert state(run)["state"]["epoch"] - rows in (0, 1)
    load_model(run.path("model.safetensors"))
    assert [path.name for path in run.folder.glob(".*.tmp")] == []
    filler.unlink()
    run.start()
    while run.is_held():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert run.status().state == "finished"
    assert_same_end(whole, run)


@pytest.mark.slow
@pytest.mark.alone
def test_a_disk_that_fills_while_the_cache_is_built_leaves_no_half_of_it(
    forty_films: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Path(shutil.copytree(forty_films, small_disk / "films"))
    run = Run.create(config(data, "large", image_size=704))  # 40 films of 0.5 MB
    with pytest.raises(DataError) as refusal:
        train(run.config(), run)
    assert str(refusal.value).startswith(f"the disk is full, so {data / 'cache'} could not be written")
    assert str(refusal.value).endswith("the cache of 40 films at 704 px takes 0.0 GB")
    assert (run.status().state, run.status().message) == ("failed", str(refusal.value))
    # As if somebody else filled it meanwhile: the writing itself fails.
    monkeypatch.setattr("xlite.data.cache._check_disk", lambda folder, needed: None)
    with pytest.raises(DataError, match="the disk is full, so .* could not be written"):
        train(run.config(), run)
    assert [path.name for path in (data / "cache").iterdir()] == ["films-704.lock"]
    assert run_to_end(config(data, "small"))[0].status().state == "finished"


SET_CLOCK = """
import datetime, random, sys, time
from xlite.runs import run as runs, work_folder
from xlite.training import provenance
from xlite.training.loop import train
chance, wall, wall_ns = random.Random(3), time.time, time.time_ns
jump = lambda: chance.uniform(-3e8, 3e8)  # ten years back or forward
time.time, time.time_ns = (lambda: wall() + jump()), (lambda: wall_ns() + int(1e9 * jump()))
class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)
runs.datetime = work_folder.datetime = provenance.datetime = Clock
run = runs.Run.named(sys.argv[1])
train(run.config(), run)
"""


@pytest.mark.slow
@pytest.mark.alone
def test_a_clock_that_is_set_back_and_forward_changes_nothing_of_a_run(forty_films: Path) -> None:
    """It waits for its turn, trains and is judged, and each look at the clock tells another time."""
    whole, _ = run_to_end(config(forty_films, "whole", epochs=5))
    run, first = (Run.create(config(forty_films, name, epochs=5)) for name in ("jumping", "first"))
    began, told = time.monotonic(), list[RunStatus]()
    with first.hold(), device_turn(first, [Device("cpu", "cpu")]):
        child = subprocess.Popen([sys.executable, "-c", SET_CLOCK, run.name])
        while run.status().message != "waits for CPU behind first (1st in the queue)":
            assert child.poll() is None and time.monotonic() - began < 120
            time.sleep(0.02)
    while child.poll() is None:
        told.append(run.status())
        time.sleep(0.02)
    took = time.monotonic() - began
    assert (child.returncode, run.status().state) == (0, "finished")
    assert_same_end(whole, run)
    assert {status.state for status in told} <= {"queued", "running", "finished"}
    assert all(0 <= status.elapsed_s <= took for status in told)
    assert all(0 <= status.eta_s <= 10 * took for status in told if status.eta_s is not None)
    assert run.read_metrics()["seconds"].between(0, took).all()


STARTS_BY_THE_PAGE = """
import os, sys
from streamlit.testing.v1 import AppTest
from xlite.places import bundled
test = AppTest.from_file(bundled("pages", "train.py"), default_timeout=120)
for words in sys.argv[1:]:
    name, value = words.split("=")
    test.session_state[name] = int(value) if value.isdigit() else value
test.run()
[start] = [button for button in test.button if button.label == "Start training"]
start.click().run()
assert not test.error and not test.exception, [one.value for one in test.error]
print("started", flush=True)
sys.stdin.read()
"""


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="has no process groups")
def test_a_run_outlives_the_app_that_started_it_and_is_found_again(forty_films: Path) -> None:
    given = {
        "data": forty_films, "name": "lives", "epochs": 5000, "patience": 5000, "image_size": 32,
        "batch_size": 16,
    }  # fmt: skip
    words = [sys.executable, "-c", STARTS_BY_THE_PAGE, *(f"{name}={value}" for name, value in given.items())]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "start_new_session": True}
    paths = [str(bundled("app")), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    run = Run(checkpoints_dir() / "lives")
    with subprocess.Popen(words, env=environment, **pipes) as app:
        assert app.stdout.readline() == "started\n"
        os.killpg(app.pid, signal.SIGKILL)
    try:
        wait_for_an_epoch(run, after=len(run.read_metrics()))
        test = AppTest.from_file(bundled("pages", "train.py"), default_timeout=120).run()
        assert "**lives** :green-badge[running]" in "".join(one.value for one in test.markdown)
        assert [one.label for one in test.button if one.label in ("Stop", "Resume")] == ["Stop"]
        with pytest.raises(RunError, match="run 'lives' is already running"):
            run.start()
    finally:
        run.stop()
        while run.is_held():
            time.sleep(0.05)
    assert run.status().state == "stopped"
