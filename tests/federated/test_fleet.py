"""A real client and a real server on the loopback: which answers arrive, and who may take part."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest
from federations import STUDENT, make_certificate, make_key, options
from flwr.app import ConfigRecord, Context, Message, RecordDict
from flwr.clientapp import ClientApp
from servers import free_port
from typer.testing import CliRunner

from xlite.cli.federate import app as federate_app
from xlite.errors import RunError
from xlite.federated.client import ANSWER
from xlite.federated.fleet import Fleet, serving
from xlite.federated.node import Node

pytestmark = pytest.mark.slow

Door = tuple[tuple[str, int], Path, Path]


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return ("127.0.0.1", free_port()), *make_certificate(tmp_path)


def await_true(what: Callable[[], object], seconds: float = 20) -> None:
    end = monotonic() + seconds
    while not what():
        assert monotonic() < end
        sleep(0.02)


class Answers:
    """A client that gives one answer after a while and leaves; `refuses`: what it says in its place."""

    def __init__(self, refuses: str = "", takes_s: float = 0):
        self.app, self.done, self.raised = ClientApp(), False, ""

        @self.app.query("answer")
        def answer(message: Message, context: Context) -> Message:
            if refuses:
                raise RunError(refuses)
            sleep(takes_s)
            self.done = True
            return Message(RecordDict({"config": ConfigRecord({"name": "north"})}), reply_to=message)

    def run(self, node: Node) -> None:
        try:
            node.run(self.app, lambda: self.done)
        except RunError as error:
            self.raised = str(error)


@contextmanager
def at(door: Door, client: Answers, key: Path | None = None) -> Iterator[Thread]:
    """The client in a thread of its own, at the server behind the door."""
    (host, port), certificate, _ = door
    thread = Thread(target=client.run, args=(Node(f"{host}:{port}", certificate, key),), daemon=True)
    thread.start()
    yield thread
    thread.join(20)
    assert not thread.is_alive()


def ask(fleet: Fleet, timeout: float = 20) -> Message | None:
    """What the only client answers."""
    await_true(fleet.connected)
    [node] = fleet.connected()
    question = Message(RecordDict({"config": ConfigRecord({})}), node, ANSWER)
    return fleet.send_and_receive([question], timeout).get(node)


def test_the_last_answer_of_a_client_arrives_and_the_client_is_gone_then(door: Door):
    """It left at once, and Flower drops the answers of clients that have left: 20 of 20 were lost."""
    with serving(*door) as fleet:
        for _ in range(3):
            with at(door, Answers()):
                reply = ask(fleet)
            assert reply is not None and not reply.has_error(), reply
            assert reply.content["config"]["name"] == "north"
            await_true(lambda: not fleet.connected(), 1)


def test_what_a_client_refuses_is_said_at_both_ends(door: Door):
    client = Answers(refuses="the server has X-Lite 9, and this client 1: install the same")
    with serving(*door) as fleet, at(door, client):
        reply = ask(fleet)
    assert reply is not None and reply.error.reason == client.raised
    assert client.raised == "the server has X-Lite 9, and this client 1: install the same"


def test_a_late_answer_is_dropped_and_nothing_is_kept_of_it(door: Door):
    client = Answers(takes_s=5)
    with serving(*door) as fleet:
        with at(door, client):
            assert ask(fleet, timeout=1) is None and not client.done
        assert client.done
        assert (fleet.state.num_message_ins(), fleet.state.num_message_res()) == (0, 0)


@pytest.mark.parametrize("has_key", [True, False], ids=["another key", "no key"])
def test_who_is_no_member_is_told_so_at_once_and_so_is_the_server(
    door: Door, tmp_path: Path, caplog: pytest.LogCaptureFixture, has_key: bool
):
    """Both were told nothing but Flower's "Failed to activate SuperNode", the client after ten minutes."""
    (host, port), certificate, _ = door
    member, other = make_key(tmp_path / "north"), make_key(tmp_path / "east")
    lacking = "this key is none of theirs" if has_key else "this client has none"
    with serving(*door, [member.with_suffix(".pub")]) as fleet:
        for _ in range(2):
            node = Node(f"{host}:{port}", certificate, other if has_key else None)
            with pytest.raises(
                RunError, match=f"lets in only members, by their keys, and {lacking}: send the"
            ):
                node.run(Answers().app, lambda: False)
        assert not fleet.connected()
    said = "Warning: a client at 127.0.0.1 is not let in: its key is no --member's"
    assert [message for message in caplog.messages if message.startswith("Warning")] == [said]


def test_a_member_takes_part_and_a_second_client_with_its_key_does_not(door: Door, tmp_path: Path):
    (host, port), certificate, _ = door
    key = make_key(tmp_path / "north")
    client = Answers()
    with serving(*door, [key.with_suffix(".pub")]) as fleet:
        with at(door, client, key):
            await_true(fleet.connected)
            second = Node(f"{host}:{port}", certificate, key, patience_s=0)
            with pytest.raises(
                RunError, match="with this key is connected to .*, or died less than 20 s ago: stop it"
            ):
                second.run(Answers().app, lambda: False)
            assert ask(fleet).content["config"]["name"] == "north"
        assert client.done


def test_a_server_whose_port_is_taken_takes_no_name(own_home: Path, door: Door):
    (_, port), certificate, key = door
    words = ["--port", str(port), "--certificate", str(certificate), "--key", str(key)]
    with serving(*door):
        result = CliRunner().invoke(federate_app, ["server", "--name", "three", *words, *options(STUDENT)])
    assert isinstance(result.exception, RunError)
    assert f"cannot answer on 127.0.0.1:{port} (Address already in use)" in str(result.exception)
    assert not (own_home / "checkpoints" / "three").exists()


def test_a_server_without_its_files_takes_no_name(own_home: Path, tmp_path: Path):
    """The name was taken by then, so that the same command failed once the files were there."""
    certificate, key = make_certificate(tmp_path)
    door = ["--certificate", str(certificate), "--key", str(key)]
    student = options({**STUDENT, "clients": 1, "port": free_port()})
    for given, why in (
        (
            ["--certificate", str(tmp_path / "no.pem"), "--key", str(key)],
            "no.pem and .* are not a certificate",
        ),
        ([*door, "--member", str(key)], "server.key is not a public key"),
    ):
        result = CliRunner().invoke(federate_app, ["server", "--name", "three", *given, *student])
        assert isinstance(result.exception, RunError) and re.search(why, str(result.exception))
    assert not (own_home / "checkpoints" / "three").exists()
