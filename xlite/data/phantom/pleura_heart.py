"""Findings of the pleura, the heart and the whole chest; lengths, arguments and results as in `opacities`."""

from dataclasses import replace

import numpy as np

from xlite.data.phantom.body import LEFT, RIGHT, Body
from xlite.data.phantom.canvas import ellipse, smooth_step
from xlite.data.phantom.chest import Chest, heart_outline
from xlite.data.phantom.opacities import base_line, pick_side, spot

Generator = np.random.Generator


def reshape(body: Body, findings: tuple[str, ...], place: Generator, film: Generator) -> Body:
    """The body with the build that these findings give it: heart size, domes, chest size."""
    grow, cardio, raise_, fibre = (
        place.random(),
        film.normal(0, 0.012),
        place.random(4).tolist(),
        film.uniform(0.8, 1.2),
    )
    if "Emphysema" in findings:
        flat = 1.2 + 2.4 * grow  # a deep breath in any pose
        body = replace(
            body,
            cage_width=body.cage_width * 1.02,
            cage_depth=body.cage_depth * (1.08 + 0.1 * grow),
            dome=(body.dome[0] + flat, body.dome[1] + flat),
            dome_drop=body.dome_drop * (0.7 - 0.38 * grow),
            heart_ratio=body.heart_ratio * (0.86 - 0.12 * grow),
            air_weight=body.air_weight * (0.82 - 0.3 * grow),
            vessels=body.vessels * (0.72 - 0.25 * grow),
            slope=body.slope * 0.93,
        )
    if "Cardiomegaly" in findings:
        usual = 0.52 if not body.supine else 0.56
        body = replace(body, heart_ratio=max(body.heart_ratio * 1.12, usual + 0.11 * grow) + cardio)
    if "Edema" in findings:
        body = replace(body, heart_ratio=body.heart_ratio + 0.03 * raise_[0], vessels=body.vessels * 1.25)
    if "Atelectasis" in findings:
        body = body.with_dome(pick_side(place, 0.5), -2.0 * raise_[1] * fibre)
    if "Fibrosis" in findings:
        body = body.with_dome(RIGHT, -1.2 * raise_[2]).with_dome(LEFT, -1.2 * raise_[3])
    return body


def cardiomegaly(chest: Chest, place: Generator, film: Generator) -> np.ndarray:
    """The heart, already drawn large by `reshape`: its silhouette above the diaphragm."""
    heart = chest.canvas.fill(heart_outline(chest.body))
    return heart * (chest.y > 8.6) * (chest.y < max(chest.body.dome) + 0.8)


def emphysema(chest: Chest, place: Generator, film: Generator) -> np.ndarray:
    """Overfilled lungs, already shaped by `reshape`; here the bullae."""
    for _ in range(int(place.integers(0, 4))):
        middle = spot(chest.body, pick_side(place, 0.5), place.uniform(0.0, 0.5), place.uniform(0.4, 0.95))
        shape = ellipse(*middle, place.uniform(1.0, 2.8), place.uniform(1.0, 2.8), place.uniform(0, 3))
        inside = chest.canvas.blur(chest.canvas.fill(shape), 0.1)
        wall = chest.canvas.blur(chest.canvas.stroke(np.vstack([shape, shape[:1]]), 0.09), 0.04)
        chest.free_air = np.maximum(chest.free_air, 0.75 * inside * (chest.lung > 1))
        chest.other += 0.5 * wall * np.clip(chest.lung / 6, 0, 1)
    return chest.lung


def effusion(chest: Chest, place: Generator, film: Generator) -> np.ndarray:
    """Fluid that fills a costophrenic angle and climbs the wall; in bed it also lies behind the lung."""
    side = pick_side(place, 0.5)
    sides = [(side, film.uniform(0.8, 1.2))] + (
        [(-side, film.uniform(0.3, 0.9))] if place.random() < 0.3 else []
    )
    height = min(place.gamma(1.5, 2.0), 10.0)
    pools: list[np.ndarray] = []
    for current, share in sides:
        level = chest.body.dome_of(current) + 1.9 - height * share
        outward = np.clip(chest.body.cage(chest.y) - chest.x * current, 0, None)
        rise = 2.0 + 0.35 * height
        inner = 0.25 * rise * np.exp(-np.clip(chest.x * current - 2.5, 0, None) / 1.5)
        surface = level - rise * np.exp(-outward / 1.7) - inner + 0.02 * outward**1.5
        below = chest.y - surface
        full = smooth_step(below, -0.15, 1.1)
        if chest.body.supine:
            full = np.maximum(
                0.9 * smooth_step(below, -0.5, 3.0), 0.32 * smooth_step(chest.y, level - 9, level + 2)
            )
        added = full * chest.lung * chest.side(current)
        chest.lung = chest.lung - added
        pools.append(added * smooth_step(below, -0.5, 0.5))
    return pools[0]


