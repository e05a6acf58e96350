"""`xlite serve`: the HTTP API, and with --dicom a DICOM node."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from xlite.access.addresses import AE_TITLE, API_PORT, DICOM_PORT, HOST
from xlite.access.tokens import MIN_TOKEN, TOKEN
from xlite.cli.app import hand_over
from xlite.cli.console import Fix, Heatmaps, ThreeD, say
from xlite.errors import CheckpointError, RunError
from xlite.extras import demand
from xlite.models.available import find_models
from xlite.pacs.film_objects import MAPS_PER_FILM, Wanted
from xlite.places import bundled, pacs_dir


def serve(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL]...", help="Runs' names or model files  [default: the one on duty]"),
    ] = None,
    host: Annotated[
        str,
        typer.Option(help="Address to answer on; any but this machine's own demands a token, or --from"),
    ] = HOST,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help=f"Port on this machine  [default: {API_PORT}, with --dicom {DICOM_PORT}]",
            show_default=False,
        ),
    ] = None,
    token: Annotated[
        bool, typer.Option("--token", help=f"Ask for a token: at least {MIN_TOKEN} characters")
    ] = False,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read it from a file; or set XLITE_TOKEN")
    ] = None,
    dicom: Annotated[bool, typer.Option("--dicom", help="Be a DICOM node in place of the HTTP API")] = False,
    ae: Annotated[
        str | None, typer.Option("--ae", metavar="AE", help=f"--dicom: its AE title  [default: {AE_TITLE}]")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="AE@HOST:PORT", help="--dicom: where results go")
    ] = None,
    senders: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="AE[@HOST]", help="--dicom: who may send, once each  [default: all]"),
    ] = None,
    heatmaps: Heatmaps = None,
    fix: Fix = False,
    three_d: ThreeD = False,
    queue: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="--dicom: folder of what waits  [default: $XLITE_HOME/pacs]"),
    ] = None,
) -> None:
    """Serve models as an HTTP API, or as a DICOM node.

    POST films to /v1/predict, one as the body or several as a form; /docs says the rest. Nothing can be
    trained or browsed through it, and no film is kept.

    With --dicom it takes CR and DX films by C-STORE and sends back a report and maps, for research and not
    for care; a film is kept until they are sent. --heatmaps, --fix and --3d are for this alone.
    """
    if dicom:
        if token or token_file:
            raise typer.BadParameter("DICOM has none: name who may send, --from", param_hint="--token")
        if to is None:
            raise typer.BadParameter("say where results go: --to AE@HOST:PORT", param_hint="--dicom")
        if models and len(models) > 1:
            raise typer.BadParameter("a node reads with one model: name one, or an ensemble with commas")
        wanted = Wanted(MAPS_PER_FILM if heatmaps is None else heatmaps, fix=fix, three_d=three_d)
        address = host, port or DICOM_PORT
        _serve_dicom(models[0] if models else None, ae or AE_TITLE, to, senders or [], address, queue, wanted)
        return
    if ae is not None or to or senders or queue or fix or three_d or heatmaps is not None:
        raise typer.BadParameter(
            "--ae, --to, --from, --queue, --heatmaps, --fix and --3d are for --dicom: add it"
        )
    if token:
        _check_none_is_typed(models or [])
    words = [str(bundled("app", "serve.py")), *(models or [])]
    words += ["--host", host, "--port", str(port or API_PORT)]
    words += ["--token"] if token else []
    words += ["--token-file", str(token_file)] if token_file else []
    demand("serve")
    hand_over(words)


def _serve_dicom(
    model: str | None,
    ae: str,
    to: str,
    senders: list[str],
    address: tuple[str, int],
    queue: Path | None,
    wanted: Wanted,
) -> None:
    """Serves until it is ended."""
    demand("dicom")
    from xlite.guarded import GuardedReader
    from xlite.models.duty import duty
    from xlite.pacs.node import check_address, serve
    from xlite.pacs.peers import Peer, Senders, check_title
    from xlite.pacs.results import ObjectMaker

    peer, allowed, title = Peer.parse(to), Senders.parse(senders), check_title(ae)
    check_address(*address, allowed)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("xlite").setLevel(logging.INFO)
    now = duty()
    if model is None and now.fault:
        say(f"Warning: {now.fault}", sys.stderr)
    reader = GuardedReader.load(model or now.spec)
    maker = ObjectMaker(reader, wanted)
    folder = queue or pacs_dir()
    serve(maker, title, address, peer, allowed, folder, lambda words: say(f"{maker.named.model} as {words}"))


def _check_none_is_typed(models: list[str]) -> None:
    """Raises RunError if what follows --token is not a model: it is the token, which is not repeated here."""
    for spec in models:
        try:
            find_models(spec)
        except CheckpointError as error:
            raise RunError(TOKEN.typed) from error
