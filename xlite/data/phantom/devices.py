"""Things on or in the patient: letters, electrodes, wires, tubes, a pacemaker. In cm of water."""

import cv2
import numpy as np

from xlite.data.phantom.body import LEFT, RIGHT, Body
from xlite.data.phantom.canvas import Canvas, ellipse, rounded

Generator = np.random.Generator


def _wire(canvas: Canvas, points: list[tuple[float, float]], width: float, depth: float) -> np.ndarray:
    return depth * canvas.blur(canvas.stroke(rounded(points, closed=False), width), 0.03)


def _electrode(canvas: Canvas, middle: tuple[float, float]) -> np.ndarray:
    ring = ellipse(*middle, 0.55, 0.55)
    ring = canvas.stroke(np.vstack([ring, ring[:1]]), 0.12)
    return 1.6 * ring + 3.0 * canvas.fill(ellipse(*middle, 0.28, 0.28))


def _leads(canvas: Canvas, rng: Generator) -> np.ndarray:
    total = np.zeros((canvas.size, canvas.size), np.float32)
    away = (rng.choice([-1, 1]) * rng.uniform(6, 16), rng.uniform(26, 34))
    for x, y in ((-9, 5), (9, 5), (-10, 19), (10.5, 19), (1, 14))[: rng.integers(2, 6)]:
        start = (x + rng.normal(0, 1.3), y + rng.normal(0, 1.5))
        total += _electrode(canvas, start)
        middle = (
            0.5 * (start[0] + away[0]) + rng.normal(0, 3),
            0.5 * (start[1] + away[1]) + rng.normal(0, 2),
        )
        total += _wire(canvas, [start, (start[0] + rng.normal(0, 2), start[1] + 3), middle, away], 0.14, 0.9)
    return total


def _tubes(body: Body, canvas: Canvas, rng: Generator) -> np.ndarray:
    total = np.zeros((canvas.size, canvas.size), np.float32)
    chance = rng.random(4)
    if chance[0] < 0.35:  # breathing tube, its tip above the carina
        tip = rng.uniform(2.5, 6.0)
        for shift in (-0.35, 0.35):
            total += _wire(canvas, [(shift, -14), (shift - 0.1, -4), (shift - 0.2, tip)], 0.12, 0.8)
    if chance[1] < 0.35:  # stomach tube
        total += _wire(canvas, [(0.6, -14), (0.5, 2), (0.3, 12), (1.2, 19), (4.5, 24), (7, 26)], 0.22, 1.1)
    if chance[2] < 0.5:  # central line from the neck or below the clavicle
        start = [(-4.0, -8), (-4.2, -2)] if rng.random() < 0.5 else [(-14, 6), (-8, 3.4)]
        total += _wire(canvas, [*start, (-3.4, 3), (-2.5, 6), (-2.6, rng.uniform(8.5, 12.5))], 0.16, 1.0)
    if chance[3] < 0.07:  # pacemaker below the left clavicle
        middle = (rng.uniform(7.5, 9.5), rng.uniform(5.5, 7.0))
        total += 7 * canvas.fill(
            rounded(np.array(middle) + [(-1.9, -1.6), (1.9, -1.9), (2.1, 0.6), (0.6, 2.2), (-1.9, 1.7)])
        )
        total += _wire(canvas, [middle, (5, 3.5), (0, 4.5), (-2.6, 8), (-2.2, 14), (2.0, 19)], 0.16, 2.5)
    return total


def chest_drain(canvas: Canvas, body: Body, side: int, rng: Generator) -> np.ndarray:
    """A drain from the side wall up into the pleural space: float32 (S, S)."""
    y = rng.uniform(14, 19)
    edge = float(body.cage(np.asarray(y)))
    path = [(side * (edge + 4), y + 3), (side * (edge - 0.5), y), (side * (edge - 2.5), y - 5)]
    return _wire(canvas, [*path, (side * rng.uniform(4, 7), rng.uniform(3, 8))], 0.35, 0.9)


