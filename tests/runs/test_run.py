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

import pytest
from filelock import FileLock
from noise_folder import write_noise_folder

from xlite.config import checkpoints_dir, make_config
from xlite.errors import DataError, RunError
from xlite.files import write_atomic
from xlite.runs import lock as lock_module
from xlite.runs import work_folder
from xlite.runs.command import train_command
from xlite.runs.default_data import default_data
from xlite.runs.run import Run
from xlite.runs.status import RunStatus

HOLDER = """
import os, sys, time
from pathlib import Path
from xlite.runs.run import Run
with Run(Path(sys.argv[1])).hold() as _:
    Run(Path(sys.argv[1])).write_progress({"state": "running", "epoch": 2, "epochs": 5})
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


def test_create_keeps_the_config_with_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "start.pt").touch()
    (tmp_path / "teacher.csv").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "seen.txt").touch()
    values = {
        "data": "films",
        "name": "a",
        "weights": "start.pt",
        "teacher": "big,teacher.csv,folder",
        "teacher_list": "seen.txt",
        "epochs": 3,
    }
    run = Run.create(make_config(values))
    expected = {
        **values,
        "data": tmp_path / "films",
        "weights": str(tmp_path / "start.pt"),
        "teacher": f"big,{tmp_path / 'teacher.csv'},{tmp_path / 'folder'}",
        "teacher_list": str(tmp_path / "seen.txt"),
    }
    assert run.folder == checkpoints_dir() / "a"
    assert run.config() == make_config(expected)
    assert Run.named("a").status() == RunStatus(state="new")


def test_create_refuses_a_name_that_exists(run: Run) -> None:
    before = run.path("config.json").read_bytes()
    with pytest.raises(RunError, match="'one' exists already"):
        Run.create(make_config({"data": "other", "name": "one"}))
    assert run.path("config.json").read_bytes() == before


def test_a_failed_run_keeps_its_name_while_it_holds_anything_trained(run: Run) -> None:
    run.write_progress({"state": "failed", "message": "the disk was full"})
    run.path("model.safetensors").write_bytes(b"weights")
    with pytest.raises(RunError, match="'one' exists already"):
        Run.create(run.config())
    assert run.path("model.safetensors").read_bytes() == b"weights"


def test_a_run_that_failed_before_its_first_epoch_gives_up_its_name(run: Run) -> None:
    run.write_progress({"state": "failed", "message": "no films"})
    corrected = Run.create(make_config({"data": "other", "name": "one"}))
    assert (corrected.config().data.name, corrected.status().state) == ("other", "new")
    corrected.path("last.ckpt").touch()
    corrected.write_progress({"state": "failed"})
    with pytest.raises(RunError, match="exists already"):
        Run.create(make_config({"data": "third", "name": "one"}))


def test_empty_names_are_picked_and_never_clash() -> None:
    config = make_config({"data": "films", "backbone": "hf-hub:timm/some.model"})
    runs: list[Run] = []
    threads = [threading.Thread(target=lambda: runs.append(Run.create(config))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = {run.name for run in runs}
    assert len(names) == 6
    assert all("-hf-hub-timm-some-model" in name for name in names)
    assert {run.config().name for run in runs} == names


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a..b", "x" * 81, "a b"])
def test_named_refuses_what_is_no_name(name: str) -> None:
    with pytest.raises(RunError, match="cannot be a run's name"):
        Run.named(name)


def test_named_tells_which_runs_there_are(run: Run) -> None:
    with pytest.raises(RunError, match=r"there is no run 'two' in .*; the runs are: one"):
        Run.named("two")


def test_list_is_newest_first_and_leaves_foreign_folders_out(run: Run) -> None:
    newer = Run.create(make_config({"data": "films", "name": "newer"}))
    os.utime(run.path("config.json"), (1, 1))
    for name, content in {
        "hugging": '{"hidden_size": 8}',
        "broken": "{",
        "list": "[]",
        "bytes": "\xff",
    }.items():
        folder = checkpoints_dir() / name
        folder.mkdir()
        (folder / "config.json").write_text(content, encoding="latin-1")
    (checkpoints_dir() / "empty").mkdir()
    (checkpoints_dir() / "notes.txt").touch()
    assert [found.name for found in Run.list()] == [newer.name, run.name]
    runs, damaged = Run.look()
    assert [found.name for found in runs] == [newer.name, run.name]
    said = sorted(map(str, damaged))
    assert [sentence.split(" cannot be read from ")[0] for sentence in said] == [
        f"the settings of run '{name}'" for name in ("broken", "bytes", "hugging", "list")
    ]
    reasons = dict(zip(("broken", "bytes", "hugging", "list"), said, strict=True))
    assert "Expecting property name" in reasons["broken"] and "can't decode byte" in reasons["bytes"]
    assert "config.json: --data is missing" in reasons["hugging"]
    assert reasons["list"].endswith("config.json: it is no object of settings")


def test_a_run_that_goes_while_one_looks_is_not_called_damaged(run: Run, monkeypatch) -> None:
    other = Run.create(make_config({"data": "films", "name": "other"}))
    read = Run.config

    def config(looked_at: Run) -> object:
        if looked_at.name == "other" and other.folder.exists():
            other.delete()
        return read(looked_at)

    monkeypatch.setattr(Run, "config", config)
    runs, damaged = Run.look()
    assert ([found.name for found in runs], damaged) == (["one"], [])


def test_list_is_empty_without_a_folder() -> None:
    assert Run.list() == []


def test_config_that_is_none_is_a_sentence(run: Run) -> None:
    run.path("config.json").write_text("{")
    with pytest.raises(RunError, match="the settings of run 'one' cannot be read"):
        run.config()


def test_states_of_a_run_in_this_process(run: Run) -> None:
    other = Run(run.folder)
    assert other.status().state == "new"
    with run.hold():
        assert other.status().state == "queued"
        run.write_progress({"state": "running", "epoch": 1, "epochs": 4, "loss": 0.5, "unknown": 1})
        status = other.status()
        expected = RunStatus(state="running", epoch=1, epochs=4, loss=0.5, updated=status.updated)
        assert status == expected
        with run.hold():  # the command holds it, and the loop within it
            pass
        assert other.is_held()
        run.write_progress({"state": "finished", "epoch": 4, "epochs": 4})
    assert not other.is_held()
    assert other.status().state == "finished"


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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_an_orphaned_worker_does_not_pass_for_the_trainer(run: Run, trainer) -> None:
    child = trainer("fork")
    os.kill(child.pid, signal.SIGKILL)
    wait_for(lambda: run.status().state == "killed", 2)
    with run.hold():
        pass


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


class SlowLock(FileLock):
    """A lock that is let go of late, so that two who look at once would meet."""

    def release(self, force: bool = False) -> None:
        time.sleep(0.005)
        super().release(force)


def test_readers_never_pass_for_a_trainer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look takes the lock for a moment; neither a trainer nor another reader may stumble over it."""
    monkeypatch.setattr(lock_module, "FileLock", SlowLock)
    run.write_progress({"state": "running"})
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
            "the disk is full, so last.ckpt could not be written: free some space and try again",
        ),
        (OSError(5, "Input/output error"), "failed", "Input/output error"),
        (ZeroDivisionError("division by zero"), "failed", "ZeroDivisionError: division by zero"),
        (KeyboardInterrupt(), "stopped", "interrupted from the keyboard"),
    ],
)
def test_what_ends_a_trainer_is_kept(run: Run, error: BaseException, state: str, message: str) -> None:
    with pytest.raises(type(error)), run.hold():
        run.write_progress({"state": "running", "epoch": 3, "eta_s": 9.0})
        raise error
    status = run.status()
    assert (status.state, status.message, status.epoch, status.eta_s) == (state, message, 3, None)


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
    progress = {"state": "running", "message": "x" * 20_000}
    run.write_progress(progress)
    with meanwhile(lambda: run.write_progress(progress)):
        lengths = {len(json.loads(run.path("progress.json").read_bytes())["message"]) for _ in range(300)}
    assert lengths == {20_000}
    assert sorted(path.name for path in run.folder.iterdir()) == ["config.json", "progress.json"]


