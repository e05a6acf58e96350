"""A federation as its folder: what any process may see of it, without Flower."""

from pathlib import Path

import pytest
from federation_folders import NAN_SENT, served, simulated, write_rounds

from xlite.errors import RunError
from xlite.federated.federation import COLUMNS, Federation
from xlite.runs.status import RunStatus


def test_servers_are_federations_and_simulations_are_runs(own_home: Path, tiny_folder: Path):
    folder, run = served(), simulated(tiny_folder)
    (run.folder / "plan.json").write_text((folder / "plan.json").read_text())
    assert [one.name for one in Federation.served()] == ["three"]
    assert Federation.named("sim").plan() == Federation.named("three").plan()


def test_rounds_are_read_as_they_were_written(own_home: Path):
    federation = Federation(served())
    assert list(federation.rounds()) == [*COLUMNS] and not len(federation.rounds())
    assert not len(federation.metrics())
    write_rounds(federation.folder)
    rounds = federation.rounds()
    assert rounds[["round", "client"]].to_numpy().tolist() == [
        [1, "north"], [1, "south"], [2, "north"], [2, "south"],
    ]  # fmt: skip
    assert rounds["refused"].tolist() == ["", NAN_SENT, "", ""]
    assert federation.metrics()["epoch"].tolist() == [1, 2]


def test_a_client_whose_name_is_a_number_or_none_keeps_it(own_home: Path):
    federation = Federation(served())
    write_rounds(federation.folder)
    path = federation.path("rounds.csv")
    path.write_text(path.read_text().replace("north", "007").replace("south", "NA"))
    rounds = federation.rounds()
    assert rounds["client"].tolist() == ["007", "NA", "007", "NA"]
    assert rounds["loss"].isna().tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"round,client\n1,a\n", "rounds.csv: it has no column films"),
        (
            f"{','.join(COLUMNS)}\n1,a,40,.7,.6,high,2,1,1,\n".encode(),
            "the rounds of 'three' cannot be read from",
        ),
        (b"a,b\n1,2,3\n4,5,6,7\n", "the rounds of 'three' cannot be read from"),
        (b"\xff\xfe\x00", "the rounds of 'three' cannot be read from"),
    ],
    ids=["column", "number", "shape", "bytes"],
)
def test_damaged_rounds_are_refused_in_a_sentence(own_home: Path, content: bytes, said: str):
    federation = Federation(served())
    federation.path("rounds.csv").write_bytes(content)
    with pytest.raises(RunError, match=said):
        federation.rounds()


def test_a_server_that_nobody_holds_has_died(own_home: Path):
    federation = Federation(served())
    assert federation.status().state == "new"
    with federation.hold():
        federation.write_progress(RunStatus(state="running", message="round 2: 3 clients train"))
        assert federation.status().message == "round 2: 3 clients train"
        with (
            pytest.raises(RunError, match="federation 'three' is already running"),
            Federation.named("three").hold(),
        ):
            pass
    now = federation.status()
    assert now.state == "killed"
    assert now.message == "the process died; `xlite federate server --resume three` goes on"


def test_a_plan_that_cannot_be_read_is_refused(own_home: Path):
    folder = served()
    (folder / "plan.json").write_bytes(b"\xff")
    with pytest.raises(RunError, match="the plan of federation 'three' cannot be read"):
        Federation(folder).plan()
