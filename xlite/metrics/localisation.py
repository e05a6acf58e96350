"""Maps against radiologists' boxes: the pointing game, and the boxes that a map itself gives.

A map is float32 (H, W) in a film's frame, whatever its scale; a box is x, y, w, h in px of that frame, and
pixel j covers j to j + 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from xlite.metrics.bootstrap import Resamples, estimate
from xlite.metrics.estimate import Estimate
from xlite.metrics.per_finding import ratio
from xlite.pixels import RELEASE_SIDE

LEVELS = (60, 180)  # of 255
OVERLAPS = (0.1, 0.25, 0.5, 0.75)
FEW_BOXES = 10
RANDOM_MAPS = 10  # a box: the metric of a random map is their mean
BASELINES = ("random", "centre")  # maps that know nothing

Box = Sequence[float] | np.ndarray  # x, y, w, h

# A number for each box; the names of localisation.json.
BOX_METRICS = (
    "pointing",
    *(f"iobb_{overlap}" for overlap in OVERLAPS),
    *(f"iou_{overlap}" for overlap in OVERLAPS),
    "iou",
    "boxes",
    "false_boxes",
)


def in_frame(box: Box, shape: tuple[int, int]) -> np.ndarray:
    """A box of the release's 1024 x 1024 frame in the frame of a film (H, W): float64 (4,), x y w h in px."""
    height, width = shape
    return np.asarray(box, np.float64) * [width, height, width, height] / RELEASE_SIDE


def peak(heat: np.ndarray) -> tuple[float, float] | None:
    """Where a map is highest, x and y in px: the middle of its highest pixels; None for a flat map."""
    top = heat.max()
    if top == heat.min():
        return None
    rows, columns = np.nonzero(heat == top)
    return float(columns.mean() + 0.5), float(rows.mean() + 0.5)


def points_into(heat: np.ndarray, box: Box) -> bool:
    """The pointing game: whether a map's peak lies in the box, edges included, with no tolerance.

    Zhang et al., "Top-down Neural Attention by Excitation Backprop", ECCV 2016, section 4.2, who allow 15 px.
    """
    point, (x, y, width, height) = peak(heat), box
    return point is not None and x <= point[0] <= x + width and y <= point[1] <= y + height


def map_boxes(heat: np.ndarray) -> np.ndarray:
    """The boxes of a map, float64 (K, 4): "normalized to [0, 255] and then thresholded by {60, 180}
    individually", one around each isolated region (Wang et al., "ChestX-ray8", CVPR 2017, section 3.2).

    What the paper leaves open: we normalise by minimum and maximum, regions touch by corners too, and all
    boxes of both levels count, even small and equal ones. A map of one value has none.
    """
    low, high = float(heat.min()), float(heat.max())
    if low == high:
        return np.empty((0, 4))
    scaled = (heat - low) * (255 / (high - low))
    found = []
    for level in LEVELS:
        mask = (scaled > level).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        found.append(stats[1:, :4])  # the first is the background
    return np.concatenate(found).astype(np.float64)


def overlaps(boxes: np.ndarray, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """(IoU, IoBB) of a map's boxes (K, 4) with a radiologist's: intersection over union, and over the map's
    own box. Both (K,).
    """
    x, y, width, height = box
    across = np.minimum(boxes[:, 0] + boxes[:, 2], x + width) - np.maximum(boxes[:, 0], x)
    down = np.minimum(boxes[:, 1] + boxes[:, 3], y + height) - np.maximum(boxes[:, 1], y)
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    own = boxes[:, 2] * boxes[:, 3]
    return ratio(shared, own + width * height - shared), ratio(shared, own)


def judge_map(heat: np.ndarray, box: Box) -> dict[str, float]:
    """Each of BOX_METRICS for one map and one box in its frame.

    pointing, and T(IoBB) and T(IoU) for each of OVERLAPS: 1 if any box of the map exceeds it, else 0;
    iou: of its best box, 0 if it has none; boxes: how many it has; false_boxes: how many of them reach no
    IoBB above 0.25 (Wang's false positives).
    """
    iou, iobb = overlaps(map_boxes(heat), box)
    best_iou, best_iobb = iou.max(initial=0), iobb.max(initial=0)
    return {
        "pointing": float(points_into(heat, box)),
        **{f"iobb_{overlap}": float(best_iobb > overlap) for overlap in OVERLAPS},
        **{f"iou_{overlap}": float(best_iou > overlap) for overlap in OVERLAPS},
        "iou": float(best_iou),
        "boxes": float(len(iobb)),
        "false_boxes": float(np.sum(iobb <= 0.25)),
    }


def random_map(grid: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A map of independent uniform cells, float32 (h, w) in 0-1."""
    return rng.random(grid, dtype=np.float32)


def centre_map(grid: tuple[int, int]) -> np.ndarray:
    """A Gaussian at the centre of the image, its sigma a quarter of each side, float32 (h, w) in 0-1.

    It knows only that findings lie in the chest.
    """
    down, across = (((np.arange(cells) + 0.5) / cells - 0.5) / 0.25 for cells in grid)
    return np.exp(-(down[:, None] ** 2 + across[None] ** 2) / 2).astype(np.float32)


@dataclass(frozen=True)
class BoxSummary:
    """A metric of boxes: over all boxes, the mean of the findings' means, and each finding."""

    all: Estimate
    mean: Estimate
    per_finding: dict[str, Estimate]


def summarise(values: np.ndarray, findings: np.ndarray, resamples: Resamples) -> BoxSummary:
    """The summary of a metric (N,) of boxes of findings (N,), on resampled patients of these boxes."""
    names = [str(name) for name in np.unique(findings)]
    means = {name: _mean(values, findings == name, resamples) for name in names}
    columns = np.stack(list(means.values()))  # (findings, 1 + R)
    return BoxSummary(
        all=_estimate(_mean(values, np.full(len(values), True), resamples)),
        mean=_estimate(ratio(np.nansum(columns, 0), np.sum(~np.isnan(columns), 0))),
        per_finding={name: _estimate(mean) for name, mean in means.items()},
    )


def _mean(values: np.ndarray, chosen: np.ndarray, resamples: Resamples) -> np.ndarray:
    """The mean over the chosen boxes: of all, then of each resample, (1 + R,)."""
    owner, patients = resamples.owner[chosen], len(resamples.counts)
    weights = np.concatenate([np.ones((patients, 1)), resamples.counts], axis=1)
    sums = np.bincount(owner, values[chosen], minlength=patients) @ weights
    return ratio(sums, np.bincount(owner, minlength=patients) @ weights)


def _estimate(means: np.ndarray) -> Estimate:
    """The estimate of a mean with its resamples behind it, (1 + R,)."""
    return estimate(means[0], means[1:])
