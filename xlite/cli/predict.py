"""`xlite predict`: films read by a model, with overlays if they are asked for."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xlite.cli.console import (
    Device,
    Fix,
    Heatmaps,
    Json,
    Model,
    ThreeD,
    log_to,
    print_json,
    print_table,
    progress_bar,
    say,
)
from xlite.errors import DataError
from xlite.explain import DEFAULT_METHOD, METHODS
from xlite.extras import demand
from xlite.findings import FINDINGS, spoken
from xlite.formats import FORMATS
from xlite.pacs.film_objects import MAPS_PER_FILM, Wanted
from xlite.text import counted, probability

if TYPE_CHECKING:
    from xlite.classify import Classifier
    from xlite.guarded import GuardedReader
    from xlite.metrics.worth import Worth
    from xlite.models.info import ModelInfo
    from xlite.pacs.files import DicomFiles
    from xlite.pacs.web import DicomWeb
    from xlite.predict.pipeline import FilmsRead
    from xlite.report.film_pages import FilmPages


def predict(
    model: Model,
    images: Annotated[
        list[Path] | None, typer.Argument(metavar="IMAGE…", help=f"{FORMATS}, or folders, zipped or not")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder to write into; without it the answer is printed alone"),
    ] = None,
    heatmaps: Heatmaps = None,
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
    fix: Fix = False,
    tta: Annotated[
        str | None,
        typer.Option(
            metavar="flip",
            help="Mean of each film and its mirror image: twice the time, no thresholds",
        ),
    ] = None,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="A page a film: picture, map, all findings, model, guards")
    ] = False,
    dicom_out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Of DICOM films: report (SR) and maps as DICOM files into DIR"),
    ] = None,
    three_d: ThreeD = False,
    dicomweb: Annotated[
        str | None, typer.Option(metavar="URL", help="Take films from a DICOMweb service, by --accession")
    ] = None,
    accession: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="--dicomweb: accession number of the study")
    ] = None,
    store: Annotated[
        bool, typer.Option("--store", help="--dicomweb: store report and maps there, in the same study")
    ] = False,
    device: Device = "cpu",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over, even if unfinished work could go on")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read films: their findings, and overlays.

    Into --out DIR go predictions.csv and, with --heatmaps K, K overlays an image, with --pdf a page;
    guards.csv says what each picture is, and worth.csv what each verdict is worth. A picture that is not a
    chest X-ray is not read; what looks turned or inverted is read as it is, unless --fix.

    In folders, linked and zipped ones too, films are found by suffix or else by content; hidden files are
    left out. Of several films one that cannot be read is reported, the others are done, and the exit status
    is 1.

    With --dicom-out each DICOM film also gets a report and its maps as DICOM objects of its study: for
    research, not for care.

    Rows are written as films are read. If the command is killed, the same command goes on where it stopped;
    if it had finished, all films are read anew.
    """
    in_dicom = dicom_out is not None or store
    _check_files(out, heatmaps, method, tta, pdf, in_dicom)
    if pdf:
        demand("report")
    _check_places(images, dicom_out, dicomweb, accession, store)
    if three_d and not in_dicom:
        raise typer.BadParameter("no report is asked for: add --dicom-out DIR", param_hint="--3d")
    if in_dicom or dicomweb:
        demand("dicom")
    from xlite.data.film_files import passed_over_words
    from xlite.predict.films import find_films

    if out is not None and out.exists() and not out.is_dir():
        raise DataError(f"{out} is a file, and --out is the folder to write into: give another name")
    with ExitStack() as stack:
        web = None
        if dicomweb is not None:
            from xlite.pacs.web import DicomWeb

            web = DicomWeb(dicomweb)
            images = web.fetch(accession or "", stack.enter_context(_place(None)))
        found = find_films(images or [], out)
        from xlite.predict.pipeline import Also, FilmRefused, ReadOptions, predict_films

        reader = _reader(model, device, tta is not None, has_maps=bool(heatmaps or pdf or in_dicom))
        maps = MAPS_PER_FILM if heatmaps is None else heatmaps
        wanted = Wanted(maps, method or DEFAULT_METHOD, fix, three_d)
        place, also = stack.enter_context(_place(out)), list[Also]()
        if pdf:
            also.append(_pages(reader.classifier, place))
        if in_dicom:
            dicom = _dicom_files(reader, wanted, dicom_out, web if store else None)
            stack.callback(_say_written, dicom, as_json)
            also.append(dicom)
        with progress_bar("reading") as progress, log_to(sys.stderr):
            try:
                done = predict_films(
                    reader,
                    found.films,
                    place,
                    ReadOptions(heatmaps or 0 if out else 0, method or DEFAULT_METHOD, window, fix),
                    progress,
                    fresh=fresh,
                    also=also,
                )
            except FilmRefused as refused:
                if as_json:  # a refusal is an answer, too
                    print_json({refused.name: {"guards": refused.said.facts()}})
                raise
    _say_answers(done, reader.classifier, out, fix, as_json)
    if found.passed_over:
        say(passed_over_words(found.passed_over), sys.stderr if as_json else None)
    if done.unreadable or done.refused or done.unwritten:
        raise typer.Exit(1)


