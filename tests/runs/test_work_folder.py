"""What runs and studies share, tried with runs: who works in a folder, what it said last, start and stop."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock
import pytest

from xlite.config import make_config
from xlite.errors import DataError, RunError
from xlite.runs import work_folder
from xlite.runs.run import Run
from xlite.runs.status import LIVE, RunStatus

HOLDER = """
import os, sys, time
from pathlib import Path
from xlite.runs.run import Run
from xlite.runs.status import RunStatus
with Run(Path(sys.argv[1])).hold() as _:
    Run(Path(sys.argv[1])).write_progress(RunStatus(state="running", epoch=2, epochs=5))
    if sys.argv[2] == "fork" and os.fork() == 0:
        time.sleep(20)  # as a loader's worker, which outlives a trainer that was killed for a moment
        os._exit(0)
    print("held", flush=True)
    time.sleep(20)
"""


@pytest.fixture
def run() -> Run:
    return Run.create(make_config({"data": "films", "name": "one"}))


@pytest.fixture
def trainer(run: Run):
    """Starts a process that holds the run as a trainer does; ends it with its children."""
    started = []

    def start(how: str = "plain") -> subprocess.Popen:
        child = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(run.folder), how],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(child)
        assert child.stdout.readline() == "held\n"
        return child

    yield start
    for child in started:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_states_of_a_run_in_this_process(run: Run) -> None:
    other = Run(run.folder)
    assert other.status().state == "new"
    with run.hold():
        assert other.status().state == "queued"
        run.write_progress(RunStatus(state="running", epoch=1, epochs=4, loss=0.5, unknown=1))
        status = other.status()
        expected = RunStatus(state="running", epoch=1, epochs=4, loss=0.5, updated=status.updated)
        assert status == expected
        with run.hold():  # the command holds it, and the loop within it
            pass
        assert other.is_held()
        run.write_progress(RunStatus(state="finished", epoch=4, epochs=4))
    assert not other.is_held()
    assert other.status().state == "finished"


@pytest.mark.slow
def test_a_reader_sees_killed_at_once(run: Run, trainer) -> None:
    child = trainer()
    assert run.status().state == "running"
    child.kill()
    began = time.monotonic()
    wait_for(lambda: run.status().state != "running", 5)  # not yet reaped: still a zombie
    assert time.monotonic() - began < 1
    status = run.status()
    assert (status.state, status.epoch, status.epochs, status.eta_s) == ("killed", 2, 5, None)
    assert "resume" in status.message


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_an_orphaned_worker_does_not_pass_for_the_trainer(run: Run, trainer) -> None:
    child = trainer("fork")
    os.kill(child.pid, signal.SIGKILL)
    wait_for(lambda: run.status().state == "killed", 2)
    with run.hold():
        pass


@pytest.mark.slow
def test_only_one_holds_a_run(run: Run, trainer) -> None:
    trainer()
    with pytest.raises(RunError, match="run 'one' is already running"), run.hold():
        pass
    with pytest.raises(RunError, match="already running"):
        run.start()
    assert run.status().state == "running"


@contextmanager
def meanwhile(act: Callable[[], object], threads: int = 1) -> Iterator[None]:
    """Does something again and again in threads, until the block ends."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.is_set():
            act()

    workers = [threading.Thread(target=go_on) for _ in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        ended.set()
        for worker in workers:
            worker.join()


class SlowLock(filelock.FileLock):
    """A lock that is let go of late, so that two who look at once would meet."""

    def release(self, force: bool = False) -> None:
        time.sleep(0.005)
        super().release(force)


@pytest.mark.slow
def test_readers_never_pass_for_a_trainer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look takes the lock for a moment; neither a trainer nor another reader may stumble over it."""
    monkeypatch.setattr(filelock, "FileLock", SlowLock)
    run.write_progress(RunStatus(state="running"))
    seen: list[str] = []
    with meanwhile(lambda: seen.append(Run(run.folder).status().state), threads=4):
        time.sleep(0.5)
        states = set(seen)
        for _ in range(5):
            with run.hold():
                pass
    assert states == {"killed"}


@pytest.mark.parametrize(
    ("error", "state", "message"),
    [
        (DataError("3 films are missing"), "failed", "3 films are missing"),
        (
            OSError(28, "No space left on device", "last.ckpt"),
            "failed",
            "the disk is full, so last.ckpt",
        ),
        (OSError(5, "Input/output error"), "failed", "Input/output error"),
        (ZeroDivisionError("division by zero"), "failed", "ZeroDivisionError: division by zero"),
        (KeyboardInterrupt(), "stopped", "interrupted from the keyboard"),
    ],
)
def test_what_ends_a_trainer_is_kept(run: Run, error: BaseException, state: str, message: str) -> None:
    with pytest.raises(type(error)), run.hold():
        run.write_progress(RunStatus(state="running", epoch=3, eta_s=9.0))
        raise error
    status = run.status()
    assert (status.state, status.epoch, status.eta_s) == (state, 3, None)
    assert status.message.startswith(message)


@pytest.mark.slow
def test_stop_is_asked_for_and_forgotten_by_the_next_attempt(run: Run, trainer) -> None:
    with pytest.raises(RunError, match=r"does not run \(it is new\)"):
        run.stop()
    child = trainer()
    run.stop()
    assert run.stop_requested()
    child.kill()
    child.wait()
    with run.hold():
        assert not run.stop_requested()


def test_a_progress_file_of_another_hand_is_told(run: Run) -> None:
    for content in ("{", "[]", '"text"', '{"state": "dancing"}', '{"epoch": "second"}'):
        run.path("progress.json").write_text(content)
        status = run.status()
        assert status.state == "failed"
        assert "progress.json" in status.message


def test_write_progress_is_whole_for_every_reader(run: Run) -> None:
    progress = RunStatus(state="running", message="x" * 20_000)
    run.write_progress(progress)
    with meanwhile(lambda: run.write_progress(progress)):
        lengths = {len(json.loads(run.path("progress.json").read_bytes())["message"]) for _ in range(300)}
    assert lengths == {20_000}
    assert sorted(path.name for path in run.folder.iterdir()) == ["config.json", "progress.json"]


def test_log_tail_shows_the_last_state_of_a_bar(run: Run) -> None:
    assert run.log_tail() == ""
    run.path("log.txt").write_bytes(b"a\nb\n 10%\r 50%\r100%\r\nc \xff\n")
    assert run.log_tail(3) == "b\n100%\nc \ufffd"
    run.path("log.txt").write_bytes(b"line\n" * 100_000 + b"end\n")
    assert run.log_tail(2) == "line\nend"


@pytest.mark.slow
def test_start_gives_a_child_that_outlives_its_starter(run: Run) -> None:
    pytest.importorskip("torch")
    code = f"from xlite.runs.run import Run; Run({str(run.folder)!r}).start()"
    starter = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert starter.stdout + starter.stderr == ""
    assert run.is_held() or run.status().state == "failed"
    wait_for(lambda: run.status().state == "failed", 60)
    missing = str(run.config().data)
    assert missing in run.status().message
    wait_for(lambda: missing in run.log_tail(1), 30)  # the status is written first


def test_start_tells_why_a_child_died_at_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RunError, match="run 'one' did not start: no word in log.txt"):
        run.start()
    assert run.status().state == "new"


@pytest.mark.slow
def test_two_who_press_start_make_one_trainer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[subprocess.Popen] = []
    outcomes: list[str] = []

    def spawn(command: list[str], home: Path, log: Path) -> subprocess.Popen:
        words = [sys.executable, "-c", HOLDER, str(home / "checkpoints" / command[-1]), "plain"]
        children.append(subprocess.Popen(words, stdout=subprocess.DEVNULL))
        return children[-1]

    monkeypatch.setattr(work_folder, "spawn", spawn)

    def press() -> None:
        try:
            Run(run.folder).start()
            outcomes.append("started")
        except RunError as error:
            outcomes.append(str(error))

    presses = [threading.Thread(target=press) for _ in range(4)]
    for thread in presses:
        thread.start()
    for thread in presses:
        thread.join()
    state = run.status().state
    for child in children:
        child.kill()
        child.wait()
    assert (len(children), outcomes.count("started")) == (1, 1)
    assert state in LIVE  # queued from when the child holds it until it says that it runs
    assert set(outcomes) <= {
        "started",
        "run 'one' is already running",
        "run 'one' is already being started",
    }
