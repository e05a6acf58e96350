"""A model as something else: one ONNX file, a page, a Space, a repository."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from xlite.cli.console import Json, Model, busy, print_json, print_table, progress_bar, say
from xlite.errors import RunError
from xlite.files import Steps
from xlite.models.available import EXPORT_FILE, EXPORT_FILES, EXPORT_SUFFIX, model_name


def export(
    model: Model,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.onnx", help=f"File to write; by default {EXPORT_FILE} beside the model"),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DATA", help="A data folder: parity is checked on its films, too")
    ] = None,
    web: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a static page that reads films in a browser")
    ] = None,
    space: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the demo as a model hub's Gradio Space")
    ] = None,
    hub: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the model's repository on a model hub")
    ] = None,
    runtime: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="For --web: onnxruntime-web as a folder or .tgz, else npm fetches it"
        ),
    ] = None,
    fp16: Annotated[
        bool, typer.Option("--fp16", help="Weights of 16 bits: half the bytes, no faster on a processor")
    ] = False,
    int8: Annotated[
        bool,
        typer.Option("--int8", help="Layers of 8 bits: faster and smaller; --data has the model's split"),
    ] = False,
    as_json: Json = False,
) -> None:
    """Write a model as a file, page, Space or repository.

    In one forward pass the file gives logits, calibrated probabilities and the maps of all findings. It is
    written only if it answers as the model does on each film tried, and it reads several times as fast on a
    processor. Beside the model it is used wherever the model is named. With --int8 calibration and thresholds
    are fitted anew on validation films; the file is written only if it loses next to nothing and is faster
    here, and is read if it is named. A folder is written only if nothing else lies there.
    """
    folders = {"--web": web, "--space": space, "--hub": hub}
    given = {option: path for option, path in ({**folders, "--out": out}).items() if path is not None}
    _check_options(given, runtime, fp16, int8)
    if int8 and data is None:
        raise RunError("--int8 needs --data DATA, the folder with the model's own split")
    from xlite.models.available import find_model

    source = find_model(model)
    if web is not None:
        _export_page(source, web, runtime, data, as_json)
    elif space is not None:
        _export_space(source, space, data, as_json)
    elif hub is not None:
        _export_hub(source, hub, as_json)
    else:
        precision = "int8" if int8 else "fp16" if fp16 else "fp32"
        _export_file(source, out or source.with_name(EXPORT_FILES[precision]), precision, data, as_json)


def _check_options(given: dict[str, Path], runtime: Path | None, fp16: bool, int8: bool) -> None:
    """RunError for options that say different things."""
    if fp16 and int8:
        raise RunError("--fp16 and --int8 are two ways to make a file smaller: choose one")
    if len(given) > 1:
        named = " and ".join(f"{option} {path}" for option, path in given.items())
        raise RunError(f"{named} write different things: give one of them")
    if runtime is not None and "--web" not in given:
        raise RunError(f"--runtime {runtime} is for a page: give --web DIR, too, or leave it out")
    [option] = given or ["--out"]
    if (fp16 or int8) and option != "--out":
        smaller = "--fp16" if fp16 else "--int8"
        instead = "its weights are those of the model" if option == "--hub" else "export, then name the file"
        raise RunError(f"{smaller} makes a file, and {option} a folder: {instead}")


def _export_file(source: Path, target: Path, precision: str, data: Path | None, as_json: bool) -> None:
    if target.suffix != EXPORT_SUFFIX:
        raise RunError(
            f"--out {target} must end in {EXPORT_SUFFIX}, as exports are recognised by their names"
        )
    if source.suffix == EXPORT_SUFFIX:
        raise RunError(f"{source} is an export already; name the model that it was made from")
    if precision == "int8":
        assert data is not None
        _export_int8(source, target, data, as_json)
        return
    from xlite.export.films import parity_films
    from xlite.export.half import export_half
    from xlite.export.write import export_model

    write = export_half if precision == "fp16" else export_model
    with progress_bar("exporting", "step") as progress:
        parity = write(source, target, parity_films(data), progress)
    if as_json:
        print_json({"file": str(target), "megabytes": target.stat().st_size / 1e6, **asdict(parity)})
        return
    say(
        f"{target} ({target.stat().st_size / 1e6:.1f} MB) answers as {source} does: on {parity.films} films "
        f"logits differ by at most {parity.logits:.1g}, probabilities by {parity.probabilities:.1g}, maps by "
        f"{parity.maps:.1g} of their peak in LayerCAM"
    )


@contextmanager
def _exported(source: Path, folder: Path, data: Path | None) -> Iterator[Path]:
    """The export of a model: itself, the one beside it, or one that is made for `folder`."""
    from xlite.engines.opening import export_of

    if source.suffix == EXPORT_SUFFIX:
        yield source
    elif export_of(source):
        yield source.with_name(EXPORT_FILE)
    else:
        from xlite.export.films import parity_films
        from xlite.export.write import exported, units_of

        with TemporaryDirectory() as temporary:
            with progress_bar("exporting", "step") as progress:
                films = parity_films(data)
                file, _ = exported(source, folder / EXPORT_FILE, films, Steps(progress, units_of(films)))
            draft = Path(temporary) / EXPORT_FILE
            draft.write_bytes(file.content)
            yield draft


def _export_page(source: Path, folder: Path, runtime: Path | None, data: Path | None, as_json: bool) -> None:
    from xlite.export.folder import check_folder
    from xlite.export.web import write_page

    check_folder(folder)  # before the work
    with _exported(source, folder, data) as export, busy("writing the page"):
        write_page(export, model_name(source), folder, runtime)
    _said(folder, f"a page for any static host; try `python -m http.server -d {folder}`", as_json)


def _export_space(source: Path, folder: Path, data: Path | None, as_json: bool) -> None:
    from xlite.export.folder import check_folder
    from xlite.export.space import write_space

    check_folder(folder)  # before the work
    with _exported(source, folder, data) as export, busy("writing the Space"):
        write_space(export, source, model_name(source), folder)
    upload = f"hf upload OWNER/NAME {folder} . --repo-type space"
    _said(folder, f"a Gradio Space; `{upload}` pushes it. {_license(source)}", as_json)


def _export_hub(source: Path, folder: Path, as_json: bool) -> None:
    from xlite.export.hub import write_hub

    write_hub(source, model_name(source), folder)
    upload = f"hf upload OWNER/NAME {folder} ."
    _said(folder, f"a model's repository; `{upload}` pushes it. {_license(source)}", as_json)


def _license(source: Path) -> str:
    from xlite.export.front_matter import UNKNOWN_LICENSE, license_of

    name = license_of(source)
    unknown = "Its README.md says that the model's licence is unknown: write yours there first"
    return unknown if name == UNKNOWN_LICENSE else f"Its licence is {name}"


def _said(folder: Path, what: str, as_json: bool) -> None:
    from xlite.export.folder import megabytes

    if as_json:
        print_json({"folder": str(folder), "megabytes": megabytes(folder)})
    else:
        say(f"{folder} ({megabytes(folder):.1f} MB) is {what}")


def _export_int8(source: Path, target: Path, data: Path, as_json: bool) -> None:
    from xlite.export.int8 import export_int8
    from xlite.findings import spoken

    with progress_bar("exporting", "step") as progress:
        done = export_int8(source, target, data, progress)
    if as_json:
        print_json({"file": str(target), **asdict(done)})
        return
    (size, smaller), (slow, fast), found = done.megabytes, done.ms, done.loss
    kept = "The first convolution" if done.layers == 1 else f"The first {done.layers} convolutions"
    say(
        f"{target}: {smaller:.1f} MB instead of {size:.1f}, {fast:.1f} ms a film instead of {slow:.1f} on "
        f"one thread of {done.processor}. {kept} stayed in float. "
        f"Calibrated on {done.calibrated_on} training films; calibration and thresholds fitted to its own "
        f"answers on {done.fitted_on} validation films."
    )
    rows = [
        [
            spoken(finding),
            str(one.difference),
            "" if (changed := found.changed.get(finding)) is None else f"{changed:.1%}",
        ]
        for finding, one in found.by_finding.items()
    ]
    print_table(["finding", "difference of AUC", "decisions changed"], rows)
    say(
        f"On {found.films} validation and test films of {found.patients} patients the mean AUC is "
        f"{found.macro.first:.4f} instead of {found.macro.second:.4f} ({found.macro.difference}); "
        f"{found.decisions:.1%} of the decisions change at the model's own thresholds. Intervals hold for "
        "all findings together."
    )
