"""Rounds with clients that have no films: what is averaged, what is refused by name, and what goes on."""

import json
import logging
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from federations import STUDENT, app_that_replies, changed
from flwr.app import Array, ArrayRecord, Error, Message
from flwr.common.constant import ErrorCode

from xlite.errors import RunError
from xlite.federated.arrays import as_tensors
from xlite.federated.client import END, HELLO
from xlite.federated.federation import Federation
from xlite.federated.plan import make_plan
from xlite.federated.record import Progress, Record
from xlite.federated.rounds import Members, _row, federate
from xlite.federated.server import begin, go_on, model_info
from xlite.federated.simulate import InOneProcess
from xlite.training.state import write_state

Train = Callable[[ArrayRecord, int], ArrayRecord]


def moved(by: float) -> Train:
    def train(arrays: ArrayRecord, number: int) -> ArrayRecord:
        return ArrayRecord({name: Array(array.numpy() + np.float32(by)) for name, array in arrays.items()})

    return train


def run(clients: dict[str, Train], **plan: object) -> tuple[Record, dict[str, np.ndarray], pd.DataFrame]:
    """A federation of such clients: its record, how far each weight moved, and rounds.csv."""
    record, student = begin("fed", {**STUDENT, "rounds": 1, "clients": len(clients), **plan})
    before = {name: tensor.clone() for name, tensor in student.state_dict().items()}
    grid = InOneProcess({node: app_that_replies(*client) for node, client in enumerate(clients.items(), 1)})
    now, _ = federate(grid, record.plan, student, record)
    distance = {name: (tensor - before[name]).numpy() for name, tensor in as_tensors(now.arrays).items()}
    return record, distance, pd.read_csv(record.folder / "rounds.csv", keep_default_na=False)


def test_the_mean_of_two_clients_is_taken():
    _, distance, rounds = run({"a": moved(1), "b": moved(3)})
    assert all(np.allclose(values, 2, atol=1e-5) for values in distance.values())
    assert all(values.dtype == np.float32 for values in distance.values())
    assert rounds["client"].tolist() == ["a", "b"] and (rounds["refused"] == "").all()
    assert rounds["loss"].tolist() == ["", ""]  # what they say of it is not a number
    assert rounds["val_auc"].tolist() == [0.5, 0.5]


def test_the_mean_is_weighted_by_films():
    record, student = begin("fed", {**STUDENT, "rounds": 1, "clients": 2})
    before = {name: tensor.clone() for name, tensor in student.state_dict().items()}
    apps = {1: app_that_replies("a", moved(1), films=10), 2: app_that_replies("b", moved(3), films=30)}
    now, _ = federate(InOneProcess(apps), record.plan, student, record)
    for name, tensor in as_tensors(now.arrays).items():
        np.testing.assert_allclose(tensor - before[name], 2.5, atol=1e-5, err_msg=name)


def test_a_reply_with_nan_is_refused_by_name_and_the_others_are_averaged(caplog: pytest.LogCaptureFixture):
    bad = lambda arrays, number: changed(arrays, lambda values: values * np.nan)  # noqa: E731
    _, distance, rounds = run({"good": moved(1), "bad": bad})
    assert all(np.allclose(values, 1, atol=1e-5) for values in distance.values())
    refused = dict(zip(rounds["client"], rounds["refused"], strict=True))
    assert refused["good"] == "" and refused["bad"].endswith("432 values NaN or infinite")
    assert f"Warning: round 1 goes on without bad: {refused['bad']}" in caplog.messages


def broken_in(*rounds: int) -> Train:
    """A client that sends other shapes in these rounds."""
    return lambda arrays, number: (
        changed(arrays, lambda values: values[:1]) if number in rounds else moved(1)(arrays, number)
    )


