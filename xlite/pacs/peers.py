"""Other nodes: where results go, and who may send."""

import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from xlite.errors import RunError

_TITLE = re.compile(r"[ -\[\]-~]{1,16}")  # what the standard allows: 16 signs of ASCII, no backslash
_ADDRESS = re.compile(r"(?P<title>[^@]+)@(?P<host>\[[^\]]+\]|[^:@\[\]]+):(?P<port>\d{1,5})")


def check_title(title: str) -> str:
    """The AE title itself. Raises RunError if it is none."""
    if not _TITLE.fullmatch(title) or not title.strip():
        raise RunError(f"{title!r} is not an AE title: 1 to 16 signs of ASCII, no backslash, not all blanks")
    return title.strip()


@dataclass(frozen=True)
class Peer:
    """A node that listens: AE title, host and port."""

    title: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Peer":
        """From `AE@HOST:PORT`; an IPv6 address stands in brackets. Raises RunError."""
        found = _ADDRESS.fullmatch(text)
        if found is None or not 1 <= int(found["port"]) <= 65535:
            raise RunError(
                f"{text!r} is not a destination; expected AE@HOST:PORT, as in ORTHANC@localhost:4242"
            )
        return cls(check_title(found["title"]), found["host"].strip("[]"), int(found["port"]))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.title}@{host}:{self.port}"


@dataclass(frozen=True)
class Senders:
    """Who may send: AE titles, some from certain addresses only; everybody if there are none."""

    allowed: Sequence[tuple[str, frozenset[str]]] = ()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "Senders":
        """From `AE` or `AE@HOST` each; names of hosts are looked up once. Raises RunError."""
        found = []
        for text in texts:
            title, _, host = text.partition("@")
            found.append((check_title(title), _addresses(host) if host else frozenset()))
        return cls(tuple(found))

    def may(self, title: str, address: str) -> bool:
        """Whether a node of that title may send from that address."""
        address = address.removeprefix("::ffff:")
        return not self.allowed or any(
            title.strip() == known and (not hosts or address in hosts) for known, hosts in self.allowed
        )


def _addresses(host: str) -> frozenset[str]:
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise RunError(f"the host {host} is not known ({error.strerror}): write its address") from error
    return frozenset(str(entry[4][0]) for entry in found)
