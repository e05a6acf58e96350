"""A folder, a server and a log for downloads."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from broken_server import Server, archive


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        server.files["/1.gz"] = archive()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "xlite")
    return caplog
