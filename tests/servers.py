"""Servers for tests: each in a process of its own, on a free loopback port."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from xlite.places import bundled


def free_port() -> int:
    """A port on which nobody answers yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(
    command: Sequence[str], home: Path, log: Path, patience_s: float, **variables: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """A server of a home, ended at the end; it writes into `log`, and its temporary files into `home/tmp`."""
    (home / "tmp").mkdir(exist_ok=True)
    own = {"XLITE_HOME": str(home), "TMPDIR": str(home / "tmp"), "OMP_NUM_THREADS": "1"}
    with log.open("wb") as said:
        server = subprocess.Popen(
            command, env={**os.environ, **own, **variables}, stdout=said, stderr=subprocess.STDOUT
        )
    try:
        yield server
    finally:
        server.terminate()
        server.wait(patience_s)


@contextmanager
def serving(home: Path, *options: str, **variables: str) -> Iterator[str]:
    """A demo of `demo0` on a free loopback port, its temporary files under `home/tmp`."""
    port, log = free_port(), home / "share.log"
    command = [sys.executable, str(bundled("app", "share.py")), "demo0", "--port", str(port), *options]
    with started(command, home, log, 20, **variables) as server:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 180
        while True:
            try:
                httpx.get(address, timeout=5)
                break
            except httpx.TransportError:
                assert server.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
        yield address


def wait_for_streamlit(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Waits until a server of Streamlit answers; fails with its log if it ends or takes two minutes."""
    deadline = time.monotonic() + 120
    while True:
        try:
            httpx.get(f"{address}/_stcore/health", timeout=5)
            return
        except httpx.TransportError:
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)


@contextmanager
def app_server(
    home: Path, *options: str, port: int | None = None, **variables: str
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """The app of a home as `xlite app` starts it: its address, by default on a free port, and its process."""
    port, log = port or free_port(), home / "app.log"
    command = [sys.executable, "-m", "xlite", "app", "--server.headless", "true", "--server.port", str(port)]
    with started([*command, *options], home, log, 30, **variables) as server:
        address = f"http://localhost:{port}"
        wait_for_streamlit(address, server, log)
        yield address, server


@contextmanager
def app_serving(home: Path, *options: str, **variables: str) -> Iterator[str]:
    """The address of the app of a home on a free loopback port."""
    with app_server(home, *options, **variables) as (address, _):
        yield address
