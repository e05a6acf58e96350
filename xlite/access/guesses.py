"""A growing wait between guesses of a password, for each address and for all together."""

import asyncio
import ipaddress
import time
from collections import OrderedDict
from dataclasses import dataclass

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xlite.access.addresses import ip_address

FIRST_S, LONGEST_S = 0.25, 4.0
"""The wait after an address's first wrong guess, doubled with each one up to the longest."""
FIRST_IN_ALL_S, LONGEST_IN_ALL_S = 0.01, 0.25
"""The same for the guesses of all addresses, so that using many of them does not get round it."""
SPARED = 3
"""So many guesses of an address do not feel it: whoever knows the password does not wait for others."""
PATIENCE_S = 8.0
"""An attempt that would wait longer is refused at once: what waits cannot pile up."""
FORGOTTEN_S = 600.0
"""Wrong guesses are forgotten so long after the last one."""
ADDRESSES = 1000
"""So many addresses are remembered, the latest ones. If as many guess, none is spared."""


@dataclass
class Queue:
    """When the next guess may be checked, and how many were wrong; times in s of one clock."""

    first_s: float
    longest_s: float
    wrong: int = 0
    free_at: float = 0.0

    def wait(self, now: float) -> float:
        """How long a guess that comes now has to wait, in s."""
        return max(0.0, self.free_at - now)

    def enter(self, now: float) -> None:
        """Takes a guess that comes now for a wrong one, until `GuessDelay` is told otherwise."""
        if now - self.free_at > FORGOTTEN_S:
            self.wrong = 0
        doubled = self.first_s * 2 ** min(self.wrong, 16)
        self.free_at = now + self.wait(now) + min(doubled, self.longest_s)
        self.wrong += 1


class Guesses:
    """Who guessed wrong lately, and how long that makes the next guess wait."""

    def __init__(self) -> None:
        self.all = Queue(FIRST_IN_ALL_S, LONGEST_IN_ALL_S)
        self.addresses: OrderedDict[str, Queue] = OrderedDict()

    def enter(self, client: str) -> float:
        """How long a guess of that client has to wait, in s; it counts as wrong until `forgive` is told.

        Above PATIENCE_S it is not let in: it is to be refused at once.
        """
        now = time.monotonic()
        queue = self._queue(network_of(client), now)
        wait = queue.wait(now)
        wait_of_all = self.all.wait(now)
        if queue.wrong >= SPARED or len(self.addresses) == ADDRESSES:
            wait = max(wait, wait_of_all)
        if wait <= PATIENCE_S:
            queue.enter(now)
        if max(wait, wait_of_all) <= PATIENCE_S:
            self.all.enter(now)
        return wait

    def forgive(self, client: str) -> None:
        """The guess was right: its address starts anew."""
        self.addresses.pop(network_of(client), None)
        self.all.wrong = max(0, self.all.wrong - 1)

    def _queue(self, address: str, now: float) -> Queue:
        """The queue of an address. Quiet ones are forgotten, and one more if too many are left."""
        while self.addresses and now - next(iter(self.addresses.values())).free_at > FORGOTTEN_S:
            self.addresses.popitem(last=False)
        queue = self.addresses.setdefault(address, Queue(FIRST_S, LONGEST_S, free_at=now))
        self.addresses.move_to_end(address)
        if len(self.addresses) > ADDRESSES:
            self.addresses.popitem(last=False)
        return queue


class GuessDelay(Guesses):
    """Lets the sign-in behind it check one guess after another, ever more slowly while they are wrong.

    The answer 200 to a POST to `path`, behind whatever prefix, is a right password, all else a wrong one.
    A right one resets its address.
    """

    def __init__(self, app: ASGIApp, path: str = "/login") -> None:
        super().__init__()
        self.app = app
        self.path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, a guess when its turn has come; 429 if that is too far away."""
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        if not is_post or not scope["path"].rstrip("/").endswith(self.path):
            await self.app(scope, receive, send)
            return
        client = client_of(scope)
        wait = self.enter(client)
        if wait > PATIENCE_S:
            refusal = PlainTextResponse(
                "Too many wrong passwords: wait a little, then try again.\n",
                status_code=429,
                headers={"Retry-After": f"{wait:.0f}"},
            )
            await refusal(scope, receive, send)
            return
        await asyncio.sleep(wait)

        async def send_and_learn(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                self.forgive(client)
            await send(message)

        await self.app(scope, receive, send_and_learn)


def client_of(scope: Scope) -> str:
    """The address that a request came from; empty if the server does not know it."""
    return str((scope.get("client") or ("",))[0])


def network_of(client: str) -> str:
    """What guesses are counted by: an IPv4 address, or the first 64 bits of an IPv6 one: the rest is free."""
    address = ip_address(client)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address) if address else ""
