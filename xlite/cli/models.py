"""What else is done with a model: bench, convert, share."""

from pathlib import Path
from typing import Annotated

import typer

from xlite.access.addresses import HOST, PORT
from xlite.access.passwords import MIN_PASSWORD, PASSWORD
from xlite.cli.app import hand_over
from xlite.cli.console import MODEL, Json, Model, busy, print_json, print_table, progress_bar, say
from xlite.errors import CheckpointError, RunError
from xlite.extras import demand
from xlite.models.available import EXPORT_SUFFIX, find_models
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

    classifier = Classifier.load(model, has_maps=False)
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


def ensemble(
    members: Annotated[
        list[str], typer.Argument(metavar="MODEL…", help="Two or more exports, or runs that were exported")
    ],
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
    Members read films alike, learned on one split, and have maps of the same cells: networks of one kind at
    one size have. Others can be read together without maps, as A,B.
    """
    from xlite.export.ensemble import export_ensemble

    if out.suffix != EXPORT_SUFFIX:
        raise RunError(f"--out {out} must end in {EXPORT_SUFFIX}, as exports are recognised by their names")
    with progress_bar("averaging") as progress:
        info = export_ensemble(members, out, data, progress)
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
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help=f"{MODEL}  [default: the one on duty]")
    ] = None,
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
    if password and model is not None:
        _check_is_no_password(model)
    words = [str(bundled("app", "share.py")), *([model] if model else [])]
    words += ["--host", host, "--port", str(port)]
    words += ["--public"] if public else []
    words += ["--password"] if password else []
    words += ["--password-file", str(password_file)] if password_file else []
    demand("share")
    hand_over(words)


def _check_is_no_password(model: str) -> None:
    """Raises RunError if what follows --password is not a model: it is the password, not repeated here."""
    try:
        find_models(model)
    except CheckpointError as error:
        raise RunError(PASSWORD.typed) from error
