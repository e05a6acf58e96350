"""`xlite predict`: films read by a model, with overlays where they are asked for."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xlite.catalog import MAPS
from xlite.cli.console import (
    Device,
    Json,
    Model,
    Out,
    print_json,
    print_table,
    progress_bar,
    say_aside,
)
from xlite.errors import DataError, ImageError
from xlite.findings import FINDINGS
from xlite.text import counted

if TYPE_CHECKING:
    import numpy as np

    from xlite.classify import Classifier, Reading


def predict(
    model: Model,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE…", help="PNG, JPEG, DICOM, or folders")],
    out: Out,
    heatmaps: Annotated[
        int, typer.Option(min=0, max=len(FINDINGS), help="Overlays an image, likeliest findings first")
    ] = 0,
    method: Annotated[
        str | None,
        typer.Option(
            "--map", metavar="NAME", help=f"How overlays are made: {', '.join(MAPS)}  [default: layercam]"
        ),
    ] = None,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Read films: their findings, and overlays.

    Writes predictions.csv and, with --heatmaps K, K overlays an image. Of several films one that cannot be
    read is reported, the others are done, and the exit status is 1.
    """
    if method is not None and method not in MAPS:
        raise typer.BadParameter(f"{method!r} is none of {', '.join(MAPS)}", param_hint="--map")
    if method is not None and not heatmaps:
        raise typer.BadParameter("no overlay is asked for: add --heatmaps 3", param_hint="--map")
    films = _film_paths(images, out)
    names = _names(films)
    if out.exists() and not out.is_dir():
        raise DataError(f"{out} is a file, and --out is the folder to write into: give another name")

    import numpy as np

    from xlite.classify import Classifier
    from xlite.data.predictions import write_predictions
    from xlite.evaluation.cams import read_film
    from xlite.images import read_image

    classifier = Classifier.load(model, device)
    out.mkdir(parents=True, exist_ok=True)
    done: dict[str, np.ndarray] = {}
    bad = bare = 0
    with progress_bar("reading") as progress:
        for number, (path, name) in enumerate(zip(films, names, strict=True), 1):
            try:
                image = read_image(path)
            except ImageError as error:
                if len(films) == 1:
                    raise
                bad += 1
                say_aside(f"Error: {error}")
            else:
                reading = read_film(classifier, image, method or "layercam")
                done[name] = reading.probabilities
                bare += _write_overlays(out, name, image, reading, heatmaps)
            progress(number, len(films))
    if done:
        write_predictions(out / "predictions.csv", list(done), np.stack(list(done.values())))
    if as_json:
        print_json({name: dict(zip(FINDINGS, map(float, row), strict=True)) for name, row in done.items()})
    else:
        _print_top(done, classifier)
        if bare:
            print(f"{counted(bare, 'overlay')} left bare: a map is empty, flat or peaks at the rim")
        print(f"{counted(len(done), 'film')} read{f', {bad:,} could not be' if bad else ''}: {out}")
    if bad:
        raise typer.Exit(1)


def _film_paths(given: Sequence[Path], out: Path) -> list[Path]:
    """The files given, folders replaced by the films in them but not our overlays in `out`.

    DataError where there is none, or one twice.
    """
    films = [film for path in given for film in _films_of(path, out)]
    if len(set(films)) < len(films):
        twice = Counter(films).most_common(1)[0][0]
        raise DataError(f"{twice} was given twice: name each film once")
    return films


def _films_of(path: Path, out: Path) -> Iterator[Path]:
    from xlite.images import is_image_name

    if not path.exists():
        raise DataError(f"there is no file or folder {path}")
    if not path.is_dir():
        yield path
        return
    films = sorted(
        film
        for film in path.rglob("*")
        if is_image_name(film.name) and film.is_file() and not _is_overlay(film, out)
    )
    if not films:
        raise DataError(f"the folder {path} holds no film: expected .png, .jpg, .jpeg or .dcm files")
    yield from films


def _names(films: Sequence[Path]) -> list[str]:
    """What each film is called in predictions.csv and on its overlays: its file name where none is alike.

    Alike are names that differ in suffix only, for tables know films without it. Such films get their
    folder's name in front, and where that does not part them the number of the film.
    """
    numbered = [f"{number}_{film.name}" for number, film in enumerate(films, 1)]
    names = [film.name for film in films]
    for others in ([f"{film.absolute().parent.name}_{film.name}" for film in films], numbered):
        alike = _alike(names)
        names = [other if name in alike else name for name, other in zip(names, others, strict=True)]
    return numbered if _alike(names) else names


def _alike(names: Sequence[str]) -> set[str]:
    """The names that others share, but for suffix and case."""
    from xlite.data.tables import stem_of

    stems = [stem_of(name).casefold() for name in names]
    often = Counter(stems)
    return {name for name, stem in zip(names, stems, strict=True) if often[stem] > 1}


def _write_overlays(out: Path, name: str, image: "np.ndarray", reading: "Reading", count: int) -> int:
    """The likeliest findings over the film, as `<stem>_1_<finding>.png`; returns how many maps show no
    place.
    """
    import cv2

    from xlite.data.tables import stem_of

    top = [finding for finding, _ in reading.top(count)]
    for rank, finding in enumerate(top, 1):
        pixels = cv2.cvtColor(reading.overlay(image, finding), cv2.COLOR_RGB2BGR)
        file = out / f"{stem_of(name)}_{rank}_{finding}.png"
        file.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return sum(reading.fault(finding) is not None for finding in top)


def _is_overlay(film: Path, out: Path) -> bool:
    """Whether a file lies in the folder `out` and is called as `_write_overlays` calls its own."""
    named = re.fullmatch(rf".+_\d+_({'|'.join(FINDINGS)})\.png", film.name)
    return named is not None and film.parent.resolve() == out.resolve()


def _print_top(
    done: "dict[str, np.ndarray]", classifier: "Classifier", count: int = 3, shown: int = 20
) -> None:
    rows = []
    for name, probabilities in list(done.items())[:shown]:
        best = sorted(zip(probabilities, FINDINGS, strict=True), reverse=True)[:count]
        rows.append([name, *(f"{finding} {value:.3f}" for value, finding in best)])
    if rows:
        print_table(["image", *(f"finding {rank}" for rank in range(1, count + 1))], rows)
    print(f"Model {classifier.name}. Research software: no diagnosis.")
