"""`xlite data` and `xlite eda`: make, get, import, check, doubt, split and cache films, and a report."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xlite.cli.console import DataFolder, Json, busy, log_to, print_json, progress_bar, say
from xlite.cli.doubts import doubts
from xlite.cli.import_data import import_films
from xlite.config import SEED
from xlite.findings import spoken
from xlite.split_names import DEFAULT_SPLIT, SPLITS
from xlite.text import are, counted, printable

if TYPE_CHECKING:  # pandas and onnxruntime load when a command needs them
    from xlite.data.folder_check import CheckReport

app = typer.Typer(help="Get, make, check and split data folders in the NIH layout.", rich_markup_mode=None)

OutFolder = Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write into")]
_WITHOUT = {
    "val": "nothing chooses the best epoch, thresholds or a calibrator",
    "test": "nothing judges a model on films that chose nothing",
}
"""What a split without a part lacks."""
SHOWN = 10
"""Names of films that are listed in full; --json gives all."""


@app.command()
def phantom(
    out: OutFolder,
    images: Annotated[int, typer.Option(min=1, help="Films to draw")] = 600,
    patients: Annotated[int, typer.Option(min=1, help="Patients they are of")] = 200,
    size: Annotated[int, typer.Option(min=32, max=2048, help="Side of a film in px")] = 512,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same bytes")] = 0,
    technique: Annotated[
        str, typer.Option(metavar="NAME", help="usual, or low-dose: a quarter of the dose, and no grid")
    ] = "usual",
) -> None:
    """Draw a synthetic data folder.

    Chest anatomy with the 14 findings, NIH tables, boxes and official lists; same seed, same bytes. Another
    technique takes the same films of the same patients, as another hospital might.
    """
    from xlite.data.phantom import write_phantom

    with progress_bar("drawing") as progress:
        write_phantom(out, images, patients, size, seed, progress=progress, technique=technique)
    say(f"{counted(images, 'film')} of {counted(patients, 'patient')}, {size} px, seed {seed}: {out}")


@app.command()
def download(
    out: OutFolder,
    labels_only: Annotated[bool, typer.Option("--labels-only", help="The tables and lists alone")] = False,
) -> None:
    """Get the real data set (45 GB).

    Goes on after a break, verifies each part, needs no account.
    """
    from xlite.data.download import download as fetch

    with log_to():
        fetch(out, labels_only=labels_only)
    say(f"ChestX-ray14{' labels' if labels_only else ''}: {out}")


@app.command()
def check(
    data: DataFolder,
    guards: Annotated[
        bool,
        typer.Option(
            "--guards",
            help="Also list films that look turned, inverted or like no chest X-ray; the exit status stays",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Look at every film of a folder.

    Lists missing, unreadable, duplicate and off-table images; exit status 1 if there are any.
    """
    from xlite.data.film_files import passed_over_words
    from xlite.data.folder import NihFolder
    from xlite.data.folder_check import check_folder
    from xlite.guards.gate import Gate

    folder = NihFolder.open(data)
    gate = Gate.load() if guards else None
    with progress_bar("checking") as progress:
        report = check_folder(folder, progress, gate)
    if as_json:
        print_json({"ok": report.ok, **_as_dict(report)})
    else:
        say(
            f"{counted(len(folder.table), 'row')} in the table, {counted(len(folder.paths), 'film')} in "
            f"{folder.root}"
        )
        _print_names("missing", report.missing)
        _print_names("unreadable", [f"{file}: {why}" for file, why in report.unreadable])
        _print_names("duplicate", [" = ".join(group) for group in report.duplicates])
        _print_names("off the table", report.off_table)
        if guards:
            _print_names(
                "suspected",
                [f"{file}: {' '.join(found.sentences)}" for file, found in report.suspected or []],
            )
        if report.passed_over:
            say(passed_over_words(report.passed_over))
        if report.not_labelled:
            say(f"Not labelled here: {', '.join(map(spoken, report.not_labelled))}")
        for finding, count in (report.unknown_labels or {}).items():
            say(f"The label {spoken(finding)} of {counted(count, 'film')} is unknown")
    if not report.ok:
        raise typer.Exit(1)


