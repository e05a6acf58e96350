"""Bones as hollow tubes in space, projected. Lengths in cm; thickness means compact bone."""

from collections.abc import Sequence

import cv2
import numpy as np

from xlite.data.phantom.body import LEFT, RIGHT, SPINE_DEPTH, Body
from xlite.data.phantom.canvas import Canvas, ellipse, rounded

RIB_TOP = np.array([0.2, 1.9, 3.8, 5.8, 7.9, 10.0, 12.2, 14.4, 16.7, 19.0, 21.4, 23.8])
RIB_DROP = np.array([3.4, 5.8, 7.6, 8.9, 9.9, 10.6, 11.0, 11.0, 10.6, 9.6, 6.0, 3.6])
RIB_SWEEP = np.array([2.3, 2.42, 2.42, 2.40, 2.36, 2.34, 2.28, 2.16, 2.05, 1.95, 1.35, 0.9])
RIB_SHARE = np.array([0.74, 0.9, 0.97, 1, 1, 1, 1, 1, 1, 1, 1, 1])
CORTEX = 0.07
TURNED, TURNED_ON = [1, 2, 0], [2, 0, 1]  # the axes of a cross product
FAINT = np.float32(0.55)  # bone of a rib's front and side, as a share of the bone at its back

Part = tuple[np.ndarray, np.ndarray]  # points (N, 3), volumes (N,)
Parts = list[Part]
Ridge = tuple[list[tuple[float, float, float]], float, float]  # corners, radius, thickness of the wall


def tube(line: np.ndarray, across: np.ndarray, radii: np.ndarray, cortex: float, step: float) -> Part:
    """A hollow tube along `line` (N, 3): points (M, 3) on its wall and inside, and their volumes (M,), cm3.

    `across` (N, 3) is the direction of the first of the two `radii` (N, 2).
    """
    length = np.linalg.norm(np.diff(line, axis=0), axis=1)
    along = np.concatenate([[0], np.cumsum(length)])
    count = max(4, int(along[-1] / step))
    stops = np.linspace(0, along[-1], count)
    # coordinate by coordinate from here on, (3, count): far faster than point by point
    line, across, radii = (
        np.array([np.interp(stops, along, column) for column in array.T], np.float32)
        for array in (line, across, radii)
    )
    beyond = np.concatenate([line[:, :1], line, line[:, -1:]], axis=1)
    ahead = beyond[:, 2:] - beyond[:, :-2]
    ahead /= np.sqrt((ahead * ahead).sum(0))
    across = across - (across * ahead).sum(0) * ahead
    across /= np.sqrt((across * across).sum(0)) + 1e-9
    normal = ahead[TURNED] * across[TURNED_ON] - ahead[TURNED_ON] * across[TURNED]
    around = 4 * max(3, int(1.25 * radii.max() / step))
    # each ring is turned a little against the last, so that rows of points do not show as stripes
    turn = (np.arange(around) + 0.618 * np.arange(count)[:, None]) * 2 * np.pi / around
    cos, sin = np.cos(turn, dtype=np.float32), np.sin(turn, dtype=np.float32)
    first, second = radii[..., None]
    offset = first * cos * across[..., None] + second * sin * normal[..., None]
    arc = np.hypot(first * sin, second * cos) * np.float32(2 * np.pi / around)
    wall = arc * np.float32(cortex * along[-1] / count)
    # little of it is spongy bone inside
    middle, core = slice(1, None, 4), slice(3, None, 4)
    shells = [0.96 * offset, 0.75 * offset[..., middle], 0.4 * offset[..., core]]
    points = np.concatenate([(line[..., None] + shell).reshape(3, -1) for shell in shells], axis=1).T
    volumes = [0.8 * wall.ravel(), wall[:, middle].ravel(), 0.8 * wall[:, core].ravel()]
    return points, np.concatenate(volumes, dtype=np.float32)


