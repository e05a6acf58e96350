"""The queue for devices: one run a device, first come, first served, and nobody waits for the dead."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tiny_runs import on_log

from xlite.config import make_config
from xlite.errors import DataError, RunError
from xlite.places import checkpoints_dir
from xlite.runs import device_queue
from xlite.runs.device_queue import Device, DeviceQueue, Ticket, device_turn, pick, queue_folder, waiting_for
from xlite.runs.listing import Listing
from xlite.runs.run import Run
from xlite.runs.status import RunStatus
from xlite.training.fabric import usable_devices
from xlite.training.loop import FitResult, train

CPU = Device("cpu", "cpu")
GPUS = [Device("cuda:0", "gpu-a"), Device("cuda:1", "gpu-b")]
TAKER = """
import os, sys, time
from xlite.cli.console import log_to
from xlite.runs.device_queue import Device, device_turn
from xlite.runs.run import Run
run = Run.named(sys.argv[1])
with log_to(), run.hold(), device_turn(run, [Device("cpu", "cpu")]) as (device,):
    if sys.argv[2] == "fork" and os.fork() == 0:
        time.sleep(20)  # as a loader's worker, which outlives a trainer that was killed for a moment
        os._exit(0)
    print("has", device.name, flush=True)
    time.sleep(20)
"""


@pytest.fixture
def events() -> Iterator[list[str]]:
    """What X-Lite says while the test lasts, in the order of what happens."""
    said: list[str] = []
    with on_log(said.append):
        yield said


def new_run(name: str) -> Run:
    return Run.create(make_config({"data": "films", "name": name}))


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_queue, "POLL_S", 0.02)


@pytest.fixture
def taker() -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts a process in which a run of that name waits for the CPU."""
    started: list[subprocess.Popen] = []

    def start(name: str, how: str = "plain") -> subprocess.Popen:
        new_run(name)
        words = [sys.executable, "-c", TAKER, name, how]
        started.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True))
        return started[-1]

    yield start
    for child in started:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # with what it forked
        child.communicate()


@pytest.mark.parametrize(
    ("others", "number", "wants", "needs", "expected"),
    [
        ([], 1, "ab", 1, "a"),
        ([(1, "ab", "a")], 2, "ab", 1, "b"),
        ([(1, "ab", "a")], 2, "a", 1, ""),
        ([(1, "a", "a"), (2, "ab", "b")], 3, "ab", 1, ""),
        # Whoever came first and waits for any of them is served first, though one is free at this moment.
        ([(1, "ab", "")], 2, "ab", 1, ""),
        ([(1, "a", "a"), (2, "a", "")], 3, "ab", 1, "b"),
        ([(1, "a", "a"), (2, "a", "")], 3, "b", 1, "b"),
        # Who came later does not matter, even if it was served already.
        ([(5, "ab", "b"), (6, "ab", "")], 4, "ab", 1, "a"),
        # As many as it needs, or none, and meanwhile nobody who came later takes one of them.
        ([], 1, "abc", 2, "ab"),
        ([(1, "ab", "a")], 2, "abc", 2, "bc"),
        ([(1, "a", "a")], 2, "ab", 2, ""),
        ([(1, "a", "a"), (2, "ab", "")], 3, "b", 1, ""),
    ],
)
def test_the_first_free_device_that_nobody_earlier_waits_for(
    others: list, number: int, wants: str, needs: int, expected: str
) -> None:
    queue = [Ticket(place, f"run{place}", tuple(keys), has=tuple(has)) for place, keys, has in others]
    mine = Ticket(number, "mine", tuple(wants), needs)
    assert pick([*queue, mine], mine) == tuple(expected)


@pytest.mark.parametrize(
    ("waiting", "sentence"),
    [
        ([], "waits for cuda:0 or cuda:1 behind one and two (1st in the queue)"),
        (["three"], "waits for cuda:0 or cuda:1 behind three (2nd in the queue)"),
        (["three", "four"], "waits for cuda:0 or cuda:1 behind four (3rd in the queue)"),
        ([f"r{n}" for n in range(10)], "waits for cuda:0 or cuda:1 behind r9 (11th in the queue)"),
        ([f"r{n}" for n in range(20)], "waits for cuda:0 or cuda:1 behind r19 (21st in the queue)"),
    ],
)
def test_who_waits_says_behind_whom(waiting: list[str], sentence: str) -> None:
    keys = ("gpu-a", "gpu-b")
    queue = [Ticket(1, "one", keys, has=("gpu-a",)), Ticket(2, "two", ("gpu-b",), has=("gpu-b",))]
    queue += [Ticket(3, "x", ("cpu",))]
    queue += [Ticket(number, name, keys) for number, name in enumerate(waiting, 4)]
    assert waiting_for(queue, Ticket(100, "mine", keys), GPUS) == sentence


