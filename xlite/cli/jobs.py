"""`xlite jobs`: what the Train page does, from a terminal."""

import sys
import time
from contextlib import suppress
from enum import StrEnum
from typing import Annotated

import typer

from xlite.cli.console import Json, ask_twice, print_json, print_table, say
from xlite.cli.train import Preset, new_run, with_config_options
from xlite.errors import RunError, sentence
from xlite.extras import demand
from xlite.places import checkpoints_dir
from xlite.runs import slurm
from xlite.runs.annotation import Annotation, annotate, read_annotation, tags_of
from xlite.runs.listing import Listing
from xlite.runs.run import Run
from xlite.runs.status import LIVE, RunStatus, clock, facts, with_state
from xlite.runs.table import Cell, table_rows
from xlite.runs.work_folder import LOG_FILE
from xlite.text import counted, in_one_line, number, printable

app = typer.Typer(help="Training runs in the background.", rich_markup_mode=None)

_SHOWN = ("State", "Epoch", "Validation AUC", "Best epoch")
"""Columns of the table of runs that fit a terminal beside the name; tags come behind if a run has some."""

RunName = Annotated[str, typer.Argument(metavar="RUN", help="Name of the run")]
SbatchOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--sbatch-option",
        metavar="OPTION",
        help="An option of sbatch, such as --partition=gpu, --gres=gpu:1 or --time=8:00:00; may be repeated",
    ),
]


class Launcher(StrEnum):
    """Where a run is trained."""

    LOCAL = "local"
    SLURM = "slurm"


@app.command("list")
def list_runs(as_json: Json = False) -> None:
    """All runs, newest first."""
    found, damaged = Listing(checkpoints_dir()).runs()
    for error in damaged:
        say(f"Warning: {sentence(error)}", file=sys.stderr)
    if as_json:
        print_json([_as_dict(one.run, one.status, one.annotation) for one in found])
    elif found:
        shown = (*_SHOWN, *["Tags"] * any(one.annotation.tags for one in found))
        rows = [[_cell(value) for value in row.values()] for row in table_rows(found, shown)]
        print_table(("Run", *shown), rows)
        for one in found:
            now = one.status
            if now.state in LIVE:
                left = f", {clock(now.eta_s)} left" if now.eta_s is not None else ""
                say(f"{one.name} {now.message or now.state}{left}")
    else:
        say("No runs yet; `xlite train --data DATA` makes one.")


@app.command()
def status(name: RunName, as_json: Json = False) -> None:
    """What a run does now."""
    run = Run.named(name)
    now, written = run.status(), _annotation(run)
    if as_json:
        print_json(_as_dict(run, now, written))
        return
    say(with_state(now))
    for title, text in (facts(now) | _annotation_facts(written)).items():
        say(f"{title:21}{text}")


@app.command()
@with_config_options
def start(
    launcher: Annotated[
        Launcher, typer.Option(help="This machine, or a SLURM cluster by sbatch")
    ] = Launcher.LOCAL,
    sbatch_option: SbatchOptions = None,
    preset: Preset = "",
    *,
    values: dict[str, object],
) -> None:
    """Start a new run in the background; options as in `xlite train`."""
    demand("train")
    _check_launcher(launcher, sbatch_option)
    run = new_run(values, preset)
    _launch(run, launcher, sbatch_option)
    say(run.name)


@app.command()
def stop(name: RunName) -> None:
    """Ask a run to end.

    It gives up the epoch it is in and can be resumed.
    """
    run = Run.named(name)
    run.stop()
    ended = run.status().state not in LIVE
    say(f"Run {name} {'has stopped' if ended else 'ends after its current step'}.")


@app.command()
def resume(
    name: RunName,
    launcher: Annotated[
        Launcher | None, typer.Option(help="This machine, or a SLURM cluster; without it, where it last ran")
    ] = None,
    sbatch_option: SbatchOptions = None,
) -> None:
    """Go on with a stopped, failed or killed run, in the background."""
    demand("train")
    run = Run.named(name)
    if launcher is None and not sbatch_option:
        run.resume()
    else:
        _check_launcher(launcher, sbatch_option)
        _launch(run, launcher, sbatch_option)
    say(f"Run {name} goes on.")


