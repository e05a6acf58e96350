"""Who may reach a server: loopback is open, all else needs a good password; and which ports can be had."""

import socket

import pytest

from xlite.access import HOST, MIN_PASSWORD, check_access, check_port, is_loopback
from xlite.errors import RunError

GOOD = "x" * MIN_PASSWORD


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        (HOST, True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("box", False),
    ],
)
def test_only_loopback_is_this_machine_alone(host: str, alone: bool) -> None:
    assert is_loopback(host) is alone


@pytest.mark.parametrize(("host", "public"), [(HOST, False), (HOST, True), ("0.0.0.0", False)])
def test_a_good_password_opens_every_door(host: str, public: bool) -> None:
    check_access(host, public, GOOD)


@pytest.mark.parametrize(("host", "public"), [(HOST, True), ("0.0.0.0", False)])
@pytest.mark.parametrize("password", [None, ""])
def test_strangers_need_a_password(host: str, public: bool, password: str | None) -> None:
    with pytest.raises(RunError, match=f"--password with {MIN_PASSWORD}"):
        check_access(host, public, password)


def test_without_strangers_no_password_is_needed_but_a_short_one_is_refused() -> None:
    check_access(HOST, False, None)
    with pytest.raises(RunError, match=f"{MIN_PASSWORD - 1} characters: use {MIN_PASSWORD}"):
        check_access(HOST, False, GOOD[1:])


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
