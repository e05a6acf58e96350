import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given as on
from hypothesis import settings
from hypothesis import strategies as st
from labelled import given

from xlite.errors import DataError, RunError
from xlite.labelling import log as log_module
from xlite.labelling.entry import Entry
from xlite.labelling.log import AnswerLog

WHEN = datetime(2026, 11, 28, 12, tzinfo=UTC)


def entry(number: int, reader: str = "Ann") -> Entry:
    when = WHEN + timedelta(seconds=number)
    return Entry(act="reading", film=f"film{number}", reader=reader, when=when, given=given(number))


@pytest.fixture
def log(tmp_path: Path) -> AnswerLog:
    (tmp_path / "answers.jsonl").touch()
    return AnswerLog(tmp_path / "answers.jsonl")


def put(log: AnswerLog, one: Entry) -> list[Entry]:
    """Appends an entry; those that were there."""
    seen: list[Entry] = []

    def make(entries: list[Entry]) -> Entry:
        seen.extend(entries)
        return one

    assert log.append(make) == one
    return seen


def test_entries_come_back_in_their_order_and_each_is_a_line_of_json(log: AnswerLog):
    assert put(log, entry(1)) == [] and put(log, entry(2)) == [entry(1)]
    assert log.read() == [entry(1), entry(2)]
    lines = log.path.read_text().splitlines()
    assert [json.loads(line)["film"] for line in lines] == ["film1", "film2"]


def test_nothing_is_written_if_there_is_nothing_to_say_or_an_error(log: AnswerLog):
    put(log, entry(1))
    before = log.path.read_bytes()

    def refuse(entries: list[Entry]) -> Entry:
        raise RunError("no")

    assert log.append(lambda entries: None) is None
    with pytest.raises(RunError, match="no"):
        log.append(refuse)
    assert log.path.read_bytes() == before


@pytest.mark.slow
@on(keep=st.integers(1), junk=st.sampled_from([b"", b"\0\0\0", b"{", b"\xff"]))
@settings(max_examples=60, deadline=None)
def test_a_line_torn_anywhere_loses_nothing_that_was_kept(
    tmp_path_factory: pytest.TempPathFactory, keep: int, junk: bytes
):
    log = AnswerLog(tmp_path_factory.mktemp("log") / "answers.jsonl")
    log.path.touch()
    put(log, entry(1))
    first = log.path.read_bytes()
    put(log, entry(2))
    second = log.path.read_bytes()[len(first) :]
    torn = second[: keep % len(second)]
    whole = torn == second[:-1] and not junk
    log.path.write_bytes(first + torn + junk)
    there = [entry(1), entry(2)] if whole else [entry(1)]
    assert log.read() == there
    assert put(log, entry(3)) == there
    assert log.read() == [*there, entry(3)]
    assert log.path.read_bytes().endswith(b"\n")


@on(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
):
    log = AnswerLog(tmp_path_factory.mktemp("log") / "answers.jsonl")
    log.path.write_bytes(content)
    if b"\n" in content:
        with pytest.raises(DataError, match=r"line 1 of .* is not an entry of the log"):
            log.read()
    else:
        assert log.read() == []


def test_a_damaged_line_between_others_is_named(log: AnswerLog):
    put(log, entry(1))
    log.path.write_bytes(log.path.read_bytes() + b"{}\n")
    with pytest.raises(DataError, match="line 2 of"):
        log.read()
    before = log.path.read_bytes()
    with pytest.raises(DataError, match="line 2 of"):
        put(log, entry(2))
    assert log.path.read_bytes() == before


def test_it_is_on_the_disk_before_anybody_is_told(log: AnswerLog, monkeypatch: pytest.MonkeyPatch):
    synced: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(log.path.read_bytes()))
    put(log, entry(1))
    assert synced == [log.path.read_bytes()] != [b""]


def test_a_full_disk_leaves_the_log_as_it_was(log: AnswerLog, monkeypatch: pytest.MonkeyPatch):
    put(log, entry(1))
    before = log.path.read_bytes()
    write = os.write

    def few(file: int, data: bytes) -> int:
        if len(data) < 100:
            raise OSError(28, "No space left on device")
        return write(file, data[:100])

    monkeypatch.setattr(os, "write", few)
    with pytest.raises(OSError, match="No space"):
        put(log, entry(2))
    assert log.path.read_bytes() == before


def test_a_log_that_is_held_for_too_long_is_refused(log: AnswerLog, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(log_module, "PATIENCE_S", 0.05)
    with FileLock(log.path.with_suffix(".lock")), pytest.raises(RunError, match="the answer was not kept"):
        put(log, entry(1))


# What a process of a server does: each entry is named after the number of those before it.
WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path

from xlite.findings import FINDINGS
from xlite.labelling.entry import Entry, Given
from xlite.labelling.log import AnswerLog

path, reader, count = sys.argv[1:]
given = Given(answers=dict.fromkeys(FINDINGS, "no"), seconds=10.0)
for _ in range(int(count)):
    AnswerLog(Path(path)).append(
        lambda entries: Entry(
            act="reading", film=f"film{len(entries)}", reader=reader, when=datetime.now(UTC), given=given
        )
    )
"""


@pytest.mark.slow
def test_two_processes_lose_no_entry_and_see_those_of_each_other(log: AnswerLog):
    words = [[sys.executable, "-c", WRITER, str(log.path), name, "40"] for name in ("Ann", "Bob")]
    others = [subprocess.Popen(command) for command in words]
    assert [other.wait(60) for other in others] == [0, 0]
    entries = log.read()
    assert [one.film for one in entries] == [f"film{number}" for number in range(80)]
    assert sorted(one.reader for one in entries) == ["Ann"] * 40 + ["Bob"] * 40
