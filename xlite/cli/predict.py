"""`xlite predict`: films read by a model, with overlays if they are asked for."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xlite.cli.console import Device, Json, Model, Out, log_to, print_json, print_table, progress_bar, say
from xlite.errors import DataError
from xlite.explain import DEFAULT_METHOD, METHODS
from xlite.findings import FINDINGS, spoken
from xlite.formats import FORMATS
from xlite.text import counted

if TYPE_CHECKING:
    from xlite.predict.pipeline import FilmsRead


def predict(
    model: Model,
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE…", help=f"{FORMATS}, or folders, zipped or not")
    ],
    out: Out,
    heatmaps: Annotated[
        int, typer.Option(min=0, max=len(FINDINGS), help="Overlays an image, likeliest findings first")
    ] = 0,
    method: Annotated[
        str | None,
        typer.Option(
            "--map",
            metavar="NAME",
            help=f"How overlays are made: {', '.join(METHODS)}  [default: {DEFAULT_METHOD}]",
        ),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="DICOM: a window of the file by name or number, or CENTER,WIDTH"),
    ] = None,
    device: Device = "cpu",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over where a run that has not finished would go on")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read films: their findings, and overlays.

    Writes predictions.csv and, with --heatmaps K, K overlays an image. In folders, linked and zipped ones
    too, films are found by suffix or else by content; hidden files are left out. Of several films one that
    cannot be read is reported, the others are done, and the exit status is 1.

    Rows are written as films are read. If a run is killed, the same command goes on where it stopped; a run
    that has finished is done anew.
    """
    if method is not None and method not in METHODS:
        raise typer.BadParameter(f"{method!r} is none of {', '.join(METHODS)}", param_hint="--map")
    if method is not None and not heatmaps:
        raise typer.BadParameter("no overlay is asked for: add --heatmaps 3", param_hint="--map")
    from xlite.data.film_files import passed_over_words
    from xlite.predict.films import find_films
    from xlite.predict.pipeline import predict_films

    found = find_films(images, out)
    if out.exists() and not out.is_dir():
        raise DataError(f"{out} is a file, and --out is the folder to write into: give another name")
    from xlite.classify import Classifier
    from xlite.reading import withheld_sentence

    classifier = Classifier.load(model, device)
    with progress_bar("reading") as progress, log_to(sys.stderr):
        done = predict_films(
            classifier,
            found.films,
            out,
            heatmaps,
            method or DEFAULT_METHOD,
            progress,
            window=window,
            fresh=fresh,
        )
    if as_json:
        print_json(done.by_name())
    else:
        _print_answer(done, classifier.name, out)
        if withheld := withheld_sentence(classifier.info.thresholds, classifier.info.thresholds_chosen_on):
            say(withheld)
    if found.passed_over:
        say(passed_over_words(found.passed_over), sys.stderr if as_json else None)
    if done.unreadable or done.refused or done.unwritten:
        raise typer.Exit(1)


def _print_answer(done: "FilmsRead", model: str, out: Path, count: int = 3, shown: int = 20) -> None:
    """The `count` likeliest findings of the first `shown` films, and what was written."""
    rows = []
    for name, probabilities in list(done.by_name().items())[:shown]:
        best = sorted(((value, finding) for finding, value in probabilities.items()), reverse=True)[:count]
        rows.append([name, *(f"{spoken(finding)} {value:.3f}" for value, finding in best)])
    if rows:
        print_table(["image", *(f"finding {rank}" for rank in range(1, count + 1))], rows)
    say(f"Model {model}. Research software: no diagnosis.")
    if done.unpainted:
        say(f"{counted(done.unpainted, 'overlay')} left bare: a map is empty, flat or peaks at the rim")
    bad = f", {done.unreadable:,} could not be" if done.unreadable else ""
    refused = f", {done.refused:,} refused" if done.refused else ""
    bare = f", {done.unwritten:,} without overlays" if done.unwritten else ""
    say(f"{counted(len(done.names), 'film')} read{bad}{refused}{bare}: {out}")
