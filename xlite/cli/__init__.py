"""The `xlite` command: thin functions around the library, which they import when they run."""

import difflib
import os
import sys
from collections.abc import Sequence
from typing import Any

import typer
from pydantic import ValidationError

from xlite.cli import (
    adapt,
    app,
    data,
    duty,
    embed,
    evaluate,
    export,
    federate,
    jobs,
    label,
    localise,
    models,
    predict,
    select,
    serve,
    shortcuts,
    sweep,
    train,
)
from xlite.cli.console import say
from xlite.config import KINDS, LIMITS
from xlite.errors import XliteError, sentence
from xlite.extras import missing

INTERRUPTED = 130
_EXPECTED = {
    "int_parsing": KINDS[int],
    "int_from_float": KINDS[int],
    "float_parsing": KINDS[float],
    "greater_than_equal": LIMITS["ge"] + " {ge}",
    "less_than_equal": LIMITS["le"] + " {le}",
}
"""What was expected, by the type of pydantic's error."""

commands = typer.Typer(
    name="xlite",
    help="Light chest X-ray students that give 14 findings and a map for each. Research software, never a "
    "diagnosis.",
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)
commands.add_typer(data.app, name="data")
commands.add_typer(jobs.app, name="jobs")
commands.add_typer(sweep.app, name="sweep")
commands.add_typer(federate.app, name="federate")
commands.add_typer(label.app, name="label")
for command in (data.eda, train.train):
    commands.command()(command)
commands.command(context_settings={"ignore_unknown_options": True})(app.app)
for command in (
    evaluate.evaluate,
    localise.localise,
    shortcuts.shortcuts,
    embed.embed,
    evaluate.score,
    adapt.adapt,
    select.select,
    select.select_study,
    predict.predict,
    models.bench,
    export.export,
    models.ensemble,
    models.convert,
    duty.duty,
    models.share,
    serve.serve,
):
    commands.command()(command)


def main() -> None:
    """Ends the process with the status of its command line: 0 good, 1 the answer is no, 2 bad input."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit status; a user's mistake becomes one sentence on stderr."""
    try:
        words = train.as_typed_today(arguments) or ["--help"]
        status = commands(args=words, prog_name="xlite", standalone_mode=False)
        sys.stdout.flush()  # now, while a full disk can still be reported
        return _refuse("interrupted", INTERRUPTED) if status == INTERRUPTED else status or 0
    except wrong_command_line() as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "xlite"
        return _refuse(f"{_told(error)} (see `{command} --help`)")
    except XliteError as error:
        return _refuse(str(error))
    except ModuleNotFoundError as error:
        if told := missing(error, _command(arguments)):
            return _refuse(told)
        raise
    except (KeyboardInterrupt, typer.Abort):
        return _refuse("interrupted", INTERRUPTED)
    except OSError as error:
        _give_up_stdout()
        # The reader of a pipe (`| head`) that went away has seen enough.
        return 1 if isinstance(error, BrokenPipeError) else _refuse(sentence(error))


def wrong_command_line() -> type[Exception]:
    """What typer raises for one: click's error, until it brought its own (Flower 1.42 needs such a typer)."""
    if hasattr(typer, "TyperException"):
        return typer.TyperException
    import click

    return click.ClickException


def _command(arguments: Sequence[str]) -> str:
    """The command that a command line names: `xlite data split`."""
    path, known = ["xlite"], getattr(typer.main.get_command(commands), "commands", {})
    for word in arguments:
        if word not in known:
            break
        path.append(word)
        known = getattr(known[word], "commands", {})
    return " ".join(path)


def _told(error: Any) -> str:
    """What is wrong with the command line, not in pydantic's words, with an option that may be meant."""
    if isinstance(error.__cause__, ValidationError):
        error.message = _in_own_words(error.__cause__) or error.message
    text: str = error.format_message()
    if alike := getattr(error, "possibilities", None):
        meant = difflib.get_close_matches(getattr(error, "option_name", ""), alike, 1, 0.75)
        text = f"{error.message}{f' (did you mean {meant[0]}?)' if meant else ''}"
    return text.rstrip(".")


def _in_own_words(error: ValidationError) -> str:
    """What pydantic refuses about an option's value; empty if only its own words tell."""
    wrong = error.errors()[0]
    context = wrong.get("ctx", {})
    if wrong["type"] == "value_error":
        return str(context["error"])
    expected = _EXPECTED.get(wrong["type"], "").format_map(context)
    return f"got {wrong['input']!r}, expected {expected}" if expected else ""


def _refuse(sentence: str, status: int = 2) -> int:
    say(f"Error: {' '.join(sentence.split())}", sys.stderr)
    return status


def _give_up_stdout() -> None:
    """Sends what stdout no longer takes nowhere: Python's own flush at exit would complain again."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
