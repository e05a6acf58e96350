"""What commands log is shown and kept, each line once, and no name does anything to the terminal."""

import ast
import io
import logging
import sys
import time
from pathlib import Path

import pytest

from xlite.cli import console, run
from xlite.cli.console import log_to, print_table, say
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


def test_a_bar_counts_what_is_done(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole trainings were counted as films: `6/9 [05:13<02:50, 56.76s/film]`."""
    monkeypatch.setattr(console, "BAR_AFTER_S", 0)
    with console.progress_bar("trainings", "training") as progress:
        progress(3, 9)
    drawn = capsys.readouterr().err
    assert "0training [" in drawn and "film" not in drawn


@pytest.mark.parametrize(("after_s", "drawn"), [(60, False), (0.01, True)])
def test_lines_that_are_logged_draw_no_bar_before_its_time_nor_leave_one_without_an_end(
    after_s: float, drawn: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bar was glued to what came next: `2/3 [00:00<00:00, 3.1film/s]9 DICOM objects of 3 films`."""
    monkeypatch.setattr(console, "BAR_AFTER_S", after_s)
    with console.progress_bar("reading") as progress, log_to(sys.stderr):
        progress(1, 3)
        log.info("one is damaged")
        time.sleep(0.02)
        log.info("two is damaged")
        progress(2, 3)
    told = capsys.readouterr().err
    assert ("reading" in told) == drawn and told.endswith("\n")


NAME, SHOWN = "a\x1b[31m\u202eb\nError: c\udce9.png", r"a\x1b[31m\u202eb\nError: c\udce9.png"


def test_a_name_does_nothing_to_the_terminal_nor_to_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RunError), log_to(file=tmp_path / "log.txt"):
        log.error("reads %s", NAME)
        raise RunError(f"cannot read {NAME}")
    assert capsys.readouterr().out == f"reads {SHOWN}\n"
    assert (tmp_path / "log.txt").read_text() == f"reads {SHOWN}\nError: cannot read {SHOWN}\n"
    print_table(["image", "value"], [[NAME, 1], ["b.png", 0.5]])
    say(f"one line\n{NAME}")
    title = "image".ljust(len(SHOWN))
    assert capsys.readouterr().out == (
        f"{title}  value\n{SHOWN}      1\n{'b.png'.ljust(len(SHOWN))}    0.5\none line\n"
        + SHOWN.replace(r"\n", "\n")
        + "\n"
    )


def test_an_error_is_one_line_whatever_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["predict", "demo", f"/nowhere/{NAME}", "--out", "out"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and told.rstrip("\n").isprintable() and r"a\x1b[31m\u202eb Error" in told


@pytest.mark.parametrize(
    "path", sorted(Path(console.__file__).parent.glob("*.py")), ids=lambda path: path.stem
)
def test_commands_write_on_the_terminal_by_the_console_alone(path: Path) -> None:
    calls = [
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
    ]
    raw = [
        node.lineno for node in calls if ast.unparse(node.func) in ("print", "typer.echo", "sys.stdout.write")
    ]
    assert (
        path.stem == "console" or not raw or (path.stem, len(raw)) == ("jobs", 1)
    )  # what a log goes on with
