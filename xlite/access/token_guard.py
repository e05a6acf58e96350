"""The guard that asks each request to the API for its token."""

import asyncio
import hmac
from collections.abc import Callable, Collection

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from xlite.access.guesses import PATIENCE_S, Guesses, client_of

_ASKED = "This server wants its token: send the header `Authorization: Bearer TOKEN`."
_WRONG = "That is not the token of this server."
_TOO_MANY = "Too many wrong tokens: wait a little, then try again."


class TokenGuard:
    """Refuses (401) each request without the token, but for those to the paths `open_to_all`.

    A right token never waits. Wrong ones wait for their 401 ever longer, as wrong passwords do, and get 429
    if that is too long. `answer` makes a refusal of its words and its status.
    """

    def __init__(
        self,
        app: ASGIApp,
        token: str,
        open_to_all: Collection[str] = (),
        answer: Callable[[str, int], Response] = PlainTextResponse,
    ) -> None:
        self.app = app
        self.token = token.encode()
        self.open_to_all = open_to_all
        self.answer = answer
        self.guesses = Guesses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or refuses it."""
        if scope["type"] == "lifespan" or scope["path"] in self.open_to_all:
            await self.app(scope, receive, send)
            return
        kind, _, sent = Headers(scope=scope).get("authorization", "").partition(" ")
        said = sent.strip().encode("latin-1")  # as bytes: what compares texts in constant time wants ASCII
        if kind.lower() == "bearer" and hmac.compare_digest(said, self.token):
            await self.app(scope, receive, send)
        else:
            await (await self._refusal(client_of(scope), bool(sent)))(scope, receive, send)

    async def _refusal(self, client: str, guessed: bool) -> Response:
        """What a request gets that has no token, at once, or a wrong one, when its wait is over."""
        wait = self.guesses.enter(client) if guessed else 0.0
        if wait > PATIENCE_S:
            refusal = self.answer(_TOO_MANY, 429)
            refusal.headers["Retry-After"] = f"{wait:.0f}"
            return refusal
        await asyncio.sleep(wait)
        refusal = self.answer(_WRONG if guessed else _ASKED, 401)
        refusal.headers["WWW-Authenticate"] = "Bearer"
        return refusal