@app.command()
def split(
    data: DataFolder,
    way: Annotated[
        str,
        typer.Option(
            "--strategy",
            metavar="|".join(SPLITS),
            help=". ".join(f"{name}: {what}" for name, what in SPLITS.items()),
        ),
    ] = DEFAULT_SPLIT,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same split")] = SEED,
    allow_leakage: Annotated[
        bool, typer.Option("--allow-leakage", help="Write a split that shares patients")
    ] = False,
    as_json: Json = False,
) -> None:
    """Divide a folder into train, val, test.

    The lists are written to DATA/splits/, with an id that all metrics made from them carry.
    """
    from xlite.data.folder import NihFolder
    from xlite.data.split_files import write_split
    from xlite.data.splits import make_split

    with busy("splitting"):
        folder = NihFolder.open(data)
        made = make_split(folder, way, seed, allow_leakage)
        target = write_split(folder, made)
        shared = made.shared_patients(folder)
    sizes, missing = made.sizes(folder), len(folder.missing())
    if as_json:
        parts = {part: {"images": films, "patients": patients} for part, (films, patients) in sizes.items()}
        answer = {"id": made.id, "folder": target, "parts": parts, "shared_patients": shared}
        print_json({**answer, "missing": missing})
        return
    say(f"Split {made.id} in {target}")
    for part, (films, patients) in sizes.items():
        say(f"{part:6}{films:>9,} {'film' if films == 1 else 'films'} of {counted(patients, 'patient')}")
    several = f"{counted(shared, 'patient')} {are(shared)} in more than one part"
    say(several if shared else "No patient is in two parts")
    for part, lost in _WITHOUT.items():
        if not sizes[part][0]:
            say(f"Warning: the {part} part has no film, so {lost}", file=sys.stderr)
    _print_missing(missing, len(folder.table))


@app.command()
def leakage(
    train: Annotated[
        Path | None, typer.Option(metavar="FILE", help="List of the films that were trained on")
    ] = None,
    test: Annotated[
        Path | None, typer.Option(metavar="FILE", help="List of the films that are tested on")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(metavar="FILE", help="NIH's table; without it patients come from the names")
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH", help="Instead of lists: data folder whose split is looked at; several as one"
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="With --data: the split")] = DEFAULT_SPLIT,
    teacher_list: Annotated[
        Path | None, typer.Option(metavar="FILE", help="List of the films that the teacher was trained on")
    ] = None,
    as_json: Json = False,
) -> None:
    """What a test list shares with training.

    Images and patients seen by the student and, with --teacher-list, by its teacher. With --data, of the
    split of one folder or of several together: also which films two folders both have.
    """
    from xlite.data.leakage import leakage_report, read_training_list
    from xlite.data.tables import read_list, read_table
    from xlite.errors import DataError

    if data:
        if train or test or table:
            raise DataError("--data has its own lists and table, so it takes no --train, --test or --table")
        return _folder_leakage(data, split, teacher_list, as_json)
    if train is None or test is None:
        raise DataError("leakage is between two lists: give --train and --test, or data folders by --data")
    with busy("comparing"):
        report = leakage_report(
            read_training_list(train),
            read_list(test),
            read_table(table) if table else None,
            read_training_list(teacher_list) if teacher_list else None,
        )
    if as_json:
        print_json(report.as_dict())
        return
    _print_numbers(report.as_dict())


