"""By which names a server answers: those of this machine and those that its owner lists.

Any web page may give its own name the address of this machine (DNS rebinding): the browser then takes the
server for a part of that page. Only the name tells.
"""

import os
import re
from collections.abc import Callable, Collection

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from xlite.access.addresses import ip_address, is_loopback
from xlite.errors import RunError

_HOST = re.compile(
    r"(?:\[(?P<bracketed>[0-9a-fA-F:.]+)\]|(?P<name>[\w.-]+))(?::(?P<port>\d{1,5}))?", re.ASCII
)
"""A name or an address, with or without a port (RFC 3986, 3.2.2; but no empty port)."""
_BY_NAME = "This server does not answer by that name. Its owner lists the names that it has in XLITE_HOSTS.\n"
_FROM_PAGE = (
    "This server does not answer a page of another server. If the page is its own, its owner lists the name "
    "of the page in XLITE_HOSTS.\n"
)


class HostGuard:
    """Refuses (403) each request, socket, upload and health check by a strange name or from a page of one.

    `names` are answered besides those of this machine; whoever owns the collection may add to it later. The
    address that a connection was made to is answered too: it is a number, which no page can have for a name.
    `answer` makes the refusal of its words and its status.
    """

    def __init__(
        self, app: ASGIApp, names: Collection[str], answer: Callable[[str, int], Response] = PlainTextResponse
    ) -> None:
        self.app = app
        self.names = names
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or refuses it."""
        said = None if scope["type"] == "lifespan" else self._refusal(scope)
        if said is None:
            await self.app(scope, receive, send)
            return
        refusal = WebSocketClose() if scope["type"] == "websocket" else self.answer(said, 403)
        await refusal(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        """Why a request is refused; None if it is not."""
        headers = Headers(scope=scope)
        own = (scope.get("server") or ("",))[0]
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not self._is_own(host_name(hosts[0]), own):
            return _BY_NAME
        return None if all(self._is_own_page(one, hosts[0], own) for one in origins) else _FROM_PAGE

    def _is_own_page(self, origin: str, host: str, own: str) -> bool:
        """Whether a page of this server asks: pages of other programs here come from another port."""
        scheme, _, authority = origin.partition("://")
        name = host_name(authority)
        if name in self.names:  # maybe a proxy's, which has a port of its own
            return True
        return self._is_own(name, own) and _port(authority, scheme) == _port(host, scheme)

    def _is_own(self, name: str | None, own: str) -> bool:
        if not name:
            return False
        address = ip_address(name)
        return is_loopback(name) or name in self.names or (address is not None and address == ip_address(own))


def _port(host: str, scheme: str) -> int:
    """The port of a `Host` header that has a name, or the scheme's own."""
    found = None if ip_address(host) else _HOST.fullmatch(host)
    return int(found["port"]) if found and found["port"] else {"https": 443}.get(scheme, 80)


def host_name(host: str) -> str | None:
    """The name in a `Host` header, in lower case, without its port and a final dot; None if it is none.

    An IPv6 address comes without its brackets.
    """
    if ip_address(host):
        return host.lower()
    found = _HOST.fullmatch(host)
    if found is None or not 1 <= int(found["port"] or 1) <= 65535:
        return None
    if address := found["bracketed"]:
        return address.lower() if ":" in address and ip_address(address) else None
    return found["name"].lower().removesuffix(".") or None


def owner_names(address: str | None) -> set[str]:
    """The names that an owner gives a server: what it is told to answer on, and XLITE_HOSTS.

    Raises RunError for what is not a name of a machine.
    """
    names = set() if address in (None, "", "0.0.0.0", "::") else {host_name(address)}
    for word in os.environ.get("XLITE_HOSTS", "").replace(",", " ").split():
        names.add(host_name(word))
        if host_name(word) is None:
            raise RunError(
                f"XLITE_HOSTS holds {word!r}; expected names such as xray.example.org, with commas between"
            )
    return {name for name in names if name}
