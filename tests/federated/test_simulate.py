"""Clients and rounds in one process: the code of real ones, without a network."""

import logging
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from federations import STUDENT, app_that_replies, changed
from safetensors.torch import load_file

from xlite.errors import RunError
from xlite.federated.client import Client
from xlite.federated.dealing import Deal
from xlite.federated.distil import distil, plan_to_distil
from xlite.federated.federation import Federation
from xlite.federated.local import LocalTraining, Own
from xlite.federated.plan import make_plan
from xlite.federated.record import Record
from xlite.federated.rounds import federate
from xlite.federated.server import begin, go_on
from xlite.federated.simulate import InOneProcess, carry_out, simulate
from xlite.federated.simulation import start_simulation
from xlite.models.batchnorm import batch_norms
from xlite.models.student import Student
from xlite.runs.run import Run
from xlite.runs.status import LIVE

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick_report")]


def of(films: Path, **changes: object) -> dict[str, object]:
    return {"data": films, "device": "cpu", **STUDENT, "rounds": 2, "clients": 2, **changes}


def weights(name: str) -> dict[str, torch.Tensor]:
    return load_file(Run.named(name).path("model.safetensors"))


def norm_names(student: Student) -> set[str]:
    modules = set(batch_norms(student))
    return {
        f"{place}.{name}"
        for place, module in student.named_modules()
        if module in modules
        for name in module.state_dict()
    }


@pytest.fixture
def student() -> Student:
    return Student("test_resnet.r160_in1k", "none", 16, 0.3)


def test_a_simulation_ends_as_ordinary_runs_with_a_row_for_each_round_and_client(films: Path):
    run = simulate("sim", of(films, strategy="fedprox"), Deal())
    rounds = pd.read_csv(run.path("rounds.csv"))
    assert rounds[["round", "client"]].to_numpy().tolist() == [
        [1, "sim-1"], [1, "sim-2"], [2, "sim-1"], [2, "sim-2"],
    ]  # fmt: skip
    assert rounds["refused"].isna().all() and (rounds["bytes_sent"] == rounds["bytes_sent"][0]).all()
    assert rounds["bytes_received"].tolist() == [2 * rounds["bytes_sent"][0]] * 4
    assert run.read_metrics()["epoch"].tolist() == [1, 2]
    for name in ("sim", "sim-1", "sim-2"):
        one = Run.named(name)
        assert one.status().state == "finished" and one.path("model.safetensors").is_file()
        assert (one.evaluation("val") / "predictions.csv").is_file()
        card = one.path("MODEL_CARD.md").read_text()
        assert "| Starting weights | test_resnet.r160_in1k starts from random weights |" in card
    shared = [weights(name) for name in ("sim", "sim-1", "sim-2")]
    for name, tensor in shared[0].items():
        if tensor.is_floating_point():
            assert torch.equal(tensor, shared[1][name]) and torch.equal(tensor, shared[2][name]), name


def test_with_fedbn_all_but_the_batch_norms_are_the_same_in_each_client(films: Path, student: Student):
    simulate("bn", of(films, norms="local"), Deal())
    one, other = weights("bn-1"), weights("bn-2")
    norms = norm_names(student)
    for name in one:
        assert torch.equal(one[name], other[name]) == (name not in norms), name
    assert not Run.named("bn").path("model.safetensors").exists()  # the server has no norms that fit


def test_frozen_norms_keep_the_statistics_that_they_began_with(films: Path):
    simulate("frozen", of(films, norms="frozen"), Deal())
    end = weights("frozen")
    means = [tensor for name, tensor in end.items() if name.endswith("running_mean")]
    assert means and not any(tensor.any() for tensor in means)
    assert not any(tensor.any() for name, tensor in end.items() if name.endswith("num_batches_tracked"))


class Breaks(InOneProcess):
    """A server that dies before a round."""

    def send_and_receive(self, messages: Sequence, timeout: float) -> dict:  # type: ignore[type-arg]
        if any(
            m.metadata.message_type == "train" and m.content["config"]["server-round"] == 3 for m in messages
        ):
            raise KeyboardInterrupt
        return super().send_and_receive(messages, timeout)