def test_write_atomic_keeps_the_old_file_where_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "file"
    write_atomic(target, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(target, b"new")
    assert target.read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["file", "home"]


def test_log_tail_shows_the_last_state_of_a_bar(run: Run) -> None:
    assert run.log_tail() == ""
    run.path("log.txt").write_bytes(b"a\nb\n 10%\r 50%\r100%\r\nc \xff\n")
    assert run.log_tail(3) == "b\n100%\nc \ufffd"
    run.path("log.txt").write_bytes(b"line\n" * 100_000 + b"end\n")
    assert run.log_tail(2) == "line\nend"


def test_read_metrics(run: Run) -> None:
    assert run.read_metrics().empty
    run.path("metrics.csv").write_text("")
    assert run.read_metrics().empty
    run.path("metrics.csv").write_text("epoch,val_auc\n1,0.5\n2,\n")
    assert run.read_metrics()["epoch"].tolist() == [1, 2]


def test_command_names_what_is_not_at_its_default() -> None:
    config = make_config(
        {"data": "my films", "name": "r", "flip": False, "skip_missing": True, "lr": 2e-4, "workers": 0}
    )
    words = "xlite train --data|my films|--name|r|--skip-missing|--no-flip|--lr|0.0002"
    assert train_command(config) == words.replace("xlite train ", "xlite|train|").split("|")


def test_start_gives_a_child_that_outlives_its_starter(run: Run) -> None:
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
    assert (len(children), outcomes.count("started"), state) == (1, 1, "running")
    assert set(outcomes) <= {
        "started",
        "run 'one' is already running",
        "run 'one' is already being started",
    }


def test_a_finished_run_is_not_started_again(run: Run) -> None:
    run.write_progress({"state": "finished"})
    with pytest.raises(RunError, match="has finished"):
        run.start()


def test_run_and_results_import_neither_torch_nor_pandas() -> None:
    modules = "xlite.runs.run, xlite.runs.results"
    code = f"import sys, {modules}\nprint({{'torch', 'pandas'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_app_opens_the_data_of_the_newest_run_that_had_any(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XLITE_DATA", raising=False)
    good = Run.create(make_config({"data": tiny_folder, "name": "good"}))
    bad = Run.create(make_config({"data": tmp_path / "empty", "name": "gone"}))
    refused = Run.create(make_config({"data": write_noise_folder(tmp_path / "other"), "name": "refused"}))
    refused.write_progress({"state": "failed", "message": "30 films are missing"})
    for age, run in enumerate((refused, bad, good)):
        os.utime(run.path("config.json"), (2e9 - age, 2e9 - age))
    assert default_data() == str(tiny_folder)
    good.write_progress({"state": "running", "epoch": 1})
    assert default_data() == str(tiny_folder)
    good.delete()
    assert default_data() == ""
    monkeypatch.setenv("XLITE_DATA", "/films")
    assert default_data() == "/films"


def test_the_automatic_number_of_loader_processes_of_older_runs_is_read_as_none() -> None:
    assert make_config({"data": "films", "workers": -1}).workers == 0
    assert make_config({"data": "films", "workers": "-1"}).workers == 0
    with pytest.raises(RunError, match="--workers is -2"):
        make_config({"data": "films", "workers": -2})
