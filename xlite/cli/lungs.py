"""`python -m xlite.cli.lungs`: trains the network that finds the lungs, on phantoms."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from xlite.cli.console import busy, progress_bar, say
from xlite.errors import XliteError
from xlite.training.lungs.export import export
from xlite.training.lungs.learn import draw_lungs, train

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def main(
    out: Annotated[Path, typer.Option(metavar="FILE.onnx", help="The network")],
    drawn: Annotated[int, typer.Option(min=2, help="Phantoms")] = 1200,
    steps: Annotated[int, typer.Option(min=1, help="Batches of 24")] = 700,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Trains the lung network and writes it to one ONNX file."""
    with busy("drawing"):
        pictures, lungs = draw_lungs(drawn, seed, os.cpu_count() or 1)
    with progress_bar("training") as progress:
        net = train(pictures, lungs, steps, seed, progress)
    export(net, {"phantoms": drawn, "steps": steps, "seed": seed}, out)
    say(f"{out}")


if __name__ == "__main__":
    try:
        app()
    except XliteError as error:
        say(str(error))
        sys.exit(2)
