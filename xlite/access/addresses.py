"""Where a server may answer: on this machine alone unless its owner opened it, and on a port that is free."""

import ipaddress
import socket

from xlite.errors import RunError
from xlite.public import is_public

HOST, PORT = "127.0.0.1", 7860
"""Where a demo answers if nothing else is asked for: on this machine alone."""
API_PORT = 8000
"""Where the API answers, on HOST."""
DICOM_PORT = 11112
"""Where a DICOM node answers, on HOST: the port that is registered for it."""
AE_TITLE = "XLITE"
"""What a DICOM node is called there."""


def check_app_address(address: str | None) -> None:
    """Raises RunError if others could reach the app at that address (None: at all) and it is not public."""
    if not (address and is_loopback(address)) and not is_public():
        raise RunError(
            f"the app would answer on {address or 'all addresses'}, and whoever reaches it can start and "
            "delete runs: start it with --server.address localhost, or set XLITE_PUBLIC=1 for one that only "
            "reads"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can be meant by that address or name."""
    address = ip_address(host)
    return address.is_loopback if address else host.lower() == "localhost"


def ip_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that is written there, an IPv4 address inside an IPv6 one as itself; None for a name."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


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
