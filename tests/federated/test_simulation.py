"""How a simulation is made and started, without Flower."""

import os
import sys
from pathlib import Path

import pytest
from federation_folders import simulated, stand_in_python

from xlite import __version__
from xlite.config import make_config
from xlite.errors import RunError
from xlite.federated.dealing import Deal
from xlite.federated.plan import OPTIONS, make_plan
from xlite.federated.simulation import (
    Simulation,
    command_of,
    config_of,
    lacking_flower,
    simulate_command,
    start_simulation,
)
from xlite.runs.launch import xlite_command
from xlite.runs.run import Run
from xlite.runs.status import RunStatus


def test_a_simulation_is_an_ordinary_run_with_its_plan_beside(own_home: Path, tiny_folder: Path):
    run = simulated(tiny_folder, deal=Deal("prevalence", 0.1), weights="none", lr=0.01, local_epochs=2)
    config = run.config()
    assert (config.data, config.weights, config.lr, config.epochs) == (tiny_folder, "none", 0.01, 8)
    found = Simulation.of(run)
    assert found.deal == Deal("prevalence", 0.1) and found.plan.student == {"lr": 0.01}
    assert run.status().state == "new" and run.is_simulation() and not run.is_client()


def test_a_name_is_taken_if_a_client_would_have_that_of_another_run(own_home: Path, tiny_folder: Path):
    other = Run.create(make_config({"data": tiny_folder, "name": "sim-2"}))
    with pytest.raises(
        RunError, match="there is a run 'sim-2', as a client of this simulation would be called"
    ):
        simulated(tiny_folder)
    assert [run.name for run in Run.list()] == ["sim-2"]
    other.write_progress(RunStatus(state="failed", message="out of memory"))  # it gives up its name
    assert simulated(tiny_folder).name == "sim"


def test_several_folders_are_clients_already(own_home: Path, tiny_folder: Path, tmp_path: Path):
    both = Path(f"{tiny_folder},{tmp_path / 'other'}")
    with pytest.raises(RunError, match="are several folders: a simulation deals out the patients of one"):
        simulated(both)
    assert Run.list() == []


def test_a_clients_run_is_stopped_renamed_and_gone_on_with_by_its_federation_alone(
    own_home: Path, tiny_folder: Path
):
    run = Run.create(make_config({"data": tiny_folder, "name": "sim-1"}))
    run.path("client.ckpt").write_bytes(b"")
    with run.hold():
        run.write_progress(RunStatus(state="running"))
        with pytest.raises(RunError, match="run 'sim-1' is a client's, which ends with its federation"):
            run.stop()
    assert run.status().message == "the process died; it goes on with its federation"
    with pytest.raises(RunError, match="run 'sim-1' is of a federation"):
        run.rename("other")
    simulation = simulated(tiny_folder, "whole")
    simulation.write_progress(RunStatus(state="running", unit="round"))
    assert simulation.status().message == "the process died; resume goes on after the last finished round"
    with pytest.raises(RunError, match="rename it once it has finished"):
        simulation.rename("other")


def test_what_is_no_plan_leaves_no_folder(own_home: Path, tiny_folder: Path):
    with pytest.raises(RunError, match="--rounds is 0"):
        simulated(tiny_folder, rounds=0)
    assert Run.list() == []


def test_the_command_names_what_is_not_at_its_default(own_home: Path, tiny_folder: Path):
    words = ["xlite", "federate", "simulate", "--name", "sim", "--data", str(tiny_folder)]
    values = {"data": tiny_folder, "rounds": OPTIONS["rounds"].default, "lr": 0.001, "split": "patient"}
    assert simulate_command("sim", values, Deal()) == words
    values |= {"rounds": 4, "lr": 0.01, "flip": False, "device": "cpu"}
    more = ["--rounds", "4", "--device", "cpu", "--no-flip", "--lr", "0.01"]
    assert simulate_command("sim", values, Deal("view")) == [*words, *more, "--by", "view"]
    assert simulate_command("sim", {"data": tiny_folder}, Deal("prevalence", 0.1)) == [
        *words, "--by", "prevalence", "--dirichlet", "0.1",
    ]  # fmt: skip
    assert simulate_command("sim", {"data": tiny_folder}, Deal(labelled=0.5)) == [*words, "--labelled", "0.5"]


