"""Which engine reads with a model file."""

import hashlib
from pathlib import Path

from xlite.engines.engine import Engine
from xlite.engines.onnx_engine import OnnxEngine
from xlite.errors import CheckpointError, RunError
from xlite.models.available import EXPORT_FILE, EXPORT_SUFFIX
from xlite.models.onnx_file import read_onnx

CPU = "cpu"


def open_engine(path: Path, device: str = CPU) -> Engine:
    """onnxruntime for an export, and on a processor for a model that has one beside it; else torch.

    An export counts only if it was made from this very file: a run that trains on replaces its model. Raises
    CheckpointError if the file cannot be used, RunError for the device.
    """
    if path.suffix == EXPORT_SUFFIX:
        if device != CPU:
            raise RunError(f"{path} is an export, which reads on the cpu; got device {device!r}")
        return OnnxEngine.load(path)
    if device == CPU and (export := export_of(path)):
        return OnnxEngine.load(export)
    from xlite.engines.torch_engine import TorchEngine

    return TorchEngine.load(path, device)


def export_of(path: Path) -> Path | None:
    """The export beside a model file, if it was made from this very file. Raises CheckpointError."""
    export = path.with_name(EXPORT_FILE)
    if not export.is_file():
        return None
    source = read_onnx(export).facts.source_sha256
    return export if source == hashlib.sha256(_content(path)).hexdigest() else None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror})") from error
