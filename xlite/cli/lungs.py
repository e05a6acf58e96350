"""`python -m xlite.cli.lungs`: trains the network that finds the lungs, on phantoms."""

import sys
from pathlib import Path
from typing import Annotated

import cv2
import typer

from xlite.cli.console import progress_bar, say
from xlite.errors import XliteError
from xlite.evaluation.shortcuts.lungs import NOTES, OUTPUT
from xlite.training.lungs.drawn import SIDE, as_seen, draw_lungs
from xlite.training.lungs.learn import dice, train
from xlite.training.lungs.network import Lung
from xlite.training.write_network import write_network

_HELD_OUT = 6

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def main(
    out: Annotated[Path, typer.Option(metavar="FILE.onnx", help="The network")],
    drawn: Annotated[int, typer.Option(min=_HELD_OUT, help="Phantoms; a sixth of them only judges")] = 1200,
    steps: Annotated[int, typer.Option(min=2, help="Batches of 24")] = 900,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Trains the lung network and writes it with its notes to one ONNX file."""
    with progress_bar("drawing") as progress:
        pictures, lungs = draw_lungs(drawn, seed, progress)
    judges = drawn // _HELD_OUT  # each phantom is a patient of its own
    with progress_bar("training", "step") as progress:
        net = train(pictures[judges:], lungs[judges:], steps, seed, progress)
    shown, true = as_seen(pictures[:judges]), as_seen(lungs[:judges], cv2.INTER_LINEAR)
    overlap = round(float(dice(net, shown, true).mean()), 3)
    notes = {"phantoms": drawn - judges, "steps": steps, "seed": seed, "held_out": judges, "dice": overlap}
    write_network(Lung(net), SIDE, [OUTPUT], {NOTES: notes}, out)
    say(f"{out}: overlap (Dice) of {overlap} on {judges} other phantoms")


if __name__ == "__main__":
    try:
        app()
    except XliteError as error:
        say(str(error))
        sys.exit(2)
