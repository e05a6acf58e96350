"""The Gradio demo as strangers meet it: a real server, a real client, and what it must refuse."""

import importlib.util
import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from demo_home import save_demo_model
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from servers import free_port, serving

from xlite.classify import Classifier
from xlite.examples import examples
from xlite.findings import FINDINGS, spoken
from xlite.images import read_image
from xlite.places import bundled

pytestmark = pytest.mark.slow

SHARE = bundled("app", "share.py")
PASSWORD = "correct horse battery"
FILM = examples()["7. No finding"].path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a tiny model, for the servers of this file."""
    home = tmp_path_factory.mktemp("share-home")
    save_demo_model(home)
    return home


def password_file(home: Path) -> str:
    path = home / "password"
    path.write_text(f"{PASSWORD}\n")
    return str(path)


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    """A demo with a password, whose owner lists one name."""
    with serving(home, "--password-file", password_file(home), XLITE_HOSTS="xray.example.org") as address:
        yield address


@pytest.fixture
def client(address: str, tmp_path: Path) -> Client:
    return Client(address, auth=("guest", PASSWORD), verbose=False, download_files=tmp_path / "down")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A film that passes the gate."""
    return Path(shutil.copy(FILM, tmp_path / "film-of-a-test.png"))


def kept_files(home: Path) -> list[str]:
    """Files with anything in them: Gradio leaves empty ones, which are swept later."""
    return [str(path) for path in (home / "tmp").rglob("*") if path.is_file() and path.stat().st_size]


def test_it_reads_a_film_as_the_classifier_does_and_keeps_nothing(home: Path, client: Client, film: Path):
    maps, label = client.predict(handle_file(film), api_name="/read")
    reading = Classifier.load(home / "checkpoints" / "demo0").read(read_image(film))
    told = {row["label"]: row["confidence"] for row in label["confidences"]}
    wanted = {spoken(name): value for name, value in zip(FINDINGS, reading.probabilities, strict=True)}
    assert told == pytest.approx(wanted, abs=1e-5)
    assert maps.count("data:image/jpeg;base64,") == 4
    for finding, probability in reading.top(3):
        assert f"{spoken(finding)} {probability:.1%}" in maps
    assert kept_files(home) == []


@pytest.mark.parametrize("name", ["IM000001", "film.dicom", "film.IMA", "1.2.840.113619.2"])
def test_it_reads_a_film_of_any_name(home: Path, client: Client, film: Path, name: str):
    _, label = client.predict(handle_file(film.rename(film.with_name(name))), api_name="/read")
    assert len(label["confidences"]) == len(FINDINGS) and kept_files(home) == []


def test_a_file_that_is_no_film_gets_one_sentence_and_is_not_kept(home: Path, client: Client, tmp_path: Path):
    fake = tmp_path / "fake.png"
    fake.write_text("this is no picture")
    with pytest.raises(AppError) as refusal:
        client.predict(handle_file(fake), api_name="/read")
    assert "Traceback" not in str(refusal.value) and "image" in str(refusal.value).lower()
    assert kept_files(home) == []


def test_what_stood_there_goes_before_another_film_is_read(client: Client, film: Path, tmp_path: Path):
    fake = tmp_path / "fake.png"
    fake.write_text("this is no picture")
    refused = client.submit(handle_file(fake), api_name="/read")
    with pytest.raises(AppError):
        refused.result(60)
    assert [maps for maps, _ in refused.outputs()] == [""]
    read = client.submit(handle_file(film), api_name="/read")
    read.result(60)
    assert [bool(maps) for maps, _ in read.outputs()] == [False, True]


def test_a_film_can_be_read_again_though_it_is_gone(home: Path, address: str, film: Path):
    with signed_in(address) as guest:
        with film.open("rb") as file:
            place = guest.post("/gradio_api/upload", files={"files": file}).json()[0]
        first = ask(guest, "visitor", place)
        assert not Path(place).exists() and kept_files(home) == []
        assert first["success"] and ask(guest, "visitor", place)["output"]["data"] == first["output"]["data"]
        stranger = ask(guest, "stranger", place)
    assert not stranger["success"]
    assert "That film is no longer here" in stranger["output"]["error"]


