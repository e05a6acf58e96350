"""`python -m xlite.cli.gate`: trains the gate network from films, drawings and other pictures."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from xlite.cli.console import progress_bar, say
from xlite.data.folder import NihFolder
from xlite.data.splits import make_split
from xlite.errors import XliteError
from xlite.training.gate.export import export
from xlite.training.gate.learn import Stock, choose_limits, open_base, save_base, train
from xlite.training.gate.pictures import deal, library_pictures, phantoms, read_others, read_thumbnails

_CHECKED = 32


app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def main(
    films: Annotated[Path, typer.Option(metavar="DATA", help="Data folder in the NIH layout")],
    others: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="Other pictures, in subfolders: lateral, frontal_elsewhere, frontal_icu are what they say, "
            "whatever else is not a chest X-ray; files of one source in sources.csv are held out together",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE.onnx", help="The network; those of the folds beside it")],
    way: Annotated[str, typer.Option("--split", help="Split of the films, by patient")] = "chexnet",
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
    ] = 900,
    more_steps: Annotated[int, typer.Option(min=1, help="Batches of the second stage, with them")] = 400,
    drawn: Annotated[int, typer.Option(min=1, help="Phantoms")] = 150,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Trains the gate network and writes it, its limits and its notes to one ONNX file."""
    folder = NihFolder.open(films)
    split = make_split(folder, way)
    parts = {
        part: [stem for stem in split.stems(part) if stem not in (leave_out or [])]
        for part in ("train", "val")
    }
    with progress_bar("drawing"):
        stock = Stock(read_thumbnails(folder, parts["train"]), phantoms(drawn, seed), [])
    val = read_thumbnails(folder, parts["val"])
    pictures = [*read_others(others), *library_pictures()]
    group_fold = deal([picture.group for picture in pictures], max(folds, 1), seed)
    first = open_base(base) if base and base.is_file() else None
    if first is None:
        with progress_bar("first stage", "step") as progress:
            first = train(stock, steps, seed, None, progress)
        if base:
            save_base(first, base)
    notes = {"split": split.id, "seed": seed, "steps": [steps, more_steps], "left_out": leave_out or []}
    for fold in range(folds, -1, -1):  # the one that is shipped comes last, and has seen all pictures
        held_out = [picture for picture in pictures if fold and group_fold[picture.group] == fold]
        names = [picture.name for picture in held_out]
        kept = [picture for picture in pictures if picture.name not in set(names)]
        with progress_bar(f"fold {fold}" if fold else "all", "step") as progress:
            shown = replace(stock, pictures=kept)
            net = train(shown, more_steps, seed + fold, first, progress)
        limits = choose_limits(net, val, shown, seed)
        path = out.with_name(f"{out.stem}-fold{fold}.onnx") if fold else out
        counts = {"films": len(stock.films.stems), "validation": len(val.stems), "pictures": len(kept)}
        export(net, limits, {**notes, **counts, "held_out": names}, path, val.small[:_CHECKED])
        say(f"{path}: {limits.model_dump_json()}")


if __name__ == "__main__":
    try:
        app()
    except XliteError as error:
        say(str(error))
        sys.exit(2)
