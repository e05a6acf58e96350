"""What is exchanged of a student's weights, and which replies are refused. Counters never travel."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from flwr.app import Array, ArrayRecord, Message
from flwr.common.constant import ErrorCode
from torch import Tensor, nn

from xlite.federated.plan import Norms
from xlite.models.batchnorm import batch_norms
from xlite.text import counted

ARRAYS, REPLY, FILMS = "arrays", "metrics", "num-examples"
"""Flower's own names of the records and of the weight of a reply."""

VARIANCE = "running_var"
STATISTICS = ("running_mean", VARIANCE)
"""What PyTorch calls the statistics of a batch norm."""


def exchanged(student: nn.Module, norms: Norms) -> list[str]:
    """The names of the tensors that travel: all floats, but batch norms as `norms` says.

    averaged: their weights and statistics too; frozen: their weights alone; local: neither.
    """
    floats = [name for name, tensor in student.state_dict().items() if tensor.is_floating_point()]
    if norms == "averaged":
        return floats
    modules = set(batch_norms(student))
    own = {
        f"{place}.{name}"
        for place, module in student.named_modules()
        if module in modules
        for name in module.state_dict()
        if norms == "local" or name in STATISTICS
    }
    return [name for name in floats if name not in own]


def is_statistic(name: str) -> bool:
    """Whether a tensor of this name is measured by a batch norm, not learned."""
    return name.rpartition(".")[2] in STATISTICS


def to_record(student: nn.Module, names: Iterable[str]) -> ArrayRecord:
    """The named tensors as float32 arrays."""
    state = student.state_dict()
    return ArrayRecord({name: Array(state[name].detach().float().cpu().numpy()) for name in names})


def load_record(student: nn.Module, arrays: ArrayRecord) -> None:
    """Puts the arrays in the place of the student's tensors of these names; the others stay as they are."""
    tensors = {name: torch.from_numpy(array.numpy()) for name, array in arrays.items()}
    student.load_state_dict({**student.state_dict(), **tensors})


def as_tensors(arrays: ArrayRecord) -> dict[str, Tensor]:
    """The arrays as tensors by name, for a file."""
    return {name: torch.from_numpy(array.numpy()) for name, array in arrays.items()}


def from_tensors(tensors: Mapping[str, Tensor]) -> ArrayRecord:
    """What `as_tensors` gave, as arrays."""
    return ArrayRecord({name: Array(tensor.numpy()) for name, tensor in tensors.items()})


def moved(arrays: ArrayRecord, sent: ArrayRecord) -> ArrayRecord:
    """The arrays; if they are the same as those sent, one value of them is a rounding step further."""
    if any(np.linalg.norm(arrays[name].numpy() - sent[name].numpy()) for name in sent):
        return arrays
    name = next(iter(sent))
    values = sent[name].numpy().copy()
    values.flat[0] += np.spacing(max(abs(values.flat[0]), values.dtype.type(1)))
    return ArrayRecord({**arrays, name: Array(values)})


def size_of(arrays: ArrayRecord) -> int:
    """Bytes of the arrays as they travel."""
    return sum(len(array.data) for array in arrays.values())


def why_failed(reply: Message) -> str:
    """What a reply with an error says of it; in plain words of a client that died."""
    if reply.error.code == ErrorCode.NODE_UNAVAILABLE:
        return "it gives no sign of life: it died, or its network did"
    return str(reply.error.reason).strip("'<>") or "it failed"


def refusal(reply: Message, sent: ArrayRecord, films: int) -> str:
    """Why a client's reply to the arrays sent must not be averaged; empty if it may.

    films: how many it said that it trains on, which is the weight of its reply.
    """
    if reply.has_error():
        return why_failed(reply)
    content = reply.content
    if len(content.array_records) != 1 or len(content.metric_records) != 1:
        return "it sent no weights"
    [metrics], [arrays] = content.metric_records.values(), content.array_records.values()
    if metrics.get(FILMS) != films:
        return f"it trained on {metrics.get(FILMS)!r:.20} films, and joined with {films}"
    if differing := sorted(arrays.keys() ^ sent.keys()):
        return f"it sent other weights: {counted(len(differing), 'name')} differ, {differing[0]:.80} first"
    return next((wrong for name in sent if (wrong := _wrong(name, arrays[name], sent[name]))), "")


def _wrong(name: str, array: Array, sent: Array) -> str:
    try:
        values, expected = array.numpy(), sent.numpy()
    except (TypeError, ValueError, EOFError, OSError) as error:  # numpy's, of bytes that are not an array
        return f"{name} cannot be read ({error!s:.80})"
    if values.shape != expected.shape or values.dtype != expected.dtype:
        return (
            f"{name} is {values.dtype} of shape {values.shape}, expected {expected.dtype} of {expected.shape}"
        )
    if not np.isfinite(values).all():
        return f"{name} has {counted(int((~np.isfinite(values)).sum()), 'value')} NaN or infinite"
    if name.endswith(VARIANCE) and (values < 0).any():
        return f"{name} has {counted(int((values < 0).sum()), 'variance')} below 0"
    return ""
