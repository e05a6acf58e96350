"""A federation on the Train and Runs pages: the form that simulates one, and its rounds as they come."""

from pathlib import Path

import pytest
from app_pages import page, press_named, words
from federation_folders import NAN_SENT, served, simulated, stand_in_python, write_rounds
from forecasts import FORECAST, Played
from streamlit.testing.v1 import AppTest

from xlite import __version__
from xlite.federated.dealing import Deal
from xlite.federated.federation import Federation
from xlite.federated.simulation import Simulation
from xlite.messages import literal
from xlite.runs.run import Run
from xlite.runs.status import RunStatus

pytestmark = pytest.mark.usefixtures("one_scan", "only_this_home", "has_flower")

TRAINS = RunStatus(state="running", message="round 3: 2 clients train", unit="round", epoch=2, epochs=4)


@pytest.fixture
def has_flower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python beside this one that says that it has Flower and this X-Lite."""
    monkeypatch.setenv("XLITE_FEDERATED_PYTHON", stand_in_python(tmp_path, f"echo {__version__}"))


def planned(data: Path, **state: object) -> AppTest:
    """The Train page with the form of a simulation."""
    return page("train", data=str(data), form="Simulated federation", **state)


def charts(test: AppTest) -> list[str]:
    """What the page's charts are in words."""
    return [chart.proto.alt for chart in test.get("plotly_chart")]


def test_the_form_begins_with_the_defaults_of_a_plan(tiny_folder: Path):
    test = planned(tiny_folder).run()
    assert test.code[0].value == f"xlite federate simulate --name NAME --data {tiny_folder}"
    assert [error.value for error in test.error] == []
    assert test.button(key="start").label == "Start the federation"
    assert "No run yet." in words(test)


def test_the_form_asks_for_what_a_choice_needs_and_shows_the_command(tiny_folder: Path):
    test = planned(tiny_folder).run()
    keys = {widget.key for widget in test.number_input}
    assert not keys & {"dirichlet", "proximal", "server_lr"}
    test.selectbox(key="deal").set_value("prevalence")
    test.selectbox(key="strategy").set_value("fedprox").run()
    test.number_input(key="dirichlet").set_value(0.1)
    test.number_input(key="proximal").set_value(0.5)
    test.number_input(key="rounds").set_value(7)
    test.number_input(key="lr").set_value(0.01)
    test.text_input(key="name").set_value("mine").run()
    assert test.code[0].value == (
        f"xlite federate simulate --name mine --data {tiny_folder} --rounds 7 --strategy fedprox "
        "--proximal 0.5 --lr 0.01 --by prevalence --dirichlet 0.1"
    )


@pytest.mark.slow
def test_what_a_simulation_takes_is_told_before_the_start(tiny_folder: Path, played: type[Played]):
    test = planned(tiny_folder, rounds=4, clients=3).run()
    press_named(test, "Estimate time, memory and disk")
    played.found = FORECAST
    test.run()
    text = words(test)
    # opening 3 s, 4 rounds of 5 steps of 2 s and 20 films of .1 s, and 40 films judged twice
    for expected in (
        "**about 1 min**",
        "A round",
        "**0.40 GB**",
        "Measured is one run on the films of all 3",
    ):
        assert expected in text, text
    test.number_input(key="rounds").set_value(9).run()
    assert "**0.40 GB**" not in words(test)


def test_an_address_opens_the_form_of_a_colleague(tiny_folder: Path):
    test = page("train", data=str(tiny_folder))
    asked = {"form": "Simulated federation", "clients": "5", "norms": "Local (FedBN)", "backbone": "resnet18"}
    for name, text in asked.items():
        test.query_params[name] = text
    test.run()
    assert test.code[0].value == (
        f"xlite federate simulate --name NAME --data {tiny_folder} --norms local --clients 5 "
        "--backbone resnet18"
    )


def test_what_is_no_plan_is_said_by_its_title(tiny_folder: Path):
    test = planned(tiny_folder)
    test.run()
    test.number_input(key="clients").set_value(0).run()
    assert [error.value for error in test.error] == [
        literal("“Clients” is 0: input should be greater than or equal to 1")
    ]


