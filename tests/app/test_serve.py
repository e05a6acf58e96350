"""The API as programs meet it: a real server in a process of its own, and a real client."""

import base64
import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from command_line import wait_for
from demo_home import SPLIT, save_demo_model
from dicom_films import make, to_bytes
from serve import SLOW_S
from servers import free_port, started

from xlite.classify import Classifier
from xlite.examples import examples
from xlite.findings import FINDINGS
from xlite.guarded import GuardedReader
from xlite.guards.gate import Gate
from xlite.images import read_image
from xlite.report.worth import threshold_sentence, worth_json

TOKEN = "q7Zr2LwX9vKe4TgB"
SERVER = [sys.executable, "-m", "xlite", "serve"]


@contextmanager
def serving(home: Path, *words: str, **variables: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server on a free loopback port: its address and its process. Its temporary files are `home/tmp`."""
    port, log = free_port(), home / "serve.log"
    command = [*SERVER, *(words or ("demo0",)), "--port", str(port)]
    with started(command, home, log, 60, **variables) as server:
        wait_for(lambda: "until Ctrl-C" in log.read_text() or server.poll() is not None)
        assert server.poll() is None, log.read_text()
        yield f"http://127.0.0.1:{port}", server


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two tiny models, for the servers of this file."""
    home = tmp_path_factory.mktemp("serve-home")
    save_demo_model(home)
    save_demo_model(home, "demo1", seed=1)
    return home


@pytest.fixture(scope="module")
def classifier(home: Path) -> Classifier:
    return Classifier.load(home / "checkpoints" / "demo0")


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    """A server of both models."""
    with serving(home, "demo0", "demo1") as (address, _):
        yield address


def drawn(seed: int = 0) -> np.ndarray:
    """A bundled film, cut a little otherwise with each seed; the gate lets it pass."""
    film = read_image(examples()["7. No finding"].path)
    return cv2.resize(film[seed:], (200, 240), interpolation=cv2.INTER_AREA)


def encoded(film: np.ndarray, kind: str) -> bytes:
    if kind == "dicom":
        return to_bytes(make(film, bits=8, WindowCenter=128, WindowWidth=256))
    return cv2.imencode(f".{kind}", film)[1].tobytes()


def answer_of(classifier: Classifier, data: bytes, name: str, maps: int) -> dict[str, Any]:
    """The whole answer to a film, from the one way to read it; overlays by finding."""
    seen = GuardedReader(classifier, Gate.load()).read(read_image(data))
    reading = seen.reading
    assert reading is not None
    worth = worth_json(reading.worths())
    return {
        "name": name,
        "error": None,
        "probabilities": pytest.approx(
            {finding: reading.probability(finding) for finding in FINDINGS}, abs=1e-6
        ),
        "thresholds": dict.fromkeys(FINDINGS, 0.5),
        "threshold_sentences": {finding: threshold_sentence(reading.worth(finding)) for finding in FINDINGS},
        "worth": {
            one: facts | {"probability": pytest.approx(facts["probability"], abs=1e-6)}
            for one, facts in worth.items()
        },
        "overlays": [finding for finding, _ in reading.top(maps)],
        "legend": reading.legend() if maps else None,
        "guards": {"verdict": seen.said.verdict, "reasons": [], "fixed": [], "sentences": []},
    }


def without_pictures(film: dict[str, Any]) -> dict[str, Any]:
    return film | {"overlays": [one["finding"] for one in film["overlays"]]}


@pytest.mark.slow
@pytest.mark.parametrize("maps", [0, 3])
def test_every_door_gives_the_reading_of_the_classifier(
    address: str, classifier: Classifier, maps: int
) -> None:
    sent = {kind: encoded(drawn(), kind) for kind in ("png", "jpg", "dicom")}
    types = {"png": "image/png", "jpg": "image/jpeg", "dicom": "application/dicom"}
    wanted = {kind: answer_of(classifier, data, f"{kind}.x", maps) for kind, data in sent.items()}
    with httpx.Client(base_url=address, params={"maps": maps}) as client:
        files = [("films", (f"{kind}.x", data)) for kind, data in sent.items()]
        answer = client.post("/v1/predict", files=files).json()
        assert [without_pictures(film) for film in answer["films"]] == list(wanted.values())
        assert answer["model"] == client.get("/v1/models").json()["models"][0]
        assert (answer["model"]["name"], answer["model"]["split_id"]) == ("demo0", SPLIT)
        assert answer["notice"] == "Research software: its output is not a diagnosis."
        for kind, data in sent.items():
            for content_type in (types[kind], "application/octet-stream", None):
                headers = {"Content-Type": content_type} if content_type else {}
                [film] = client.post("/v1/predict", content=data, headers=headers).json()["films"]
                assert without_pictures(film) == wanted[kind] | {"name": "film"}
    reading = classifier.read(read_image(sent["png"]))
    for one in film["overlays"]:
        painted = cv2.imdecode(np.frombuffer(base64.b64decode(one["png"]), np.uint8), cv2.IMREAD_COLOR_RGB)
        assert painted.shape == (240, 200, 3)
        assert np.abs(painted.astype(int) - reading.overlay(drawn(), one["finding"])).max() <= 2


@pytest.mark.slow
def test_another_model_is_asked_by_its_name(address: str, home: Path) -> None:
    other = Classifier.load(home / "checkpoints" / "demo1")
    data = encoded(drawn(), "png")
    answer = httpx.post(f"{address}/v1/predict", params={"model": "demo1"}, content=data).json()
    assert answer["films"] == [answer_of(other, data, "film", 0)] and answer["model"]["name"] == "demo1"


@pytest.mark.slow
def test_twenty_clients_at_once_get_their_own_films(address: str, classifier: Classifier) -> None:
    sent = [encoded(drawn(seed), "png") for seed in range(20)]

    def ask(data: bytes) -> list[dict[str, Any]]:
        with httpx.Client(base_url=address, timeout=60) as client:
            return [client.post("/v1/predict", content=data).json()["films"][0] for _ in range(3)]

    with ThreadPoolExecutor(20) as pool:
        for data, answers in zip(sent, pool.map(ask, sent), strict=True):
            assert answers == [answer_of(classifier, data, "film", 0)] * 3


@pytest.mark.slow
def test_a_damaged_film_spoils_no_other(address: str, classifier: Classifier) -> None:
    good = encoded(drawn(), "png")
    files = [("films", ("good.png", good)), ("films", ("cut.png", good[:-100])), ("films", ("no.txt", b"x"))]
    answer = httpx.post(f"{address}/v1/predict", files=files)
    films = answer.json()["films"]
    assert answer.status_code == 200 and films[0] == answer_of(classifier, good, "good.png", 0)
    assert [film["name"] for film in films[1:]] == ["cut.png", "no.txt"]
    for film in films[1:]:
        assert film["error"] and film["probabilities"] is None and film["overlays"] == []
        alone = httpx.post(f"{address}/v1/predict", files=[("films", files[2][1])])
    assert (alone.status_code, alone.json()) == (422, {"detail": films[2]["error"]})


@pytest.mark.slow
def test_nothing_of_a_film_is_written_or_logged(home: Path) -> None:
    # noise does not compress: above what a form is usually written to disk from
    noise = encoded(np.random.default_rng(0).integers(0, 256, (1500, 1500), dtype=np.uint8), "png")
    assert len(noise) > 2**21
    with serving(home) as (address, server):
        seen = set()
        with ThreadPoolExecutor(1) as pool, httpx.Client(base_url=address, timeout=60) as client:
            files = [("films", ("patient-of-a-test.png", noise))] * 4 + [("films", ("patient.png", b"x"))]
            answer = pool.submit(client.post, "/v1/predict", files=files, params={"maps": 1})
            while not answer.done():
                seen |= {path.name for path in (home / "tmp").rglob("*")}
                seen |= {name for name in open_files(server.pid) if "deleted" in name}
            assert answer.result().status_code == 200
            client.post(
                "/v1/predict", content=b"x", headers={"Content-Type": "multipart/form-data; boundary=\x07"}
            )
        assert seen == set()
    assert (home / "serve.log").read_text() == f"demo0 at {address}/docs until Ctrl-C ends it\n"


def open_files(pid: int) -> list[str]:
    names = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            names.append(os.readlink(link))
        except FileNotFoundError:
            continue
    return names


@pytest.mark.slow
def test_sixty_five_megabytes_are_refused_and_the_server_goes_on(address: str) -> None:
    big = httpx.post(f"{address}/v1/predict", content=io.BytesIO(bytes(65 << 20)), timeout=60)
    assert (big.status_code, big.json()) == (
        413,
        {"detail": "a film may have 64 MB, and a form of films 256 MB"},
    )
    assert httpx.get(f"{address}/health").json() == {"status": "ok"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\n",
        # answered before its body has come, of which it then sends no more
        b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n",
    ],
)
def test_who_sends_nothing_is_cut_off(address: str, sent: bytes) -> None:
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=SLOW_S + 10) as line:
        began = time.monotonic()
        line.sendall(sent)
        try:
            while line.recv(1000):
                pass
        except ConnectionResetError:
            pass
        assert SLOW_S - 1 < time.monotonic() - began < SLOW_S + 5


