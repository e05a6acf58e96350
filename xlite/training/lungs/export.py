"""A trained lung network as the file that is shipped: ONNX, with what it learned from."""

import json
from pathlib import Path

import onnx
import torch

from xlite.evaluation.lungs import INPUT, NOTES, OUTPUT
from xlite.training.lungs.network import SIDE, LungNet, Shares

_OPSET = 17


def export(net: LungNet, notes: dict[str, object], out: Path) -> None:
    """Writes the network with its notes."""
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        Shares(net.eval()),
        (torch.zeros(1, 1, SIDE, SIDE),),
        out,
        input_names=[INPUT],
        output_names=[OUTPUT],
        dynamic_axes={INPUT: {0: "N"}, OUTPUT: {0: "N"}},
        opset_version=_OPSET,
        dynamo=False,
    )
    model = onnx.load(out)
    onnx.helper.set_model_props(model, {NOTES: json.dumps(notes)})
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, out)
