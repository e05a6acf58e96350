"""A trained gate network as the file that is shipped: ONNX, with its limits and what it learned from."""

import json
import os
from pathlib import Path

import numpy as np
import onnx
import torch

from xlite.errors import CheckpointError
from xlite.guards.gate import INPUT, LIMITS, OUTPUTS, Gate, reasons
from xlite.guards.limits import Limits
from xlite.training.gate.learn import answers
from xlite.training.gate.network import SIDE, Answers, GateNet

NOTES = "xlite.gate.notes"
"""The key of the notes, as JSON, in the file's metadata: split, part, seeds, films, held out files."""
_TOLERANCE = 1e-4
_OPSET = 17


def export(net: GateNet, limits: Limits, notes: dict[str, object], out: Path, films: np.ndarray) -> None:
    """Writes the network, and compares the file's answers with torch's on thumbnails uint8 (N, 224, 224).

    Raises CheckpointError, and leaves no file, if any probability differs by more than 1e-4.
    """
    torch.onnx.export(
        Answers(net.eval()),
        (torch.zeros(1, 1, SIDE, SIDE),),
        out,
        input_names=[INPUT],
        output_names=list(OUTPUTS),
        dynamic_axes={name: {0: "N"} for name in (INPUT, *OUTPUTS)},
        opset_version=_OPSET,
        dynamo=False,
    )
    model = onnx.load(out)
    metadata = {LIMITS: limits.model_dump_json(), NOTES: json.dumps(notes)}
    onnx.helper.set_model_props(model, metadata)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, out)
    expected = reasons(*answers(net, films))
    gate = Gate.load(out)
    found = [gate.scores(small) for small in films]
    worst = max(
        abs(score - float(expected[name][row]))
        for row, scores in enumerate(found)
        for name, score in scores.items()
    )
    if worst > _TOLERANCE:
        os.unlink(out)
        raise CheckpointError(f"the exported gate differs from torch's by {worst:.1e}; expected {_TOLERANCE}")
