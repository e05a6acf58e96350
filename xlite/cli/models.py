"""Commands around a model: evaluate, score, predict, bench, convert, share."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from xlite.cli.console import Json, busy, counted, print_json, print_table, progress_bar
from xlite.config import PACKAGE_ROOT
from xlite.errors import DataError, ImageError, RunError
from xlite.findings import FINDINGS

if TYPE_CHECKING:
    import numpy as np

    from xlite.classify import Classifier, Reading

Model = Annotated[str, typer.Argument(metavar="MODEL", help="A run's name or a model file")]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Folder to write into")]
Radiologists = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Google's table of radiologists' labels, to stand beside NIH's"),
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps")]


def evaluate(
    model: Model,
    data: Annotated[Path, typer.Option(help="Data folder in the NIH layout")],
    out: Out,
    split: Annotated[str, typer.Option(help="Split of the data folder")] = "patient",
    part: Annotated[str, typer.Option(metavar="train|val|test", help="Part of the split")] = "test",
    device: Device = "cpu",
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Go on without the films that the folder lacks")
    ] = False,
    calibration: Annotated[
        Literal["platt", "temperature", "isotonic", "none"] | None,
        typer.Option(
            help="Fit this map on the validation films first, and save it in the model file with the "
            "thresholds that go with it; every later prediction uses it",
        ),
    ] = None,
    radiologists: Radiologists = None,
    teacher_list: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="List of the films that its teacher was trained on, to count them"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge a model on films with labels.

    Writes the whole report on one part of a split: report.html, report.md, metrics.json, and what they rest
    on, predictions.csv, labels.csv and curves.json. Thresholds and calibration are judged by the validation
    part of the model's own split; where films have boxes in the folder, the report says where the maps look.
    """
    from xlite.evaluation.evaluate import evaluate_model
    from xlite.evaluation.summary import summary

    say = _say_aside if as_json else print
    report = evaluate_model(
        model,
        data,
        split,
        part,
        out,
        device,
        skip_missing,
        say=say,
        calibration=calibration,
        radiologists=radiologists,
        teacher_list=teacher_list,
    )
    if as_json:
        print_json(report)
    else:
        print(summary(report))
        print(f"Report: {out / 'report.html'}")


def score(
    predictions: Annotated[
        str,
        typer.Argument(
            metavar="PREDICTIONS.csv", help="14 probabilities a film; of several, joined by commas, the mean"
        ),
    ],
    table: Annotated[Path, typer.Option(metavar="TABLE.csv", help="NIH's table, or the folder it lies in")],
    out: Out,
    thresholds: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json", help="A threshold a finding; without it what --validation chooses, else 0.5"
        ),
    ] = None,
    ignore_unknown: Annotated[
        bool, typer.Option("--ignore-unknown", help="Leave out films that the table lacks")
    ] = False,
    validation: Annotated[
        str | None,
        typer.Option(
            metavar="VAL.csv",
            help="Predictions of the same model for other films of the table: they choose thresholds and "
            "calibration maps, and the report says what each gives",
        ),
    ] = None,
    trained_on: Annotated[
        Path | None,
        typer.Option(
            metavar="LIST",
            help="Films that the model, or its teacher, learned from: those judged here are counted, and the "
            "figures struck through",
        ),
    ] = None,
    radiologists: Radiologists = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="OTHER.csv",
            help="Predictions of another model: the difference of macro AUC on the films both have, its 95 % "
            "interval and p from resampled patients, and whether it is a tie; written to comparison.json too",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge the predictions of anyone's model.

    The labels come from NIH's table, or one like it; the report is the one that `evaluate` writes.
    """
    from xlite.evaluation.score import score_predictions
    from xlite.evaluation.summary import summary

    say = _say_aside if as_json else print
    with busy("judging"):
        report = score_predictions(
            predictions,
            table,
            out,
            thresholds,
            ignore_unknown,
            say=say,
            validation=validation,
            radiologists=radiologists,
            trained_on=trained_on,
            against=against,
        )
    if as_json:
        print_json(report)
    else:
        print(summary(report))
        print(f"Report: {out / 'report.html'}")
        if against:
            print(report["comparison"]["sentence"])


def predict(
    model: Model,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE…", help="PNG, JPEG, DICOM, or folders")],
    out: Out,
    heatmaps: Annotated[
        int, typer.Option(min=0, max=len(FINDINGS), help="Overlays an image, likeliest findings first")
    ] = 0,
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Read films: their findings, and overlays.

    Writes predictions.csv and, with --heatmaps K, K overlays an image. Of several films one that cannot be
    read is reported, the others are done, and the exit status is 1.
    """
    films = _film_paths(images, out)
    names = _names(films)
    if out.exists() and not out.is_dir():
        raise DataError(f"{out} is a file, and --out is the folder to write into: give another name")

    import numpy as np

    from xlite.classify import Classifier
    from xlite.evaluation.predictions import write_predictions
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
                _say_aside(f"Error: {error}")
            else:
                reading = classifier.read(image)
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


