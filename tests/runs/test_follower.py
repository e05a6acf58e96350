"""Processes that train one run: which of them follow, whom, and how long they wait."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from xlite.config import make_config
from xlite.errors import RunError
from xlite.places import checkpoints_dir
from xlite.runs import follower
from xlite.runs.follower import follows, leading, led_run, let_leader_end
from xlite.runs.run import Run

RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever started these tests, they follow nobody."""
    for name in (*RANKS, "XLITE_RUN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run(tiny_folder: Path) -> Run:
    return Run.create(make_config({"data": tiny_folder, "name": "night"}))


@pytest.fixture
def held(run: Run) -> Iterator[threading.Event]:
    """A leader that holds the run until the event is set."""
    holds, over = threading.Event(), threading.Event()

    def lead() -> None:
        with run.hold():
            holds.set()
            over.wait(10)

    leader = threading.Thread(target=lead)
    leader.start()
    assert holds.wait(10)
    yield over
    over.set()
    leader.join(10)


def test_a_process_alone_and_the_first_of_several_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not follows()
    for name in RANKS:
        monkeypatch.setenv(name, "0")
    assert not follows()
    monkeypatch.setenv("RANK", "")
    assert not follows()


@pytest.mark.parametrize("name", RANKS)
def test_any_rank_above_the_first_follows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a second node, whose process has the local rank 0."""
    for other in RANKS:
        monkeypatch.setenv(other, "0")
    monkeypatch.setenv(name, "1")
    assert follows()


def test_a_follower_gets_the_run_that_its_leader_names_before_any_other(
    run: Run, held: threading.Event
) -> None:
    with leading(run):
        assert led_run("other").folder == run.folder
        assert led_run("").name == "night"
    assert led_run("night").folder == run.folder


def test_whom_a_process_leads_is_forgotten_when_it_ends_even_by_an_error(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt), leading(run):
        raise KeyboardInterrupt
    with pytest.raises(RunError, match="need --name or --resume"):
        led_run("")
    monkeypatch.setattr(follower, "_WAIT_S", 0.0)
    monkeypatch.setenv("XLITE_RUN", "before")
    with leading(run), pytest.raises(RunError, match="run 'night'"):
        led_run("")
    with pytest.raises(RunError, match="run 'before'"):
        led_run("")


@pytest.mark.parametrize("state", ["no folder", "no settings", "nobody holds it"])
def test_a_run_that_nobody_leads_is_refused_by_name(
    state: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "_WAIT_S", 0.15)
    name = "none" if state == "no folder" else run.name
    if state == "no settings":
        run.path("config.json").unlink()
    with pytest.raises(RunError, match=f"no process leads run '{name}'"):
        led_run(name)
    assert not (checkpoints_dir() / "none").exists()


def test_a_follower_that_comes_first_waits_for_its_leader(run: Run) -> None:
    found: list[Run] = []
    waiting = threading.Thread(target=lambda: found.append(led_run("night")))
    waiting.start()
    time.sleep(0.12)
    assert not found
    with run.hold():
        waiting.join(10)
    assert [one.name for one in found] == ["night"]


def test_a_name_that_leaves_the_folder_of_runs_is_refused_at_once() -> None:
    with pytest.raises(RunError, match="cannot be a run's name"):
        led_run("../night")


def test_a_follower_waits_until_the_leader_has_let_go(run: Run, held: threading.Event) -> None:
    waiting = threading.Thread(target=let_leader_end, args=(run,))
    waiting.start()
    waiting.join(0.12)
    assert waiting.is_alive()
    held.set()
    waiting.join(10)
    assert not waiting.is_alive() and not run.is_held()


def test_it_does_not_wait_forever_nor_for_a_run_that_nobody_holds(
    run: Run, held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "_PARTING_S", 0.05)
    let_leader_end(run)
    assert run.is_held()
    monkeypatch.setattr(follower, "_PARTING_S", 60.0)
    before = time.monotonic()
    let_leader_end(Run(checkpoints_dir() / "none"))
    assert time.monotonic() - before < 10
