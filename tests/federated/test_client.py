"""What a client answers before and while it trains; nothing here trains."""

from pathlib import Path

import pytest
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MessageType, RecordDict
from flwr.common.constant import SUPERLINK_NODE_ID
from flwr.supercore.task_identity import TaskIdentity

from xlite.federated.client import ANSWER, END, Client
from xlite.federated.local import Own


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
