"""`xlite serve`: the HTTP API."""

from pathlib import Path
from typing import Annotated

import typer

from xlite.access.addresses import API_PORT, HOST
from xlite.access.tokens import MIN_TOKEN, TOKEN
from xlite.cli.app import hand_over
from xlite.cli.extras import demand
from xlite.errors import CheckpointError, RunError
from xlite.models.available import find_models
from xlite.places import bundled


def serve(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL]...", help="Runs' names or model files  [default: the one on duty]"),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to answer on; any but this machine's own demands a token")
    ] = HOST,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine")] = API_PORT,
    token: Annotated[
        bool, typer.Option("--token", help=f"Ask for a token: at least {MIN_TOKEN} characters")
    ] = False,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read it from a file; or set XLITE_TOKEN")
    ] = None,
) -> None:
    """Serve models as an HTTP API.

    POST films to /v1/predict, one as the body or several as a form; /docs says the rest. Nothing can be
    trained or browsed through it, and no film is kept.
    """
    if token:
        _check_none_is_typed(models or [])
    words = [str(bundled("app", "serve.py")), *(models or [])]
    words += ["--host", host, "--port", str(port)]
    words += ["--token"] if token else []
    words += ["--token-file", str(token_file)] if token_file else []
    demand("serve")
    hand_over(words)


def _check_none_is_typed(models: list[str]) -> None:
    """Raises RunError if what follows --token is no model: it is the token, which is not repeated here."""
    for spec in models:
        try:
            find_models(spec)
        except CheckpointError as error:
            raise RunError(TOKEN.typed) from error
