"""`xlite duty`: the model that pages, demo and server use if none is named."""

import sys
from typing import Annotated

import typer

from xlite.cli.console import Json, print_json, say
from xlite.errors import RunError


def duty(
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="A run's name or a model file to put on duty")
    ] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Forget the choice: the shipped model takes over")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say or change which model is on duty.

    It is what pages show first, and what `xlite share` and `xlite serve` read with if no model is named; a
    server that runs already keeps the one it began with. The choice is kept in the home.
    """
    from xlite.models import duty as kept
    from xlite.report import duty as words
    from xlite.report.saved import on_test_films

    if reset and model is not None:
        raise RunError(f"either {model!r} goes on duty, or --reset forgets the choice; got both")
    if model is not None:
        kept.set_duty(model)
    elif reset:
        kept.reset_duty()
    now = kept.duty()
    report = None if now.path is None else on_test_films(now.path)
    if as_json:
        print_json(words.facts(now, report))
        return
    if now.fault:
        say(f"Warning: {now.fault}", file=sys.stderr)
    say("\n".join(words.lines(now, report)))