def ribs(body: Body, step: float) -> Parts:
    """The 24 ribs, each from its vertebra around to the front, up to the cartilage."""
    rng = body.rng(1)
    wobble = rng.normal(0, 0.12, (12, 2))
    height = rng.normal([0.72] + 11 * [0.60], 0.03)
    # all at once: rib, side, place along the rib
    end, top, drop, share = (
        column[:, None, None] for column in (RIB_SWEEP, RIB_TOP, RIB_DROP * body.slope, RIB_SHARE)
    )
    sweep = np.linspace(0.12, end[..., 0], 70, axis=-1)
    along = sweep / 2.35
    y = top + wobble[:, :1, None] + drop * along**1.5 - 0.35 * np.sin(np.pi * along)
    wide = body.cage(y) * share + 0.25 + 0.08 * wobble[:, 1:, None]
    deep = body.depth(top + drop * 0.55) + 0.3
    side = np.array([RIGHT, LEFT])[:, None]
    x = side * wide * np.sin(sweep) ** 0.92 + body.spine(y) * np.exp(-np.abs(sweep))
    line = _points(x, y, -deep * np.cos(sweep))
    outward = _points(side * np.sin(sweep) * deep, 0, -np.cos(sweep) * wide.mean(axis=-1, keepdims=True))
    upright = np.cross(np.gradient(line, axis=-2), outward)
    swell = 1 + 0.25 * np.exp(-((sweep - end) ** 2) / 0.02) - 0.15 * np.exp(-sweep * 4)
    radii = _points(height[:, None, None] * swell, 0.34)
    parts = []
    for rib, hand in np.ndindex(12, 2):
        points, volumes = tube(line[rib, hand], upright[rib, hand], radii[rib, 0], CORTEX, step)
        at_wall = np.abs(points[:, 0]) / np.float32(wide[rib].max()) > 0.93
        volumes *= (0.6 if rib == 0 else 1) * np.where(at_wall | (points[:, 2] > 0), FAINT, np.float32(1))
        parts.append((points, volumes))
    return parts


def _points(*coordinates: np.ndarray | float) -> np.ndarray:
    return np.stack(np.broadcast_arrays(*coordinates), axis=-1)


def vertebrae(body: Body, step: float) -> Parts:
    """Vertebrae of neck, chest and loin: one shape, scaled and set 21 times."""
    points, volumes = (np.concatenate(part) for part in zip(*_vertebra(step / 1.6), strict=True))
    tops = np.concatenate([RIB_TOP[0] - 1.75 * np.arange(5, 0, -1), RIB_TOP, 26.3 + 2.9 * np.arange(4)])
    index = np.arange(len(tops))
    wide, tall = 1.26 + 0.056 * index, np.where(index < 5, 0.9, 0.92 + 0.025 * index)
    scale = np.stack([wide, tall, np.ones_like(wide)], axis=-1)
    middle = np.stack([body.spine(tops), tops, np.full_like(tops, SPINE_DEPTH)], axis=-1)
    placed = (points * scale[:, None] + middle[:, None]).astype(np.float32)
    faint = np.where(index < 7, 0.7, 0.5) * wide  # below, heart and great vessels leave little of it
    weights = (volumes * faint[:, None]).astype(np.float32)
    return [(placed.reshape(-1, 3), weights.ravel())]


def _vertebra(step: float) -> Parts:
    """A vertebra around the origin, x in half widths and y in half heights of its body, z in cm."""
    turn, reach, waist = np.linspace(0, 2 * np.pi, 60), np.linspace(0, 1, 10), np.linspace(-1, 1, 12)
    cos, sin, flat = np.cos(turn), np.sin(turn), np.zeros(60)
    parts = []
    for edge in (-1, 1):  # end plates, slightly tipped so that the beam sees a thin ellipse
        parts.append(_rod(np.stack([cos, edge + 0.12 * sin, 1.2 * sin], -1), 0.12, 0.03, step))
    for side in (RIGHT, LEFT):
        wall = np.stack([side * (0.93 + 0.07 * waist**2), waist, np.zeros(12)], -1)
        pedicle = np.stack([side * 0.62 + 0.15 * cos, -0.3 + 0.4 * sin, flat - 1.5], -1)
        process = np.stack([side * (0.8 + 0.85 * reach), -0.25 - 0.25 * reach, -2 - reach], -1)
        parts += [
            _rod(wall, 0.09, 0.045, step),
            _rod(pedicle, 0.05, 0.09, step),
            _rod(process, 0.2, 0.025, step),
        ]
    parts.append(_rod(np.stack([0.13 * sin, 1.1 - 0.5 * cos, flat - 4.5], -1), 0.06, 0.09, step))
    return parts


