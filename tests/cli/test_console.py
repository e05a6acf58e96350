"""What commands log is shown and kept, each line once."""

import io
import logging
from pathlib import Path

import pytest

from xlite.cli.console import log_to
from xlite.errors import RunError

log = logging.getLogger("xlite.some.module")


def test_sentences_go_to_stdout_and_the_file_while_the_block_lasts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.info("before")
    with log_to(file=tmp_path / "log.txt"):
        log.info("epoch %d", 1)
        log.debug("a detail")
    log.info("after")
    assert capsys.readouterr() == ("epoch 1\n", "")
    assert (tmp_path / "log.txt").read_text() == "epoch 1\n"


def test_beside_json_sentences_go_to_the_stream_that_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    with log_to(stream):
        log.info("reads 4 films")
    assert stream.getvalue() == "reads 4 films\n" and capsys.readouterr().out == ""


def test_the_file_goes_on_and_keeps_the_error_that_ends_the_block(tmp_path: Path) -> None:
    for attempt in (1, 2):
        with pytest.raises(RunError), log_to(io.StringIO(), tmp_path / "log.txt"):
            log.info("attempt %d", attempt)
            raise RunError("no device")
    text = (tmp_path / "log.txt").read_text()
    assert text == "attempt 1\nError: no device\nattempt 2\nError: no device\n"


def test_a_stream_that_is_the_file_gets_each_line_once(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    with open(path, "a", encoding="utf-8") as stream:
        with log_to(stream, path):
            log.info("epoch 1")
        with pytest.raises(RunError), log_to(stream, path):
            raise RunError("the launcher writes this one")
    assert path.read_text() == "epoch 1\n"
