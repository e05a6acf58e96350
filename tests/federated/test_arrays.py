"""What is exchanged and averaged: floats alone, batch norms as asked, and nothing that is broken."""

import numpy as np
import pytest
import torch

pytest.importorskip("flwr", reason="Flower is not installed here (pip install 'xlite-cxr[federated]')")

from flwr.app import Array, ArrayRecord, ConfigRecord, Error, Message, MetricRecord, RecordDict
from flwr.common.constant import SUPERLINK_NODE_ID
from flwr.serverapp.strategy import FedAvg
from flwr.supercore.task_identity import TaskIdentity

from xlite.federated.arrays import exchanged, load_record, refusal, to_record
from xlite.models.student import Student

NORM_STATISTICS = ("running_mean", "running_var")


@pytest.fixture
def student() -> Student:
    torch.manual_seed(0)
    return Student("test_resnet.r160_in1k", "none", 16, 0.0)


def reply(arrays: ArrayRecord, films: int = 10, **changes: object) -> Message:
    TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = 1, SUPERLINK_NODE_ID, 1
    asked = Message(RecordDict(), 2, "train")
    metrics = MetricRecord({"num-examples": films})
    return Message(RecordDict({"arrays": arrays, "metrics": metrics, **changes}), reply_to=asked)


def test_counters_never_travel_and_batch_norms_do_as_asked(student: Student):
    averaged, frozen, local = (exchanged(student, norms) for norms in ("averaged", "frozen", "local"))
    state = student.state_dict()
    counters = {name for name in state if name.endswith("num_batches_tracked")}
    statistics = {name for name in state if name.endswith(NORM_STATISTICS)}
    assert counters and set(averaged) == state.keys() - counters
    assert set(frozen) == set(averaged) - statistics
    norms = {name.rpartition(".")[0] for name in statistics}
    assert set(local) == {name for name in frozen if name.rpartition(".")[0] not in norms}
    assert len(local) < len(frozen) < len(averaged)


def test_flowers_average_is_weighted_and_leaves_counters_alone(student: Student):
    names = exchanged(student, "averaged")
    student.state_dict()[next(n for n in student.state_dict() if n.endswith("tracked"))].fill_(7)
    one, other = to_record(student, names), to_record(student, names)
    other = ArrayRecord({name: Array(array.numpy() + 4) for name, array in other.items()})
    averaged, _ = FedAvg(min_available_nodes=1).aggregate_train(1, [reply(one, 10), reply(other, 30)])
    before = {name: tensor.clone() for name, tensor in student.state_dict().items()}
    load_record(student, averaged)
    for name, tensor in student.state_dict().items():
        moved = 3.0 if name in names else 0
        torch.testing.assert_close(tensor, before[name] + moved, rtol=0, atol=1e-5)
        assert tensor.dtype == before[name].dtype


def broken(arrays: ArrayRecord, how: str) -> ArrayRecord:
    name = next(iter(arrays))
    values = arrays[name].numpy().copy()
    if how == "nan":
        values.flat[0] = np.nan
    elif how == "shape":
        values = values[:1]
    elif how == "dtype":
        values = values.astype(np.float64)
    elif how == "variance":
        name = next(name for name in arrays if name.endswith("running_var"))
        values = arrays[name].numpy().copy()
        values[:2] = -1e-6
    if how == "bytes":
        return ArrayRecord({**arrays, name: Array("float32", (1,), "numpy.ndarray", b"no array")})
    others = {key: array for key, array in arrays.items() if not (how == "missing" and key == name)}
    return ArrayRecord(others if how == "missing" else {**others, name: Array(values)})


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("nan", "has 1 value NaN or infinite"),
        ("shape", "is float32 of shape"),
        ("dtype", "is float64 of shape"),
        ("bytes", "cannot be read"),
        ("variance", "running_var has 2 variances below 0"),
        ("missing", "it sent other weights: 1 name differ"),
    ],
)
def test_a_broken_reply_is_refused_and_a_whole_one_is_not(student: Student, how: str, said: str):
    sent = to_record(student, exchanged(student, "averaged"))
    assert refusal(reply(sent), sent, films=10) == ""
    assert said in refusal(reply(broken(sent, how)), sent, films=10)


def test_a_reply_without_weights_of_more_films_or_with_an_error_is_refused(student: Student):
    sent = to_record(student, exchanged(student, "averaged"))
    assert refusal(reply(sent, films=10**6), sent, 10) == "it trained on 1000000 films, and joined with 10"
    TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = 1, SUPERLINK_NODE_ID, 1
    asked = Message(RecordDict(), 2, "train")
    nothing = Message(RecordDict({"config": ConfigRecord({"x": 1})}), reply_to=asked)
    assert refusal(nothing, sent, 10) == "it sent no weights"
    assert refusal(Message(Error(0, "no room"), reply_to=asked), sent, 10) == "no room"