def test_visitors_who_send_the_same_file_at_once_all_have_it_read(home: Path, address: str, film: Path):
    with signed_in(address) as guest:
        places = []
        for _ in range(4):
            with film.open("rb") as file:
                places += guest.post("/gradio_api/upload", files={"files": file}).json()
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda number: ask(guest, f"visitor{number}", places[number]), range(4)))
    assert [answer["success"] for answer in answers] == [True] * 4
    assert all(answer["output"]["data"] == answers[0]["output"]["data"] for answer in answers)
    assert kept_files(home) == []


def ask(guest: httpx.Client, session: str, place: str) -> dict:
    """Presses Read as a page does that uploaded a film to that place; what the server completes it with."""
    config = guest.get("/config").json()
    [number] = [one["id"] for one in config["dependencies"] if one["api_name"] == "read"]
    film = {"path": place, "orig_name": "film.png", "meta": {"_type": "gradio.FileData"}}
    question = {"data": [film, None], "fn_index": number, "session_hash": session}
    guest.post("/gradio_api/queue/join", json=question, timeout=60).raise_for_status()
    with guest.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}, timeout=120) as told:
        for line in told.iter_lines():
            message = json.loads(line.removeprefix("data: ")) if line else {}
            if message.get("msg") == "process_completed":
                return message
    raise AssertionError("the server said nothing")


def test_a_wrong_password_or_none_gets_nothing(address: str):
    with pytest.raises(ValueError, match="[Aa]uth|login|credentials|password"):
        Client(address, auth=("guest", "wrong horse battery"), verbose=False)
    with httpx.Client(base_url=address) as stranger:
        assert stranger.get("/config").status_code == 401
        assert stranger.post("/gradio_api/upload", files={"files": b"x"}).status_code == 401
        assert stranger.post("/gradio_api/call/read", json={"data": [None]}).status_code == 401


def test_only_names_of_this_machine_and_listed_ones_are_answered(address: str):
    port = int(address.rpartition(":")[2])
    with httpx.Client(base_url=address) as visitor:
        for path in (
            "/",
            "/config",
            "/gradio_api/startup-events",
            "/gradio_api/upload",
            "/login",
            "/theme.css",
        ):
            for host in ("evil.example", f"evil.example:{port}", "xxxx.gradio.live", "0.0.0.0", "192.0.2.1"):
                for headers in ({"Host": host}, {"Host": host, "Origin": f"http://{host}"}):
                    asked = {**headers, "Access-Control-Request-Method": "POST"}
                    assert visitor.options("/gradio_api/queue/join", headers=asked).status_code == 403
                    assert visitor.get(path, headers=headers).status_code == 403
                    assert visitor.post(path, headers=headers).status_code == 403
        for host in ("localhost", f"127.0.0.1:{port}", "127.9.9.9", "[::1]", "xray.example.org"):
            assert visitor.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.release
def test_a_link_of_gradio_answers_by_its_own_name(home: Path, tmp_path: Path):
    """With a tunnel of ours in the place of Gradio's: it says the link, and requests carry its name."""
    (tmp_path / "sitecustomize.py").write_text(
        "import gradio.networking\n"
        "gradio.networking.setup_tunnel = lambda **_: 'https://0123456789abcdef.gradio.live'\n"
    )
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    with serving(home, "--public", PYTHONPATH=paths, XLITE_PASSWORD=PASSWORD) as address:
        hosts = ("0123456789abcdef.gradio.live", "localhost", "other.gradio.live")
        deadline = time.monotonic() + 60
        while httpx.get(address, headers={"Host": hosts[0]}).status_code == 403:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert [httpx.get(address, headers={"Host": host}).status_code for host in hosts] == [200, 200, 403]
        with httpx.Client(
            base_url=address, headers={"Host": hosts[0], "Origin": f"https://{hosts[0]}"}
        ) as guest:
            assert guest.post("/login", data={"username": "guest", "password": PASSWORD}).status_code == 200
            assert guest.get("/config").status_code == 200