def pneumothorax(chest: Chest, place: Generator, film: Generator) -> np.ndarray:
    """Air between lung and chest wall: a fine pleural line and no markings beyond it."""
    side = pick_side(place)
    wide = (0.45 + min(place.gamma(1.6, 0.8), 4.4)) * film.uniform(0.8, 1.25)
    # some reach down along the whole lung, most stay above
    low = place.uniform(0.5, 0.9) if place.random() < 0.3 else place.uniform(-0.25, 0.2)
    edge = wide * (low + (1 - low) * smooth_step(chest.y, 16, 2)) + 0.10 * chest.canvas.cloud(place, 5.0, 1)
    inside = chest.lung * chest.side(side) > 0.3
    beyond = smooth_step(edge - chest.wall_gap, -0.05, 0.05) * inside
    line = np.exp(-(((chest.wall_gap - edge) / 0.075) ** 2)) * inside * (edge > 0.25)
    chest.free_air = np.maximum(chest.free_air, beyond)
    chest.other += 0.55 * line
    squeezed = (1 - beyond) * chest.side(side) * chest.lung * min(0.16, 0.035 * wide)
    chest.fluid += squeezed
    freed: np.ndarray = beyond * np.clip(chest.lung / 3, 0, 1)
    return freed


def pleural_thickening(chest: Chest, place: Generator, film: Generator) -> np.ndarray:
    """A band along the side wall or a cap over the apex, uneven, sometimes calcified."""
    side = pick_side(place, 0.5)
    thick = place.uniform(0.4, 1.5) * film.uniform(0.9, 1.1)
    low, high = (-2.0, place.uniform(3.5, 6.0)) if place.random() < 0.5 else (place.uniform(6, 12), 26.0)
    zone = (
        smooth_step(chest.y, low - 1, low + 1) * smooth_step(chest.y, high + 1, high - 1) * chest.side(side)
    )
    depth = thick * (1 + 0.2 * chest.canvas.cloud(place, 2.0, 2))
    band = smooth_step(depth - chest.wall_gap, -0.12, 0.2) * zone
    added: np.ndarray = np.minimum(film.uniform(1.3, 4.5) * band, chest.lung)
    chest.fluid += added
    if place.random() < 0.2:
        chest.bone += 0.12 * band * (chest.canvas.cloud(place, 0.6, 2) > 0.6)
    blunt = smooth_step(chest.y - base_line(chest, side) + 1.6 - 0.4 * chest.wall_gap, -0.2, 0.5)
    chest.fluid += 2.0 * blunt * smooth_step(chest.wall_gap, 2.5, 0.5) * chest.side(side) * (high > 20)
    return added


def hernia(chest: Chest, place: Generator, film: Generator) -> np.ndarray:
    """A part of the stomach behind the heart: a round shadow, air above a level of fluid."""
    radius = place.uniform(1.9, 4.6)
    middle = (place.normal(1.6, 1.4), min(chest.body.dome) - 0.45 * radius)
    shadow = chest.canvas.solid(ellipse(*middle, radius, 0.9 * radius), 4.5, 1.2)
    inner = ellipse(*middle, radius - 0.35, 0.9 * radius - 0.35)
    if not chest.body.supine:
        inner[:, 1] = np.minimum(inner[:, 1], middle[1] + film.uniform(-0.4, 0.5) * radius)
    gas = chest.canvas.solid(inner, film.uniform(4.0, 6.5), 1.8)
    filled = np.minimum(shadow, chest.lung)
    chest.fluid += filled
    chest.other -= gas
    return shadow