def test_if_all_are_refused_the_weights_stay_in_that_round(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    _, distance, rounds = run({"one": broken_in(2), "other": broken_in(2)}, rounds=2)
    assert all(np.allclose(values, 1, atol=1e-5) for values in distance.values())
    assert (rounds["refused"] != "").tolist() == [False, False, True, True]
    assert "Ended after 2 rounds, in 1 of which no client's reply was taken" in caplog.messages


def test_a_federation_in_which_no_reply_was_ever_taken_fails(own_home: Path):
    """It ended as a success, with the weights that it began with. A client that waits is told."""
    record, student = begin("fed", {**STUDENT, "rounds": 2, "clients": 1})
    app = app_that_replies("one", broken_in(1, 2))
    why = (
        "no client's reply was taken in any round, so the weights are still those that it began with (last, "
        "one: backbone.conv1.0.weight is float32 of shape (1, 3, 3, 3), expected float32 of (16, 3, 3, 3)): "
        "see rounds.csv, mend that, and begin a new federation"
    )
    for _ in range(2):  # as often as it is resumed
        with pytest.raises(RunError) as raised:
            federate(InOneProcess({1: app}), record.plan, student, record)
        assert str(raised.value) == app.failed == why
    rounds = pd.read_csv(record.folder / "rounds.csv", keep_default_na=False)
    assert rounds["round"].tolist() == [1, 2] and (rounds["refused"] != "").all()


def test_the_loss_of_a_refused_reply_is_not_averaged():
    rows = [
        {"loss": 0.5, "val_loss": 0.2, "val_auc": 0.6, "films": 10, "refused": ""},
        {"loss": 0.9, "val_loss": 0.4, "val_auc": 0.8, "films": 10, "refused": "it sent no weights"},
    ]
    row = _row(3, rows, 1.5)
    assert row == pytest.approx(
        {"epoch": 3, "train_loss": 0.5, "val_loss": 0.3, "val_auc": 0.7, "seconds": 1.5}
    )
    assert math.isnan(_row(3, rows[1:], 1.5)["train_loss"])


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (
            {"norms": "frozen", "dp_epsilon": 0.5},
            "the noise destroyed the weights: those after round 2 give NaN for the validation films; use a "
            "larger --dp-epsilon, or a smaller --dp-clip",
        ),
        (
            {},
            "the weights are lost: those after round 2 give NaN for the validation films; use a smaller --lr",
        ),
    ],
)
def test_weights_that_give_no_numbers_end_a_federation_and_nothing_is_kept_of_that_round(
    own_home: Path, plan: dict[str, object], why: str
):
    record, student = begin("fed", {**STUDENT, "rounds": 3, "clients": 1, **plan})
    app = app_that_replies("one", moved(1), judge=lambda number: math.nan if number == 2 else 0.5)
    with pytest.raises(RunError) as raised:
        federate(InOneProcess({1: app}), record.plan, student, record)
    assert str(raised.value) == app.failed == why
    assert record.kept().state.epoch == 1


def test_a_client_with_a_name_that_is_no_name_is_refused(caplog: pytest.LogCaptureFixture):
    record, student = begin("fed", {**STUDENT, "rounds": 1, "clients": 1})
    apps = {1: app_that_replies("../etc", moved(1)), 2: app_that_replies("good", moved(1))}
    _, members = federate(InOneProcess(apps), record.plan, student, record)
    assert [member.name for member in members] == ["good"]
    assert "Warning: a client is refused: it does not say its name and films" in caplog.messages


class Deaf(InOneProcess):
    """Clients of which the second never answers at the end, and the third dies then."""

    def send_and_receive(self, messages: Sequence[Message], timeout: float) -> dict[int, Message]:
        replies = super().send_and_receive(messages, timeout)
        if [message.metadata.message_type for message in messages] == [END] * 3:
            del replies[2]
            replies[3] = Message(
                Error(ErrorCode.NODE_UNAVAILABLE, "Error: Node Unavailable — 2 × its interval"),
                reply_to=messages[2],
            )
        return replies


def test_who_has_not_judged_the_last_weights_is_named(own_home: Path, caplog: pytest.LogCaptureFixture):
    """A client that still judged its films when the deadline was over was taken for one that failed."""
    record, student = begin("fed", {**STUDENT, "rounds": 1, "clients": 3, "deadline": 8})
    apps = {node: app_that_replies(name, moved(1)) for node, name in enumerate("abc", 1)}
    federate(Deaf(apps), record.plan, student, record)
    assert [message for message in caplog.messages if message.startswith("Warning")] == [
        "Warning: b has not judged the weights within 8 s: it may still do so, without the server",
        "Warning: c has not judged the weights: it gives no sign of life: it died, or its network did",
    ]


class ComesBack(InOneProcess):
    """Clients that keep their ids, as those with keys do, and are new processes from `since` on."""

    since = ""

    def connected(self) -> dict[int, str]:
        return dict.fromkeys(self.apps, self.since)

    def send_and_receive(self, messages: Sequence[Message], timeout: float) -> dict[int, Message]:
        self.heard = getattr(self, "heard", []) + [message.metadata.message_type for message in messages]
        return super().send_and_receive(messages, timeout)