def test_wrong_guesses_wait_and_a_visitor_elsewhere_does_not(address: str):
    wrong = {"username": "guest", "password": "wrong horse battery"}
    right = {"username": "guest", "password": PASSWORD}
    with httpx.Client(base_url=address, timeout=30) as guest:
        assert guest.post("/login", data=right).status_code == 200  # what other tests guessed is forgotten
        began = time.monotonic()
        assert {guest.post("/login", data=wrong).status_code for _ in range(5)} == {400}
        assert time.monotonic() - began > 3.7

    def guess(_: int) -> int:
        return httpx.post(f"{address}/login", data=wrong, timeout=30).status_code

    with ThreadPoolExecutor(40) as pool:
        guesses = pool.map(guess, range(40))
        with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.2")) as visitor:
            answer = visitor.post(f"{address}/login", data=right)
        counts = Counter(guesses)
    assert answer.status_code == 200 and answer.elapsed.total_seconds() < 4
    assert counts[400] <= 6 and counts[400] + counts[429] == 40
    deadline = time.monotonic() + 20
    while (back := httpx.post(f"{address}/login", data=right, timeout=30)).status_code == 429:
        assert time.monotonic() < deadline and int(back.headers["Retry-After"]) <= 12
        time.sleep(0.5)
    assert back.status_code == 200


@pytest.mark.release
def test_the_password_is_typed_at_a_prompt_and_seen_nowhere(home: Path):
    pid, terminal = pty.fork()
    if pid == 0:
        words = [sys.executable, "-m", "xlite", "share", "demo0", "--port", str(free_port()), "--password"]
        os.execve(sys.executable, words, {**os.environ, "XLITE_HOME": str(home)})
    try:
        shown = until(terminal, b"Password for visitors: ")
        os.write(terminal, f"{PASSWORD}\n".encode())
        shown += until(terminal, b"reads films at")
        assert PASSWORD.encode() not in shown + Path(f"/proc/{pid}/cmdline").read_bytes()
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
        os.close(terminal)


def until(terminal: int, words: bytes) -> bytes:
    """What a terminal shows up to those words."""
    shown = b""
    while words not in shown:
        shown += os.read(terminal, 1000)
    return shown


def test_files_over_64_mb_are_refused(home: Path, address: str):
    with signed_in(address) as guest:
        big = guest.post("/gradio_api/upload", files={"files": ("big.png", b"\0" * (65 << 20))}, timeout=60)
    assert big.status_code == 413
    assert [name for name in kept_files(home) if "big.png" in name] == []


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=../../../../etc/passwd",
        "/gradio_api/file=%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/gradio_api/file=file:///etc/passwd",
        "/gradio_api/file/etc/passwd",
        "/file=/etc/passwd",
        f"/gradio_api/file={SHARE}",
        "/static/../../../../../../etc/passwd",
        "/gradio_api/proxy=http://127.0.0.1:1/",
    ],
)
def test_no_address_gives_a_file_of_the_machine(address: str, path: str):
    with signed_in(address) as guest:
        answer = guest.get(path)
    assert answer.status_code in (400, 403, 404, 405)
    assert "root:" not in answer.text and "import" not in answer.text


def test_it_offers_reading_and_nothing_else(client: Client):
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(named) <= {"/read", "/example"}


def test_nothing_is_left_when_it_ends(home: Path, film: Path):
    with serving(home, "--password-file", password_file(home)) as address, signed_in(address) as guest:
        before = set((home / "tmp").iterdir())
        with film.open("rb") as file:
            assert guest.post("/gradio_api/upload", files={"files": file}).status_code == 200
        [folder] = [one for one in before if any(path.name == film.name for path in one.rglob("*"))]
    assert not folder.exists()
    assert (home / "share.log").read_text() == f"demo0 reads films at {address} until Ctrl-C ends it\n"


def test_an_upload_that_nobody_read_is_swept_by_no_clock_that_may_be_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    spec = importlib.util.spec_from_file_location("share", SHARE)
    share = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(share)
    passed = 0.0
    monkeypatch.setattr(share.time, "monotonic", lambda: passed)
    old, new = tmp_path / "sha" / "old.png", tmp_path / "sha" / "new.png"
    old.parent.mkdir()
    old.write_bytes(b"film")
    seen = share.delete_old(tmp_path, {})
    passed = 50.0
    new.write_bytes(b"film")
    for when in (0, 4e9):  # as the clock of the machine is set back and forward
        os.utime(new, (when, when))
        seen = share.delete_old(tmp_path, seen)
    passed = share.KEPT_S + 1
    seen = share.delete_old(tmp_path, seen)
    assert [path for path in tmp_path.rglob("*.png")] == [path for path, _ in seen] == [new]


