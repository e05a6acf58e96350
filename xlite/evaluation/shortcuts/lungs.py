"""Where the lungs are on a frontal film: a small network that learned it from phantoms.

It serves to ask what a model does without the rest of a film, and nothing else: on real films it was only
looked at, as none of them comes with drawn lungs.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from xlite.guards.network import INPUT, open_network
from xlite.places import bundled

OUTPUT = "lung"
NOTES = "xlite.lungs.notes"
"""The key of the notes, as JSON, in the file's metadata: phantoms, steps, seed, overlap on other phantoms."""
MARGIN = 0.03
"""What counts as the lungs' around them, as a share of the film's longer side: the pleura is there."""


@dataclass(frozen=True, eq=False)
class Lungs:
    """The loaded network. Nothing in it changes after loading: threads may share one."""

    session: ort.InferenceSession

    @classmethod
    def load(cls, path: Path | None = None) -> "Lungs":
        """The network that comes with X-Lite, or that of another file. Raises CheckpointError."""
        session, _ = open_network(path or bundled("checkpoints", "lungs", "lungs.onnx"), "lung network")
        return cls(session)

    def probabilities(self, film: np.ndarray) -> np.ndarray:
        """Of being lung, float32 (64, 64) over the whole of a film uint8 (H, W)."""
        side = self.session.get_inputs()[0].shape[-1]
        small = cv2.resize(film, (side, side), interpolation=cv2.INTER_AREA)
        [[[found]]] = self.session.run([OUTPUT], {INPUT: small[None, None].astype(np.float32)})
        return np.asarray(found, np.float32)

    def mask(self, film: np.ndarray) -> np.ndarray:
        """The lungs with their margin, bool (H, W) of a film uint8 (H, W)."""
        inside = _two_largest(self.probabilities(film) > 0.5)
        height, width = film.shape
        large = cv2.resize(inside.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
        reach = max(1, round(MARGIN * max(height, width)))
        ball = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        return np.asarray(cv2.dilate(large.astype(np.uint8), ball) > 0)


def _two_largest(inside: np.ndarray) -> np.ndarray:
    """The two largest connected parts of bool (H, W), without holes."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8))
    order = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])
    kept = np.isin(parts, order[:2]).astype(np.uint8)
    outlines, _ = cv2.findContours(kept, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(np.zeros_like(kept), outlines, -1, 1, cv2.FILLED) > 0)