@pytest.mark.parametrize("strategy", ["fedavg", "fedadam"])
def test_a_server_that_died_goes_on_to_the_same_end(films: Path, strategy: str):
    """To the last bit, and the clients too: each round follows from the weights and the seed alone."""
    values = {**STUDENT, "rounds": 4, "clients": 2, "strategy": strategy}

    def to_end(name: str, record: Record, student: Student, grid: type[InOneProcess]) -> None:
        with (
            Client(Own(f"{name}-a", films, device="cpu")) as a,
            Client(Own(f"{name}-b", films, device="cpu")) as b,
        ):
            federate(grid({1: a.app, 2: b.app}), record.plan, student, record)

    to_end("whole", *begin("whole", values), InOneProcess)
    with pytest.raises(KeyboardInterrupt):
        to_end("broken", *begin("broken", values), Breaks)
    to_end("broken", *go_on("broken"), InOneProcess)
    ends = [Record(Run.parent() / name, go_on(name)[0].plan).kept() for name in ("whole", "broken")]
    for name, array in ends[0].arrays.items():
        np.testing.assert_array_equal(array.numpy(), ends[1].arrays[name].numpy(), err_msg=name)
    tables = [pd.DataFrame(end.rows).drop(columns=["seconds", "client"]) for end in ends]
    pd.testing.assert_frame_equal(*tables)


def test_local_differential_privacy_clips_an_update(films: Path):
    values = {**STUDENT, "rounds": 1, "clients": 1, "norms": "frozen", "dp_epsilon": 1e6, "dp_clip": 0.01}
    record, student = begin("private", values)
    before = {name: tensor.detach().clone() for name, tensor in student.named_parameters()}
    with Client(Own("one", films, device="cpu")) as client:
        federate(InOneProcess({1: client.app}), record.plan, student, record)
    after = {name: tensor.detach() for name, tensor in student.named_parameters()}
    moved = sum(float((after[name] - before[name]).square().sum()) for name in after)
    assert 0 < moved**0.5 < 0.011  # the noise of this epsilon is below a tenth of it


def test_noise_that_destroys_the_weights_ends_a_simulation_in_a_sentence(
    films: Path, caplog: pytest.LogCaptureFixture
):
    """It ended in a traceback, about scores that are NaN; with E below 1, of which alone the proof speaks."""
    why = (
        "the noise destroyed the weights: those after round 1 give NaN for the validation films; use a "
        "larger --dp-epsilon, or a smaller --dp-clip"
    )
    caplog.set_level(logging.INFO)
    with pytest.raises(RunError) as raised:
        simulate("noisy", of(films, norms="frozen", dp_epsilon=0.5), Deal())
    assert str(raised.value) == why
    assert (Run.named("noisy").status().state, Run.named("noisy").status().message) == ("failed", why)
    said = (
        "epsilon 0.5 (delta 1e-05) is a guarantee. It is that of one round of one client whose whole folder"
    )
    assert any(said in message for message in caplog.messages)


def test_clients_of_different_backbones_teach_the_server_by_what_they_say_of_public_films(
    films: Path, tiny_folder: Path, caplog: pytest.LogCaptureFixture
):
    plan = plan_to_distil({**STUDENT, "rounds": 1, "clients": 3}, tiny_folder)
    own = {"public": tiny_folder, "device": "cpu", "weights": "none"}
    with (
        Client(Own("resnet", films, **own)) as one,
        Client(Own("convnext", films, backbone="test_convnext.r160_in1k", **own)) as other,
    ):
        bad = app_that_replies("bad", lambda arrays, number: changed(arrays, np.negative))
        bad.query("answer")(lambda message, context: one_answer(message))
        grid = InOneProcess({1: one.app, 2: other.app, 3: bad})
        run = distil(grid, plan, "taught", tiny_folder, "none")
    assert "Warning: bad is left out: it answers for other films than the public ones" in caplog.messages
    teachers = run.config().teacher.split(",")
    assert [Path(teacher).name for teacher in teachers] == ["convnext.csv", "resnet.csv"]
    assert run.status().state == "finished" and run.config().backbone == STUDENT["backbone"]
    assert Run.named("convnext").config().backbone == "test_convnext.r160_in1k"


def one_answer(message):
    from flwr.app import Array, ArrayRecord, ConfigRecord, Message, RecordDict

    arrays = ArrayRecord({"probabilities": Array(np.zeros((1, 14), np.float32))})
    return Message(
        RecordDict({"arrays": arrays, "config": ConfigRecord({"images": ["x.png"]})}), reply_to=message
    )