@pytest.mark.slow
def test_a_run_waits_says_so_and_goes_on_as_soon_as_the_holder_is_killed(taker) -> None:
    """Neither the zombie that nobody reaped nor a worker that the holder left behind keeps the device."""
    holder = taker("first", "fork" if hasattr(os, "fork") else "plain")
    assert holder.stdout.readline() == "has cpu\n"
    second, killed = new_run("second"), []

    def kill(sentence: str) -> None:
        status = Run.named("second").status()
        assert sentence == "Run second waits for CPU behind first (1st in the queue)"
        assert (status.state, status.message) == ("queued", "waits for CPU behind first (1st in the queue)")
        os.kill(holder.pid, signal.SIGKILL)
        killed.append(time.monotonic())

    with on_log(kill), second.hold(), device_turn(second, [CPU]) as devices:
        assert (devices, len(killed), time.monotonic() - killed[0] < 1) == ([CPU], 1, True)
    assert list(queue_folder().glob("[0-9]*")) == []


@pytest.mark.slow
def test_the_queue_is_served_in_order_and_skips_the_dead(taker, events: list[str]) -> None:
    ended = {name: threading.Event() for name in ("first", "second", "fourth")}

    def stand(name: str) -> None:
        run = new_run(name)
        with run.hold(), device_turn(run, [CPU]):
            events.append(f"{name} has it")
            ended[name].wait(30)

    def see(event: str) -> None:
        wait_for(lambda: events[-1:] == [event])

    threads = {name: threading.Thread(target=stand, args=(name,)) for name in ended}
    threads["first"].start()
    see("first has it")
    threads["second"].start()
    see("Run second waits for CPU behind first (1st in the queue)")
    third = taker("third")
    assert third.stdout.readline() == "Run third waits for CPU behind second (2nd in the queue)\n"
    threads["fourth"].start()
    see("Run fourth waits for CPU behind third (3rd in the queue)")
    third.kill()
    see("Run fourth waits for CPU behind second (2nd in the queue)")
    ended["first"].set()
    wait_for(lambda: "second has it" in events)
    see("Run fourth waits for CPU behind second (1st in the queue)")
    ended["second"].set()
    see("fourth has it")
    ended["fourth"].set()
    for thread in threads.values():
        thread.join(10)


