"""A trained gate network as the file that is shipped: ONNX, with its limits and what it learned from."""

import os
from pathlib import Path

import numpy as np

from xlite.errors import CheckpointError
from xlite.guards.gate import LIMITS, OUTPUTS, Gate, reasons
from xlite.guards.limits import Limits
from xlite.training.gate.learn import answers
from xlite.training.gate.network import SIDE, GateNet, GateProbabilities
from xlite.training.write_network import write_network

NOTES = "xlite.gate.notes"
"""The key of the notes, as JSON, in the file's metadata: split, part, seeds, films, held out files."""
_TOLERANCE = 1e-4


def export(net: GateNet, limits: Limits, notes: dict[str, object], out: Path, films: np.ndarray) -> None:
    """Writes the network, and compares the file's answers with torch's on thumbnails uint8 (N, 224, 224).

    Raises CheckpointError, and leaves no file, if any probability differs by more than 1e-4.
    """
    metadata: dict[str, object] = {LIMITS: limits.model_dump(mode="json"), NOTES: notes}
    write_network(GateProbabilities(net), SIDE, OUTPUTS, metadata, out)
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