def test_a_run_shows_the_command_that_makes_it_again(own_home: Path, tiny_folder: Path):
    run = simulated(tiny_folder, deal=Deal("view"), lr=0.01)
    data = ["--data", str(tiny_folder)]
    assert command_of(run) == [
        "xlite", "federate", "simulate", "--name", "sim", *data, "--rounds", "4", "--clients", "2",
        "--lr", "0.01", "--by", "view",
    ]  # fmt: skip
    one = Run.create(config_of(make_plan({}), "one", {"data": tiny_folder}))
    assert command_of(one)[:4] == ["xlite", "train", *data]


def test_a_simulation_is_resumed_as_one_by_its_own_python(
    own_home: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    run = simulated(tiny_folder)
    assert run._resume_words() == ["federate", "simulate", "--resume", "sim"]
    assert xlite_command("federate")[0] == xlite_command("train")[0] == sys.executable
    monkeypatch.setenv("XLITE_FEDERATED_PYTHON", "/fed/bin/python")
    assert xlite_command("federate")[0] == "/fed/bin/python" and xlite_command("train")[0] == sys.executable


def test_no_run_of_a_federation_is_trained_alone(own_home: Path, tiny_folder: Path, xlite):  # noqa: ANN001
    """It would be another run: a simulation's would learn from all films in one place."""
    simulated(tiny_folder).write_progress(RunStatus(state="killed"))
    client = Run.create(config_of(make_plan({}), "north", {"data": tiny_folder}))
    client.write_progress(RunStatus(state="killed"))
    assert client.can_resume()
    client.path("client.ckpt").write_bytes(b"")
    assert not client.can_resume() and Run.named("sim").can_resume()
    status, _, said = xlite("train", "--resume", "sim")
    assert status == 2 and "go on by `xlite federate simulate --resume sim`" in said
    status, _, said = xlite("train", "--resume", "north")
    assert status == 2 and "run 'north' is a client's: it goes on by the command that started it" in said
    with pytest.raises(RunError, match="run 'north' is a client's"):
        client.start()


def test_a_damaged_simulation_is_refused_in_a_sentence(own_home: Path, tiny_folder: Path):
    run = simulated(tiny_folder)
    run.path("simulation.json").write_text("{}")
    with pytest.raises(RunError, match="simulation.json is not what X-Lite writes: plan is missing"):
        Simulation.of(run)
    run.path("simulation.json").unlink()
    with pytest.raises(RunError, match="run 'sim' is not a simulation of a federation"):
        Simulation.of(run)


def test_in_public_none_is_started(own_home: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XLITE_PUBLIC", "1")
    with pytest.raises(RunError, match="nobody can train models here"):
        start_simulation("sim", {"data": tiny_folder}, Deal())
    assert Run.list() == []


def test_nothing_is_left_of_one_whose_process_never_began(
    own_home: Path, tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XLITE_FEDERATED_PYTHON", stand_in_python(tmp_path, "echo no Flower here", "exit 2"))
    with pytest.raises(RunError, match="run 'sim' did not start: no Flower here"):
        start_simulation("sim", {"data": tiny_folder}, Deal())
    assert Run.list() == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([f"echo {__version__}"], None),
        (["echo 0.0.1"], f"has X-Lite 0.0.1, and this is {__version__}: install the same there"),
        (["exit 1"], "which lacks X-Lite or Flower: "),
    ],
    ids=["good", "old", "without"],
)
def test_the_python_that_is_named_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], said: str | None
):
    named = stand_in_python(tmp_path, *lines)
    monkeypatch.setenv("XLITE_FEDERATED_PYTHON", named)
    found = lacking_flower()
    if said is None:
        assert found is None
    else:
        assert (
            found is not None
            and found.startswith(f"XLITE_FEDERATED_PYTHON names {named}, ")
            and said in found
        )


def test_a_python_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XLITE_FEDERATED_PYTHON", "/nowhere/python")
    assert str(lacking_flower()).startswith(
        "XLITE_FEDERATED_PYTHON names /nowhere/python, which is not a Python that starts"
    )


def test_without_flower_here_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("XLITE_FEDERATED_PYTHON", raising=False)
    monkeypatch.setattr("xlite.extras.find_spec", lambda name: None)
    assert lacking_flower() == (
        "A simulation needs flwr, which is not installed: give it an environment of its own, in a checkout "
        "by `python3 -m venv fed && fed/bin/pip install '.[federated]'`, and start the app with "
        "`XLITE_FEDERATED_PYTHON=fed/bin/python`"
    )
    assert os.environ.get("XLITE_FEDERATED_PYTHON") is None