@pytest.mark.slow
def test_never_two_on_a_device_and_all_devices_are_used() -> None:
    """Ten runs on two devices: at most two at once, each on its own, all served."""
    lock, busy, most, served = threading.Lock(), set(), [], []

    def work(run: Run) -> None:
        with run.hold(), device_turn(run, GPUS) as (device,):
            with lock:
                assert device.key not in busy
                busy.add(device.key)
                most.append(len(busy))
            time.sleep(0.1)
            with lock:
                busy.remove(device.key)
                served.append(run.name)

    threads = [threading.Thread(target=work, args=(new_run(f"run{number}"),)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (len(served), max(most)) == (10, 2)


IN_TURN = """
import sys, time
from pathlib import Path
from xlite.runs.device_queue import Device, device_turn
from xlite.runs.run import Run
run, order = Run.named(sys.argv[1]), Path(sys.argv[2])
with run.hold(), device_turn(run, [Device("cpu", "cpu")]) as devices:
    if devices:
        with open(order, "a") as file:
            print("begins", run.name, file=file, flush=True)
            time.sleep(0.1)
            while not order.with_name("go").exists():
                time.sleep(0.05)
            print("ends", run.name, file=file, flush=True)
    else:
        run.update_progress(state="stopped", message="stopped before its turn came")
"""


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(600)
@pytest.mark.parametrize("count", [10, pytest.param(30, marks=pytest.mark.release)])
def test_many_runs_wait_in_order_and_some_are_stopped_or_killed(tmp_path: Path, count: int) -> None:
    """Processes of their own. What waits takes little of the machine, and so does a look at all of them."""
    order, runs, children = tmp_path / "order", [], []
    for number in range(count):
        run = new_run(f"run{number:02d}")
        words = [sys.executable, "-c", IN_TURN, run.name, order]
        children.append(subprocess.Popen(words, start_new_session=True))
        runs.append(run)
        wait_for(lambda: order.exists() if len(runs) == 1 else "behind" in runs[-1].status().message, 60)
    behind = f"behind run{count - 2:02d} ({count - 1}th in the queue)"
    assert runs[-1].status().message == f"waits for CPU {behind}"
    began = time.process_time()
    rows, _ = Listing(checkpoints_dir()).runs()
    assert time.process_time() - began < 0.5
    assert [one.status.state for one in rows] == ["queued"] * count
    stopped = (3, count // 2, count - 1)
    for number in stopped:
        runs[number].stop()
    for number in (7, 8):
        children[number].kill()
        children[number].wait()
    order.with_name("go").touch()
    for child in children:
        child.wait(120)
    left = [run.name for number, run in enumerate(runs) if number not in (*stopped, 7, 8)]
    assert order.read_text().split("\n")[:-1] == [
        f"{what} {name}" for name in left for what in ("begins", "ends")
    ]
    assert [runs[number].status().state for number in stopped] == ["stopped"] * 3
    assert [runs[number].status().state for number in (7, 8)] == ["killed"] * 2
    assert list(queue_folder().glob("[0-9]*")) == []


def test_a_gpu_and_the_cpu_do_not_wait_for_each_other() -> None:
    one, other = new_run("one"), new_run("other")
    with one.hold(), device_turn(one, [CPU]), other.hold(), device_turn(other, GPUS) as devices:
        assert devices == GPUS[:1]


@pytest.mark.slow
def test_homes_share_the_devices_of_the_machine(taker, tmp_path: Path, monkeypatch) -> None:
    assert taker("first").stdout.readline() == "has cpu\n"
    monkeypatch.setenv("XLITE_HOME", str(tmp_path / "elsewhere"))
    run = new_run("mine")
    with on_log(lambda line: run.stop()), run.hold(), device_turn(run, [CPU]) as devices:
        assert devices == []
        assert run.status().message == "waits for CPU behind first (1st in the queue)"


@pytest.mark.slow
def test_training_heeds_a_stop_before_its_turn(taker, tiny_folder: Path) -> None:
    assert taker("first").stdout.readline() == "has cpu\n"
    run = Run.create(make_config({"data": tiny_folder, "name": "second", "device": "cpu"}))
    run.write_progress(RunStatus(state="stopped", epoch=3, epochs=9))
    with on_log(lambda line: run.stop()):
        result = train(run.config(), run)
    status = run.status()
    assert (result.reason, result.epochs) == (FitResult("stopped", 0, 0.0).reason, 0)
    assert (status.state, status.message, status.epoch) == ("stopped", "stopped before its turn came", 3)


@pytest.mark.slow
def test_what_waiting_does_not_mend_is_said_before_it(taker, tiny_folder: Path, events: list[str]) -> None:
    assert taker("first").stdout.readline() == "has cpu\n"
    for name, words in (("folder", {"data": tiny_folder / "gone"}), ("split", {"split": "nosuch"})):
        run = Run.create(make_config({"data": tiny_folder, "name": name, "device": "cpu", **words}))
        with pytest.raises(DataError, match="gone|nosuch"):
            train(run.config(), run)
        assert run.status().state == "failed"
    assert not [said for said in events if "waits for" in said]


def test_a_ticket_that_cannot_be_written_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = DeviceQueue(queue_folder())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(device_queue, "write_atomic", full)
        with pytest.raises(OSError, match="No space"), queue.ticket("one", ["cpu"]):
            pass
    with queue.ticket("two", ["cpu"]) as mine:
        assert queue.take(mine)[0] == ("cpu",)


@pytest.mark.parametrize("content", [b"", b"[", b'{"number": 1}', b'{"number": 1, "run": "a", "wants": 3}'])
def test_a_damaged_ticket_is_a_sentence_while_its_holder_lives(content: bytes) -> None:
    queue = DeviceQueue(queue_folder())
    with queue.ticket("first", ["cpu"]) as first:
        note = queue.folder / f"{first.number}.json"
        note.write_bytes(content)
        with pytest.raises(RunError, match=f"the place in the device queue that {note} keeps cannot be read"):
            queue.take(first)
    with queue.ticket("second", ["cpu"]) as second:
        assert queue.take(second)[0] == ("cpu",)


def test_the_queue_is_the_users_own_and_each_slurm_job_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XLITE_LINE")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setattr(device_queue.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = queue_folder()
    assert folder.parent == tmp_path and folder.stat().st_mode & 0o777 == 0o700
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    assert queue_folder() == folder / "slurm-12"
    stranger = os.getuid() + 1
    folder.rename(folder.with_name(f"xlite-{stranger}"))
    monkeypatch.setattr(os, "getuid", lambda: stranger)
    with pytest.raises(RunError, match="belongs to somebody else: set XLITE_LINE"):
        queue_folder()


def test_auto_takes_any_gpu_and_a_number_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert usable_devices("cpu") == [CPU]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda i: SimpleNamespace(uuid=f"uuid{i}"))
    both = [Device("cuda:0", "cuda-uuid0"), Device("cuda:1", "cuda-uuid1")]
    assert usable_devices("auto") == usable_devices("cuda") == both
    assert usable_devices("cuda:1") == both[1:]
    for asked, why in {"cuda:2": "was asked for, and this machine has 2", "gpu": "is unknown"}.items():
        with pytest.raises(RunError, match=f"^--device '{asked}' {why}") as refused:
            usable_devices(asked)
        assert refused.value.settings == ("device",)