def _sternal_wires(canvas: Canvas, rng: Generator) -> np.ndarray:
    total = np.zeros((canvas.size, canvas.size), np.float32)
    for y in np.linspace(5.5, 18, rng.integers(4, 7)):
        loop = ellipse(rng.normal(0.2, 0.15), y, rng.uniform(0.5, 0.8), 0.3, rng.normal(0, 0.25))
        total += 2.5 * canvas.stroke(loop, 0.08)
    return total


def hardware(body: Body, canvas: Canvas, findings: tuple[str, ...], view: str, rng: Generator) -> np.ndarray:
    """All devices that cast a shadow: cm of water, float32 (S, S). Sicker patients carry more."""
    total = np.zeros((canvas.size, canvas.size), np.float32)
    sick = view == "AP"
    chance = rng.random(4)
    if chance[0] < (0.65 if sick else 0.05):
        total += _leads(canvas, rng)
    if chance[1] < (0.5 if sick else 0.1):
        total += _tubes(body, canvas, rng)
    if chance[2] < 0.05 + (0.08 if body.age > 55 else 0):
        total += _sternal_wires(canvas, rng)
    if chance[3] < (0.25 if {"Pneumothorax", "Effusion"} & set(findings) else 0.02):
        total += chest_drain(canvas, body, rng.choice([LEFT, RIGHT]), rng)
    return total


def _letters(size: int, text: str, tall: float, turn: float, mirrored: bool, ringed: bool) -> np.ndarray:
    scale, thick = tall * size / 22, max(1, round(tall * size / 9))
    (wide, high), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    side = int(np.hypot(wide, high + below)) + 2 * thick + 4
    patch = np.zeros((side, side), np.uint8)
    if ringed:
        cv2.circle(patch, (side // 2, side // 2), side // 2 - thick, 255, thick, cv2.LINE_AA)
    corner = ((side - wide) // 2, (side + high) // 2)
    cv2.putText(patch, text, corner, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thick, cv2.LINE_AA)
    around = cv2.getRotationMatrix2D((side / 2, side / 2), turn, 1.0)
    turned: np.ndarray = cv2.warpAffine(patch, around, (side, side), flags=cv2.INTER_LINEAR)
    return turned[:, ::-1] if mirrored else turned


def add_marker(film: np.ndarray, view: str, rng: Generator) -> np.ndarray:
    """The film, uint8 (S, S), with the side letter and on AP films now and then `PORTABLE`."""
    size = len(film)
    notes = []
    if rng.random() < 0.9:
        notes.append(
            (
                "L",
                rng.uniform(0.024, 0.05),
                rng.uniform(0.8, 0.96),
                rng.uniform(0.04, 0.32),
                rng.random() < 0.08,
            )
        )
        if rng.random() < 0.3:
            name = "".join(rng.choice(list("ABCDGJKMRSTV"), 2))
            notes.append((name, 0.022, notes[0][2] + 0.01, notes[0][3] + 0.055, False))
    if view == "AP" and rng.random() < 0.45:
        spot = [(0.12, 0.08), (0.86, 0.93), (0.12, 0.93), (0.83, 0.05)][rng.integers(4)]
        notes.append(("PORTABLE", 0.016, *spot, False))
        if rng.random() < 0.5:
            notes.append(("AP", 0.016, spot[0], spot[1] + 0.028, False))
    out, bright, ringed = film.astype(np.float32), rng.uniform(185, 252), rng.random() < 0.25
    for text, tall, x, y, mirrored in notes:
        turn = rng.normal(0, 9) + 90 * (rng.random() < 0.08) if text == "L" else 0
        patch = _letters(size, text, tall, turn, mirrored, ringed and text == "L")
        top, left = int(y * size) - len(patch) // 2, int(x * size) - len(patch) // 2
        top, left = (int(np.clip(value, 0, max(0, size - len(patch)))) for value in (top, left))
        part = out[top : top + len(patch), left : left + len(patch)]
        alpha = patch[: part.shape[0], : part.shape[1]].astype(np.float32) / 255
        part += alpha * (np.maximum(part, bright) - part)
    return np.round(out).astype(np.uint8)