@pytest.mark.slow
@pytest.mark.parametrize("taken", [pytest.param(0, marks=pytest.mark.release), 6_000_000])
def test_who_takes_no_answer_is_cut_off(home: Path, taken: int) -> None:
    film = encoded(cv2.resize(drawn(), (1000, 1000)), "png")
    length = f"Content-Length: {len(film)}\r\n\r\n".encode()
    with serving(home) as (address, server):
        host, port = address.removeprefix("http://").split(":")
        with socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.connect((host, int(port)))
            line.sendall(b"POST /v1/predict?maps=14 HTTP/1.1\r\nHost: localhost\r\n" + length + film)
            while taken > 0:
                taken -= len(line.recv(min(taken, 2**16)))
            wait_for(lambda: connections(server.pid, int(port)) == 1, 60)
            began = time.monotonic()
            wait_for(lambda: connections(server.pid, int(port)) == 0, 60)
            assert time.monotonic() - began < 2 * SLOW_S + 10


def connections(pid: int, port: int) -> int:
    """How many connections to its port a server holds open."""
    local = f":{port:04X}"
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    inodes = {row[9] for row in rows if row[1].endswith(local) and row[3] != "0A"}
    return sum(name == f"socket:[{inode}]" for inode in inodes for name in open_files(pid))


