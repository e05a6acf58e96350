"""What a client answers before and while it trains; nothing here trains."""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from federations import STUDENT
from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Message, MessageType, RecordDict
from flwr.common.constant import SUPERLINK_NODE_ID
from flwr.supercore.task_identity import TaskIdentity

from xlite.errors import RunError
from xlite.federated.client import ANSWER, END, HELLO, Client
from xlite.federated.local import Own
from xlite.federated.plan import make_plan


@pytest.fixture
def client() -> Client:
    return Client(Own("north", Path("films"), device="cpu"))


def tell(
    client: Client, kind: str, config: dict[str, str | int], arrays: ArrayRecord | None = None
) -> Message:
    """What the client answers to a message of a kind."""
    TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = 1, SUPERLINK_NODE_ID, 1
    content = RecordDict({"config": ConfigRecord(config), "arrays": arrays or ArrayRecord()})
    return client.app(Message(content, 7, kind), Context(1, 7, {}, RecordDict(), {}))


@pytest.mark.parametrize("kind", [MessageType.TRAIN, MessageType.EVALUATE, END, ANSWER])
def test_a_client_that_comes_back_waits_for_the_plan(client: Client, kind: str):
    """It ended, if it was sent what the process that died was to do."""
    reply = tell(client, kind, {"server-round": 2})
    assert reply.has_error() and reply.error.reason == "it came back, and waits for the plan"
    assert not client.ended


def test_a_server_of_another_version_is_refused(client: Client):
    with pytest.raises(RunError, match="the server has X-Lite 0.0.1, and this client .*: install the same"):
        tell(client, HELLO, {"xlite": "0.0.1", "plan": "{}"})


def test_a_client_ends_with_the_reason_for_which_its_federation_failed(client: Client):
    """It waited for a server that had failed."""
    client.training = SimpleNamespace(plan=make_plan(STUDENT))
    with pytest.raises(RunError, match="^the noise destroyed the weights$"):
        tell(client, END, {"failed": "the noise destroyed the weights"})
    assert not client.ended


@pytest.mark.parametrize("update", [1e-4, 1e-30, 0])
@pytest.mark.parametrize(("epsilon", "delta", "clip"), [(0.5, 1e-5, 1.0), (2.0, 1e-3, 0.25)])
def test_the_noise_of_differential_privacy_is_as_wide_as_documented(
    client: Client, monkeypatch: pytest.MonkeyPatch, epsilon: float, delta: float, clip: float, update: float
):
    """2C·√(2 ln(1.25/δ))/E, beside an update of nearly nothing, or of 0, by which Flower divided."""
    plan = {**STUDENT, "norms": "frozen", "dp_epsilon": epsilon, "dp_delta": delta, "dp_clip": clip}
    client.training = SimpleNamespace(plan=make_plan(plan))

    def trained(message: Message, context: Context) -> Message:
        arrays = {
            name: Array(array.numpy() + np.float32(update))
            for name, array in message.content["arrays"].items()
        }
        return Message(RecordDict({"arrays": ArrayRecord(arrays)}), reply_to=message)

    monkeypatch.setattr(client, "_trained", trained)
    sent = ArrayRecord({"weight": Array(np.zeros(100_000, np.float32))})
    reply = tell(client, MessageType.TRAIN, {"server-round": 1}, sent)
    noise = reply.content["arrays"]["weight"].numpy()
    assert abs(noise.mean()) < 0.02 * noise.std()
    assert noise.std() == pytest.approx(2 * clip * math.sqrt(2 * math.log(1.25 / delta)) / epsilon, rel=0.02)
