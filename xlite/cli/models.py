"""What else is done with a model: bench, convert, share."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from xlite.access.addresses import HOST, PORT
from xlite.access.passwords import MIN_PASSWORD, PASSWORD
from xlite.cli.app import hand_over
from xlite.cli.console import Json, Model, busy, print_json, print_table, say
from xlite.cli.extras import demand
from xlite.errors import RunError
from xlite.models.available import EXPORT_FILE, EXPORT_FILES, EXPORT_SUFFIX
from xlite.places import bundled


def bench(
    model: Model,
    as_json: Json = False,
) -> None:
    """Size and speed of a model here.

    Parameters, file size, multiply-adds, and the latency of one film on this machine, by the engine that
    reads with the model here: onnxruntime for an export, or a model with one beside it, else torch.
    """
    from xlite.classify import Classifier
    from xlite.models.latency import measure_latency

    classifier = Classifier.load(model)
    side = classifier.info.preprocess.size
    size = classifier.size()
    with busy("measuring"):
        latency = measure_latency(classifier.logits, side)
    measured = {
        "model": classifier.name,
        "engine": classifier.engine.name,
        "image_size": side,
        "parameters": size.parameters,
        "megabytes": round(Path(classifier.path).stat().st_size / 1e6, 2),
        "multiply_adds": size.multiply_adds,
        "latency_p50_ms": round(latency.p50_ms, 2),
        "latency_p95_ms": round(latency.p95_ms, 2),
    }
    if as_json:
        print_json(measured)
    else:
        print_table(list(measured), [list(measured.values())])


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
    """Write a model as one ONNX file, or as a page.

    In one forward pass the file gives logits, calibrated probabilities and the maps of all findings. It is
    written only if it answers as the model does on each film tried, and it reads several times as fast on a
    processor. Beside the model it is used wherever the model is named. With --int8 calibration and thresholds
    are fitted anew on validation films; the file is written only if it loses next to nothing and is faster
    here, and is read where it is named.
    """
    if fp16 and int8:
        raise RunError("--fp16 and --int8 are two ways to make a file smaller: choose one")
    if int8 and data is None:
        raise RunError("--int8 needs --data DATA, the folder with the model's own split")
    from xlite.models.available import find_model

    precision = "int8" if int8 else "fp16" if fp16 else "fp32"
    source = find_model(model)
    if web is not None:
        _export_page(source, web, runtime, out, data, as_json)
        return
    target = out or source.with_name(EXPORT_FILES[precision])
    if target.suffix != EXPORT_SUFFIX:
        raise RunError(
            f"--out {target} must end in {EXPORT_SUFFIX}, as exports are recognised by their names"
        )
    if source.suffix == EXPORT_SUFFIX:
        raise RunError(f"{source} is an export already; name the model that it was made from")
    if int8:
        assert data is not None
        _export_int8(source, target, data, as_json)
        return
    from xlite.export.films import parity_films
    from xlite.export.half import export_half
    from xlite.export.write import export_model

    with busy("exporting"):
        parity = (export_half if fp16 else export_model)(source, target, parity_films(data))
    if as_json:
        print_json({"file": str(target), "megabytes": target.stat().st_size / 1e6, **asdict(parity)})
        return
    say(
        f"{target} ({target.stat().st_size / 1e6:.1f} MB) answers as {source} does: on {parity.films} films "
        f"logits differ by at most {parity.logits:.1g}, probabilities by {parity.probabilities:.1g}, maps by "
        f"{parity.maps:.1g} of their peak"
    )


def _export_page(
    source: Path, folder: Path, runtime: Path | None, out: Path | None, data: Path | None, as_json: bool
) -> None:
    """The page of a model, which is exported into the page's folder first if it has no export of its own."""
    from xlite.classify import model_name
    from xlite.engines.opening import export_of
    from xlite.export.web import write_page

    if out is not None:
        raise RunError(f"--web {folder} and --out {out} write different things: give one of them")
    if source.suffix == EXPORT_SUFFIX:
        export = source
    elif export_of(source):
        export = source.with_name(EXPORT_FILE)
    else:
        from xlite.export.films import parity_films
        from xlite.export.write import export_model

        export = folder / EXPORT_FILE
        with busy("exporting"):
            export_model(source, export, parity_films(data))
    with busy("writing the page"):
        size = write_page(export, model_name(source), folder, runtime)
    if as_json:
        print_json({"folder": str(folder), "megabytes": size / 1e6})
    else:
        say(
            f"{folder} ({size / 1e6:.1f} MB) is a page for any static host; try `python -m http.server -d "
            f"{folder}`"
        )


