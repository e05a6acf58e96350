"""A client's connection: what it does if its server has gone."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from federations import make_certificate
from flwr.app import Message, RecordDict
from flwr.common.constant import SUPERLINK_NODE_ID
from flwr.proto.fleet_pb2 import PushMessagesResponse
from flwr.proto.node_pb2 import Node as NodeProto
from flwr.supercore.task_identity import TaskIdentity
from servers import free_port

from xlite.errors import RunError
from xlite.federated.client import END
from xlite.federated.fleet import serving
from xlite.federated.node import Node


def nowhere() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def last_reply() -> Message:
    TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = 1, SUPERLINK_NODE_ID, 1
    return Message(RecordDict(), reply_to=Message(RecordDict(), 2, END))


def test_the_last_answer_is_no_reason_to_wait_for_a_server_that_ended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    certificate, _ = make_certificate(tmp_path)
    node = Node(nowhere(), certificate, patience_s=60)
    node.me = NodeProto(node_id=2)
    node._send(last_reply(), last=True)
    assert caplog.messages == ["The server has ended before it took this answer"]
    node.fleet.close()


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "it was started again, and does not know this client yet"), (500, "out of memory")],
)
def test_why_the_server_takes_an_answer_no_more_is_said_in_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int, said: str
):
    """It was httpx's own sentence, with an address and a link to a page on the status."""
    node = Node(nowhere(), make_certificate(tmp_path)[0])
    node.me = NodeProto(node_id=2)

    def push(request: Any) -> None:
        answer = httpx.Response(status, text="out of memory", request=httpx.Request("POST", "https://here"))
        answer.raise_for_status()

    node.fleet.PushMessages = push
    node._send(last_reply())
    assert caplog.messages == [f"Warning: the server takes this answer no more ({said})"]
    node.fleet.close()


@pytest.fixture
def door(tmp_path: Path) -> tuple[tuple[str, int], Path, Path]:
    return ("127.0.0.1", free_port()), *make_certificate(tmp_path)


def lost_once(ask: Callable[[Any], Any], lost: list[str]) -> Callable[[Any], Any]:
    """A call whose first answer does not come back."""

    def call(request: Any) -> Any:
        if not lost:
            lost.append(type(request).__name__)
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        return ask(request)

    return call


@pytest.mark.parametrize(("patience_s", "sent"), [(60, 2), (0, 0)], ids=["again", "given up"])
def test_the_last_answer_is_tried_again_if_it_is_lost_on_its_way(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, patience_s: float, sent: int
):
    """It was tried once, and the server then said that the client had not judged the last weights."""
    node, lost, pushed = Node(nowhere(), make_certificate(tmp_path)[0], patience_s=patience_s), [], []
    node.me = NodeProto(node_id=2)

    def push(request: Any) -> PushMessagesResponse:
        pushed.extend([*lost, type(request).__name__])
        return PushMessagesResponse()

    node.fleet.PushMessages = lost_once(push, lost)
    node._send(last_reply(), last=True)
    assert lost == ["PushMessagesRequest"] and len(pushed) == sent
    gone = "Warning: the server takes this answer no more (Server disconnected without sending a response.)"
    assert caplog.messages == ([] if sent else [gone])
    node.fleet.close()


def test_a_heartbeat_that_is_lost_is_sent_again_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("xlite.federated.node.HEARTBEAT_S", 60.0)
    monkeypatch.setattr("xlite.federated.node.POLL_S", 0.01)
    node, over, waits = Node(nowhere(), make_certificate(tmp_path)[0]), Event(), []
    node.me = NodeProto(node_id=2)
    monkeypatch.setattr(over, "wait", lambda wait: waits.append(wait) or len(waits) > 3)
    node.fleet.SendNodeHeartbeat = lost_once(lambda request: None, [])
    node._beat(over)
    assert waits == [30.0, 0.01, 30.0, 30.0]
    node.fleet.close()


@pytest.mark.slow
def test_the_server_leaves_idle_connections_open_longer_than_clients_use_them_again(
    door: tuple[tuple[str, int], Path, Path],
):
    """Both gave them up after 5 s: of calls at that moment some were lost (5 of 192, measured)."""
    (host, port), certificate, key = door
    context = ssl.create_default_context(cafile=str(certificate))
    with (
        serving((host, port), certificate, key),
        socket.create_connection((host, port)) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 ")
        connection.settimeout(7)
        with pytest.raises(TimeoutError):  # b"" once the server has closed it
            while connection.recv(4096):
                pass
            pytest.fail("the server has closed the connection")


def test_a_server_that_does_not_answer_is_given_up_after_a_while(tmp_path: Path):
    certificate, _ = make_certificate(tmp_path)
    node = Node(nowhere(), certificate, patience_s=0)
    with pytest.raises(RunError, match="does not answer .*: is it running, at this address, with this"):
        node.run(None, lambda: False)


def test_what_is_no_certificate_is_refused(tmp_path: Path):
    with pytest.raises(RunError, match="ca.pem is not a certificate .*: ask the server's keeper"):
        Node("localhost:1", tmp_path / "ca.pem")
