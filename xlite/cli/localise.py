"""`xlite localise`: whether a model's maps lie where radiologists drew boxes."""

from pathlib import Path
from typing import Annotated

import typer

from xlite.cli.console import (
    DataFolders,
    Device,
    Json,
    Model,
    Out,
    print_json,
    print_table,
    progress_bar,
    say,
)
from xlite.split_names import ALL_FILMS


def localise(
    model: Model,
    data: DataFolders,
    out: Out,
    split: Annotated[str, typer.Option(help="Split of the data folder")] = "official",
    part: Annotated[
        str,
        typer.Option(
            metavar=f"train|val|test|{ALL_FILMS}", help="Part of the split, or all films of the folder"
        ),
    ] = "test",
    boxes: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Table of boxes; the folder's own without it")
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A way to make maps, several times; all without it"),
    ] = None,
    checks: Annotated[
        int,
        typer.Option(
            min=0, help="Boxed findings of films, drawn at random, for randomisation, deletion and insertion"
        ),
    ] = 24,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Judge a model's maps by radiologists' boxes.

    Writes localisation.json and maps.png: the pointing game, IoU and IoBB of several kinds of map, beside
    maps that know nothing, and whether the maps depend on the model at all.
    """
    from xlite.data.layout import joined_data
    from xlite.evaluation.options import MapOptions
    from xlite.explain import METHODS
    from xlite.report.metrics_json import localisation_json
    from xlite.report.sections.localisation import map_notes, map_tables
    from xlite.report.write import localise_model

    unknown = [name for name in method or () if name not in METHODS]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(METHODS)}", param_hint="--method")
    options = MapOptions(boxes=boxes, methods=method, checks=checks, device=device)
    with progress_bar("localising", "target") as progress:
        report = localise_model(model, joined_data(data), split, part, out, options, progress)
    if as_json:
        print_json(localisation_json(report))
        return
    for table in map_tables(report):
        print_table(table.header, table.texts)
        say("")
    for note in map_notes(report):
        say(f"- {note}")
    say(f"Report: {out}")
