"""Soft tissue, lungs, diaphragm, heart and great vessels as thickness along the beam, cm."""

from dataclasses import dataclass, fields, replace
from functools import partial

import numpy as np

from xlite.data.phantom.body import LEFT, RIGHT, Body
from xlite.data.phantom.canvas import Canvas, ellipse, rounded, smooth_step


@dataclass
class Chest:
    """One patient on one film in layers: float32 (S, S), cm along the beam if nothing else is said."""

    body: Body
    canvas: Canvas
    x: np.ndarray
    y: np.ndarray
    tissue: np.ndarray  # the whole body as if it were all water
    lung: np.ndarray  # aerated lung
    wall_gap: np.ndarray  # distance to the chest wall or the apex, seen from the lung
    marking: np.ndarray  # blood in the lung's vessels
    fluid: np.ndarray  # fluid in the air spaces
    other: np.ndarray  # water added elsewhere; gas counts negative
    free_air: np.ndarray  # share of the lung replaced by air of the pleural space, 0-1
    bone: np.ndarray  # compact bone

    def side(self, side: int) -> np.ndarray:
        """1 on this side of the spine, 0 on the other: float32 (S, S)."""
        return smooth_step((self.x - self.body.spine(self.y)) * side, -0.2, 0.2)

    def every(self, step: int) -> "Chest":
        """The same chest by one pixel in `step` ** 2."""
        names = [field.name for field in fields(self)][2:]  # all but body and canvas are layers
        layers = [np.ascontiguousarray(getattr(self, name)[::step, ::step]) for name in names]
        return Chest(self.body, replace(self.canvas, size=len(layers[0])), *layers)


def build_chest(body: Body, canvas: Canvas) -> Chest:
    """The healthy chest without vessels and bones."""
    x, y = canvas.grid()
    tissue = canvas.smooth(partial(_outer, body), every=2)
    tissue += _breasts(body, canvas, y)
    lung, gap = _lungs(body, canvas, x, y)
    centre, heart = _mediastinum(body, canvas, x, y)
    lung = np.clip(lung - np.sqrt(centre**2 + heart**2), 0, None)
    lung = canvas.blur(lung, 0.045)
    zero = np.zeros_like(lung)
    chest = Chest(
        body, canvas, x, y, tissue, lung, gap, zero, zero.copy(), zero.copy(), zero.copy(), zero.copy()
    )
    chest.other += _airways(body, canvas) + _belly_gas(body, canvas)
    chest.fluid += np.clip(0.35 + 0.3 * canvas.cloud(body.rng(10), 1.1, 3), 0, None) * np.clip(lung / 9, 0, 1)
    chest.other += 0.35 * canvas.blur(canvas.cloud(body.rng(3), 5.0, 2), 0.3) * smooth_step(tissue, 2, 8)
    return chest


def _capsule(
    x: np.ndarray,
    y: np.ndarray,
    start: tuple[float, float],
    end: tuple[float, float],
    radii: tuple[float, float],
) -> np.ndarray:
    """A round limb between two points with these radii at its ends: chord length, cm."""
    right, down = float(end[0] - start[0]), float(end[1] - start[1])
    share = np.clip(((x - start[0]) * right + (y - start[1]) * down) / (right**2 + down**2), 0, 1)
    radius = radii[0] + (radii[1] - radii[0]) * share
    far2 = (x - start[0] - share * right) ** 2 + (y - start[1] - share * down) ** 2
    return 2 * np.sqrt(np.clip(radius**2 - far2, 0, None))