def _rod(line: np.ndarray, radius: float, cortex: float, step: float) -> Part:
    """A thin solid edge of bone: points along the line (N, 3), spread over `radius`, with their volumes."""
    length = np.linalg.norm(np.diff(line, axis=0), axis=1)
    along = np.concatenate([[0], np.cumsum(length)])
    stops = np.linspace(0, along[-1], max(4, int(along[-1] / step)), dtype=np.float32)
    middle = np.stack([np.interp(stops, along, column) for column in line.T], axis=-1)
    spread = radius * np.array([(-0.8, -0.5, 0), (0, 0.9, 0), (0.8, -0.4, 0), (0, 0, 0)])
    points = (middle[:, None] + spread).reshape(-1, 3).astype(np.float32)
    return points, np.full(len(points), 2 * np.pi * radius * cortex * along[-1] / len(points), np.float32)


def _bent(
    corners: Sequence[tuple[float, float, float]], radii: list[float], cortex: float, step: float
) -> Part:
    """A tube along a smooth curve through the corners, with these radii at even distances."""
    corner = np.asarray(corners, float)
    line = rounded(corner, closed=False)
    radius = np.interp(np.linspace(0, 1, len(line)), np.linspace(0, 1, len(radii)), radii)
    across = np.broadcast_to([0.05, 0.1, 1.0], line.shape)
    return tube(line, across, np.stack([radius, radius], axis=-1), cortex, step)


