"""Sweeps as they are: real commands, real trainers, real kills, and Optuna's own dashboard."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from demo_home import BACKBONE

from xlite.errors import RunError
from xlite.runs.results import read_results
from xlite.runs.run import Run
from xlite.sweeps.leaderboard_sentences import board_as_json, verdict
from xlite.sweeps.sweep import Sweep

pytestmark = pytest.mark.slow
TINY = {
    "--weights": "none",
    "--image-size": 32,
    "--epochs": 2,
    "--batch-size": 8,
    "--hidden": 16,
    "--device": "cpu",
    "--workers": 0,
    "--train-share": 1.0,
}


@pytest.fixture(autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    yield
    for held in [*Sweep.list(), *Run.list()]:
        with suppress(RunError):
            held.stop()
    for run in Run.list():
        while run.is_held():
            time.sleep(0.1)


def words(kind: str, data: Path, **options: object) -> list[str]:
    given = {"--data": data, **TINY, **{f"--{k.replace('_', '-')}": v for k, v in options.items()}}
    return [sys.executable, "-m", "xlite", "sweep", kind, *(str(w) for pair in given.items() for w in pair)]


def wait_for(condition: Callable[[], bool], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def training(name: str) -> Run | None:
    """The run of that name once it trains."""
    found = [run for run in Run.list() if run.name == name]
    return found[0] if found and found[0].status().state == "running" and found[0].status().steps else None


def trainers_of(run: Run) -> list[int]:
    """The processes that train a run, from the operating system."""
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [
        int(line.split()[0]) for line in listed.splitlines() if line.endswith(f"train --resume {run.name}")
    ]


@pytest.mark.release
def test_phase_1_from_the_terminal_to_its_leaderboard(tiny_folder: Path) -> None:
    line = words("phase1", tiny_folder, backbones=f"{BACKBONE},mobilenetv3_small_050", seeds=1)
    done = subprocess.run(line, capture_output=True, text=True, timeout=500)
    assert (done.returncode, done.stderr) == (0, "")
    sweep = Sweep.named("phase1")
    found = sweep.leaderboard()
    assert {(row.values["backbone"], row.values["attention"]) for row in found.rows} == {
        (backbone, attention)
        for backbone in (BACKBONE, "mobilenetv3_small_050")
        for attention in ("none", "mhsa")
    }
    assert found.winner is not None and verdict(found) in done.stdout
    log = read_results().set_index("experiment_id")
    assert sorted(log.index) == [f"phase1-00{number}" for number in range(4)]
    for row in found.rows:
        assert row.val_auc == log.loc[row.runs[0], "val_auc"]
        assert row.model_size_mb == log.loc[row.runs[0], "model_size_mb"]
        assert found.split_id in log.loc[row.runs[0], "notes"]
    answer = subprocess.run(
        [sys.executable, "-m", "xlite", "sweep", "leaderboard", "phase1", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(answer.stdout) == board_as_json(found)
    again = subprocess.run(line, capture_output=True, text=True, timeout=100)
    assert again.returncode == 0 and len(read_results()) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_kills_of_the_trainer_and_of_the_sweep_lose_nothing(tiny_folder: Path) -> None:
    options = {"vary": f"backbone={BACKBONE}", "seeds": 2, "study": "s", "epochs": 9000, "patience": 9000}
    line = words("search", tiny_folder, **options)
    sweeping = subprocess.Popen(line, stdout=subprocess.DEVNULL, start_new_session=True)
    wait_for(lambda: training("s-000") is not None and training("s-000").status().epoch > 3)
    run = Run.named("s-000")
    [trainer] = trainers_of(run)
    epoch = run.status().epoch
    os.kill(trainer, signal.SIGKILL)
    wait_for(lambda: trainers_of(run) not in ([], [trainer]))
    wait_for(lambda: run.status().epoch > epoch + 1)
    assert "Going on after epoch" in run.log_tail(400)

    sweeping.kill()
    sweeping.wait()
    sweep = Sweep.named("s")
    wait_for(lambda: sweep.status().state == "killed", 10)
    sweep.path("progress.json").unlink()  # what the dead one said last is not the next one's word
    [orphan] = trainers_of(run)  # it trains on, and the sweep finds it again
    again = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, start_new_session=True)
    wait_for(lambda: sweep.status().state == "running" and "s-000" in sweep.status().message)
    assert trainers_of(run) == [orphan]
    os.kill(again.pid, signal.SIGINT)
    out, _ = again.communicate(timeout=240)
    assert again.returncode == 130
    assert sweep.status().state == "stopped" and run.status().state == "stopped"
    assert {t.run: t.state for t in sweep.status().trials} == {"s-000": "waiting", "s-001": "waiting"}
    wait_for(lambda: trainers_of(run) == [], 30)


@pytest.mark.release
def test_stopped_from_another_process_and_gone_on_with_in_the_background(tiny_folder: Path) -> None:
    line = words(
        "search", tiny_folder, vary=f"backbone={BACKBONE}", seeds=1, study="s", epochs=150, patience=999
    )
    sweeping = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    wait_for(lambda: training("s-000") is not None and training("s-000").status().epoch > 2)
    subprocess.run([sys.executable, "-m", "xlite", "sweep", "stop", "s"], check=True, capture_output=True)
    out, _ = sweeping.communicate(timeout=60)
    assert (sweeping.returncode, "Go on with: xlite sweep resume s" in out) == (0, True)
    epoch, sweep = Run.named("s-000").status().epoch, Sweep.named("s")
    sweep.start()
    assert sweep.status().state == "running"
    wait_for(lambda: sweep.status().state == "finished")
    assert Run.named("s-000").read_metrics()["epoch"].tolist() == list(range(1, 151))
    assert f"Going on after epoch {epoch}" in Run.named("s-000").log_tail(400)
    assert len(sweep.leaderboard().rows) == 1


def test_two_homes_share_one_study(tiny_folder: Path, tmp_path: Path, url: str) -> None:
    line = words("search", tiny_folder, vary="lr=0.001,0.002,0.003,0.004", study="s", storage=url)
    homes = [tmp_path / name for name in ("one", "two")]
    both = [
        subprocess.Popen(line, env={**os.environ, "XLITE_HOME": str(home)}, stdout=subprocess.DEVNULL)
        for home in homes
    ]
    assert [child.wait(timeout=500) for child in both] == [0, 0]
    made = [{path.name for path in (home / "checkpoints").iterdir() if path.is_dir()} for home in homes]
    assert made[0] and made[1] and not made[0] & made[1]
    assert made[0] | made[1] == {f"s-00{number}" for number in range(4)}
    boards = [Sweep(home / "experiments/sweeps/s").leaderboard() for home in homes]
    assert [sorted(row.runs[0] for row in board.rows) for board in boards] == [
        [f"s-00{number}" for number in range(4)]
    ] * 2
    for home, runs, board in zip(homes, made, boards, strict=True):
        first = board.rows[0].runs[0]
        assert (board.winner is None) == (first not in runs)
        assert ("No winner" in verdict(board)) == (first not in runs)
        other = next(place for place in homes if place != home)
        assert f"{other}): run `xlite sweep resume s` there, or here" in verdict(board)


def test_optuna_dashboard_opens_the_study(tiny_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("optuna_dashboard")
    line = words("search", tiny_folder, vary="lr=0.001..0.01:log", trials=2, study="s", epochs=1)
    subprocess.run(line, check=True, capture_output=True, timeout=500)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).with_name("optuna-dashboard")
    server = subprocess.Popen(
        [program, Sweep.named("s").storage(), "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        answers: list[httpx.Response] = []

        def answered() -> bool:
            with suppress(httpx.TransportError):
                answers.append(httpx.get(f"http://127.0.0.1:{port}/api/studies", timeout=5))
            return bool(answers)

        wait_for(answered, 60)
        [study] = answers[0].json()["study_summaries"]
        assert (study["study_name"], study["directions"]) == ("s", ["maximize"])
        trials = httpx.get(f"http://127.0.0.1:{port}/api/studies/{study['study_id']}?after=0", timeout=30)
        assert [trial["state"] for trial in trials.json()["trials"]] == ["Complete", "Complete"]
    finally:
        server.terminate()
        server.wait()