def _outer(body: Body, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    width, wall = body.cage_width / 13.9, body.wall
    bulge = 0.9 * wall * smooth_step(y, body.dome[0] - 2, body.dome[0] + 9)
    half = body.cage(y) + wall + bulge
    deep = body.depth(y) + 0.6 + 0.42 * wall + 0.35 * bulge
    inside = np.clip(1 - np.abs(x / half) ** 2.3, 0, None)
    layers = [2 * deep * np.sqrt(inside) * smooth_step(y, -2.2, 2.5)]
    neck = 5.0 + 0.5 * wall - (0.5 if body.female else 0)
    layers.append(1.05 * _capsule(x, y, (0, -16), (0, 1.5), (neck, neck + 0.8)))
    chin = body.rng(11).normal(-11.5 if body.supine else -13.5, 2.2)
    layers.append(1.2 * _capsule(x, y, (6 * body.turn, chin - 4), (6 * body.turn, chin - 16), (5.5, 7.5)))
    drop = -0.8 if body.supine else 0.2
    for side in (RIGHT, LEFT):
        tip = (side * 15.6 * width, 3.3 + drop + 0.25 * wall)
        layers.append(
            1.3 * _capsule(x, y, (side * 3.2, -1.6 + drop), tip, (3.3 + 0.4 * wall, 3.4 + 0.5 * wall))
        )
        elbow = (tip[0] + side * (2.4 + 36 * np.sin(body.arm)), tip[1] + 36 * np.cos(body.arm))
        start = (tip[0] + side * 1.6, tip[1] + 0.6)
        layers.append(1.15 * _capsule(x, y, start, elbow, (3.5 + 0.55 * wall, 3.2 + 0.5 * wall)))
        layers.append(
            _capsule(x, y, (0, -9), (side * 13 * width, 2.6 + drop), (3.4 + 0.25 * wall, 2.4 + 0.25 * wall))
        )
    thickness: np.ndarray = np.cbrt(sum(layer * layer * layer for layer in layers)).astype(np.float32)
    return thickness


def _breasts(body: Body, canvas: Canvas, y: np.ndarray) -> np.ndarray:
    total = np.zeros((canvas.size, canvas.size), np.float32)
    if body.breast < 0.1:
        return total
    rng = body.rng(4)
    low, out = rng.uniform(15.5, 19.5) + 1.6 * body.breast, rng.uniform(0.56, 0.74) * body.cage_width
    fall = rng.uniform(-0.5, 0.1)
    across, down = rng.uniform(4.6, 5.8) + 1.6 * body.breast, rng.uniform(4.8, 6.0) + 1.7 * body.breast
    for side in (RIGHT, LEFT):
        middle = side * (out + rng.normal(0, 0.4) + (1.4 if body.supine else 0))
        shape = rounded(ellipse(middle, low + rng.normal(0, 0.5), across, down, side * fall))
        fade = smooth_step(y, low - down, low + 0.7 * down)
        total += canvas.solid(shape, 2.4 + 2.6 * body.breast, 0.85 * across) * fade
    return total


def dome_line(body: Body, x: np.ndarray, side: int) -> np.ndarray:
    """Height (y) of the diaphragm's silhouette on this side at x."""
    wide = float(body.cage(np.asarray(body.dome_of(side) + 2.0)))
    top = 0.46 * wide
    out = x * side - top
    lateral = np.clip(out / (wide - top + 0.15), 0, 1)
    medial = np.clip(-out / top, 0, 1.4)
    height: np.ndarray = (
        body.dome_of(side)
        + body.dome_drop * (0.45 * (1 - np.sqrt(1 - lateral**2.2)) + 0.55 * lateral**2)
        + 0.28 * body.dome_drop * medial**2
    )
    return height


def _domes(body: Body, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    to_left = smooth_step(x, -1.5, 1.5)
    height: np.ndarray = dome_line(body, x, RIGHT) * (1 - to_left) + dome_line(body, x, LEFT) * to_left
    return height


def _lungs(body: Body, canvas: Canvas, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lung thickness, cm, as if there were no mediastinum, and the distance to wall and apex."""
    half = canvas.smooth(lambda _, y: body.cage(y))
    deep = canvas.smooth(lambda _, y: body.depth(y))
    top = canvas.smooth(partial(_domes, body))
    out = np.abs(x)
    reach = deep * np.sqrt(np.clip(1 - np.square(out / half), 0, None))
    below = y - top
    covered = deep * np.sqrt(np.clip(below, 0, None) / 5.0)
    summit = 1.2
    hidden = _soft_floor(summit - covered + reach) + _soft_floor(reach - summit - covered)
    apex = -0.9 + 0.12 * np.square(out - 4.3)
    lung = np.clip(np.where(below > 0, hidden, 2 * reach), 0, 2 * reach)
    lung *= np.sqrt(np.clip((y - apex) / 3.5, 0, 1)) * (1 - smooth_step(below, 2.5, 6.5))
    lung *= 1 - 0.5 * np.exp(-np.square(np.square(x / 3.2))) * smooth_step(below, -4.0, 1.0)
    return lung, np.minimum(half - out, 0.85 * (y - apex))


def _soft_floor(value: np.ndarray) -> np.ndarray:
    soft: np.ndarray = 0.5 * (value + np.sqrt(np.square(value) + 2.0)) - 0.25
    return soft


def heart_outline(body: Body) -> np.ndarray:
    """Silhouette of heart and pericardium: polygon (N, 2), cm."""
    width = 2 * body.heart_ratio * float(body.cage(np.asarray(18.0)))
    floor = (body.dome[0] + body.dome[1]) / 2 + 1.0
    top = 9.6
    tall = (floor - top) / 11.4
    share = body.rng(5).normal(0.30, 0.03)
    right, left = share * width, (1 - share) * width
    fullness = body.rng(6).normal(0, 0.025)
    corners = [
        (-2.2, -0.6), (-0.82 * right, 2.6), (-1.02 * right, 5.5), (-1.03 * right, 8.4), (-0.82 * right, 11.2),
        (-0.6 * right, 14.5), (0.35 * left, 15.0), (0.85 * left, 13.9), (1.01 * left, 12.3),
        (1.04 * left, 10.2), ((0.96 + fullness) * left, 7.3), ((0.82 + fullness) * left, 5.0),
        ((0.65 + fullness) * left, 2.8), (0.50 * left, 0.9), (0.36 * left, -0.8), (0.0, -1.8),
    ]  # fmt: skip
    points = np.array(corners) * [1.0, tall] + [0.0, top]
    squeeze = np.clip((points[:, 1] - top) / 10, 0, 1)[:, None]
    return rounded(points + squeeze * [[np.tan(body.turn) * 3.0, 0]])


def _mediastinum(body: Body, canvas: Canvas, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rng = body.rng(7)
    swing = float(6 * np.tan(body.turn))
    middle = np.abs(x - body.spine(y) - 0.1)
    wide = 2.7 + 0.05 * np.clip(y - 12, 0, None)
    column = 11.0 * np.exp(-np.square(np.square(middle / (0.82 * wide))))
    heart = canvas.solid(heart_outline(body), 9.8 + 6 * max(body.heart_ratio - 0.45, 0), 5.2)
    vena = rng.normal(2.75, 0.35) + (0.5 if body.supine else 0)
    left = rng.normal(2.6, 0.3) + (0.35 if body.supine else 0)
    trunk = np.array(
        [(-2.3, -4), (-2.4, 1), (-vena, 4), (-vena - 0.1, 8), (-vena - 0.3, 12), (0, 13), (3.4, 11.5)]
        + [(3.2, 9), (left, 7), (left, 3), (2.3, 0), (2.1, -4)]
    )
    trunk = rounded(trunk + rng.normal(0, 0.22, trunk.shape))
    upper = canvas.blur(canvas.solid(trunk + [swing * 0.5, 0], 7.0, 1.7), 0.14)
    knob_x = 2.15 + 0.35 * body.knob + swing * 0.2
    knob = canvas.solid(
        ellipse(knob_x, 6.1 + 0.3 * (body.knob - 1.5), body.knob, 1.15 * body.knob), 5.0, body.knob
    )
    fall = rng.uniform(1.5, 2.2) + 0.5 * (body.knob - 1.4)
    aorta_line = rounded(
        [(knob_x, 6), (knob_x - 0.1, 9), (fall, 14), (fall - 0.4, 19), (0.6, 24)], closed=False
    )
    aorta = 2.6 * canvas.blur(canvas.stroke(aorta_line, 2.5), 0.12)
    artery = canvas.solid(ellipse(3.3 + swing * 0.4, 9.1, 1.35, 1.6, 0.5), 3.5, 1.2)
    centre = np.sqrt(column**2 + upper**2 + knob**2 + artery**2 + aorta**2)
    return centre.astype(np.float32), heart


def _airways(body: Body, canvas: Canvas) -> np.ndarray:
    """Windpipe and main bronchi, as negative water."""
    shift = float(body.rng(8).normal(-0.25, 0.2)) + 4 * np.tan(body.turn)
    pipe = canvas.stroke(rounded([(shift * 0.3, -12), (shift * 0.6, 0), (shift, 7.4)], closed=False), 1.75)
    right = canvas.stroke(rounded([(shift, 7.0), (shift - 1.6, 9.0), (shift - 2.6, 11.2)], closed=False), 1.1)
    left = canvas.stroke(rounded([(shift, 7.0), (shift + 2.1, 9.1), (shift + 4.0, 10.3)], closed=False), 0.95)
    return -canvas.blur(2.9 * np.maximum(pipe, np.maximum(0.35 * right, 0.35 * left)), 0.22)


def _belly_gas(body: Body, canvas: Canvas) -> np.ndarray:
    """The stomach's bubble under the left dome and some bowel gas."""
    rng = body.rng(9)
    gas = np.zeros((canvas.size, canvas.size), np.float32)
    if body.stomach > 0.3:
        wide, tall = rng.uniform(1.4, 4.2), rng.uniform(0.7, 2.4)
        top = body.dome[1] + 0.9
        outline = ellipse(rng.uniform(4.5, 7.5), top + tall, wide, tall, rng.normal(0, 0.15))
        if not body.supine:
            outline[:, 1] = np.minimum(outline[:, 1], top + 1.25 * tall)  # upright: an air-fluid level
        gas += canvas.solid(outline, rng.uniform(2.5, 6.5), 0.6 * wide)
    for _ in range(rng.integers(0, 6)):
        spot = rounded(
            ellipse(
                rng.normal(5, 5),
                body.dome[1] + rng.uniform(5, 11),
                rng.uniform(0.7, 2.2),
                rng.uniform(0.5, 1.3),
            )
            + rng.normal(0, 0.12, (64, 2))
        )
        gas += canvas.solid(spot, rng.uniform(0.8, 2.5), 0.9)
    return -gas
