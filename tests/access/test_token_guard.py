"""Whom the guard of the API's token lets in."""

import asyncio

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message

from xlite.access import guesses
from xlite.access.token_guard import TokenGuard

GOOD = "q7Zr2LwX9vKe4TgB"


def asked(guard: TokenGuard, sent: str | None, path: str = "/v1/predict") -> tuple[int, dict[str, str], str]:
    """Status, headers and words of the answer to one request."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    headers = [] if sent is None else [(b"authorization", sent.encode("latin-1"))]
    scope = {"type": "http", "method": "GET", "path": path, "client": ("192.0.2.1", 1), "headers": headers}
    asyncio.run(guard(scope, receive, send))
    told = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
    return messages[0]["status"], told, messages[1]["body"].decode()


def test_only_the_token_opens_and_a_guess_waits_ever_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("xlite.access.token_guard.asyncio.sleep", sleep)
    monkeypatch.setattr(guesses.time, "monotonic", lambda: 1e6)
    guard = TokenGuard(PlainTextResponse("films"), GOOD, ("/health",))
    assert asked(guard, f"Bearer {GOOD}")[::2] == asked(guard, f"bearer  {GOOD} ")[::2] == (200, "films")
    assert asked(guard, None, "/health")[::2] == (200, "films")
    for sent in (None, "Bearer", "Bearer "):
        status, headers, words = asked(guard, sent)
        assert (status, headers["www-authenticate"]) == (401, "Bearer")
        assert words == "This server wants its token: send the header `Authorization: Bearer TOKEN`."
    assert waited == [0.0] * 3
    for sent in (f"Bearer {GOOD}x", f"Bearer {GOOD[:-1]}", f"Basic {GOOD}", "Bearer \xe9\xff"):
        assert asked(guard, sent)[::2] == (401, "That is not the token of this server.")
    assert waited[3:] == [0, 0.25, 0.75, 1.75]  # the clock stands still
    for _ in range(3):
        last = asked(guard, "Bearer wrong")
    assert last[::2] == (429, "Too many wrong tokens: wait a little, then try again.")
    assert last[1]["retry-after"] == "12"
    assert asked(guard, f"Bearer {GOOD}")[0] == 200
    assert asked(guard, None)[0] == 401
