"""The rounds of a federation as a figure and as rows."""

from pathlib import Path

import numpy as np
import pytest
from federation_folders import NAN_SENT, served, write_rounds

from xlite.federated.charts import MEAN, figure_told, refusals, round_facts, round_rows, rounds_figure
from xlite.federated.federation import Federation


@pytest.fixture
def federation(own_home: Path) -> Federation:
    folder = served()
    write_rounds(folder)
    return Federation(folder)


def test_each_client_has_a_line_of_its_own_and_the_mean_a_thick_one(federation: Federation):
    figure = rounds_figure(federation.rounds(), federation.metrics())
    traces = [(trace.name, trace.xaxis, list(trace.x), list(np.round(trace.y, 2))) for trace in figure.data]
    assert traces == [
        ("north", "x", [1, 2], [0.51, 0.52]),
        ("south", "x", [1, 2], [0.61, 0.62]),
        (MEAN, "x", [1, 2], [0.56, 0.57]),
        ("north", "x2", [1, 2], [0.65, 0.65]),
        ("south", "x2", [1, 2], [0.65, 0.65]),
        (MEAN, "x2", [1, 2], [0.65, 0.65]),
    ]
    looks = {(trace.name, trace.line.color, trace.line.dash) for trace in figure.data}
    assert len(looks) == 3 and len({(color, dash) for _, color, dash in looks}) == 3
    assert [trace.line.width for trace in figure.data[:3]] == [1.5, 1.5, 3]


def test_the_figure_is_told_in_words(federation: Federation):
    assert figure_told(federation.rounds(), federation.metrics()) == (
        "Validation AUC and loss of the server's student by round, on the films of each of 2 clients, "
        "2 rounds so far; the last has a mean AUC of 0.570. The table below has the same."
    )


def test_what_was_sent_and_refused_is_counted(federation: Federation):
    assert round_facts(federation.rounds()) == {
        "Clients": "2",
        "A client sends a round": "1.00 MB",
        "And receives": "2.00 MB",
        "Sent and received in all": "12.0 MB",
        "Refused replies": "1",
    }


def test_who_was_refused_is_named_with_the_reason(federation: Federation):
    assert refusals(federation.rounds()) == [f"Round 1 went on without south: {NAN_SENT}."]
    rounds = federation.rounds()
    rounds["refused"] = [f"because {row}" for row in range(4)]
    many = refusals(rounds.loc[[0, 1, 2, 3, 0, 1, 2]])
    assert many[0] == "2 earlier replies refused too." and len(many) == 6
    assert many[-1] == "Round 2 went on without north: because 2."


def test_rows_have_the_last_round_first_and_nothing_for_what_is_not_known(federation: Federation):
    rows = round_rows(federation.rounds())
    assert [(row["Round"], row["Client"]) for row in rows] == [
        (2, "north"), (2, "south"), (1, "north"), (1, "south"),
    ]  # fmt: skip
    assert rows[-1] == {
        "Round": 1, "Client": "south", "Validation AUC": 0.61, "Validation loss": 0.65, "Training loss": None,
        "Films": 40, "Sent (MB)": 1.0, "Received (MB)": 2.0, "Seconds": 1.5, "Refused because": NAN_SENT,
    }  # fmt: skip
    assert rows[0]["Refused because"] is None


def test_in_public_a_reason_names_no_folder(federation: Federation, monkeypatch: pytest.MonkeyPatch):
    rounds = federation.rounds()
    rounds["refused"] = "/home/somebody/films/a.png cannot be read"
    monkeypatch.setenv("XLITE_PUBLIC", "1")
    assert round_rows(rounds)[0]["Refused because"] == "a.png cannot be read"
