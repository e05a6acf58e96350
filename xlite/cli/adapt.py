"""`xlite adapt`: thresholds and calibration for another hospital."""

from pathlib import Path
from typing import Annotated

import typer

from xlite.cli.console import Device, Json, Model, print_json, print_table, say


def adapt(
    model: Model,
    data: Annotated[
        list[Path],
        typer.Option(metavar="PATH", help="Data folder of the other hospital, in the NIH layout; one alone"),
    ],
    films: Annotated[
        int, typer.Option(min=1, help="At most so many of its films fit the model; the others judge it")
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the new model; checkpoints/MODEL-at-DATA without it"),
    ] = None,
    draws: Annotated[int, typer.Option(min=2, help="Draws of other films for the learning curve")] = 20,
    seed: Annotated[int, typer.Option(help="Of the films drawn, and of the resamples for intervals")] = 0,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Thresholds and calibration for another hospital.

    As much is fitted to a finding as its local patients can bear: the intercept, or intercept and slope; and
    its threshold. The folder's other films say what that is worth, and a learning curve how many films are
    enough. Writes a new model, which says what it was adapted to, and the report.
    """
    if len(data) > 1:
        raise typer.BadParameter(
            "a model is adapted to one hospital: run it once for each data folder, with another --out",
            param_hint="--data",
        )
    from xlite.evaluation.options import AdaptOptions
    from xlite.models.available import MODEL_FILE
    from xlite.report.adaptation import REPORT_FILE, curve_table, findings_table, sentences
    from xlite.report.write import adapt_model_to

    options = AdaptOptions(films=films, draws=draws, seed=seed, device=device)
    folder, found = adapt_model_to(model, data[0], out, options)
    if as_json:
        print_json(found.model_dump(mode="json") | {"model_file": str(folder / MODEL_FILE)})
        return
    for said in sentences(found):
        say(said)
    for table in (curve_table(found), findings_table(found)):
        say("")
        print_table(table.header, table.texts)
    say(f"Model: {folder / MODEL_FILE}; report: {folder / REPORT_FILE}")
