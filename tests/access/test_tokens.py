"""The API's token: where it comes from, which are refused, and whom the guard lets in."""

import asyncio
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message

from xlite.access import guesses
from xlite.access.addresses import HOST
from xlite.access.tokens import MIN_TOKEN, TokenGuard, check_token, read_token
from xlite.errors import RunError

GOOD = "q7Zr2LwX9vKe4TgB"


def test_it_comes_from_a_file_or_the_variable_which_is_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XLITE_TOKEN", raising=False)
    assert read_token(None, None) is None
    monkeypatch.setenv("XLITE_TOKEN", GOOD)
    assert (read_token(None, None), read_token(None, None)) == (GOOD, None)
    (tmp_path / "token").write_text(f"{GOOD}\nmore\n")
    assert read_token(str(tmp_path / "token"), None) == GOOD
    with pytest.raises(RunError, match="the token cannot be read from '.*no-such'"):
        read_token(str(tmp_path / "no-such"), None)
    with pytest.raises(
        RunError, match="a token on the command line can be read in `ps`.*--token-file FILE or"
    ):
        read_token(None, GOOD)
    with pytest.raises(RunError, match="there is no terminal to ask for the token"):
        read_token(None, "")


def test_a_server_that_others_reach_needs_a_good_one() -> None:
    check_token(HOST, None)
    check_token("0.0.0.0", GOOD)
    for host in ("0.0.0.0", "::", "192.0.2.1", "box"):
        with pytest.raises(
            RunError, match=f"an API that others can reach needs --token with {MIN_TOKEN} char"
        ):
            check_token(host, None)
        with pytest.raises(RunError, match="an API that others can reach needs"):
            check_token(host, "")
    for host in (HOST, "0.0.0.0"):
        with pytest.raises(RunError, match="the token has 15 characters: use 16 or more"):
            check_token(host, GOOD[:15])
        with pytest.raises(RunError, match="the token is easily guessed"):
            check_token(host, "xlite-token-12345678")
        with pytest.raises(RunError, match="the token holds spaces or special characters"):
            check_token(host, f"{GOOD} {GOOD}")
        with pytest.raises(RunError, match="the token holds spaces or special characters"):
            check_token(host, f"{GOOD}é")


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

    monkeypatch.setattr("xlite.access.tokens.asyncio.sleep", sleep)
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
