"""Which engine reads with a model file: each is loaded with the framework that it needs, and no other."""

from pathlib import Path

from xlite.engines.engine import Engine
from xlite.errors import CheckpointError, RunError
from xlite.files import digest_of
from xlite.models.available import EXPORT_FILE, EXPORT_SUFFIX

CPU = "cpu"


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
    if device == CPU and (engine := _by_export(path)):
        return engine
    from xlite.engines.torch_engine import TorchEngine

    return TorchEngine.load(path, device)


def _by_export(path: Path) -> Engine | None:
    """The engine of the export beside a model file; None unless there is one, and of this very file."""
    export = path.with_name(EXPORT_FILE)
    if not export.is_file():
        return None
    from xlite.engines.onnx_engine import OnnxEngine
    from xlite.models.onnx_file import read_onnx

    file = read_onnx(export)
    try:
        is_of_this = file.facts.source_sha256 == digest_of(path)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror})") from error
    return OnnxEngine.of(file, export) if is_of_this else None
