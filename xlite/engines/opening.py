"""Which engine reads with a model file: each is loaded with the framework that it needs, and no other."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from xlite.engines.engine import Engine
from xlite.engines.ensemble import Ensemble
from xlite.errors import CheckpointError, RunError
from xlite.files import digest_of
from xlite.models.available import EXPORT_FILE, EXPORT_SUFFIX

if TYPE_CHECKING:
    from xlite.models.onnx_file import OnnxFile

CPU = "cpu"


def open_engines(
    names: Sequence[str], paths: Sequence[Path], device: str = CPU, has_maps: bool = True
) -> Engine:
    """The engine of a model, or of several as an ensemble; `names` call them in errors.

    Without `has_maps` members' maps need not fit together. Raises as `open_engine`, and CheckpointError for
    members that do not fit.
    """
    engines = [open_engine(path, device) for path in paths]
    return engines[0] if len(engines) == 1 else Ensemble.of(names, engines, has_maps)


def open_engine(path: Path, device: str = CPU) -> Engine:
    """onnxruntime for an export, and on a processor for a model that has one beside it; else torch.

    An export counts only if it was made from this very file: a run that trains on replaces its model. Raises
    CheckpointError if the file cannot be used, RunError for the device.
    """
    if path.suffix == EXPORT_SUFFIX:
        if device != CPU:
            raise RunError(f"{path} is an export, which reads on the cpu; got device {device!r}")
        from xlite.engines.onnx_engine import OnnxEngine

        return OnnxEngine.load(path)
    if device == CPU and (file := export_of(path)):
        from xlite.engines.onnx_engine import OnnxEngine

        return OnnxEngine.of(file, path.with_name(EXPORT_FILE))
    demand_torch(path, device)
    from xlite.engines.torch_engine import TorchEngine

    return TorchEngine.load(path, device)


def demand_torch(path: Path, device: str = CPU) -> None:
    """Raises CheckpointError for a model that only torch can read as it is asked to, if there is no torch."""
    if find_spec("torch") is not None:
        return
    if device != CPU:
        raise CheckpointError(
            f"device {device!r} needs torch, which is not installed: pip install 'xlite-cxr[train]', or "
            "leave --device out to read on the cpu"
        )
    raise CheckpointError(
        f"{path} is read so with torch alone, which is not installed: pip install 'xlite-cxr[train]', or "
        "name a file that `xlite export` made of it on a machine with torch"
    )


def export_of(path: Path) -> "OnnxFile | None":
    """The export beside a model file; None unless there is one, of this very file and in full precision.

    Others answer otherwise, and are read if they are named. Raises CheckpointError if one cannot be read.
    """
    export = path.with_name(EXPORT_FILE)
    if not export.is_file():
        return None
    from xlite.models.onnx_file import read_onnx

    file = read_onnx(export)
    try:
        same = file.facts.precision == "fp32" and file.facts.source_sha256 == digest_of(path)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror})") from error
    return file if same else None
