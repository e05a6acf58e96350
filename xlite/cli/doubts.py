"""`xlite data doubts`: the labels of a data folder that are probably wrong."""

from pathlib import Path
from typing import Annotated

import typer

from xlite.cli.console import DataFolder, Device, Json, print_json, print_table, progress_bar, say
from xlite.errors import DataError
from xlite.extras import demand


def doubts(
    data: DataFolder,
    model: Annotated[
        str, typer.Option(help="A run's name, or a model file, to whose features each finding is fitted")
    ] = "",
    predictions: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="Instead of a model: predictions, each by a model without the film"
        ),
    ] = "",
    split: Annotated[
        str, typer.Option(help="Look at the train part of this split alone, as `xlite train` needs it")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="The list; DATA/doubts.csv without it")
    ] = None,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Rank the labels that are most likely wrong.

    Both those that say yes and those that say no, with an estimate of how many of each finding are wrong.
    Writes a worklist with a row for each label in doubt.
    """
    from xlite.data.doubts import DOUBTS_FILE
    from xlite.data.worklist import write_worklist
    from xlite.evaluation.doubts import doubts_by_model, doubts_by_predictions
    from xlite.report.doubts import findings_table, sentences

    if bool(model) == bool(predictions):
        raise DataError("labels are doubted by a model or by predictions: give --model or --predictions")
    demand("doubts")  # before films are read
    if model:
        with progress_bar("reading films") as progress:
            found = doubts_by_model(model, data, split, device, progress)
    else:
        found = doubts_by_predictions(predictions, data, split)
    path = out or data / DOUBTS_FILE
    write_worklist(path, found.table)
    if as_json:
        print_json(found.facts.model_dump(mode="json") | {"file": str(path)})
        return
    for said in sentences(found.facts):
        say(said)
    table = findings_table(found.facts)
    say("")
    print_table(table.header, table.texts)
    say(f"List: {path}")