def _check_files(
    out: Path | None, heatmaps: int | None, method: str | None, tta: str | None, pdf: bool, in_dicom: bool
) -> None:
    """Raises BadParameter unless what is asked for of each film is known, and has a place to go."""
    if method is not None and method not in METHODS:
        raise typer.BadParameter(f"{method!r} is not one of {', '.join(METHODS)}", param_hint="--map")
    if method is not None and not heatmaps and not in_dicom:
        raise typer.BadParameter("no overlay is asked for: add --heatmaps 3", param_hint="--map")
    if tta not in (None, "flip"):
        raise typer.BadParameter(f"{tta!r} is not known: only flip is", param_hint="--tta")
    if out is None and heatmaps and not in_dicom:
        raise typer.BadParameter("overlays are files: name a folder with --out", param_hint="--heatmaps")
    if out is None and pdf:
        raise typer.BadParameter("pages are files: name a folder with --out", param_hint="--pdf")


def _reader(model: str, device: str, flip: bool, has_maps: bool) -> "GuardedReader":
    """The model behind the gate; flip: reads the mirror image of each film too."""
    from xlite.guarded import GuardedReader

    reader = GuardedReader.load(model, device, has_maps)
    return replace(reader, classifier=reader.classifier.flipped()) if flip else reader


def _pages(classifier: "Classifier", folder: Path) -> "FilmPages":
    """What writes the PDF of a film, as the page Read a film makes it."""
    from xlite.report.film_pages import FilmPages

    return FilmPages(classifier, folder)


def _dicom_files(
    reader: "GuardedReader",
    wanted: Wanted,
    folder: Path | None,
    web: "DicomWeb | None",
) -> "DicomFiles":
    """What makes DICOM objects of films, and where they go."""
    from xlite.pacs.files import DicomFiles
    from xlite.pacs.results import ObjectMaker

    return DicomFiles(ObjectMaker(reader, wanted), folder, web, datetime.now())


def _say_written(also: "DicomFiles", as_json: bool) -> None:
    """Says what was written, also if a single film was refused and nothing else is said on stdout."""
    if also.films or also.others:
        say(also.said(), sys.stderr if as_json else None)


def _check_places(
    images: list[Path] | None,
    dicom_out: Path | None,
    dicomweb: str | None,
    accession: str | None,
    store: bool,
) -> None:
    """Raises BadParameter or DataError unless it is clear where films come from and results go."""
    if (dicomweb is None) != (accession is None):
        raise typer.BadParameter("name both or none", param_hint="--dicomweb and --accession")
    if store and dicomweb is None:
        raise typer.BadParameter("say where: --dicomweb URL --accession NUMBER", param_hint="--store")
    if bool(images) == (dicomweb is not None):
        raise typer.BadParameter("name films or folders, or a study by --dicomweb and --accession")
    for path in images or []:
        if dicom_out is not None and path.is_dir() and dicom_out.resolve().is_relative_to(path.resolve()):
            raise DataError(f"--dicom-out {dicom_out} lies in {path}, which is read: name another folder")


@contextmanager
def _place(out: Path | None) -> Iterator[Path]:
    """The folder to write into, or one that is gone afterwards."""
    if out is not None:
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="xlite-") as folder:
        yield Path(folder)


def _say_answers(
    done: "FilmsRead", classifier: "Classifier", out: Path | None, fix: bool, as_json: bool
) -> None:
    """What was read, as JSON or in words."""
    from xlite.reading import withheld_sentence

    if as_json:
        print_json({name: _film_json(done, name) for name in done.guards})
        return
    info = classifier.info
    adapted = info.notes.adapted_to
    model = f"{classifier.name}, {adapted}" if adapted else classifier.name
    _print_answer(done, f"{model} ({_calibrated(info)})", out, fix)
    if withheld := withheld_sentence(info.thresholds, info.thresholds_chosen_on, info.averaged):
        say(withheld)


def _calibrated(info: "ModelInfo") -> str:
    """`calibrated for 11 of 14 findings`, `not calibrated`."""
    from xlite.metrics.calibration import uncalibrated

    fitted = len(FINDINGS) - len(uncalibrated(info.calibration))
    return f"calibrated for {fitted} of {len(FINDINGS)} findings" if fitted else "not calibrated"


def _film_json(done: "FilmsRead", name: str) -> dict[str, Any]:
    """Probabilities by finding, guards, and what each verdict is worth; of a refused film guards alone."""
    from xlite.report.worth import worth_json

    guards, reading = {"guards": done.guards[name].facts()}, done.found.get(name)
    if reading is None:
        return guards
    probabilities = {finding: reading.probability(finding) for finding in FINDINGS}
    return probabilities | guards | {"worth": worth_json(reading.worths())}


def _verdict(worth: "Worth") -> str:
    """`Mass 0.132 below`, its side of the threshold; `Mass 0.132 ± 0.021` of an ensemble."""
    apart = "" if worth.disagreement is None else f" ± {worth.disagreement:.3f}"
    side = f" {worth.side}" if worth.side else ""
    return f"{spoken(worth.finding)} {probability(worth.probability)}{apart}{side}"


def _print_answer(
    done: "FilmsRead", model: str, out: Path | None, fix: bool, count: int = 3, shown: int = 20
) -> None:
    """The `count` likeliest findings of the first `shown` films, their guards, and what was written."""
    from xlite.data.predictions import PREDICTIONS_FILE

    first = list(done.found.items())[:shown]
    worths = [(name, reading.worths()[:count]) for name, reading in first]
    if worths:
        header = ["image", *(f"finding {rank}" for rank in range(1, count + 1))]
        print_table(header, [[name, *map(_verdict, some)] for name, some in worths])
    if any(one.side for _, some in worths for one in some):
        say("above, below: the model's own threshold of the finding; worth.csv and --json say more")
    if any(one.disagreement is not None for _, some in worths for one in some):
        say("±: the standard deviation of what the members of the ensemble give")
    if left := len(done.found) - len(first):
        say(f"{left:,} more: {f'{out / PREDICTIONS_FILE} has all' if out else '--json prints all'}")
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
