"""Model files: safetensors with all that serving needs in the header; replaced whole, and never unpickled."""

from pathlib import Path

import torch
from pydantic_core import from_json
from safetensors.torch import load, save
from torch import Tensor

from xlite.errors import CheckpointError, RunError
from xlite.files import write_atomic
from xlite.models.info import FORMAT, ModelInfo, check_channels, header_of, named_errors, parse_header
from xlite.models.student import Student
from xlite.models.tensor_check import check_tensors


def save_model(path: Path, model: Student, info: ModelInfo) -> None:
    """Writes weights and info as one file that is either whole or not there."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    _write(path, weights, info)


def load_model(path: Path) -> tuple[Student, ModelInfo]:
    """The model of a file, on the CPU and in eval, and its info.

    Raises CheckpointError if the file is of another kind, damaged, or not what its own header says: that is
    found out before a model is built, as a small file may name a giant one.
    """
    header, weights = read_tensors(path)
    info = parse_header(header, path)
    try:
        with torch.device("meta"):  # shapes without numbers
            shapes = _build(info)
        shapes = shapes.to("meta")
        check_tensors(weights, shapes.state_dict(), path)
        check_channels(info, shapes.feature_channels)
        _check_size(shapes, info, path)
        student = _build(info)
    except RunError as error:
        raise CheckpointError(f"{path} cannot be rebuilt: {error}") from error
    except ValueError as error:
        raise CheckpointError(f"the header of {path} is damaged ({error})") from error
    student.load_state_dict(weights)
    return student.eval(), info


def _build(info: ModelInfo) -> Student:
    return Student(info.backbone, info.attention, info.hidden, info.dropout, info.stages)


def _check_size(shapes: Student, info: ModelInfo, path: Path) -> None:
    """CheckpointError unless a model on the meta device takes films of the size that its header names."""
    side = info.preprocess.size
    try:
        with torch.no_grad():
            shapes.eval()(torch.zeros(1, 3, side, side, device="meta"))
    except (RunError, RuntimeError, ValueError, AssertionError) as error:
        raise CheckpointError(
            f"the header of {path} is damaged (preprocess.size is {side}, and {info.backbone} takes no films "
            "of that size)"
        ) from error


def read_tensors(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The metadata and tensors of a safetensors file; raises CheckpointError if it is something else."""
    # In one go: a run that trains may replace the file at any time, and safe_open opens it twice.
    with named_errors(path):
        content = Path(path).read_bytes()
        weights = load(content)
        header = from_json(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return header.get("__metadata__") or {}, weights


def _write(path: Path, weights: dict[str, Tensor], info: ModelInfo) -> None:
    write_atomic(path, save(weights, header_of(info) | {"format": FORMAT}))