def _export_int8(source: Path, target: Path, data: Path, as_json: bool) -> None:
    from xlite.export.int8 import export_int8
    from xlite.findings import spoken

    with busy("exporting"):
        done = export_int8(source, target, data)
    if as_json:
        print_json({"file": str(target), **asdict(done)})
        return
    (size, smaller), (slow, fast), found = done.megabytes, done.ms, done.loss
    say(
        f"{target}: {smaller:.1f} MB instead of {size:.1f}, {fast:.1f} ms a film instead of {slow:.1f} on "
        f"one thread of {done.processor}. Calibrated on {done.calibrated_on} training films; calibration and "
        f"thresholds fitted to its own answers on {done.fitted_on} validation films."
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
        f"On {found.films} validation and test films of {found.patients} patients macro AUC is "
        f"{found.macro.first:.4f} instead of {found.macro.second:.4f} ({found.macro.difference}); "
        f"{found.decisions:.1%} of the decisions change at the model's own thresholds. Intervals hold for "
        "all findings together."
    )


def ensemble(
    members: Annotated[list[Path], typer.Argument(metavar="FILE.onnx…", help="Two or more exports")],
    out: Annotated[Path, typer.Option(metavar="FILE.onnx", help="File to write")],
    data: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="The folder of their split: fits calibration and thresholds"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make one ONNX file of several exports.

    It averages their logits before calibration and their maps, and says how far their probabilities lie
    apart. Calibration and thresholds of the members do not hold for the mean: without --data it has none.
    """
    from xlite.export.ensemble import export_ensemble

    if out.suffix != EXPORT_SUFFIX:
        raise RunError(f"--out {out} must end in {EXPORT_SUFFIX}, as exports are recognised by their names")
    with busy("averaging"):
        info = export_ensemble(members, out, data)
    megabytes = out.stat().st_size / 1e6
    if as_json:
        print_json({"file": str(out), "megabytes": megabytes, "calibrated": info.calibration is not None})
        return
    fitted = "calibration and thresholds were fitted to the mean of its members on validation films"
    bare = "it has no calibration and no thresholds: with --data they are fitted on validation films"
    say(f"{out} ({megabytes:.1f} MB) averages {len(members)} members; {fitted if data else bare}")


def convert(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="A public CheXNet checkpoint")],
    out: Annotated[Path, typer.Option(metavar="FILE.safetensors", help="File to write")],
    trust: Annotated[
        bool,
        typer.Option(
            "--trust",
            help="Run the code in the checkpoint if it cannot be read otherwise: in a process of its own, "
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
    say(f"{out} holds the weights of {checkpoint}, for --teacher {out}")


def share(
    model: Model,
    public: Annotated[bool, typer.Option("--public", help="A public link; demands a password")] = False,
    password: Annotated[
        bool, typer.Option("--password", help=f"Ask for a password: at least {MIN_PASSWORD} characters")
    ] = False,
    password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read it from a file; or set XLITE_PASSWORD")
    ] = None,
    typed: Annotated[list[str] | None, typer.Argument(hidden=True, metavar="")] = None,
    host: Annotated[str, typer.Option(help="Address to answer on; this machine alone by default")] = HOST,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine")] = PORT,
) -> None:
    """Serve a model as a Gradio demo.

    It reads films and does nothing else: nothing can be trained or browsed through it.
    """
    if typed:
        raise RunError(PASSWORD.typed if password else f"share serves one model; got {typed[0]!r} too")
    words = [str(bundled("app", "share.py")), model, "--host", host, "--port", str(port)]
    words += ["--public"] if public else []
    words += ["--password"] if password else []
    words += ["--password-file", str(password_file)] if password_file else []
    demand("share")
    hand_over(words)
