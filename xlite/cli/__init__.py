"""The `xlite` command: thin functions around the library, which they import when they run."""

import os
import sys
from collections.abc import Sequence

import typer

from xlite.cli import data, jobs, localise, models, sweep, train
from xlite.errors import XliteError, sentence

INTERRUPTED = 130

app = typer.Typer(
    name="xlite",
    help="Light chest X-ray students that give 14 findings and a map for each. Research software, never a "
    "diagnosis.",
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data.app, name="data")
app.add_typer(jobs.app, name="jobs")
app.add_typer(sweep.app, name="sweep")
for command in (data.eda, train.train):
    app.command()(command)
for command in (
    models.evaluate,
    localise.localise,
    models.score,
    models.predict,
    models.bench,
    models.convert,
    models.share,
):
    app.command()(command)


def main() -> None:
    """Ends the process with the status of its command line: 0 good, 1 the answer is no, 2 bad input."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit status; what a user did wrong is one sentence on stderr."""
    try:
        status = app(args=list(arguments) or ["--help"], prog_name="xlite", standalone_mode=False)
        sys.stdout.flush()  # here, where a full disk can still be told
        return _refuse("interrupted", INTERRUPTED) if status == INTERRUPTED else status or 0
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        where = context.command_path if context else "xlite"
        return _refuse(f"{error.format_message().rstrip('.')} (see `{where} --help`)")
    except XliteError as error:
        return _refuse(str(error))
    except (KeyboardInterrupt, typer.Abort):
        return _refuse("interrupted", INTERRUPTED)
    except OSError as error:
        _give_up_stdout()
        # The reader of a pipe (`| head`) that went away has seen enough.
        return 1 if isinstance(error, BrokenPipeError) else _refuse(sentence(error))


def _refuse(sentence: str, status: int = 2) -> int:
    print(f"Error: {' '.join(sentence.split())}", file=sys.stderr)
    return status


def _give_up_stdout() -> None:
    """Where stdout takes no more, sends the rest nowhere: Python's own flush at exit would complain again."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
