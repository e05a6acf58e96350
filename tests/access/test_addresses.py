"""Where a server may answer: on this machine unless its owner opened it, and on a port that can be had."""

import socket

import pytest

from xlite.access.addresses import HOST, check_app_address, check_port, is_loopback
from xlite.errors import RunError


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        (HOST, True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("LOCALHOST", True),
        ("0.0.0.0", False),
        ("::", False),
        ("::ffff:10.0.0.1", False),
        ("localhost.example.org", False),
        ("box", False),
    ],
)
def test_only_loopback_is_this_machine_alone(host: str, alone: bool) -> None:
    assert is_loopback(host) is alone


@pytest.fixture(autouse=True)
def nobody_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XLITE_PUBLIC", raising=False)


@pytest.mark.parametrize("public", ["", "0", "1"])
def test_the_app_may_always_answer_on_this_machine(public: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLITE_PUBLIC", public)
    check_app_address("localhost")


@pytest.mark.parametrize(
    ("address", "named"),
    [(None, "all addresses"), ("", "all addresses"), ("0.0.0.0", "0.0.0.0"), ("::", "::"), ("box", "box")],
)
def test_the_app_answers_others_only_if_its_owner_says_so(
    address: str | None, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for closed in ("", "0"):
        monkeypatch.setenv("XLITE_PUBLIC", closed)
        with pytest.raises(RunError) as refusal:
            check_app_address(address)
        assert str(refusal.value) == (
            f"the app would answer on {named}, and whoever reaches it can start and delete runs: "
            "start it with --server.address localhost, or set XLITE_PUBLIC=1 for one that only reads"
        )
    monkeypatch.setenv("XLITE_PUBLIC", "1")
    check_app_address(address)


def test_a_word_that_may_mean_no_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLITE_PUBLIC", "false")
    with pytest.raises(RunError, match="XLITE_PUBLIC is 'false'; expected 1"):
        check_app_address("0.0.0.0")


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_does_not_exist_is_refused(port: int) -> None:
    with pytest.raises(RunError, match=f"port {port} .*1024 to 65535"):
        check_port(HOST, port)


def test_a_port_is_free_until_somebody_answers_on_it() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        port = other.getsockname()[1]
        other.listen()
        with pytest.raises(RunError, match=f"{HOST}:{port}"):
            check_port(HOST, port)
    check_port(HOST, port)
