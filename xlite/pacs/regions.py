"""Where a map peaks, as a box in the frame of the film's own file."""

from collections.abc import Collection

import cv2
import numpy as np

from xlite.explain.drawing import upsample_map
from xlite.guards.verdict import QUARTERS, Reason

HALF = 0.5
"""A box holds what is at least so much of the peak and hangs together with it."""
_SIDE = 512  # a map has some 7 to 32 cells a side: finer than this nothing changes


def peak_box(coarse: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The box around a map's (h, w) peak in a film of shape (H, W): columns and rows of its corners, (5, 2).

    Closed, clockwise from the upper left; pixel j covers j to j + 1, as in DICOM (PS3.3 C.18.6).
    """
    height, width = shape
    scale = min(1.0, _SIDE / max(shape))
    small = (max(1, round(height * scale)), max(1, round(width * scale)))
    fine = upsample_map(coarse, small)
    labels = cv2.connectedComponents((fine >= HALF).astype(np.uint8))[1]
    place = np.unravel_index(int(fine.argmax()), fine.shape)
    rows, columns = np.nonzero(labels == labels[place])
    left, right = (np.array([columns.min(), columns.max() + 1]) * width / small[1]).tolist()
    top, bottom = (np.array([rows.min(), rows.max() + 1]) * height / small[0]).tolist()
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom], [left, top]])


def turned_back(box: np.ndarray, shape: tuple[int, int], undone: Collection[Reason]) -> np.ndarray:
    """The corners (5, 2) of a box in a film of shape (H, W) that was turned upright, in its file's frame.

    `undone` are the reasons for which it was; the corners are again those of a box that is clockwise from
    the upper left.
    """
    for _ in range(sum(QUARTERS.get(reason, 0) for reason in undone)):
        # Each quarter was counterclockwise: the right edge of the file became the upper edge.
        box = np.stack([shape[0] - box[:, 1], box[:, 0]], axis=1)
        shape = (shape[1], shape[0])
    (left, top), (right, bottom) = box.min(0).tolist(), box.max(0).tolist()
    left, right = (float(np.clip(value, 0, shape[1])) for value in (left, right))
    top, bottom = (float(np.clip(value, 0, shape[0])) for value in (top, bottom))
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom], [left, top]])