def bench(
    model: Model,
    as_json: Json = False,
) -> None:
    """Size and speed of a model here.

    Parameters, file size, multiply-adds, and the latency of one film on this machine.
    """
    from xlite.classify import Classifier
    from xlite.models.latency import measure_latency
    from xlite.models.student import describe

    classifier = Classifier.load(model)
    side = classifier.info.preprocess.size
    size = describe(classifier.model, side)
    with busy("measuring"):
        latency = measure_latency(classifier.model, side)
    figures = {
        "model": classifier.name,
        "image_size": side,
        "parameters": size.parameters,
        "megabytes": round(Path(classifier.path).stat().st_size / 1e6, 2),
        "multiply_adds": size.multiply_adds,
        "latency_p50_ms": round(latency.p50_ms, 2),
        "latency_p95_ms": round(latency.p95_ms, 2),
    }
    if as_json:
        print_json(figures)
    else:
        print_table(list(figures), [list(figures.values())])


def convert(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="A public CheXNet checkpoint")],
    out: Annotated[Path, typer.Option(metavar="FILE.safetensors", help="File to write")],
    trust: Annotated[
        bool,
        typer.Option(
            "--trust",
            help="Run the code in the checkpoint where it cannot be read otherwise: in a process of its own, "
            "but with all that you may do here",
        ),
    ] = False,
) -> None:
    """Make plain weights of a public CheXNet checkpoint.

    The file written is a --teacher, holds no code, and has every tensor checked.
    """
    from xlite.models.chexnet import convert_chexnet

    with busy("converting"):
        convert_chexnet(checkpoint, out, trust)
    print(f"{out} holds the weights of {checkpoint}, for --teacher {out}")


def share(
    model: Model,
    public: Annotated[bool, typer.Option("--public", help="A public link; demands a password")] = False,
    password: Annotated[
        str | None, typer.Option(help="At least 12 characters; visitors have to type it")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to answer on; this machine alone by default")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine")] = 7860,
) -> None:
    """Serve a model as a Gradio demo.

    It reads films and does nothing else: nothing can be trained or browsed through it.
    """
    script = PACKAGE_ROOT / "app" / "share.py"
    if not script.is_file():
        raise RunError(
            f"the demo is a part of the X-Lite checkout and {script} is not there: run it from a checkout"
        )
    words = [sys.executable, str(script), model, "--host", host, "--port", str(port)]
    words += ["--public"] if public else []
    words += [f"--password={password}"] if password is not None else []
    if os.name == "posix":
        # The demo takes this process over, so that whoever ends it ends the demo.
        os.execv(sys.executable, words)
    raise typer.Exit(subprocess.call(words))


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
    from xlite.data.nih import stem_of

    stems = [stem_of(name).casefold() for name in names]
    often = Counter(stems)
    return {name for name, stem in zip(names, stems, strict=True) if often[stem] > 1}


def _write_overlays(out: Path, name: str, image: "np.ndarray", reading: "Reading", count: int) -> int:
    """The likeliest findings over the film, as `<stem>_1_<finding>.png`; returns how many maps show no
    place.
    """
    import cv2

    from xlite.data.nih import stem_of

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


def _say_aside(sentence: str) -> None:
    print(sentence, file=sys.stderr)
