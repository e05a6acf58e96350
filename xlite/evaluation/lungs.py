"""Where the lungs are on a frontal film: a small network that learned it from phantoms.

It is for asking a model what it does without the rest of the film, and for nothing else: nobody has drawn
lungs on real films here to judge it by.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from xlite.errors import CheckpointError
from xlite.places import bundled

INPUT, OUTPUT = "picture", "lung"
NOTES = "xlite.lungs.notes"
"""The key of the notes, as JSON, in the file's metadata: how many phantoms, steps, seed."""
MARGIN = 0.03
"""The lungs' surroundings that count as theirs, as a share of the film's longer side: the pleura is there."""
LEAST = 0.08
"""A smaller share of the film is no pair of lungs."""


@dataclass(frozen=True, eq=False)
class Lungs:
    """The loaded network. Nothing in it changes after loading: threads may share one."""

    session: ort.InferenceSession

    @classmethod
    def load(cls, path: Path | None = None) -> "Lungs":
        """The network that comes with X-Lite, or another file. Raises CheckpointError."""
        path = path or bundled("checkpoints", "lungs", "lungs.onnx")
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            session = ort.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
        except OSError as error:
            raise CheckpointError(
                f"{path} cannot be read ({error.strerror}); install X-Lite again"
            ) from error
        return cls(session)

    def shares(self, film: np.ndarray) -> np.ndarray:
        """Probabilities float32 (128, 128) of being lung, over the whole of a film uint8 (H, W)."""
        side = self.session.get_inputs()[0].shape[-1]
        small = cv2.resize(film, (side, side), interpolation=cv2.INTER_AREA)
        [[[found]]] = self.session.run([OUTPUT], {INPUT: small[None, None].astype(np.float32)})
        return np.asarray(found, np.float32)

    def mask(self, film: np.ndarray) -> np.ndarray | None:
        """The lungs with their margin, bool (H, W) of a film uint8 (H, W); None if it seems to have none."""
        inside = _two_largest(self.shares(film) > 0.5)
        if inside.mean() < LEAST:
            return None
        height, width = film.shape
        large = cv2.resize(inside.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
        reach = max(1, round(MARGIN * max(height, width)))
        ball = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        return np.asarray(cv2.dilate(large.astype(np.uint8), ball) > 0)


def _two_largest(inside: np.ndarray) -> np.ndarray:
    """The two largest connected parts, without holes."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8))
    order = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])
    kept = np.isin(parts, order[:2]) if count > 1 else np.zeros_like(inside)
    outlines, _ = cv2.findContours(kept.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(np.zeros(inside.shape, np.uint8), outlines, -1, 1, cv2.FILLED) > 0)
