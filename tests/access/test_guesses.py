"""The wait between guesses: how it grows, whom it spares, and what it keeps."""

import asyncio
from collections.abc import Iterator

import pytest
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from xlite.access import guesses
from xlite.access.guesses import ADDRESSES, FORGOTTEN_S, PATIENCE_S, SPARED, GuessDelay, network_of


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 1e6

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(guesses, "time", clock)
    monkeypatch.setattr(guesses, "asyncio", clock)
    yield clock


async def sign_in(scope: Scope, receive: Receive, send: Send) -> None:
    """Takes the password `right`, which the tests write into the query."""
    status = 200 if scope["query_string"] == b"right" else 400
    await Response(status_code=status)(scope, receive, send)


def attempt(
    door: GuessDelay, password: str, address: str = "192.0.2.1", path: str = "/login", method: str = "POST"
) -> int:
    """The status that a visitor gets."""
    statuses: list[int] = []

    async def send(message: Message) -> None:
        statuses.extend([message["status"]] if message["type"] == "http.response.start" else [])

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = {
        **{"type": "http", "method": method, "path": path, "query_string": password.encode()},
        **{"client": (address, 1), "headers": []},
    }
    asyncio.run(door(scope, receive, send))
    return statuses[0]


def test_the_wait_doubles_and_another_address_does_not_feel_it(clock: Clock) -> None:
    door, waits = GuessDelay(sign_in), []
    for _ in range(8):
        began = clock.now
        assert attempt(door, "wrong") == 400
        waits.append(clock.now - began)
    assert waits == pytest.approx([0, 0.25, 0.5, 1, 2, 4, 4, 4])
    began = clock.now
    assert attempt(door, "right", "192.0.2.2") == 200
    assert clock.now - began <= 0.25


def test_three_hundred_guesses_take_twenty_minutes(clock: Clock) -> None:
    door, began = GuessDelay(sign_in), clock.now
    assert {attempt(door, "wrong", path=path) for path in ["/login", "/login/"] * 150} == {400}
    assert clock.now - began == pytest.approx(0.25 + 0.5 + 1 + 2 + 295 * 4)


def test_whoever_would_wait_too_long_is_refused_and_may_come_back_in_seconds(clock: Clock) -> None:
    door = GuessDelay(sign_in)
    for _ in range(20):
        attempt(door, "wrong")
    door.addresses["192.0.2.1"].free_at = clock.now + PATIENCE_S + 1  # as many guesses at once leave it
    assert attempt(door, "right") == 429
    clock.now += 1.5
    assert attempt(door, "right") == 200
    assert "192.0.2.1" not in door.addresses


def address(number: int) -> str:
    return f"198.51.{number // 250}.{number % 250}"


def test_others_however_many_do_not_hold_up_whoever_knows_the_password(clock: Clock) -> None:
    door = GuessDelay(sign_in)
    for number in range(SPARED * (ADDRESSES - 2)):  # none of them waits for its answer
        door.enter(address(number // SPARED))
    began = clock.now
    assert attempt(door, "right", "192.0.2.2") == 200
    assert clock.now == began
    assert [attempt(door, "wrong", "192.0.2.3"), attempt(door, "right", "192.0.2.3")] == [400, 200]
    assert clock.now - began == pytest.approx(0.25)


@pytest.mark.slow
def test_many_addresses_together_get_four_guesses_a_second(clock: Clock) -> None:
    door = GuessDelay(sign_in)
    for number in range(ADDRESSES - 1):
        assert attempt(door, "wrong", address(number)) == 400
    clock.now += PATIENCE_S
    began = clock.now
    for number in range(ADDRESSES, ADDRESSES + 400):
        assert attempt(door, "wrong", address(number)) == 400
    assert 90 < clock.now - began < 110


@pytest.mark.slow
def test_nothing_grows_without_bound_and_quiet_is_forgotten(clock: Clock) -> None:
    door = GuessDelay(sign_in)
    for number in range(ADDRESSES + 50):
        attempt(door, "wrong", f"10.0.{number // 250}.{number % 250}")
    assert len(door.addresses) == ADDRESSES
    for _ in range(5):
        attempt(door, "wrong")
    clock.now += FORGOTTEN_S + 10
    attempt(door, "wrong")
    began = clock.now
    attempt(door, "wrong")
    assert clock.now - began == pytest.approx(0.25)


def test_only_guesses_wait(clock: Clock) -> None:
    door, began = GuessDelay(sign_in), clock.now
    for _ in range(50):
        attempt(door, "wrong", method="GET")
        attempt(door, "wrong", path="/gradio_api/upload")
    assert clock.now == began and not door.addresses


def test_whoever_has_a_network_of_addresses_counts_once() -> None:
    assert network_of("192.0.2.1") == network_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2") == "2001:db8::/64"
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert network_of("") == ""
