"""The token of the API: where it is read from, and the guard that asks each request for it."""

import asyncio
import hmac
import os
from collections.abc import Callable, Collection

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from xlite.access.addresses import is_loopback
from xlite.access.guesses import PATIENCE_S, Guesses, client_of
from xlite.access.passwords import check_secret
from xlite.access.secrets import Secret
from xlite.errors import RunError

MIN_TOKEN = 16
TOKEN = Secret("token", "XLITE_TOKEN", "Token for programs: ")
_ASKED = "This server wants its token: send the header `Authorization: Bearer TOKEN`."
_WRONG = "That is not the token of this server."
_TOO_MANY = "Too many wrong tokens: wait a little, then try again."


def read_token(file: str | None, typed: str | None) -> str | None:
    """The token from a file's first line, the terminal, or XLITE_TOKEN; None if there is none.

    `typed` is what follows --token: "" asks for it. Raises RunError as `Secret.read` does.
    """
    return TOKEN.read(file, typed, os.environ.pop("XLITE_TOKEN", None))


def check_token(host: str, token: str | None) -> None:
    """Raises RunError if strangers could reach the API without a good token, or if no header can hold it."""
    check_secret(TOKEN, "an API", not is_loopback(host), token, MIN_TOKEN)
    if token is not None and not (token.isascii() and token.isprintable() and " " not in token):
        raise RunError("the token holds spaces or special characters: use letters, digits and signs of ASCII")


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
