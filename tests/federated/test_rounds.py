"""Rounds with clients that have no films: what is averaged, what is refused by name, and what goes on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from federations import STUDENT, app_that_replies, changed
from flwr.app import Array, ArrayRecord

from xlite.errors import RunError
from xlite.federated.arrays import as_tensors
from xlite.federated.federation import Federation
from xlite.federated.record import Progress, Record
from xlite.federated.rounds import federate
from xlite.federated.server import begin, go_on, model_info
from xlite.federated.simulate import InOneProcess

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


def test_a_reply_with_nan_is_refused_by_name_and_the_others_are_averaged(caplog: pytest.LogCaptureFixture):
    bad = lambda arrays, number: changed(arrays, lambda values: values * np.nan)  # noqa: E731
    _, distance, rounds = run({"good": moved(1), "bad": bad})
    assert all(np.allclose(values, 1, atol=1e-5) for values in distance.values())
    refused = dict(zip(rounds["client"], rounds["refused"], strict=True))
    assert refused["good"] == "" and refused["bad"].endswith("432 values NaN or infinite")
    assert f"Warning: round 1 goes on without bad: {refused['bad']}" in caplog.messages


def test_if_all_are_refused_the_weights_stay():
    bad = lambda arrays, number: changed(arrays, lambda values: values[:1])  # noqa: E731
    _, distance, rounds = run({"one": bad, "other": bad}, rounds=2)
    assert not any(values.any() for values in distance.values())
    assert rounds["round"].tolist() == [1, 1, 2, 2] and (rounds["refused"] != "").all()


def test_a_client_with_a_name_that_is_no_name_is_refused(caplog: pytest.LogCaptureFixture):
    record, student = begin("fed", {**STUDENT, "rounds": 1, "clients": 1})
    apps = {1: app_that_replies("../etc", moved(1)), 2: app_that_replies("good", moved(1))}
    _, members = federate(InOneProcess(apps), record.plan, student, record)
    assert [member.name for member in members] == ["good"]
    assert "Warning: a client is refused: it does not say its name and films" in caplog.messages


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


def test_a_federation_that_died_before_its_first_round_begins_with_the_same_weights(own_home: Path):
    """They were random then, in the place of those that it was told to begin with."""
    other, taught = begin("other", {**STUDENT, "seed": 6, "rounds": 1})
    other.write_model(taught, model_info(other, Progress(ArrayRecord()), []))
    _, begun = begin("fed", {**STUDENT, "weights": str(other.folder / "model.safetensors")})
    _, again = go_on("fed")
    for name, tensor in begun.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


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
