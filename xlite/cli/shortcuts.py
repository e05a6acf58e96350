"""`xlite shortcuts`: whether a model reads the disease or the hospital."""

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
from xlite.split_names import DEFAULT_SPLIT


def shortcuts(
    model: Model,
    data: DataFolders,
    out: Out,
    split: Annotated[str, typer.Option(help="Split of the data folder")] = DEFAULT_SPLIT,
    part: Annotated[str, typer.Option(metavar="train|val|test", help="Part of the split")] = "test",
    device: Device = "cpu",
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Go on without the films that the folder lacks")
    ] = False,
    as_json: Json = False,
) -> None:
    """Does a model read the disease or the hospital?

    How well view, sex and age, and of several folders which one, can be told from its features, the AUC
    within each of these groups, and what hiding parts of the films does to each finding. Writes shortcuts.md
    and shortcuts.json.
    """
    from xlite.data.layout import joined_data
    from xlite.evaluation.options import JudgeOptions
    from xlite.evaluation.shortcuts.shortcuts import judge_shortcuts
    from xlite.report.shortcuts import (
        REPORT_FILE,
        hidden_table,
        sentences,
        told_table,
        warnings,
        within_table,
        write_shortcuts,
    )

    options = JudgeOptions(device=device, skip_missing=skip_missing)
    with progress_bar("reading films") as progress:
        found = judge_shortcuts(model, joined_data(data), split, part, options, progress)
    write_shortcuts(out, found)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    for said in [*warnings(found), *sentences(found)]:
        say(f"- {said}")
    for table in (told_table(found), within_table(found), hidden_table(found)):
        say("")
        print_table(table.header, table.texts)
    say(f"Report: {out / REPORT_FILE}")
