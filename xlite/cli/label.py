"""`xlite label`: begin a labelling, see how far it is, and make a data folder of its labels."""

from pathlib import Path
from typing import Annotated

import typer

from xlite.cli.console import Json, busy, print_json, print_table, say
from xlite.config import SEED
from xlite.text import counted

app = typer.Typer(help="Films that people label, on the Label page of the app.", rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the labelling")]


@app.command()
def start(
    name: Name,
    data: Annotated[Path, typer.Option(metavar="DIR", help="Data folder in the NIH layout")],
    worklist: Annotated[
        Path, typer.Option(metavar="FILE", help="Films in order, such as `xlite select` writes")
    ],
    double: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the films that two people read")
    ] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same films read twice")] = SEED,
    adjudicator: Annotated[
        str, typer.Option(metavar="NAME", help="Who settles disputes; without it any third reader")
    ] = "",
) -> None:
    """Begin a labelling of a worklist.

    The Label page of `xlite app` then works through it; several readers may, at the same time.
    """
    from xlite.data.worklist import read_worklist
    from xlite.labelling.labelling import Labelling
    from xlite.labelling.sentences import left_out_sentence

    with busy("looking for the films"):
        made = Labelling.create(name, data, read_worklist(worklist), double, seed, adjudicator)
    twice = sum(map(made.rules.is_double, made.films))
    say(f"Labelling {made.name}: {counted(len(made.films), 'film')}, {twice:,} of them read twice")
    if sentence := left_out_sentence(made.settings):
        say(sentence)
    say("Open it on the Label page of `xlite app`")


@app.command("list")
def list_labellings(as_json: Json = False) -> None:
    """All labellings of this home."""
    from xlite.labelling.labelling import Labelling
    from xlite.labelling.summary import Summary

    found = [Summary.of(one, one.state()) for one in Labelling.all()]
    if as_json:
        print_json([one.as_dict() for one in found])
    elif found:
        print_table(("Labelling", "Films", "Done"), [(one.name, one.films, one.done) for one in found])
    else:
        say("No labelling yet; `xlite label start` makes one.")


@app.command()
def status(name: Name, as_json: Json = False) -> None:
    """How far it is, and how far readers agree."""
    from xlite.labelling.labelling import Labelling
    from xlite.labelling.sentences import agreement_rows, progress_sentences, reader_rows, untold_sentence
    from xlite.labelling.summary import Summary

    labelling = Labelling.named(name)
    summary = Summary.of(labelling, labelling.state())
    if as_json:
        print_json(summary.as_dict())
        return
    for sentence in progress_sentences(summary):
        say(sentence)
    if summary.readers:
        print_table(*reader_rows(summary))
    for pair in summary.pairs:
        say(f"{' and '.join(pair.readers)}, {counted(pair.films, 'film')} in common:")
        if (table := agreement_rows(pair))[1]:
            print_table(*table)
        if told := untold_sentence(pair):
            say(told)


@app.command()
def export(
    name: Name,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write into")],
    only: Annotated[bool, typer.Option("--only", help="The labelled films alone")] = False,
    as_json: Json = False,
) -> None:
    """Make a data folder of the labels.

    Films labelled here have these labels, unsure ones unknown; the others keep those that they had.
    """
    from xlite.labelling.export import export_labels
    from xlite.labelling.labelling import Labelling
    from xlite.labelling.sentences import exported_sentence

    labelling = Labelling.named(name)
    with busy("writing"):
        made = export_labels(labelling, labelling.state(), out, only)
    if as_json:
        print_json(vars(made))
        return
    say(exported_sentence(made))
