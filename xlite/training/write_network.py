"""A trained small network as the file that is shipped: ONNX, with what it learned from."""

import json
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
from torch import nn

from xlite.guards.network import INPUT

_OPSET = 17


def write_network(
    network: nn.Module, side: int, outputs: Sequence[str], metadata: dict[str, object], out: Path
) -> None:
    """Writes a network of pictures (N, 1, side, side), with metadata as JSON by their keys."""
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        network.eval(),
        (torch.zeros(1, 1, side, side),),
        out,
        input_names=[INPUT],
        output_names=list(outputs),
        dynamic_axes={name: {0: "N"} for name in (INPUT, *outputs)},
        opset_version=_OPSET,
        dynamo=False,
    )
    model = onnx.load(out)
    onnx.helper.set_model_props(model, {key: json.dumps(value) for key, value in metadata.items()})
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, out)