@contextmanager
def signed_in(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, follow_redirects=False) as guest:
        answer = guest.post("/login", data={"username": "guest", "password": PASSWORD})
        assert answer.status_code == 200
        yield guest


def share(home: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SHARE), *options],
        env={**os.environ, "XLITE_HOME": str(home), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--public"], "a demo that others can reach needs --password with 12 characters or more"),
        (["--host", "0.0.0.0"], "a demo that others can reach needs --password with 12 characters or more"),
        (["--password", "correct horse battery"], "a password on the command line can be read in `ps`"),
        (["--password=short"], "a password on the command line can be read in `ps`"),
        (["--password"], "there is no terminal to ask for the password: leave its value away"),
        (["--password-file", "/no/such/file"], "the password cannot be read from '/no/such/file': "),
        (["--port", "70000"], "port 70000 does not exist"),
    ],
)
def test_an_open_door_is_refused(home: Path, options: list[str], sentence: str):
    done = share(home, "demo0", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Error: {sentence}") and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("elevenchars", "the password has 11 characters: use 12 or more"),
        ("xlite-guest-1234", "the password is easily guessed, made of repeats, sequences or common words"),
    ],
)
def test_a_weak_password_is_refused(home: Path, password: str, sentence: str):
    done = share(home, "demo0", "--public", XLITE_PASSWORD=password)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Error: {sentence}") and done.stderr.count("\n") == 1


def test_a_port_in_use_gets_one_sentence(home: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = share(home, "demo0", "--port", str(port))
    assert done.returncode == 2
    assert (
        done.stderr.startswith(f"Error: cannot answer on 127.0.0.1:{port}") and done.stderr.count("\n") == 1
    )


def test_an_unknown_model_gets_one_sentence(home: Path):
    done = share(home, "no-such-model", "--port", str(free_port()))
    assert done.returncode == 2
    assert "'no-such-model'" in done.stderr and done.stderr.count("\n") == 1


def test_what_is_no_chest_film_gets_a_reason_and_no_probabilities(home: Path, client: Client, tmp_path: Path):
    noise = np.random.default_rng(0).integers(0, 256, (120, 100), dtype=np.uint8)
    for name, image, why in (("noise", noise, "does not look like"), ("blank", noise * 0 + 9, "is blank")):
        path = tmp_path / f"{name}.png"
        cv2.imwrite(str(path), image)
        shown, label = client.predict(handle_file(path), api_name="/read")
        assert why in shown and "no probabilities are given" in shown and shown.count("<img") == 1
        assert not label and "Atelectasis" not in shown
    assert kept_files(home) == []


def test_a_turned_film_is_read_with_its_guarantee_withdrawn(client: Client, tmp_path: Path):
    path = tmp_path / "film.png"
    cv2.imwrite(str(path), read_image(FILM)[::-1, ::-1])
    shown, label = client.predict(handle_file(path), api_name="/read")
    assert "The film looks upside down" in shown and "zone is withdrawn" in shown
    assert len(label["confidences"]) == len(FINDINGS)


def answered(address: str, session: str) -> str:
    """What a visitor gets who sends a film and has it read: `read`, or what the refusal says."""
    with httpx.Client(base_url=address, timeout=120) as guest:
        with FILM.open("rb") as file:
            place = guest.post("/gradio_api/upload", files={"files": (f"{session}.png", file)}).json()[0]
        try:
            return "read" if ask(guest, session, place)["success"] else "failed"
        except httpx.HTTPStatusError as error:
            return f"{error.response.status_code} {error.response.json()['detail']}"


@pytest.mark.release
@pytest.mark.timeout(900)
def test_fifty_visitors_at_once_get_answers_and_more_an_honest_busy(home: Path):
    with serving(home) as address:
        for visitors in (50, 120):
            with ThreadPoolExecutor(visitors) as pool:
                sessions = [f"{visitors}-{number}" for number in range(visitors)]
                got = Counter(pool.map(answered, [address] * visitors, sessions))
            busy = {answer for answer in got if answer.startswith("503 Queue is full")}
            assert set(got) - busy == {"read"} and got["read"] >= 50
            assert answered(address, "afterwards") == "read"
