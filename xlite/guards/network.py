"""A small network that comes with X-Lite, opened in onnxruntime."""

from pathlib import Path

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from xlite.errors import CheckpointError

INPUT = "picture"
"""The name of the input of these networks: pictures float32 (N, 1, S, S) of 0-255."""
_NOT_ONNX = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


def open_network(path: Path, kind: str) -> tuple[ort.InferenceSession, bytes]:
    """A session of one thread, and the file's bytes. Raises CheckpointError, which names the kind."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        model = path.read_bytes()  # as bytes: a file can then not name others that hold its weights
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"]), model
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}); install X-Lite again") from error
    except _NOT_ONNX as error:
        raise CheckpointError(f"{path} is not a {kind}; install X-Lite again") from error
