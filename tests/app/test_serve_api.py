"""The API in this process: its limits, its refusals and its page, without a network."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
import serve_api
import serve_body
from demo_home import save_demo_model
from gates import Played
from serve_page import page

from xlite.classify import Classifier
from xlite.guarded import GuardedReader
from xlite.guards.gate import Gate
from xlite.serving import capacity
from xlite.serving.films import FilmReader

FILM = cv2.imencode(".png", np.random.default_rng(0).integers(0, 256, (90, 80), dtype=np.uint8))[1].tobytes()


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return Classifier.load(save_demo_model(tmp_path_factory.mktemp("home")))


Ask = Callable[..., httpx.Response]
AskAll = Callable[..., list[httpx.Response]]


@pytest.fixture
def ask_all(classifier: Classifier) -> AskAll:
    """Sends requests one after the other to a server of their own."""

    def send(
        *requests: tuple[str, str, dict[str, Any]], token: str | None = None, gate: Gate | None = None
    ) -> list[httpx.Response]:
        async def main() -> list[httpx.Response]:
            app = serve_api.build(
                [FilmReader(GuardedReader(classifier, gate or Played()))], {"xray.example.org"}, token
            )
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
            ):
                return [await client.request(method, path, **more) for method, path, more in requests]

        return asyncio.run(main())

    return send


@pytest.fixture
def ask(ask_all: AskAll) -> Ask:
    """Sends one request."""
    return lambda method, path, **more: ask_all((method, path, more))[0]


def refused(answer: httpx.Response, status: int, sentence: str) -> None:
    assert (answer.status_code, answer.json()) == (status, {"detail": sentence})


def films(count: int = 1, data: bytes = FILM) -> list[tuple[str, tuple[str, bytes]]]:
    return [("films", (f"{number}.png", data)) for number in range(count)]


async def slowly(*parts: bytes, pause_s: float = 0.0) -> AsyncIterator[bytes]:
    for part in parts:
        await asyncio.sleep(pause_s)
        yield part


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("maps=15", 422, "maps is '15'; expected a whole number from 0 to 14"),
        ("maps=-1", 422, "maps is '-1'; expected a whole number from 0 to 14"),
        ("maps=three", 422, "maps is 'three'; expected a whole number from 0 to 14"),
        ("fix=perhaps", 422, "fix is 'perhaps'; expected true or false"),
        ("map=3", 422, "map is '3'; expected nothing by that name"),
        ("model=other", 404, "there is no such model here; expected demo0"),
        ("model=", 404, "there is no such model here; expected demo0"),
    ],
)
def test_a_wrong_question_is_answered_before_its_film_is_read(
    ask: Ask, query: str, status: int, sentence: str
) -> None:
    refused(ask("POST", f"/v1/predict?{query}", content=b"x"), status, sentence)


def test_head_is_answered_as_get_without_a_body(ask: Ask) -> None:
    for path, status in (("/health", 200), ("/docs", 200), ("/", 404), ("/v1/predict", 405)):
        answer = ask("HEAD", path)
        assert (answer.status_code, answer.content) == (status, b"")


@pytest.mark.parametrize("suffix", ["tiff", "webp", "bmp"])
def test_films_of_all_formats_come_by_their_own_types(ask: Ask, suffix: str) -> None:
    grey = cv2.imdecode(np.frombuffer(FILM, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    film = cv2.imencode(f".{suffix}", grey)[1].tobytes()
    answer = ask("POST", "/v1/predict", content=film, headers={"Content-Type": f"image/{suffix}"})
    assert answer.status_code == 200 and answer.json()["films"][0]["error"] is None
    said = ask("GET", "/openapi.json").json()["paths"]["/v1/predict"]["post"]
    assert f"image/{suffix}" in said["requestBody"]["content"]
    assert said["description"].startswith("Reads PNG, JPEG, TIFF, WebP, BMP or DICOM films: ")


def test_paths_and_methods_that_are_not_there(ask: Ask) -> None:
    refused(ask("GET", "/"), 404, "not found: /docs says what can be asked")
    refused(ask("GET", "/v1/predict"), 405, "method not allowed: /docs says what can be asked")


@pytest.mark.parametrize(
    ("kind", "content", "status", "sentence"),
    [
        (
            "application/json",
            b"{}",
            415,
            "films come as multipart/form-data or alone as image/png, image/jpeg, ",
        ),
        ("multipart/form-data", b"--a--", 400, "the form is damaged: send each film as a file of a form"),
        ("multipart/form-data; boundary=", b"----", 400, "the form is damaged"),
        (f"multipart/form-data; boundary={'a' * 300}", b"", 400, "the form is damaged"),
        ("multipart/form-data; boundary=a", b"", 400, "the form is cut short: send it again"),
        ("multipart/form-data; boundary=a", b"nothing of it", 400, "the form is damaged"),
        ("multipart/form-data; boundary=a", b"--a\r\n\r\nx\r\n--a--\r\n", 400, "the form is damaged"),
        (
            "multipart/form-data; boundary=a",
            b'--a\r\nContent-Disposition: form-data; name="films"; filename="a.png"\r\n\r\nhalf a film',
            *(400, "the form is cut short: send it again"),
        ),
        (
            "multipart/form-data; boundary=a",
            b'--a\r\nContent-Disposition: form-data; name="films"\r\n\r\nfilm.png\r\n--a--\r\n',
            *(422, "the form holds no film: send each as a file, as curl -F films=@film.png does"),
        ),
        (
            "multipart/form-data; boundary=a",
            b'--a\r\nContent-Disposition: form-data; name="films"; filename="a"\r\n'
            b"Content-Transfer-Encoding: x-odd\r\n\r\nfilm\r\n--a--\r\n",
            *(400, "the form is damaged"),
        ),
    ],
)
def test_a_body_that_is_no_film(ask: Ask, kind: str, content: bytes, status: int, sentence: str) -> None:
    answer = ask("POST", "/v1/predict", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status and answer.json()["detail"].startswith(sentence)


@pytest.mark.parametrize(
    "name", ["film.png", "ein Röntgenbild.png", "../../etc/passwd", "", "a\nb", "x" * 1000, '"', "=1+1"]
)
def test_a_film_of_any_name_is_read(ask: Ask, name: str) -> None:
    answer = ask("POST", "/v1/predict", files=[("films", (name or "-", FILM)), *films()])
    first, second = answer.json()["films"]
    assert answer.status_code == 200 and second["name"] == "0.png" and first["error"] is None
    assert first["name"][:20] in (name or "-").replace("\n", "%0A").replace('"', "%22")
    assert len(first["name"]) <= 255


def test_a_name_that_is_not_utf_8_is_spelt_out(ask: Ask) -> None:
    body = b'--a\r\nContent-Disposition: form-data; name="films"; filename="\xff\xed\xa0\x80"\r\n\r\n' + FILM
    for charset in ("utf-8", "unicode_escape", "idna", "hex"):
        kind = f"multipart/form-data; charset={charset}; boundary=a"
        content = body + b"\r\n--a--\r\n"
        answer = ask("POST", "/v1/predict", content=content, headers={"Content-Type": kind})
        assert answer.status_code == 200 and answer.json()["films"][0]["error"] is None


def test_too_much_is_refused_while_it_arrives(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve_body, "MAX_UPLOAD_MB", 1)
    monkeypatch.setattr(serve_body, "MAX_BODY_MB", 2)
    sentence = "a film may have 1 MB, and a form of films 2 MB"
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield bytes(2**19)

    refused(ask("POST", "/v1/predict", content=bytes(2**20 + 1)), 413, sentence)
    refused(ask("POST", "/v1/predict", content=endless()), 413, sentence)
    assert sent <= 4
    refused(ask("POST", "/v1/predict", files=films(3, bytes(2**20))), 413, sentence)
    refused(ask("POST", "/v1/predict", files=films(1, bytes(2**20 + 1))), 413, sentence)
    answer = ask("POST", "/v1/predict", files=films(1) + films(1, bytes(2**20 + 1)))
    assert answer.status_code == 200 and answer.json()["films"][0]["error"] is None


def test_too_many_films_are_refused(ask: Ask) -> None:
    sentence = "a request may hold 64 films at most: send them in parts"
    refused(ask("POST", "/v1/predict", files=films(65, b"x")), 422, sentence)
    assert len(ask("POST", "/v1/predict", files=films(64, b"x")).json()["films"]) == 64


def test_who_sends_too_slowly_is_refused(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve_body, "BODY_S", 0.2)
    answer = ask("POST", "/v1/predict", content=slowly(*[b"x"] * 100, pause_s=0.05))
    refused(answer, 408, "the films took longer than 0 s to arrive")


def test_what_takes_too_long_to_read_is_refused(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, classifier: Classifier
) -> None:
    async def never(*_: Any) -> None:
        await asyncio.sleep(100)

    monkeypatch.setattr(serve_api, "ANSWER_S", 0.1)
    monkeypatch.setattr(FilmReader, "read", never)
    refused(ask("POST", "/v1/predict", content=FILM), 504, "the films were not read in 0 s: send fewer")


def test_a_full_server_says_so_and_when_to_come_back(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "MAX_FILMS_HELD", 2)
    busy = ask("POST", "/v1/predict", files=films(3))
    refused(busy, 503, "the server is busy: send this again in a few seconds")
    assert busy.headers["Retry-After"] == "3"
    assert ask("POST", "/v1/predict", files=films(2)).status_code == 200
    monkeypatch.setattr(capacity, "MAX_HELD_MB", 10 / 2**20)
    assert ask("POST", "/v1/predict", content=FILM).status_code == 503


def test_a_fault_of_the_server_is_one_sentence(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise MemoryError("film-of-somebody.png")

    monkeypatch.setattr(Classifier, "output", fails)
    for sent in ({"content": FILM}, {"files": films(2)}):
        answer = ask("POST", "/v1/predict", **sent)
        refused(answer, 500, "the server failed to answer that: its log says why")


def test_a_picture_that_is_refused_is_an_answer_and_no_error(ask_all: AskAll) -> None:
    noise = cv2.imencode(".png", np.random.default_rng(0).integers(0, 256, (300, 300), dtype=np.uint8))[1]
    alone, among, metrics = ask_all(
        ("POST", "/v1/predict", {"content": noise.tobytes()}),
        ("POST", "/v1/predict?fix=true", {"files": films(1, noise.tobytes()) + films(1, b"x")}),
        ("GET", "/metrics", {}),
        gate=Gate.load(),
    )
    for answer in (alone, among):
        film = answer.json()["films"][0]
        assert (answer.status_code, film["probabilities"], film["worth"]) == (200, None, None)
        assert (film["guards"]["verdict"], film["guards"]["reasons"]) == ("refuse", ["not_chest"])
        assert film["error"].startswith("This does not look like a chest X-ray (probability ")
        assert film["guards"]["sentences"] == [film["error"]]
    assert among.json()["films"][1]["guards"] is None
    assert 'xlite_films_total{outcome="refused"} 3.0' in metrics.text


def test_other_names_and_pages_get_nothing(ask: Ask) -> None:
    for headers, why in (
        ({"Host": "evil.example"}, "This server does not answer by that name."),
        ({"Origin": "http://evil.example"}, "This server does not answer a page of another server."),
    ):
        for path in ("/health", "/v1/models", "/docs", "/metrics"):
            answer = ask("GET", path, headers=headers)
            assert answer.status_code == 403
            assert answer.json()["detail"].startswith(why)
    answer = ask("GET", "/health", headers={"Host": "xray.example.org", "Origin": "http://localhost"})
    assert answer.json() == {"status": "ok"}
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_token_opens_all_and_health_needs_none(ask_all: AskAll) -> None:
    token = "q7Zr2LwX9vKe4TgB"
    paths = ("/v1/models", "/metrics", "/docs", "/openapi.json", "/nothing")
    requests = [("GET", path, {}) for path in ("/health", *paths)] + [
        ("POST", "/v1/predict", {"content": FILM})
    ]
    shut = ask_all(*requests, token=token)
    assert [answer.status_code for answer in shut] == [200] + [401] * 6
    assert shut[1].headers["WWW-Authenticate"] == "Bearer" and set(shut[1].json()) == {"detail"}
    key = {"headers": {"Authorization": f"Bearer {token}"}}
    opened = ask_all(*((method, path, more | key) for method, path, more in requests), token=token)
    assert [answer.status_code for answer in opened] == [200] * 5 + [404, 200]
    schema = opened[4].json()
    assert schema["paths"]["/v1/predict"]["post"]["security"] == [{"HTTPBearer": []}]


def test_what_is_counted_names_no_film(ask_all: AskAll) -> None:
    requests = [
        ("POST", "/v1/predict", {"files": films(2) + films(1, b"x")}),
        ("POST", "/v1/predict", {"content": b"x"}),
        ("GET", "/films/of-somebody", {}),
        ("GET", "/metrics", {}),
    ]
    answer = ask_all(*requests)[-1]
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    counted = dict(re.findall(r"^(xlite\S+) (\S+)$", answer.text, re.MULTILINE))
    wanted = {
        'xlite_requests_total{path="/v1/predict",status="200"}': "1.0",
        'xlite_requests_total{path="/v1/predict",status="422"}': "1.0",
        'xlite_requests_total{path="other",status="404"}': "1.0",
        'xlite_films_total{outcome="read"}': "2.0",
        'xlite_films_total{outcome="refused"}': "2.0",
        'xlite_request_seconds_count{path="/v1/predict"}': "2.0",
        "xlite_queue_films": "0.0",
    }
    assert {name: counted.get(name) for name in wanted} == wanted
    assert "somebody" not in answer.text and "0.png" not in answer.text


def test_the_page_says_all_and_asks_nobody_for_anything(ask_all: AskAll) -> None:
    shown, schema = ask_all(("GET", "/docs", {}), ("GET", "/openapi.json", {}))
    assert shown.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert shown.text == page(schema.json())
    assert re.findall(r'(?:src|href|action)="?([^"> ]+)|@import|url\(', shown.text) == ["openapi.json"]
    for word in ("POST /v1/predict", "GET /v1/models", "multipart/form-data", "application/dicom", "maps"):
        assert word in shown.text
    for name, model in schema.json()["components"]["schemas"].items():
        assert f"<h3>{name}</h3>" in shown.text
        assert all(f"<td>{field}</td>" in shown.text for field in model.get("properties", {}))
