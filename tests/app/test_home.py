"""The app's server as the outside meets it: real servers on loopback, and what they must refuse."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from servers import free_port

from xlite.places import bundled

pytestmark = pytest.mark.slow

pytest.importorskip("streamlit")
HOME = bundled("app", "Home.py")
SOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
DOORS = (
    *(
        ("GET", "/", {}),
        ("GET", "/train", {}),
        ("GET", "/_stcore/health", {}),
        ("GET", "/_stcore/host-config", {}),
    ),
    *(("PUT", "/_stcore/upload_file/session/file", {}), ("DELETE", "/_stcore/upload_file/session/file", {})),
    *(("GET", "/media/film.png", {}), ("GET", "/static/none.js", {}), ("OPTIONS", "/_stcore/stream", {})),
    ("GET", "/_stcore/stream", SOCKET),
)
"""A request to each thing that Streamlit serves."""


def environment(**more: str) -> dict[str, str]:
    """What a server starts with: nothing of this machine's that is about servers."""
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("STREAMLIT_", "XLITE_P"))
    }
    own.pop("XLITE_HOSTS", None)
    # Otherwise Streamlit asks the internet for the address to print.
    return {**own, "OMP_NUM_THREADS": "1", "STREAMLIT_BROWSER_SERVER_ADDRESS": "localhost", **more}


@contextmanager
def serving(folder: Path, *options: str, **more: str) -> Iterator[int]:
    """The port of `streamlit run app/Home.py` on this machine."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(HOME), "--server.headless", "true"]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "--server.port", str(port), *options],
            cwd=folder,
            env=environment(XLITE_HOME=str(folder), **more),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                ask(port, "localhost")
                break
            except OSError:
                assert server.poll() is None and time.monotonic() < deadline, (
                    folder / "server.log"
                ).read_text()
                time.sleep(0.1)
        yield port
    finally:
        server.kill()
        server.wait()


def ask(port: int, *hosts: str, method: str = "GET", path: str = "/_stcore/health", **headers: str) -> int:
    """The status of one request that calls the server by those names."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.putrequest(method, path, skip_host=True)
        for name, value in [*(("Host", host) for host in hosts), *headers.items()]:
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server whose owner lists one name."""
    folder = tmp_path_factory.mktemp("app-home")
    with serving(folder, "--server.address", "localhost", XLITE_HOSTS="xray.example.org") as port:
        yield port


@pytest.mark.parametrize(("method", "path", "headers"), DOORS)
def test_a_strange_name_finds_every_door_closed(port: int, method: str, path: str, headers: dict[str, str]):
    for host in ("evil.example", f"evil.example:{port}", f"0.0.0.0:{port}", f"192.0.2.1:{port}"):
        assert ask(port, host, method=method, path=path, Origin=f"http://{host}", **headers) == 403
        assert ask(port, "localhost", method=method, path=path, Origin=f"http://{host}", **headers) == 403
    assert ask(port, method=method, path=path, **headers) in (400, 403)
    assert ask(port, "localhost", "evil.example", method=method, path=path, **headers) in (400, 403)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "xray.example.org", "XRAY.EXAMPLE.ORG"]
)
def test_own_names_are_answered_with_and_without_port(port: int, host: str):
    for name in (host, f"{host}:{port}"):
        assert [ask(port, name, path=path) for path in ("/", "/_stcore/health")] == [200, 200]
        assert ask(port, name, path="/_stcore/stream", Origin=f"http://{name}", **SOCKET) == 101


ELSEWHERE = {
    "the default": ([], {}, ""),
    "an option": (["--server.address", "0.0.0.0"], {}, ""),
    "a variable": ([], {"STREAMLIT_SERVER_ADDRESS": "::"}, ""),
    "a file": ([], {}, '[server]\naddress = "0.0.0.0"\n'),
}
"""Ways in which Streamlit comes to answer on all addresses: options, variables, and the folder's settings."""


@pytest.mark.parametrize("way", ELSEWHERE)
def test_an_open_address_is_refused_however_it_was_set(way: str, tmp_path: Path):
    options, variables, settings = ELSEWHERE[way]
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text(settings)
    done = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", str(HOME), "--server.headless", "true", *options],
        cwd=tmp_path,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: the app would answer on ") and done.stderr.count("\n") == 1
    assert "--server.address localhost, or set XLITE_PUBLIC=1" in done.stderr


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"XLITE_PUBLIC": "yes"}, "XLITE_PUBLIC is 'yes'; expected 1 if strangers may reach the app, else 0"),
        (
            {"XLITE_PUBLIC": "1", "XLITE_DATA": os.pathsep.join(("/a/films", "/b/films"))},
            "two folders of XLITE_DATA have the same name: visitors could not tell them apart",
        ),
    ],
)
def test_a_public_deployment_that_cannot_be_meant_ends_at_its_start(
    variables: dict[str, str], sentence: str, tmp_path: Path
):
    command = [sys.executable, "-m", "streamlit", "run", str(HOME), "--server.headless", "true"]
    done = subprocess.run(
        [*command, "--server.address", "localhost"],
        cwd=tmp_path,
        env=environment(**{"XLITE_HOME": str(tmp_path), **variables}),
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert (done.returncode, done.stderr) == (2, f"Error: {sentence}\n")


@pytest.mark.skipif(sys.platform == "win32", reason="the browser is a shell script")
def test_a_desktop_sees_the_app_in_its_browser(tmp_path: Path):
    browser, seen = tmp_path / "browser", tmp_path / "seen"
    browser.write_text(f'#!/bin/sh\necho "$1" >"{seen}.part" && mv "{seen}.part" "{seen}"\n')
    browser.chmod(0o755)
    options = (
        "--server.address",
        "localhost",
        "--server.headless",
        "false",
        "--server.showEmailPrompt",
        "false",
    )
    with serving(tmp_path, *options, BROWSER=str(browser)) as port:
        deadline = time.monotonic() + 20
        while not seen.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert seen.read_text() == f"http://localhost:{port}/\n"


def test_an_address_that_its_owner_opened_answers_by_its_number_and_listed_names(tmp_path: Path):
    with serving(
        tmp_path, "--server.address", "0.0.0.0", XLITE_PUBLIC="1", XLITE_HOSTS="ward.example"
    ) as port:
        assert [ask(port, host) for host in ("127.0.0.1", "ward.example", "evil.example")] == [200, 200, 403]
