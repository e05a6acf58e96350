"""Who may reach a server of this machine, and whether its address can be had."""

import ipaddress
import socket

from xlite.errors import RunError

MIN_PASSWORD = 12
HOST, PORT = "127.0.0.1", 7860
"""Where a demo answers if nothing else is asked for: on this machine alone."""


def check_access(host: str, public: bool, password: str | None) -> None:
    """Raises RunError if strangers could reach a server without a good password."""
    opened = public or not is_loopback(host)
    if opened and not password:
        raise RunError(
            f"a demo that others can reach needs --password with {MIN_PASSWORD} characters or more"
        )
    if password is not None and len(password) < MIN_PASSWORD:
        raise RunError(
            f"the password has {len(password)} characters: use {MIN_PASSWORD} or more, "
            "so that nobody guesses it"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_port(host: str, port: int) -> None:
    """Raises RunError if no server could answer on that port of that host."""
    if not 1 <= port <= 65535:
        raise RunError(f"port {port} does not exist: choose one from 1024 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise RunError(
            f"cannot answer on {host}:{port} ({error.strerror}): choose another port or host"
        ) from error