@pytest.mark.slow
def test_drops_of_a_head_keep_no_connection(address: str) -> None:
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=1) as line:
        began = time.monotonic()
        line.sendall(b"GET /health HTTP/1.1\r\n")
        with pytest.raises(OSError, match="reset|[Bb]roken pipe"):
            while time.monotonic() - began < SLOW_S + 10:
                line.sendall(b"x: y\r\n")
                time.sleep(0.2)
        assert time.monotonic() - began < SLOW_S + 5


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_finishes_what_it_reads_when_it_is_told_to_end(home: Path, number: signal.Signals) -> None:
    film = encoded(cv2.resize(drawn(), (2500, 2500)), "png")
    with serving(home) as (address, server), ThreadPoolExecutor(1) as pool:
        files = [("films", (f"{place}.png", film)) for place in range(30)]
        answer = pool.submit(httpx.post, f"{address}/v1/predict", files=files, timeout=60)
        with httpx.Client(base_url=address) as client:
            wait_for(lambda: "xlite_queue_films 30.0" in client.get("/metrics").text)
            server.send_signal(number)
            films = answer.result().json()["films"]
        assert len(films) == 30 and {film["error"] for film in films} == {None}
        assert server.wait(20) == 0
    assert (home / "serve.log").read_text().count("\n") == 1


@pytest.mark.release
@pytest.mark.slow
def test_an_idle_server_takes_no_time(home: Path) -> None:
    with serving(home) as (address, server):
        httpx.post(f"{address}/v1/predict", content=encoded(drawn(), "png"))
        time.sleep(1)
        began = cpu_seconds(server.pid)
        time.sleep(5)
        assert cpu_seconds(server.pid) - began < 0.05


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
def test_an_open_server_wants_its_token(home: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with serving(home, "demo0", "--host", "0.0.0.0", "--token-file", str(tmp_path / "token")) as (address, _):
        film = encoded(drawn(), "png")
        statuses = {}
        for sent in (None, "Bearer wrong", f"Bearer {TOKEN}"):
            headers = {"Authorization": sent} if sent else {}
            statuses[sent] = httpx.post(f"{address}/v1/predict", content=film, headers=headers).status_code
        assert statuses == {None: 401, "Bearer wrong": 401, f"Bearer {TOKEN}": 200}
        assert httpx.get(f"{address}/health").status_code == 200
        assert httpx.get(f"{address}/health", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--host", "0.0.0.0"], "an API that others can reach needs --token with 16 characters or more"),
        (["--token", TOKEN], "a token on the command line can be read in `ps`"),
        (["--token"], "there is no terminal to ask for the token: leave its value away"),
        (["--token-file", "/no/such/file"], "the token cannot be read from '/no/such/file': "),
        (["no-such-model"], "'no-such-model' is neither a model file nor a run"),
        (["demo0", "demo0"], "two models are called 'demo0': give one of the files another name"),
    ],
)
def test_an_open_door_or_no_model_is_refused(home: Path, words: list[str], sentence: str) -> None:
    environment = {**os.environ, "XLITE_HOME": str(home)}
    done = subprocess.run(
        [*SERVER, *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Error: {sentence}") and done.stderr.count("\n") == 1
    assert TOKEN not in done.stderr


@pytest.mark.slow
def test_a_port_in_use_gets_one_sentence(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run([*SERVER, "--port", str(port)], capture_output=True, text=True, timeout=90)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"Error: cannot answer on 127.0.0.1:{port}")


@pytest.mark.slow
@pytest.mark.parametrize("token", [pytest.param("", marks=pytest.mark.release), TOKEN])
def test_schemathesis_finds_nothing(home: Path, tmp_path: Path, token: str) -> None:
    # No schema says which bytes are a film: those that are none get 422.
    settings = '[checks.positive_data_acceptance]\nexpected-statuses = ["2xx", 401, 403, 404, 422]\n'
    (tmp_path / "schemathesis.toml").write_text(settings)
    key = ["--header", f"Authorization: Bearer {token}"] if token else []
    with serving(home, XLITE_TOKEN=token) as (address, server):
        found = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", "schemathesis.toml"),
                *("run", f"{address}/openapi.json", *key, "--max-examples", "40", "--seed", "1"),
                *("--phases", "examples,coverage,fuzzing", "--no-color"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=300,
        )
        assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-1000:]
        assert re.search(r"Tested: 4\b", found.stdout)
        assert server.poll() is None
    assert (home / "serve.log").read_text().count("\n") == 1
