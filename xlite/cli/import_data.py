"""`xlite data import`: a data folder made of another data set, or of any table of films."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xlite.cli.console import Json, busy, confirm, print_json, progress_bar, say
from xlite.data.importing.kinds import BLANK, KINDS, OWN_TABLE, POLICIES
from xlite.errors import DataError

if TYPE_CHECKING:
    from xlite.data.importing.columns import Columns

_OF_TABLE = "Of a table (csv, xrv): the column of "


def import_films(
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"One of {', '.join(KINDS)}")],
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Folder of the data set, or the table")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="New folder to write")],
    uncertain: Annotated[
        list[str] | None,
        typer.Option(
            metavar="|".join(POLICIES),
            help="What an uncertain label (-1) counts as; for one finding Edema=ones",
        ),
    ] = None,
    blank: Annotated[
        str,
        typer.Option(
            metavar="|".join(BLANK), help="What a blank label counts as; by default as the mapping says"
        ),
    ] = "",
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A mapping of your own, such as a corrected mapping.csv of an import"
        ),
    ] = None,
    name: Annotated[
        str,
        typer.Option(help="What films and patients begin with; by default the kind, of a table OUT's name"),
    ] = "",
    image: Annotated[str, typer.Option(metavar="COLUMN", help=f"{_OF_TABLE}the films' files")] = "",
    patient: Annotated[str, typer.Option(metavar="COLUMN", help=f"{_OF_TABLE}the patients")] = "",
    view: Annotated[str, typer.Option(metavar="COLUMN", help=f"{_OF_TABLE}the views")] = "",
    age: Annotated[str, typer.Option(metavar="COLUMN", help=f"{_OF_TABLE}the ages")] = "",
    sex: Annotated[str, typer.Option(metavar="COLUMN", help=f"{_OF_TABLE}the sexes")] = "",
    part: Annotated[str, typer.Option(metavar="COLUMN", help=f"{_OF_TABLE}train, val or test")] = "",
    labels: Annotated[str, typer.Option(metavar="COLUMN", help=f"{_OF_TABLE}what a film has, in words")] = "",
    separator: Annotated[str, typer.Option(help="What parts the words in that column")] = "",
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FINDING=NAME",
            help="A finding, and its column of 0 and 1 or its word: Effusion='pleural effusion'",
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Take what is guessed of a table without asking")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a data folder of another data set.

    Its table, boxes and lists in the NIH layout, links to its frontal films, and import.json, which says what
    was made of what. The columns of a table of your own are guessed and shown first.
    """
    from xlite.data.importing.labels import Policy
    from xlite.data.importing.mapping import read_mapping
    from xlite.data.importing.record import record_lines
    from xlite.data.importing.sources import read_source
    from xlite.data.importing.write import Choices, check_out, name_of, write_import

    choices = Choices(name, Policy.of(uncertain or [], blank))
    own = read_mapping(mapping) if mapping else None
    check_out(kind, source, out, name_of(kind, out, name))  # before anybody is asked
    roles = {"image": image, "patient": patient, "view": view, "age": age, "sex": sex, "part": part}
    columns = _columns(
        kind, source, {role: column for role, column in roles.items() if column}, labels, separator, label
    )
    if columns and not as_json:
        for line in columns.lines():
            say(line)
        if kind == "csv" and columns.unused:  # xrv's `labels` is none of these
            say(f"{'not used':10}{', '.join(map(repr, columns.unused))}")
    with busy("reading tables"):
        found, shipped = read_source(kind, source, columns)
    if columns and not yes:
        _ask(as_json)
    with progress_bar("importing") as progress:
        record = write_import(kind, source, found, own or shipped, out, choices, progress)
    if as_json:
        print_json({**vars(record), "labels": [vars(one) for one in record.labels], "folder": out})
        return
    for line in record_lines(record):
        say(line)
    say(f"Data folder: {out}")


def _columns(
    kind: str, source: Path, roles: dict[str, str], names: str, separator: str, labels: list[str] | None
) -> "Columns | None":
    """What the columns of a table mean, as guessed and corrected; None for a data set that is known."""
    if kind not in OWN_TABLE:
        given = [f"--{role}" for role in roles] + ["--labels"] * bool(names) + ["--label"] * bool(labels)
        if given:
            raise DataError(f"{given[0]} is for tables of your own (csv); of {kind} the columns are known")
        return None
    from xlite.data.importing.columns import corrected, guess_columns

    return corrected(guess_columns(source), roles, labels or [], names, separator)


def _ask(as_json: bool) -> None:
    if as_json or not sys.stdin.isatty():
        raise DataError("the columns are guessed, and nobody can be asked here: look at them, then add --yes")
    confirm("Import like this?", "Nothing was imported: correct the columns with --image, --label, ...")
