"""Maps against radiologists' boxes: the pointing game, and the boxes that a map itself gives.

A map is float32 (H, W) in a film's frame, whatever its scale; a box is x, y, w, h in px of that frame, and
pixel j covers j to j + 1. What is judged is a target: all boxes of one finding on one film.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from xlite.metrics.per_finding import ratio
from xlite.pixels import RELEASE_SIDE

LEVELS = (60, 180)  # of 255
OVERLAPS = (0.1, 0.25, 0.5, 0.75)
EQUAL = 1e-6  # of a map's range: interpolation in float32 makes equal heights differ by about as much
FEW_BOXES = 10  # patients with a box of a finding
RANDOM_MAPS = 10  # a target: the metric of a random map is their mean
BASELINES = ("random", "centre")  # maps that know nothing

Boxes = Sequence[float] | np.ndarray  # x, y, w, h of one box, or of each, (B, 4)

# A number for each target; the names of localisation.json.
BOX_METRICS = (
    "pointing",
    *(f"iobb_{overlap}" for overlap in OVERLAPS),
    *(f"iou_{overlap}" for overlap in OVERLAPS),
    "iou",
    "boxes",
    "false_boxes",
)
NO_RATES = ("iou", "boxes", "false_boxes")  # numbers of a target; the others are whether it is hit


def in_frame(boxes: Boxes, shape: tuple[int, int]) -> np.ndarray:
    """Boxes of the release's 1024 x 1024 frame in the frame of a film (H, W): float64, as many, in px."""
    height, width = shape
    return np.asarray(boxes, np.float64) * [width, height, width, height] / RELEASE_SIDE


def peaks(heat: np.ndarray) -> list[np.ndarray]:
    """Where a map is highest: for each of its peaks points (n, 2), x and y in px; none for a flat map.

    A peak is a region of highest pixels, which touch by corners too: two regions of equal height are two
    peaks, and nothing points between them. A peak's point is its middle. A region that does not hold its own
    middle, such as a ring, has a point for each of its pixels instead.
    """
    low, top = float(heat.min()), float(heat.max())
    if low == top:
        return []
    highest = heat >= top - EQUAL * (top - low)
    count, regions = cv2.connectedComponents(highest.astype(np.uint8), connectivity=8)
    return [_points(np.argwhere(regions == region)) for region in range(1, count)]


def _points(pixels: np.ndarray) -> np.ndarray:
    """The points of one peak, (n, 2) x and y, from its pixels (n, 2), row and column."""
    centres = pixels[:, ::-1] + 0.5
    middle = centres.mean(axis=0)
    inside = (np.abs(centres - middle) <= 0.5).all(axis=1).any()
    return middle[None] if inside else centres


def points_into(heat: np.ndarray, boxes: Boxes) -> float:
    """The pointing game: whether a map's peak lies in a box, edges included, with no tolerance.

    The chance, 0-1, that a peak chosen at random does; 0 for a flat map. Zhang et al., "Top-down Neural
    Attention by Excitation Backprop", ECCV 2016, section 4.2, who allow 15 px and have one peak a map.
    """
    hits = [_in_any(points, boxes).mean() for points in peaks(heat)]
    return float(np.mean(hits)) if hits else 0.0


def _in_any(points: np.ndarray, boxes: Boxes) -> np.ndarray:
    """Which of the points (n, 2) lie in any of the boxes, edges included: (n,) bool."""
    across, down = points[:, :1], points[:, 1:]
    x, y, width, height = np.atleast_2d(boxes).T
    within = (x <= across) & (across <= x + width) & (y <= down) & (down <= y + height)
    hit: np.ndarray = within.any(axis=1)
    return hit


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


def overlaps(found: np.ndarray, boxes: Boxes) -> tuple[np.ndarray, np.ndarray]:
    """(IoU, IoBB) of each of a map's boxes (K, 4) with each of B radiologists': intersection over union, and
    over the map's own box. Both (K, B).
    """
    start, end = found[:, None, :2], found[:, None, :2] + found[:, None, 2:]
    true = np.atleast_2d(np.asarray(boxes, np.float64))
    sides = np.minimum(end, true[:, :2] + true[:, 2:]) - np.maximum(start, true[:, :2])
    shared = np.maximum(sides, 0).prod(axis=-1)
    own = np.broadcast_to(found[:, 2:].prod(axis=-1)[:, None], shared.shape)
    return ratio(shared, own + true[:, 2:].prod(axis=-1) - shared), ratio(shared, own)


def judge_map(heat: np.ndarray, boxes: Boxes) -> dict[str, float]:
    """Each of BOX_METRICS for one map and the boxes of its finding in its frame, which are one target.

    pointing: as `points_into` has it; T(IoBB) and T(IoU) for each of OVERLAPS: 1 if any box of the map
    exceeds it with any of the target's boxes, else 0; iou: of its best box, 0 if it has none; boxes: how many
    it has; false_boxes: how many of them reach no IoBB above 0.25 with any (Wang's false positives). None of
    NIH's targets has two boxes, so Wang et al. did not have to say how they count.
    """
    iou, iobb = (found.max(axis=1) for found in overlaps(map_boxes(heat), boxes))
    best_iou, best_iobb = iou.max(initial=0), iobb.max(initial=0)
    return {
        "pointing": points_into(heat, boxes),
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

    It knows only that findings lie in the chest. Each side has three cells at least: of two, both are as near
    to the centre, and the map would be flat.
    """
    sides = (max(cells, 3) for cells in grid)
    down, across = (((np.arange(cells) + 0.5) / cells - 0.5) / 0.25 for cells in sides)
    return np.exp(-(down[:, None] ** 2 + across[None] ** 2) / 2).astype(np.float32)
