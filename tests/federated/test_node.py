"""A client's connection: what it does if its server has gone."""

import socket
from pathlib import Path

import pytest
from federations import make_certificate
from flwr.app import Message, RecordDict
from flwr.common.constant import SUPERLINK_NODE_ID
from flwr.proto.node_pb2 import Node as NodeProto
from flwr.supercore.task_identity import TaskIdentity

from xlite.errors import RunError
from xlite.federated.node import Node


def nowhere() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def test_the_last_answer_is_no_reason_to_wait_for_a_server_that_ended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    certificate, _ = make_certificate(tmp_path)
    node = Node(nowhere(), certificate, patience_s=60)
    node.me = NodeProto(node_id=2)
    TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = 1, SUPERLINK_NODE_ID, 1
    asked = Message(RecordDict(), 2, "query.end")
    node._send(Message(RecordDict(), reply_to=asked), last=True)
    assert caplog.messages == [
        "Warning: the server takes this answer no more ([Errno 111] Connection refused)"
    ]
    node.fleet.close()


def test_a_server_that_does_not_answer_is_given_up_after_a_while(tmp_path: Path):
    certificate, _ = make_certificate(tmp_path)
    node = Node(nowhere(), certificate, patience_s=0)
    with pytest.raises(RunError, match="does not answer .*: is it running, at this address, with this"):
        node.run(None, lambda: False)


def test_what_is_no_certificate_is_refused(tmp_path: Path):
    with pytest.raises(RunError, match="ca.pem is no certificate .*: ask the server's keeper"):
        Node("localhost:1", tmp_path / "ca.pem")
