"""`xlite predict`: films read by a model, with overlays if they are asked for."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xlite.cli.console import Device, Json, Model, log_to, print_json, print_table, progress_bar, say
from xlite.cli.extras import demand
from xlite.errors import DataError
from xlite.explain import DEFAULT_METHOD, METHODS
from xlite.findings import FINDINGS, spoken
from xlite.formats import FORMATS
from xlite.text import counted

if TYPE_CHECKING:
    from xlite.classify import Classifier
    from xlite.predict.pipeline import FilmsRead, Page


def predict(
    model: Model,
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE…", help=f"{FORMATS}, or folders, zipped or not")
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder to write into; without it the answer is printed alone"),
    ] = None,
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
    fix: Annotated[
        bool, typer.Option("--fix", help="Turn upright and invert back what looks turned or inverted")
    ] = False,
    tta: Annotated[
        str | None,
        typer.Option(metavar="flip", help="Read each film and its mirror image, and average: twice the time"),
    ] = None,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="A page a film: picture, map, all findings, model, guards")
    ] = False,
    device: Device = "cpu",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over where a run that has not finished would go on")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read films: their findings, and overlays.

    Into --out DIR go predictions.csv and, with --heatmaps K, K overlays an image, with --pdf a page;
    guards.csv says what each picture is, and worth.csv what each verdict is worth. A picture that is no chest
    X-ray is not read; what looks turned or inverted is read as it is, unless --fix.

    In folders, linked and zipped ones too, films are found by suffix or else by content; hidden files are
    left out. Of several films one that cannot be read is reported, the others are done, and the exit status
    is 1.

    Rows are written as films are read. If a run is killed, the same command goes on where it stopped; a run
    that has finished is done anew.
    """
    if method is not None and method not in METHODS:
        raise typer.BadParameter(f"{method!r} is none of {', '.join(METHODS)}", param_hint="--map")
    if method is not None and not heatmaps:
        raise typer.BadParameter("no overlay is asked for: add --heatmaps 3", param_hint="--map")
    if tta not in (None, "flip"):
        raise typer.BadParameter(f"{tta!r} is none: only flip is known", param_hint="--tta")
    if out is None and heatmaps:
        raise typer.BadParameter("overlays are files: name a folder with --out", param_hint="--heatmaps")
    if out is None and pdf:
        raise typer.BadParameter("pages are files: name a folder with --out", param_hint="--pdf")
    if pdf:
        demand("report")
    from xlite.data.film_files import passed_over_words
    from xlite.predict.films import find_films

    if out is not None and out.exists() and not out.is_dir():
        raise DataError(f"{out} is a file, and --out is the folder to write into: give another name")
    found = find_films(images, out)
    from xlite.guarded import GuardedReader
    from xlite.predict.pipeline import predict_films
    from xlite.reading import withheld_sentence

    reader = GuardedReader.load(model, device)
    if tta:
        reader = replace(reader, classifier=reader.classifier.flipped())
    classifier = reader.classifier
    with _place(out) as place, progress_bar("reading") as progress, log_to(sys.stderr):
        done = predict_films(
            reader,
            found.films,
            place,
            heatmaps,
            method or DEFAULT_METHOD,
            progress,
            window=window,
            fix=fix,
            fresh=fresh,
            page=_page_maker(classifier) if pdf else None,
        )
    if as_json:
        print_json({name: _film_json(done, name) for name in done.guards})
    else:
        _print_answer(done, classifier.name, out, fix)
        if withheld := withheld_sentence(classifier.info.thresholds, classifier.info.thresholds_chosen_on):
            say(withheld)
    if found.passed_over:
        say(passed_over_words(found.passed_over), sys.stderr if as_json else None)
    if done.unreadable or done.refused or done.unwritten:
        raise typer.Exit(1)


def _page_maker(classifier: "Classifier") -> "Page":
    """What makes the PDF of a film, as the page Read a film does; it is dated when it is made."""
    from datetime import UTC, datetime

    from xlite.report.film_pdf import FilmPage, films_pdf

    return lambda name, found: films_pdf(classifier, [FilmPage(name, found)], datetime.now(UTC))


@contextmanager
def _place(out: Path | None) -> Iterator[Path]:
    """The folder to write into, or one that is gone afterwards."""
    if out is not None:
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="xlite-") as folder:
        yield Path(folder)


def _film_json(done: "FilmsRead", name: str) -> dict[str, Any]:
    """Probabilities by finding, guards, and what each verdict is worth; of a refused film guards alone."""
    from xlite.report.worth import worth_json

    guards, reading = {"guards": done.guards[name].facts()}, done.found.get(name)
    if reading is None:
        return guards
    probabilities = {finding: reading.probability(finding) for finding in FINDINGS}
    return probabilities | guards | {"worth": worth_json(reading.worths())}


def _print_answer(
    done: "FilmsRead", model: str, out: Path | None, fix: bool, count: int = 3, shown: int = 20
) -> None:
    """The `count` likeliest findings of the first `shown` films, their guards, and what was written."""
    first = list(done.found.items())[:shown]
    rows = [[name, *(f"{spoken(one)} {value:.3f}" for one, value in read.top(count))] for name, read in first]
    if rows:
        print_table(["image", *(f"finding {rank}" for rank in range(1, count + 1))], rows)
    for name, _ in first:
        if said := done.guards[name].sentences:
            say(f"{name}: {' '.join(said)}")
    say(f"Model {model}. Research software: no diagnosis.")
    offered = sum(one.verdict == "offer" for one in done.guards.values())
    if offered:
        done_so = "put right before reading" if fix else "read as it is, and --fix puts that right"
        say(f"{counted(offered, 'film')} looked turned or inverted: {done_so}")
    if cautioned := sum(one.verdict == "caution" for one in done.guards.values()):
        say(f"{counted(cautioned, 'film')} read with a caution{': guards.csv says which' if out else ''}")
    if done.unpainted:
        say(f"{counted(done.unpainted, 'overlay')} left bare: a map is empty, flat or peaks at the rim")
    bad = f", {done.unreadable:,} could not be" if done.unreadable else ""
    refused = f", {done.refused:,} refused" if done.refused else ""
    bare = f", {done.unwritten:,} without their files" if done.unwritten else ""
    say(f"{counted(len(done.names), 'film')} read{bad}{refused}{bare}{f': {out}' if out else ''}")