def test_start_makes_a_run_with_its_plan_and_shows_it(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch):
    started: list[str] = []
    monkeypatch.setattr(Run, "start", lambda run: started.append(run.name))
    test = planned(tiny_folder, deal="view", clients=2).run()
    test.text_input(key="name").set_value("sim").run()
    test.button(key="start").click().run()
    assert [error.value for error in test.error] == []
    assert started == ["sim"] and test.session_state["run"] == "sim"
    found = Simulation.of(Run.named("sim"))
    assert (found.deal, found.plan.clients) == (Deal("view"), 2)


def test_without_flower_one_sentence_says_what_to_do(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XLITE_FEDERATED_PYTHON", "/nowhere/python")
    test = planned(tiny_folder).run()
    [info] = [element.value for element in test.info]
    assert "XLITE" in info and "is not a Python that starts" in info
    assert [error.value for error in test.error] == [] and "start" not in {one.key for one in test.button}


def test_a_simulation_that_waits_or_has_no_round_yet_says_so(tiny_folder: Path):
    run = simulated(tiny_folder)
    with run.hold():
        waits = "waits for CPU behind other (1st in the queue)"
        run.write_progress(RunStatus(state="queued", message=waits, unit="round"))
        test = page("train", run="sim").run()
        assert "queued" in words(test) and literal(waits) in words(test)
        assert charts(test) == [] and "The curves begin after the first round." in words(test)
        run.write_progress(TRAINS)
        assert "**2 of 4**" in words(test.run())


def test_the_rounds_of_a_live_simulation_are_drawn_with_who_was_refused(tiny_folder: Path):
    run = simulated(tiny_folder)
    write_rounds(run.folder)
    with run.hold():
        run.write_progress(TRAINS.model_copy(update={"step": 1, "steps": 2}))
        test = page("train", run="sim").run()
    said = words(test)
    assert "round 3: 2 clients train" in said and ":gray[Round]  \n**2 of 4**" in said
    assert [warning.value for warning in test.warning] == [
        literal(f"Round 1 went on without south: {NAN_SENT}.")
    ]
    [alt] = charts(test)
    assert alt.startswith("Validation AUC and loss of the server's student by round")
    [table] = test.dataframe
    assert table.value["Client"].tolist() == ["north", "south"] * 2
    assert "**12.0 MB**" in said and "client 1 of 2" in {bar.proto.text for bar in test.get("progress")}


@pytest.mark.slow
def test_a_simulation_that_was_killed_can_go_on_and_one_that_finished_cannot(tiny_folder: Path):
    run = simulated(tiny_folder)
    write_rounds(run.folder)
    run.write_progress(TRAINS)
    assert "Resume" in {button.label for button in page("train", run="sim").run().button}
    run.write_progress(TRAINS.model_copy(update={"state": "finished", "message": "finished after 4 rounds"}))
    test = page("train", run="sim").run()
    assert "Resume" not in {button.label for button in test.button}
    assert "after 4 rounds" in words(test) and "xlite federate simulate --name sim" in words(test)


@pytest.mark.slow
def test_the_server_of_a_federation_is_watched_beside_the_runs(own_home: Path, tiny_folder: Path):
    folder = served()
    simulated(tiny_folder)
    test = page("train", run="three").run()
    assert test.selectbox(key="run").options == ["sim", "three"]
    assert "The curves begin after the first round." in words(test)
    write_rounds(folder)
    with Federation(folder).hold():
        Federation(folder).write_progress(TRAINS)
        test.run()
    assert "round 3: 2 clients train" in words(test) and len(charts(test)) == 1
    assert "Ctrl-C ends it there" in words(test)


def test_the_runs_page_draws_rounds_in_the_place_of_epochs(tiny_folder: Path):
    run = simulated(tiny_folder)
    write_rounds(run.folder)
    run.write_progress(TRAINS.model_copy(update={"state": "stopped"}))
    test = page("runs", run="sim").run()
    assert any(alt.startswith("Validation AUC and loss of the server's student") for alt in charts(test))
    assert "Round 2 of 4" in words(test)


def test_damaged_rounds_are_one_sentence_on_the_page(tiny_folder: Path):
    run = simulated(tiny_folder)
    run.path("rounds.csv").write_text("round\n1\n")
    test = page("train", run="sim").run()
    assert [error.message for error in test.exception] == []
    [error] = [element.value for element in test.error]
    assert "it has no column client" in error.replace("\\", "")
