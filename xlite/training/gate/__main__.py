"""`python -m xlite.training.gate`: trains the gate network from films, drawings and other pictures."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from xlite.cli.console import progress_bar, say
from xlite.data.folder import NihFolder
from xlite.data.splits import make_split
from xlite.errors import XliteError
from xlite.training.gate.export import export
from xlite.training.gate.learn import Stock, choose_limits, train
from xlite.training.gate.network import GateNet
from xlite.training.gate.pictures import library_pictures, phantoms, read_films, read_others

_CHECKED = 32


app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def main(
    films: Annotated[Path, typer.Option(metavar="DATA", help="Data folder in the NIH layout")],
    others: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="Other pictures, in subfolders: lateral, frontal_elsewhere and frontal_icu are what they say, "
            "whatever else is no chest X-ray; files that sources.csv gives the same source are held out together",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE.onnx", help="The network; those of the folds beside it")],
    strategy: Annotated[str, typer.Option("--split", help="Split of the films, by patient")] = "chexnet",
    leave_out: Annotated[
        list[str] | None,
        typer.Option(metavar="STEM", help="A film that is known to be wrong; may be repeated"),
    ] = None,
    folds: Annotated[
        int, typer.Option(min=0, help="Also train this many networks, each without a share of the pictures")
    ] = 3,
    base: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.pt", help="Weights of the first stage: read if they are there, else written"
        ),
    ] = None,
    steps: Annotated[
        int, typer.Option(min=1, help="Batches of 64 of the first stage, without pictures")
    ] = 1000,
    more_steps: Annotated[int, typer.Option(min=1, help="Batches of the second stage, with them")] = 350,
    drawn: Annotated[int, typer.Option(min=1, help="Phantoms")] = 150,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Trains the gate network and writes it, its limits and its notes to one ONNX file."""
    folder = NihFolder.open(films)
    split = make_split(folder, strategy)
    parts = {
        part: [stem for stem in split.stems(part) if stem not in (leave_out or [])]
        for part in ("train", "val")
    }
    with progress_bar("drawing"):
        stock = Stock(read_films(folder, parts["train"]), phantoms(drawn, seed), [])
    val = read_films(folder, parts["val"])
    pictures = [*read_others(others), *library_pictures()]
    group_fold = _deal([picture.group for picture in pictures], max(folds, 1), seed)
    first = _first_stage(stock, steps, seed, base)
    notes = {"split": split.id, "seed": seed, "steps": [steps, more_steps], "left_out": leave_out or []}
    for fold in range(folds, -1, -1):  # the one that is shipped comes last, and has seen all pictures
        held_out = [picture for picture in pictures if fold and group_fold[picture.group] == fold]
        names = [picture.name for picture in held_out]
        kept = [picture for picture in pictures if picture.name not in set(names)]
        with progress_bar(f"fold {fold}" if fold else "all") as progress:
            net = train(replace(stock, pictures=kept), more_steps, seed + fold, first, progress)
        limits = choose_limits(net, val, stock.films, seed)
        path = out.with_name(f"{out.stem}-fold{fold}.onnx") if fold else out
        counts = {"films": len(stock.films.stems), "validation": len(val.stems), "pictures": len(kept)}
        export(net, limits, {**notes, **counts, "held_out": names}, path, val.small[:_CHECKED])
        say(f"{path}: {limits.model_dump_json()}")


def _first_stage(stock: Stock, steps: int, seed: int, base: Path | None) -> GateNet:
    if base and base.is_file():
        net = GateNet()
        net.load_state_dict(torch.load(base, weights_only=True))
        return net
    with progress_bar("first stage") as progress:
        net = train(stock, steps, seed, None, progress)
    if base:
        torch.save(net.state_dict(), base)
    return net


def _deal(groups: list[str], folds: int, seed: int) -> dict[str, int]:
    """A fold, 1 to `folds`, for each group: those with the most pictures first, each to the smallest fold."""
    names, counts = np.unique(groups, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    sizes = [0] * folds
    dealt = {}
    for index in sorted(order, key=lambda index: -counts[index]):
        fold = int(np.argmin(sizes))
        sizes[fold] += int(counts[index])
        dealt[str(names[index])] = fold + 1
    return dealt


if __name__ == "__main__":
    try:
        app()
    except XliteError as error:
        say(str(error))
        sys.exit(2)
