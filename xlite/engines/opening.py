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
    export = path.with_name(EXPORT_FILE)
    if device == CPU and export.is_file():
        file = read_onnx(export)
        same = file.facts.precision == "fp32"  # others answer otherwise, and are read if they are named
        if same and file.facts.source_sha256 == hashlib.sha256(_content(path)).hexdigest():
            return OnnxEngine.of(file, export)
    from xlite.engines.torch_engine import TorchEngine

    return TorchEngine.load(path, device)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror})") from error