def shoulder(body: Body, side: int, step: float) -> Parts:
    """Clavicle, upper arm and the ridges of the shoulder blade on one side."""
    rng = body.rng(2)
    lift, width = rng.normal(0, 0.5) - (1.2 if body.supine else 0), body.cage_width / 13.9
    end = 16.2 * width

    def at(points: Sequence[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
        return [(side * x, y, z) for x, y, z in points]

    clavicle = at(
        [
            (1.5, 5.6, 7.0),
            (3.2, 4.9, 7.4),
            (5.6, 4.4 + 0.3 * lift, 7.2),
            (8.5, 3.5 + 0.6 * lift, 5.5),
            (11.5 * width, 2.4 + lift, 2.6),
            (14.0 * width, 2.0 + lift, 0.5),
            (end - 0.6, 2.2 + lift, 0.0),
        ]
    )
    socket = (end - 0.4, 5.2 + lift)
    head = (socket[0] + 1.9, socket[1] - 0.2)
    sin, cos = np.sin(body.arm), np.cos(body.arm)
    arm = at([(head[0] + reach * sin, head[1] + reach * cos, -1) for reach in (-1.9, 3, 12, 30)])
    parts = [
        _bent(clavicle, [0.85, 0.62, 0.52, 0.50, 0.52, 0.6, 0.6], 0.09, step),
        _bent(arm, [0.5, 1.9, 1.6, 1.3, 1.15, 1.1, 1.1, 1.1, 1.1, 1.1], 0.11, step),
    ]
    turn = np.linspace(0, 2 * np.pi, 40)
    ball = np.stack(
        [side * (head[0] + 2.0 * np.cos(turn)), head[1] + 2.15 * np.sin(turn), np.full(40, -1.0)], axis=-1
    )
    parts.append(_rod(ball, 0.11, 0.06, step))
    inner = body.scapula * width
    parts += [
        _bent(at(line), [radius * 1.1, radius], cortex, step)
        for line, radius, cortex in _blade_ridges(socket, inner)
    ]
    rim = np.stack(
        [side * (socket[0] + 0.1 + 0.5 * np.cos(turn)), socket[1] + 1.9 * np.sin(turn), np.full(40, -3.0)], -1
    )
    parts.append(_rod(rim, 0.12, 0.10, step))
    return parts


def _blade_ridges(socket: tuple[float, float], inner: float) -> list[Ridge]:
    """The ridges of a shoulder blade from its socket (x, y) to its inner edge at x = `inner`."""
    x, y = socket
    top, corner, tip = (inner + 0.4, y - 3.0), (inner, y - 0.5), (inner + 1.7, y + 11.5)
    return [
        ([(*tip, -8), (x - 2.0, y + 6.0, -6), (x - 0.7, y + 1.8, -4)], 0.42, 0.06),
        ([(*tip, -8), (inner + 0.1, y + 6.5, -8.5), (*corner, -8.5), (*top, -7)], 0.2, 0.05),
        ([(*top, -7), (x - 3.2, y - 1.9, -5), (x - 1.0, y - 1.5, -3)], 0.2, 0.08),
        ([(*corner, -9), (x - 3.0, y - 1.6, -8), (x + 1.2, y - 3.1, -5)], 0.45, 0.06),
        ([(x - 1.4, y - 1.2, -2), (x - 2.2, y - 1.6, 1)], 0.5, 0.035),
    ]


def blades(body: Body, canvas: Canvas) -> np.ndarray:
    """The thin plates of both shoulder blades: compact bone float32 (S, S), cm."""
    lift, width = body.rng(2).normal(0, 0.5) - (1.2 if body.supine else 0), body.cage_width / 13.9
    outer, top, inner = 16.2 * width - 0.4, 5.2 + lift, body.scapula * width
    total = np.zeros((canvas.size, canvas.size), np.float32)
    for side in (RIGHT, LEFT):
        plate = [(outer, top - 1), (inner + 0.4, top - 3), (inner, top - 0.5), (inner + 0.1, top + 6.5)]
        plate += [(inner + 1.7, top + 11.5), (outer - 2, top + 6), (outer - 0.7, top + 1.8)]
        corners = np.array([(side * x, y, -7.0) for x, y in plate])
        total += 0.11 * canvas.fill(rounded(body.project(corners)))
        head = np.array([(side * (outer + 1.9), top - 0.2, -1.0)])
        x, y = body.project(head)[0]
        total += 0.07 * canvas.solid(ellipse(x, y, 2.1, 2.3), 3.5, 2.0)
    return canvas.blur(total, 0.05)


def spine(body: Body, canvas: Canvas) -> np.ndarray:
    """The spongy bone inside the vertebrae, one bright band: compact bone float32 (S, S), cm."""
    y = np.linspace(-12, 36, 60)
    half = 1.3 + 0.03 * np.clip(y, 0, None)
    edges = [
        np.stack([body.spine(y) + side * half, y, np.full_like(y, SPINE_DEPTH)], -1) for side in (RIGHT, LEFT)
    ]
    outline = body.project(np.concatenate([edges[0], edges[1][::-1]]))
    return canvas.solid(outline, 0.45, 1.2)


def skeleton(body: Body, canvas: Canvas) -> np.ndarray:
    """All bones on the film: thickness of compact bone float32 (S, S), cm."""
    pixel = max(canvas.width, canvas.height) / canvas.size
    step = max(2 * pixel, 0.07)  # finer shows no more bone, only takes longer
    parts = (
        ribs(body, step)
        + vertebrae(body, step)
        + shoulder(body, RIGHT, step * 0.6)
        + shoulder(body, LEFT, step * 0.6)
    )
    bone = canvas.splat((body.project(points), volumes) for points, volumes in parts)
    tubes = cv2.GaussianBlur(bone, (0, 0), 0.425 * step / pixel)
    total: np.ndarray = (tubes + blades(body, canvas) + spine(body, canvas)) * np.float32(body.bone)
    return total