def test_a_client_that_comes_back_under_its_id_is_told_the_plan_again():
    """Its new process was asked to train, knew no plan, and ended; the server then waited for it for good."""
    plan = make_plan({**STUDENT, "rounds": 1, "clients": 1})
    grid = ComesBack({7: app_that_replies("north", moved(1))})
    members = Members(grid, plan, ArrayRecord())
    members.gather()
    members.gather()
    assert grid.heard == [HELLO] and members.get_node_ids() == [7]
    grid.since = "later"
    assert members.get_node_ids() == []
    members.gather()
    assert grid.heard == [HELLO, HELLO] and members.get_node_ids() == [7]
    assert [member.name for member in members.known.values()] == ["north"]


def test_a_client_that_comes_back_without_a_key_takes_the_place_of_the_one_that_died():
    grid = ComesBack({7: app_that_replies("north", moved(1))})
    members = Members(grid, make_plan({**STUDENT, "rounds": 1, "clients": 1}), ArrayRecord())
    members.gather()
    grid.apps[8] = grid.apps.pop(7)
    members.gather()
    assert members.get_node_ids() == [8] and list(members.known) == [8]


def test_a_client_that_was_refused_may_come_back():
    grid = ComesBack({7: app_that_replies("../etc", moved(1)), 8: app_that_replies("good", moved(1))})
    members = Members(grid, make_plan({**STUDENT, "rounds": 1, "clients": 1}), ArrayRecord())
    members.gather()
    grid.apps = {7: app_that_replies("north", moved(1)), 8: grid.apps[8]}
    members.gather()
    assert members.get_node_ids() == [8]
    grid.since = "later"
    members.gather()
    assert members.get_node_ids() == [7, 8]


def test_a_federation_goes_on_under_its_own_plan_alone(own_home: Path):
    record, _, _ = run({"a": moved(1)})
    with pytest.raises(
        RunError, match="'fed' exists already: choose another --name, or go on with --resume fed"
    ):
        begin("fed", STUDENT)
    with pytest.raises(RunError, match="there is no federation 'none'"):
        go_on("none")
    path = record.folder / "plan.json"
    path.write_text(path.read_text().replace('"rounds": 1', '"rounds": 2'))
    with pytest.raises(RunError, match="'fed' began with another plan: put its plan.json back"):
        go_on("fed")[0].kept()


def test_a_federation_that_began_before_the_plan_named_its_start_goes_on(own_home: Path):
    record, _, _ = run({"a": moved(1)})
    path = record.folder / "server.ckpt"
    state = torch.load(path, weights_only=True)
    plan = json.loads(state["plan"])
    state["plan"] = json.dumps({name: plan[name] for name in plan if not name.startswith("start")})
    write_state(path, state)
    (record.folder / "plan.json").write_text(state["plan"])
    assert go_on("fed")[0].kept() is not None


def test_a_federation_that_died_before_its_first_round_begins_with_the_same_weights(own_home: Path):
    """They were random then, in the place of those that it was told to begin with."""
    other, taught = begin("other", {**STUDENT, "seed": 6, "rounds": 1})
    other.write_model(taught, model_info(other, Progress(ArrayRecord()), []))
    _, begun = begin("fed", {**STUDENT, "weights": str(other.folder / "model.safetensors")})
    _, again = go_on("fed")
    for name, tensor in begun.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


def test_the_model_of_a_server_notes_what_it_began_with_also_after_a_resume(own_home: Path):
    """Its card said that this was not noted."""
    begin("fed", STUDENT)
    record, _ = go_on("fed")
    notes = model_info(record, Progress(ArrayRecord()), []).notes
    assert notes.started_from == "test_resnet.r160_in1k starts from random weights"


def test_what_a_server_does_can_be_watched(own_home: Path, caplog: pytest.LogCaptureFixture):
    record, _, _ = run({"a": moved(1), "b": moved(3)})
    told = Federation(record.folder).read_progress()
    assert (told.message, told.unit, told.epoch, told.epochs) == (
        "clients judge the last weights",
        "round",
        1,
        1,
    )
    assert (told.val_auc, told.best_auc, told.best_epoch) == (0.5, 0.5, 1)
    assert Federation(record.folder).rounds()["client"].tolist() == ["a", "b"]
