"""The guard of names: what a server answers, as requests and sockets reach it."""

import asyncio

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message

from xlite.access.hosts import HostGuard, host_name, owner_names
from xlite.errors import RunError

NAMES = {"xray.example.org"}
KNOWN = (
    *("localhost", "LOCALHOST:8501", "localhost.", "127.0.0.1", "127.9.9.9:1", "[::1]", "[::1]:8501", "::1"),
    *("[::ffff:127.0.0.1]:80", "xray.example.org", "XRAY.example.org:443", "192.0.2.7:8501"),
)
STRANGE = (
    *(
        "evil.example",
        "evil.example:8501",
        "localhost.evil.example",
        "localhost:8501.evil.example",
        "0.0.0.0",
    ),
    *(
        "localhost@evil.example",
        "evil.example/localhost",
        "evil.example#localhost",
        "localhost:port",
        "127.1",
    ),
    *("[::1]evil", "[::1]evil:80", "[::1].", "[::1]:", "[::1]:80:80", "[::1]:x", "[::1]:99999", "[::1]:8_0"),
    *("[::1]]", "[[::1]]", "x[::1]", "[localhost]", "[127.0.0.1]", "[::1%lo]", "[]", "[::1] :80"),
    *("localhost:", "localhost:80:80", "localhost:80 ", " localhost", "localhost :80", "localhost: 80"),
    *("localhost:-1", "localhost:+80", "localhost:0", "localhost:65536", "localhost:000080", "local\thost"),
    *("localhost..", ".", ":80", "localhost,evil", "localhost;", "localhost?", "user:x@localhost"),
    *("a.xray.example.org", "xray.example.org.evil.example", "192.0.2.8", "[::2]", "[::1", "", "*", "null"),
)


def answer(host: str | None, **headers: str) -> int:
    """The status with which a guarded app answers a request that came to 192.0.2.7."""

    async def ask() -> int:
        transport = httpx.ASGITransport(HostGuard(PlainTextResponse("a film"), NAMES))
        async with httpx.AsyncClient(transport=transport, base_url="http://192.0.2.7") as client:
            request = client.build_request("GET", "/", headers={"Host": host or "", **headers})
            if host is None:
                del request.headers["Host"]
            return (await client.send(request)).status_code

    return asyncio.run(ask())


@pytest.mark.parametrize("host", KNOWN)
def test_names_of_this_machine_and_of_its_owner_are_answered(host: str) -> None:
    assert answer(host) == 200
    assert answer(host, Origin=f"https://{host}") == 200


@pytest.mark.parametrize("host", STRANGE)
def test_every_other_name_is_refused(host: str) -> None:
    assert answer(host) == 403
    assert answer(host, Origin=f"http://{host}") == 403
    assert answer("localhost", Origin=f"http://{host}") == 403


def test_a_request_without_a_name_or_from_a_page_without_one_is_refused() -> None:
    assert answer(None) == 403
    assert answer("localhost", Origin="null") == 403


def socket_answer(*hosts: bytes) -> list[Message]:
    """What a guarded app sends to a socket that asks for it by those names."""
    sent: list[Message] = []

    async def app(scope: object, receive: object, send: object) -> None:
        sent.append({"type": "reached"})

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "websocket", "headers": [(b"host", host) for host in hosts], "server": ("127.0.0.1", 1)}
    asyncio.run(HostGuard(app, NAMES)(scope, receive, send))
    return sent


def test_a_socket_opens_for_one_known_name_only() -> None:
    assert socket_answer(b"localhost:8501") == [{"type": "reached"}]
    for hosts in ([b"evil.example"], [b"localhost", b"evil.example"], [b"evil.example", b"localhost"], []):
        assert [message["type"] for message in socket_answer(*hosts)] == ["websocket.close"]


def test_a_name_that_the_owner_adds_later_is_answered() -> None:
    names = {"a.example"}
    guard = HostGuard(PlainTextResponse("a film"), names)
    names.add("share.example")

    async def ask() -> int:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(guard), base_url="http://share.example"
        ) as client:
            return (await client.get("/")).status_code

    assert asyncio.run(ask()) == 200


def test_the_owner_names_a_server_by_its_address_and_in_xlite_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XLITE_HOSTS", raising=False)
    assert owner_names(None) == owner_names("0.0.0.0") == owner_names("::") == set()
    monkeypatch.setenv("XLITE_HOSTS", "xray.example.org, Ward-7.local:8501 10.0.0.3")
    assert owner_names("BOX") == {"box", "xray.example.org", "ward-7.local", "10.0.0.3"}


@pytest.mark.parametrize("word", ["*", "*.example.org", "http://example.org", "example.org/app", "a:b"])
def test_what_is_no_name_in_xlite_hosts_is_refused(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLITE_HOSTS", f"good.example,{word}")
    with pytest.raises(RunError) as refusal:
        owner_names("localhost")
    assert str(refusal.value) == (
        f"XLITE_HOSTS holds {word!r}; expected names such as xray.example.org, with commas between"
    )


def test_a_name_is_told_from_what_looks_like_one() -> None:
    assert [
        host_name(host) for host in ("[::1]:80", "A.b.:1", "a b", "a%2eb", "ä.example", "a:\u0668", "\u212a")
    ] == [
        *("::1", "a.b"),
        *(None, None, None, None, None),
    ]


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("localhost:8501", "http://localhost:8501", 200),
        ("localhost:8501", "http://127.0.0.1:8501", 200),
        ("localhost", "http://localhost", 200),
        ("localhost:443", "https://localhost", 200),
        ("localhost:8501", "http://localhost:3000", 403),
        ("localhost:8501", "http://localhost", 403),
        ("192.0.2.7:8501", "http://192.0.2.7:9000", 403),
        ("[::1]:8501", "http://[::1]:3000", 403),
        ("localhost:8501", "https://xray.example.org", 200),  # through a proxy, which has another port
        ("xray.example.org", "https://xray.example.org:8443", 200),
    ],
)
def test_a_page_of_another_program_of_this_machine_is_strange(host: str, origin: str, status: int) -> None:
    assert answer(host, origin=origin) == status
