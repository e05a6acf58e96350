"""What the tensors of a file must be before a network takes them: all there, of its shapes, and usable."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from xlite.errors import CheckpointError

# float32 has every number of float16 and bfloat16. Numbers of 8 bits and fewer mean nothing without scales
# that these files do not have.
FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
WHOLE = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


def check_tensors(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor], source: Path | str) -> None:
    """Raises CheckpointError unless `weights` can take the place of `wanted`, with the names that cannot.

    Their names, shapes and kinds must agree, their values must be finite, and the running variances of a
    batch norm may not be below 0, nor all be 0. `wanted` may be on the meta device: its values are not read.
    """
    shared = sorted(wanted.keys() & weights.keys())
    _refuse(source, "does not fit its model: it lacks", sorted(wanted.keys() - weights.keys()))
    _refuse(source, "does not fit its model: it has unknown", sorted(weights.keys() - wanted.keys()))
    shapes = [
        f"{name} {tuple(weights[name].shape)}, expected {tuple(wanted[name].shape)}"
        for name in shared
        if weights[name].shape != wanted[name].shape
    ]
    _refuse(source, "does not fit its model: it has", shapes)
    kinds = [said for name in shared if (said := _wrong_kind(name, weights[name], wanted[name]))]
    _refuse(source, "holds no numbers that this model can use: it has", kinds)
    broken = [name for name in shared if not weights[name].to(wanted[name].dtype).isfinite().all()]
    _refuse(source, "has values that are not finite in", broken)
    variances = [name for name in shared if name.endswith("running_var")]
    negative = [name for name in variances if bool((weights[name] < 0).any())]
    _refuse(source, "has variances below 0, whose root nothing can be divided by, in", negative)
    # A channel that is dead has none; a norm without any divides by nothing.
    nothing = [name for name in variances if not bool((weights[name] > 0).any())]
    _refuse(source, "has no variance above 0, which leaves nothing to divide by, in", nothing)


def _wrong_kind(name: str, tensor: Tensor, wanted: Tensor) -> str:
    """What a tensor is that holds no numbers of the kind that is wanted; empty if it does."""
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
        return f"{name}, which is not a plain array of numbers"
    kinds = FLOATS if wanted.is_floating_point() else WHOLE
    if tensor.dtype in kinds:
        return ""
    named = " or ".join(str(kind).removeprefix("torch.") for kind in kinds)
    return f"{name} of type {str(tensor.dtype).removeprefix('torch.')}, expected {named}"


def _refuse(source: Path | str, what: str, named: list[str]) -> None:
    if named:
        more = f" and {len(named) - 3} more" if len(named) > 3 else ""
        raise CheckpointError(f"{source} {what} {', '.join(named[:3])}{more}")
