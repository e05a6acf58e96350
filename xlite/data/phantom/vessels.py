"""Blood vessels of the lungs: branching trees from the hila, fading to the periphery."""

import numpy as np

from xlite.data.phantom.body import LEFT, RIGHT, Body
from xlite.data.phantom.canvas import Canvas

LEVELS = 7
# Degrees from the side, down is positive.
FAN = (-80, -70, -58, -44, -28, -12, 2, 14, 26, 36, 46, 54, 62, 70, 78, 86)
BUCKETS = (0.0, 0.06, 0.11, 0.19, 0.32, 2.0)


# Start (N, 2), end (N, 2), bend (N,) and the radii at both ends (N,) of N segments, cm.
Segments = tuple[np.ndarray, ...]


def _branch(
    rng: np.random.Generator, start: np.ndarray, angle: np.ndarray, radius: np.ndarray, reach: float
) -> Segments:
    """Grows a tree level by level."""
    starts, ends, bends, first, last = [], [], [], [], []
    length = np.full(len(angle), reach)
    for _ in range(LEVELS):
        stretch = length * rng.uniform(0.7, 1.35, len(length))
        end = start + stretch[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        starts.append(start)
        ends.append(end)
        bends.append(rng.normal(0, 0.17, len(length)) * stretch)
        share = rng.uniform(0.80, 0.92, len(length))
        first.append(radius)
        last.append(radius * share)
        turn = rng.choice([-1.0, 1.0], len(length))
        main, twig = rng.uniform(0.05, 0.42, len(length)), rng.uniform(0.4, 1.1, len(length))
        start = np.concatenate([end, end])
        angle = np.concatenate([angle + turn * main, angle - turn * twig])
        radius = np.concatenate([radius * share * 0.93, radius * share * 0.66])
        length = np.concatenate([length * 0.92, length * 0.74])
    return tuple(np.concatenate(part) for part in (starts, ends, bends, first, last))


def _trees(body: Body) -> list[Segments]:
    trees = []
    for side, hilum in ((RIGHT, (-3.3, 10.6)), (LEFT, (3.6, 9.9))):
        rng = body.rng(20 + (side == LEFT))
        fan = np.radians(FAN) + rng.normal(0, 0.25, len(FAN))
        gravity = np.clip(1 + 0.22 * np.sin(fan), 0.5, 1.3) if not body.supine else np.ones(len(FAN))
        radius = rng.uniform(0.11, 0.31, len(FAN)) * gravity
        spread = np.stack([0.6 * np.cos(fan), 2.3 * np.sin(fan)], axis=-1) + rng.normal(
            0, 0.45, (len(FAN), 2)
        )
        start = np.array(hilum) + spread * [side, 1]
        angle = np.where(side == LEFT, fan, np.pi - fan)
        reach = (1.9 + 0.35 * np.abs(np.sin(fan)).mean()) * body.cage_width / 13.9
        trees.append(_branch(rng, start, angle, radius, reach))
    return trees


def _trunks(body: Body) -> Segments:
    """The large vessels at the hila, as segments like a tree's."""
    rng = body.rng(22)
    paths = [
        ([(-2.2, 9.6), (-3.4, 10.2), (-4.1, 12.0), (-4.6, 14.2), (-5.0, 16.2)], [0.75, 0.7, 0.62, 0.45, 0.3]),
        ([(-2.8, 9.8), (-3.6, 8.2), (-4.4, 6.4), (-5.0, 4.6)], [0.5, 0.4, 0.3, 0.2]),
        ([(-2.6, 11.6), (-4.2, 11.0), (-6.0, 10.8), (-7.6, 11.3)], [0.45, 0.38, 0.28, 0.2]),
        ([(2.6, 8.8), (3.8, 8.9), (4.5, 10.2), (4.9, 12.2), (5.2, 14.4)], [0.75, 0.75, 0.62, 0.48, 0.3]),
        ([(3.4, 8.6), (4.2, 7.2), (4.8, 5.4), (5.2, 4.0)], [0.48, 0.4, 0.3, 0.2]),
        ([(3.2, 11.2), (5.0, 10.4), (6.6, 10.3), (8.0, 10.9)], [0.4, 0.36, 0.28, 0.18]),
    ]
    parts: list[list[np.ndarray]] = [[], [], [], [], []]
    for path, radii in paths:
        points = np.array(path) + rng.normal(0, 0.22, (len(path), 2))
        radius = np.array(radii) * rng.uniform(0.6, 0.85)
        for part, value in zip(
            parts, (points[:-1], points[1:], np.zeros(len(path) - 1), radius[:-1], radius[1:]), strict=True
        ):
            part.append(value)
    return tuple(np.concatenate(part) for part in parts)


def draw_vessels(body: Body, canvas: Canvas, lung: np.ndarray) -> np.ndarray:
    """Blood along the beam in the lungs' vessels: float32 (S, S), cm; 0 outside the lung (S, S), cm."""
    groups = [*_trees(body), _trunks(body)]
    start, end, bend, first, last = (
        np.concatenate(part, dtype=np.float32) for part in zip(*groups, strict=True)
    )
    count = max(6, int(np.ceil(1.2 * canvas.density)))
    share = (np.arange(count, dtype=np.float32) + 0.5) / count
    ahead = end - start
    length = np.linalg.norm(ahead, axis=1, keepdims=True)
    normal = np.stack([-ahead[:, 1], ahead[:, 0]], axis=-1) / length
    # coordinate by coordinate, (2, N, count): far faster than point by point
    points = start.T[..., None] + share * ahead.T[..., None]
    points += bend[:, None] * 4 * share * (1 - share) * normal.T[..., None]
    radius = first[:, None] + (last - first)[:, None] * share
    volume = np.pi * radius**2 * length / count
    total = np.zeros((canvas.size, canvas.size), np.float32)
    for low, high in zip(BUCKETS, BUCKETS[1:], strict=False):
        chosen = (radius >= low) & (radius < high)
        if chosen.any():
            layer = canvas.splat([(points[:, chosen].T, volume[chosen])])
            total += canvas.blur(layer, 0.52 * float(radius[chosen].mean()) + 0.012)
    inside = np.clip((lung - 2.0) / 9.0, 0, 1)
    return 1.9 * total * inside * np.float32(body.vessels)
