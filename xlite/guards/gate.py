"""The gate: a small network and plain measurements that say what a picture is, before it is read.

gate = Gate.load()
guards = gate.judge(read_image("film.png"))
guards.verdict, guards.reasons  # "offer", ("rotated_180",)
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from pydantic import ValidationError

from xlite.errors import CheckpointError
from xlite.guards.limits import Limits
from xlite.guards.measure import gate_input, measure, thumbnail
from xlite.guards.network import INPUT, open_network
from xlite.guards.verdict import QUARTERS, Guards, blank, decide
from xlite.images import LEAST_CONTRAST
from xlite.places import bundled

OUTPUTS = ("kinds", "turns", "flags")
LIMITS = "xlite.gate.limits"
"""The key of the limits, as JSON, in the metadata of the network's file."""
WIDTHS = (3, 8, 4)


@dataclass(frozen=True, eq=False)
class Gate:
    """The loaded network with its limits. Nothing in it changes after loading: threads may share one."""

    session: ort.InferenceSession
    limits: Limits
    digest: str
    """SHA-256 of the network's file."""

    @classmethod
    def load(cls, path: Path | None = None) -> "Gate":
        """The gate that comes with X-Lite, or that of another file. Raises CheckpointError."""
        path = path or bundled("checkpoints", "gate", "gate.onnx")
        session, model = open_network(path, "gate network")
        return cls(session, _limits(session, path), hashlib.sha256(model).hexdigest())

    def judge(self, image: np.ndarray) -> Guards:
        """What a picture uint8 (H, W) is: verdict, reasons and the values that they come from."""
        small = thumbnail(image)
        measured = measure(small)
        if measured.contrast < LEAST_CONTRAST:
            return blank(measured)
        return decide(self.scores(small), measured, self.limits)

    def scores(self, small: np.ndarray) -> dict[str, float]:
        """The network's probabilities for a thumbnail uint8 (224, 224), by reason; `ap` is the view."""
        kinds, turns, flags = self.session.run(OUTPUTS, {INPUT: gate_input(small)})
        return {name: float(values[0]) for name, values in reasons(kinds, turns, flags).items()}


def reasons(kinds: np.ndarray, turns: np.ndarray, flags: np.ndarray) -> Mapping[str, np.ndarray]:
    """The network's answers by name: kinds (N, 3), turns (N, 8) and flags (N, 4) to probabilities (N,) each.

    turned: that the film is not upright; turn_90 and so on: by how much; mirrored: sides are exchanged.
    """
    by_turn = turns[:, :4] + turns[:, 4:]
    inverted, child, cut, ap = flags.T
    return {
        **{"frontal": kinds[:, 0], "lateral": kinds[:, 1], "other": kinds[:, 2]},
        **{reason: by_turn[:, number] for reason, number in QUARTERS.items()},
        **{"turned": 1 - by_turn[:, 0], "mirrored": turns[:, 4:].sum(1)},
        **{"inverted": inverted, "child": child, "cut": cut, "ap": ap},
    }


def _limits(session: ort.InferenceSession, path: Path) -> Limits:
    outputs = tuple((output.name, output.shape[-1]) for output in session.get_outputs())
    try:
        if outputs != tuple(zip(OUTPUTS, WIDTHS, strict=True)):
            raise ValueError(outputs)
        return Limits.model_validate_json(session.get_modelmeta().custom_metadata_map.get(LIMITS, ""))
    except (ValidationError, ValueError) as error:
        raise CheckpointError(
            f"{path} is not a gate network of this version; train or install it again"
        ) from error