@app.command()
def rename(name: RunName, new_name: Annotated[str, typer.Argument(help="Its name from now on")]) -> None:
    """Give a run another name.

    It must not be live. Rows of results.csv keep the old name.
    """
    say(f"Run {name} is now {Run.named(name).rename(new_name).name}.")


@app.command()
def note(
    name: RunName,
    tag: Annotated[
        str | None,
        typer.Option(metavar="TAGS", help="Its tags from now on, with commas between; '' for none"),
    ] = None,
    text: Annotated[
        str | None, typer.Option("--note", metavar="TEXT", help="Its note from now on; '' for none")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write tags and a note about a run, or show them.

    They lie in the run's folder: a rename keeps them. What is not given stays as it is.
    """
    run = Run.named(name)
    if tag is None and text is None:
        written = read_annotation(run.folder)
    else:
        written = annotate(run.folder, None if tag is None else tags_of(tag), text)
    if as_json:
        print_json({"name": run.name, "tags": written.tags, "note": written.note})
    elif shown := _annotation_facts(written):
        for title, one in shown.items():
            say(f"{title:21}{one}")
    else:
        say(f"Run {name} has no tags and no note.")


@app.command()
def delete(
    name: RunName,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking")] = False,
) -> None:
    """Delete a run: its model, curves and log.

    It must not be live. Asks twice.
    """
    run = Run.named(name)
    if not yes:
        what = "its epochs"
        with suppress(RunError):  # what is damaged may be deleted too
            what = counted(len(run.read_metrics()), "epoch")
        ask_twice("run", name, f"with its model and {what}")
    run.delete()
    say(f"Run {name} is deleted.")


@app.command()
def logs(
    name: RunName,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last lines")] = 40,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends")] = False,
) -> None:
    """The last lines of a run's log."""
    run = Run.named(name)
    path = run.path(LOG_FILE)
    position = path.stat().st_size if path.exists() else 0
    say(run.log_tail(lines))
    while follow:
        ended = run.status().state not in LIVE
        if path.exists():
            with open(path, encoding="utf-8", errors="replace") as log:
                log.seek(position)
                sys.stdout.write(printable(log.read(), keep="\n"))
                sys.stdout.flush()
                position = log.tell()
        if ended:
            return
        time.sleep(0.5)


def _check_launcher(launcher: Launcher | None, options: list[str] | None) -> None:
    """Raises RunError before a run is made for what cannot be launched."""
    if launcher is Launcher.LOCAL and options:
        raise RunError("--sbatch-option is for --launcher slurm")
    if launcher is Launcher.SLURM and not slurm.is_available():
        raise RunError(
            "there is no sbatch on this machine: submit from a login node, or use --launcher local"
        )


def _launch(run: Run, launcher: Launcher | None, options: list[str] | None) -> None:
    if launcher is Launcher.LOCAL:
        run.start()
    else:
        run.submit(options or [])


def _cell(value: Cell) -> str | float:
    return number(value, "-", 4) if value is None or isinstance(value, float) else value


def _annotation(run: Run) -> Annotation:
    """What was written about a run; nothing, with a warning, if that is damaged."""
    try:
        return read_annotation(run.folder)
    except RunError as error:
        say(f"Warning: {sentence(error)}", file=sys.stderr)
        return Annotation()


def _annotation_facts(written: Annotation) -> dict[str, str]:
    """Tags and note by their titles, if there are any."""
    found = {"Tags": ", ".join(written.tags), "Note": in_one_line(written.note)}
    return {title: text for title, text in found.items() if text}


def _as_dict(run: Run, status: RunStatus, written: Annotation) -> dict[str, object]:
    return {"name": run.name, **vars(status), "tags": written.tags, "note": written.note}