def _folder_leakage(data: list[Path], split: str, teacher_list: Path | None, as_json: bool) -> None:
    """`xlite data leakage --data`."""
    from xlite.data.folder_leakage import folder_leakage
    from xlite.data.joined import doubtful_patients, open_data
    from xlite.data.layout import joined_data
    from xlite.data.leakage import read_training_list
    from xlite.data.split_files import foresee_split

    with busy("comparing"):
        folder = open_data(joined_data(data))
        listed = read_training_list(teacher_list) if teacher_list else None
        found = folder_leakage(folder, foresee_split(folder, split, allow_leakage=True), listed)
    if as_json:
        print_json(found.as_dict())
        return
    say(f"Split {found.split_id}")
    _print_numbers(found.whole.as_dict())
    for title, report in found.folders.items():
        say(f"{title}:")
        _print_numbers(report.as_dict())
    if found.folders:
        films = "film in two folders" if len(found.same_films) == 1 else "films in two folders"
        _print_names(films, [" = ".join(pair) for pair in found.same_films])
        say(f"{found.crossing:,} of these between train and test")
    if warning := doubtful_patients(folder):
        say(f"Warning: {warning}", file=sys.stderr)


def _print_numbers(numbers: dict[str, int | float]) -> None:
    for name, value in numbers.items():
        text = f"{value:.1%}" if isinstance(value, float) else f"{value:,}"
        say(f"{name.replace('_', ' '):24}{text:>10}")


@app.command()
def cache(
    data: DataFolder,
    size: Annotated[int, typer.Option(min=32, max=1024, help="Side of the square films in px")] = 224,
) -> None:
    """Decode and resize all films once.

    Training then reads no PNG; it makes the cache by itself if there is none.
    """
    from xlite.data.cache import cache_folder
    from xlite.data.dataset import folder_films
    from xlite.data.folder import NihFolder
    from xlite.images import Preprocess

    folder = NihFolder.open(data)
    with progress_bar("caching") as progress:
        films, _ = folder_films(folder, Preprocess(size), progress)
    say(
        f"{counted(len(films), 'film')} of {size} px, {films.nbytes / 1e6:,.1f} MB, in "
        f"{cache_folder(folder.root)}"
    )


app.command("import")(import_films)
app.command()(doubts)


def eda(
    data: DataFolder,
    out: Annotated[
        Path, typer.Option(metavar="FILE.md", help="The report; its figures lie in img/ beside it")
    ] = Path("EDA_REPORT.md"),
    other_table: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Another edition of the table, to compare with")
    ] = None,
    as_json: Json = False,
) -> None:
    """Report on a data folder, with or without its films.

    A Markdown file with figures beside it, which also checks the design document's claims.
    """
    from xlite.data.eda import write_eda

    with busy("drawing"):
        report = write_eda(data, out, other_table)
    if as_json:
        print_json(report.as_dict())
    else:
        say(f"Report: {out}")
        _print_missing(report.missing, report.survey.overview.facts.films)


def _print_missing(missing: int, films: int) -> None:
    """One line if the folder lacks films of its table: lists and counts are of the table."""
    if missing:
        say(
            f"{missing:,} of the {counted(films, 'film')} in the table {'has' if missing == 1 else 'have'} "
            "no image here; the table counts all the same"
        )


def _as_dict(report: "CheckReport") -> dict[str, object]:
    """The report for --json; what the gate says only if it was asked, of unknown labels if there are any."""
    fields = {name: value for name, value in vars(report).items() if name != "suspected"}
    for name in ("not_labelled", "unknown_labels"):
        if fields[name] is None:
            fields.pop(name)
    if report.suspected is None:
        return fields
    found = [
        {"file": file, "verdict": guards.verdict, "reasons": guards.reasons}
        for file, guards in report.suspected
    ]
    return {**fields, "suspected": found}


def _print_names(what: str, names: list[str]) -> None:
    say(f"{len(names):,} {what}{':' if names else ''}")
    for name in names[:SHOWN]:
        say(f"  {printable(name)}")
    if len(names) > SHOWN:
        say(f"  and {len(names) - SHOWN:,} more (--json lists all)")