def test_a_simulation_that_is_stopped_goes_on_to_the_same_end(films: Path, monkeypatch: pytest.MonkeyPatch):
    whole = simulate("whole", of(films), Deal())
    with monkeypatch.context() as patch:
        end_round = Record.end_round

        def ends_and_is_stopped(record: Record, *args: object) -> None:
            end_round(record, *args)
            (record.folder / "stop").write_bytes(b"")

        patch.setattr(Record, "end_round", ends_and_is_stopped)
        run = simulate("broken", of(films), Deal())
    status = run.status()
    assert (status.state, status.epoch, status.epochs) == ("stopped", 1, 2)
    assert status.message == "stopped after 1 round; resume goes on from there"
    client = Run.named("broken-1")
    assert client.status().message == "stopped after round 1" and not client.can_resume()
    carry_out(run)
    assert run.status().message == "finished after 2 rounds" and run.status().unit == "round"
    ends = [load_file(one.path("model.safetensors")) for one in (whole, run)]
    for name, tensor in ends[0].items():
        assert torch.equal(tensor, ends[1][name]), name
    drop = ["seconds", "client"]
    tables = [Federation(one.folder).rounds().drop(columns=drop) for one in (whole, run)]
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.parametrize("norms", ["averaged", "local"])
def test_a_round_that_is_given_up_while_clients_judge_comes_again_to_the_same_end(
    films: Path, monkeypatch: pytest.MonkeyPatch, norms: str
):
    simulate("whole", of(films, norms=norms), Deal())
    with monkeypatch.context() as patch:
        judge = LocalTraining.judge

        def judges_and_is_stopped(training: LocalTraining, number: int, loss: float) -> tuple[float, float]:
            found = judge(training, number, loss)
            if number == 2 and training.run.name == "broken-1":
                (Run.named("broken").folder / "stop").write_bytes(b"")
            return found

        patch.setattr(LocalTraining, "judge", judges_and_is_stopped)
        run = simulate("broken", of(films, norms=norms), Deal())
    assert run.status().state == "stopped"
    carry_out(run)
    for name in ("", "-1", "-2"):
        ends = [Run.named(f"{one}{name}") for one in ("whole", "broken")]
        metrics = [one.read_metrics().drop(columns="seconds") for one in ends]
        if norms != "local" or name:  # the whole is not judged if norms stay with the clients
            assert metrics[1]["epoch"].tolist() == [1, 2]
            pd.testing.assert_frame_equal(*metrics)


def test_norms_of_its_own_go_on_from_a_round_that_was_never_judged(films: Path):
    """And a round that comes again begins as at first."""
    plan = make_plan({**STUDENT, "norms": "local"}, (0.5,) * 3, (0.2,) * 3)
    with ExitStack() as stack:
        training = LocalTraining(Own("one", films, device="cpu"), plan)
        stack.callback(training.close)

        def norms() -> dict[str, torch.Tensor]:
            return {
                name: training.student.state_dict()[name].clone() for name in norm_names(training.student)
            }

        starts = []
        for number in (1, 2, 2):
            starts.append(norms())
            training.train(number)
            begun = {name: tensor for name, tensor in training.before.items() if name in starts[0]}
            assert all(torch.equal(begun[name], starts[min(number, 2) - 1][name]) for name in begun)
    moved = [any(not torch.equal(starts[0][name], start[name]) for name in start) for start in starts]
    assert moved == [False, True, True]


@pytest.mark.alone
def test_a_page_starts_a_simulation_stops_it_and_goes_on(films: Path):
    """As the Train page does: in a process of its own, which waits for its device in the queue of runs."""
    run = start_simulation("sim", of(films), Deal())
    assert run.status().state in LIVE
    with pytest.raises(RunError, match="run 'sim' is already running"):
        run.start()
    run.stop()
    until(run, "stopped")
    assert run.can_resume()
    run.resume()
    until(run, "finished")
    assert Federation(run.folder).rounds()["round"].tolist() == [1, 1, 2, 2]
    assert Run.named("sim-1").status().state == Run.named("sim-2").status().state == "finished"
    with pytest.raises(RunError, match="run 'sim' has finished"):
        run.start()


def until(run: Run, state: str, seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while run.status().state != state:
        assert time.monotonic() < end and run.status().state != "failed", run.log_tail()
        time.sleep(0.2)
