"""Fixtures of the tests of studies."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from played import Trainers
from sqlalchemy import event
from sqlalchemy.engine import Engine

from xlite.runs.run import Run
from xlite.sweeps import storage, work
from xlite.sweeps import study as study_module


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing waits for the clock or the disk."""
    monkeypatch.setattr(work, "POLL_S", 0.01)
    monkeypatch.setattr(work, "STORAGE_RETRY_S", 0.01)
    monkeypatch.setattr(study_module, "SETTLE_S", 0.0)
    monkeypatch.setattr(storage, "OPEN_AGAIN_S", (0.0, 0.0))
    event.listen(Engine, "connect", _in_memory)
    yield
    event.remove(Engine, "connect", _in_memory)


def _in_memory(connection: object, _: object) -> None:
    """What only a power cut could tell apart: SQLite leaves it to the system when the disk has a commit."""
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA journal_mode = MEMORY")


@pytest.fixture
def trainers(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Trainers:
    played = Trainers(tiny_folder)
    monkeypatch.setattr(Run, "start", lambda run: played.start(run))
    return played
