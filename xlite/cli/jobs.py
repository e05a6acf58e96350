"""`xlite jobs`: what the Train page does, from a terminal."""

import sys
import time
from typing import Annotated

import typer

from xlite.cli.console import Json, number, print_json, print_table
from xlite.cli.train import new_run, with_config_options
from xlite.training.run import LIVE, Run, RunStatus

app = typer.Typer(help="Training runs in the background.", rich_markup_mode=None)

RunName = Annotated[str, typer.Argument(metavar="RUN", help="Name of the run")]


@app.command("list")
def list_runs(as_json: Json = False) -> None:
    """All runs, newest first."""
    found = [(run, run.status()) for run in Run.list()]
    if as_json:
        print_json([_as_dict(run, status) for run, status in found])
    elif found:
        print_table(["run", "state", "epoch", "best AUC", "of epoch"], [_row(*entry) for entry in found])
    else:
        print("No runs yet; `xlite train --data DATA` makes one.")


@app.command()
def status(name: RunName, as_json: Json = False) -> None:
    """What a run does now."""
    run = Run.named(name)
    now = run.status()
    if as_json:
        print_json(_as_dict(run, now))
        return
    for key, value in _as_dict(run, now).items():
        print(f"{key:12}{number(value) if isinstance(value, float) else '-' if value is None else value}")


@app.command()
@with_config_options
def start(*, values: dict[str, object]) -> None:
    """Start a new run in the background; options as in `xlite train`."""
    run = new_run(values)
    run.start()
    print(run.name)


@app.command()
def stop(name: RunName) -> None:
    """Ask a run to end; it gives up the epoch it is in and can be resumed."""
    Run.named(name).stop()
    print(f"Run {name} ends after its current step.")


@app.command()
def resume(name: RunName) -> None:
    """Go on with a stopped, failed or killed run, in the background."""
    Run.named(name).start()
    print(f"Run {name} goes on.")


@app.command()
def logs(
    name: RunName,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last lines")] = 40,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends")] = False,
) -> None:
    """The last lines of a run's log."""
    run = Run.named(name)
    path = run.path("log.txt")
    position = path.stat().st_size if path.exists() else 0
    print(run.log_tail(lines))
    while follow:
        ended = run.status().state not in LIVE
        if path.exists():
            with open(path, encoding="utf-8", errors="replace") as log:
                log.seek(position)
                sys.stdout.write(log.read())
                sys.stdout.flush()
                position = log.tell()
        if ended:
            return
        time.sleep(0.5)


def _as_dict(run: Run, status: RunStatus) -> dict[str, object]:
    return {"name": run.name, **vars(status)}


def _row(run: Run, status: RunStatus) -> list[object]:
    epoch = f"{status.epoch}/{status.epochs}" if status.epochs else "-"
    return [run.name, status.state, epoch, number(status.best_auc), status.best_epoch or "-"]
