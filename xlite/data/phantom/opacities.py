"""Findings that fill or scar the lung. Lengths in cm.

Each takes the chest, random numbers of the patient (`place`: where it is) and of the film (`film`: how far
it has got), changes the chest's layers and returns the thickness that its box encloses, float32 (S, S).
"""

import numpy as np

from xlite.data.phantom.body import LEFT, RIGHT, Body
from xlite.data.phantom.canvas import ellipse, rounded, smooth_step
from xlite.data.phantom.chest import Chest, dome_line

Generator = np.random.Generator


def pick_side(rng: Generator, right: float = 0.55) -> int:
    """RIGHT with this probability, else LEFT."""
    return RIGHT if rng.random() < right else LEFT


def spot(body: Body, side: int, down: float, out: float) -> tuple[float, float]:
    """A point in the lung: `down` 0 apex to 1 base, `out` 0 next to the heart to 1 at the ribs."""
    y = 2.0 + down * (body.dome_of(side) - 3.5)
    inner = 3.0 + (2.2 * down if side == LEFT else 0.8 * down)
    return side * (inner + out * (float(body.cage(np.asarray(y))) - 1.2 - inner)), y


def _patch(
    chest: Chest, rng: Generator, middle: tuple[float, float], across: float, down: float, rough: float
) -> np.ndarray:
    """An uneven ellipse: 1 in its middle, 0 on its edge, negative outside: float32 (S, S)."""
    u, v = (chest.x - middle[0]) / across, (chest.y - middle[1]) / down
    patch: np.ndarray = (
        1 - np.sqrt(u * u + v * v) + rough * chest.canvas.cloud(rng, max(across, down) * 0.7, 2)
    )
    return patch


def _room(chest: Chest) -> np.ndarray:
    return chest.lung * (1 - chest.body.air_weight)


def infiltration(chest: Chest, place: Generator, film: Generator) -> np.ndarray:
    """Ill-defined hazy patches."""
    patches = []
    first = pick_side(place)
    for number in range(int(place.choice([1, 2, 3], p=[0.5, 0.3, 0.2]))):
        side = first if number == 0 or place.random() < 0.35 else -first
        middle = spot(chest.body, side, place.uniform(0.35, 1.0), place.uniform(0.1, 0.75))
        across, down = place.uniform(1.8, 5.4), place.uniform(2.0, 6.8)
        shape = smooth_step(_patch(chest, place, middle, across, down, 0.18), -0.15, 0.9)
        streaks = np.clip(0.7 + 0.28 * chest.canvas.cloud(place, 1.4, 3), 0, 2)
        haze = film.uniform(0.6, 3.2) * shape * streaks * np.clip(chest.lung / 8, 0, 1)
        chest.fluid += haze
        patches.append(haze)
    return patches[0]


def consolidation(chest: Chest, place: Generator, film: Generator) -> np.ndarray:
    """Dense filling; the bronchi in it stay open and show as dark branches."""
    side = pick_side(place)
    middle = spot(chest.body, side, place.uniform(0.25, 1.0), place.uniform(0.1, 0.7))
    grow = film.uniform(0.75, 1.15)
    shape = _patch(chest, place, middle, grow * place.uniform(1.8, 5.4), grow * place.uniform(2.0, 5.8), 0.26)
    dense = chest.canvas.blur(smooth_step(shape, -0.15, 0.85), 0.3) * film.uniform(0.25, 0.8)
    dense = dense * np.clip(0.85 + 0.2 * chest.canvas.cloud(place, 1.5, 3), 0.3, 1.2)
    hilum = np.array([side * 3.6, 10.5])
    ahead = np.arctan2(middle[1] - hilum[1], middle[0] - hilum[0])
    for turn in place.uniform(-0.7, 0.7, 3):
        reach = np.hypot(middle[0] - hilum[0], middle[1] - hilum[1]) + place.uniform(1, 3)
        bend = ahead + turn + place.normal(0, 0.2)
        middle_point = hilum + 0.5 * reach * np.array(
            [np.cos(ahead + 0.3 * turn), np.sin(ahead + 0.3 * turn)]
        )
        line = rounded(
            [
                tuple(hilum),
                tuple(middle_point),
                tuple(hilum + reach * np.array([np.cos(bend), np.sin(bend)])),
            ],
            False,
        )
        dense = dense * (
            1 - 0.16 * chest.canvas.blur(chest.canvas.stroke(line, place.uniform(0.2, 0.38)), 0.06)
        )
    added: np.ndarray = dense * _room(chest)
    chest.fluid += added
    return added


def pneumonia(chest: Chest, place: Generator, film: Generator) -> np.ndarray:
    """Patchy filling of a lobe, often with a fissure as its sharp edge."""
    side = pick_side(place)
    upper = place.random() < 0.35
    down = place.uniform(0.12, 0.35) if upper else place.uniform(0.6, 1.0)
    middle = spot(chest.body, side, down, place.uniform(0.2, 0.7))
    across, tall = place.uniform(1.9, 5.2), place.uniform(1.9, 5.2)
    shape = smooth_step(_patch(chest, place, middle, across, tall, 0.17), -0.15, 0.8)
    if side == RIGHT and place.random() < 0.7:
        fissure = 10.6 + 0.06 * chest.x + place.normal(0, 0.5) + 0.25 * np.sin(chest.x * 0.5)
        beyond = (chest.y - fissure) * (-1 if upper else 1)
        shape = shape * smooth_step(beyond, -0.12, 0.12)
    patches = np.clip(0.75 + 0.22 * chest.canvas.cloud(place, 2.0, 3), 0.1, 1.4)
    added: np.ndarray = film.uniform(0.16, 0.62) * shape * patches * _room(chest)
    chest.fluid += added
    if place.random() < 0.25:
        other = spot(chest.body, -side, place.uniform(0.6, 1.0), place.uniform(0.2, 0.6))
        chest.fluid += (
            0.25 * smooth_step(_patch(chest, place, other, 3, 3, 0.3), 0, 0.8) * patches * _room(chest)
        )
    return added


def edema(chest: Chest, place: Generator, film: Generator) -> np.ndarray:
    """Fluid around both hila like a bat's wings, short lines at the bases, blurred vessels."""
    body, canvas = chest.body, chest.canvas
    strength = film.uniform(0.3, 1.2)
    total = np.zeros_like(chest.lung)
    for side, grow in ((RIGHT, place.uniform(0.85, 1.15)), (LEFT, place.uniform(0.8, 1.1))):
        u, v = (chest.x - side * 4.6) / (3.9 * grow), (chest.y - 11.8) / (6.0 * grow)
        total += np.exp(-(u * u + v * v)) + 0.35 * smooth_step(chest.y, 8, 20) * chest.side(side)
    texture = np.clip(0.75 + 0.33 * canvas.cloud(place, 1.6, 4), 0.1, 2)
    haze = 3.1 * strength * total * texture * np.clip(chest.lung / 8, 0, 1)
    lines = np.zeros_like(haze)
    for side in (RIGHT, LEFT):
        for _ in range(int(place.integers(5, 12))):
            y = place.uniform(body.dome_of(side) - 6, body.dome_of(side) + 1.5)
            edge = float(body.cage(np.asarray(y))) - 0.15
            reach, tip = place.uniform(0.8, 2.0), place.normal(0, 0.15)
            lines += canvas.stroke(np.array([(side * edge, y), (side * (edge - reach), y + tip)]), 0.1)
    chest.marking = 0.5 * chest.marking + 0.65 * canvas.blur(chest.marking, 0.18)
    chest.fluid += haze + 0.5 * strength * canvas.blur(lines, 0.04)
    return haze


def fibrosis(chest: Chest, place: Generator, film: Generator) -> np.ndarray:
    """A net of scars, most of it at the bases and the periphery."""
    body, canvas = chest.body, chest.canvas
    apical = place.random() < 0.25
    total = np.zeros_like(chest.lung)
    for side, share in ((RIGHT, place.uniform(0.15, 1)), (LEFT, place.uniform(0.15, 1))):
        end = body.dome_of(side)
        zone = smooth_step(chest.y, 9, 2) if apical else smooth_step(chest.y, end - 10, end - 1)
        outer = 0.35 + 0.65 * np.exp(-np.clip(chest.wall_gap, 0, None) / 2.5)
        total += share * zone * outer * chest.side(side)
    patches = np.clip(0.7 + 0.5 * canvas.cloud(place, 4.0, 2), 0, 2)
    net = np.zeros_like(total)
    for scale in (1.1, 0.75):
        net += np.exp(-((canvas.cloud(place, scale, 1) / 0.28) ** 2))
    scars = film.uniform(1.2, 4.0) * total * patches * (net + 0.35) * np.clip(chest.lung / 5, 0, 1)
    chest.fluid += scars
    return scars


def _lump(
    chest: Chest, place: Generator, middle: tuple[float, float], radius: float, rough: float
) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    waves = (place.normal(0, rough / k) * np.cos(k * turn + place.uniform(0, 6.3)) for k in range(2, 8))
    wave = sum(waves, np.zeros(len(turn)))
    outline = ellipse(*middle, radius, radius * place.uniform(0.8, 1.1), place.uniform(0, 3))
    outline = np.array(middle) + (outline - middle) * (1 + wave)[:, None]
    return chest.canvas.blur(chest.canvas.solid(outline, 1.75 * radius, radius), 0.05 + 0.03 * radius)


def mass(chest: Chest, place: Generator, film: Generator) -> np.ndarray:
    """One round lesion of 3 to 8 cm, smooth, lobed or with spikes."""
    side = pick_side(place)
    radius = (1.55 + min(place.gamma(1.6, 0.55), 2.6)) * film.uniform(0.97, 1.05)
    middle = spot(chest.body, side, place.uniform(0.1, 0.95), place.uniform(0.0, 0.75))
    lump = _lump(chest, place, middle, radius, place.uniform(0.02, 0.09))
    if place.random() < 0.4:
        for turn in place.uniform(0, 2 * np.pi, 14):
            ray = np.array([np.cos(turn), np.sin(turn)])
            line = np.array(middle) + np.array([[0.8 * radius], [radius * place.uniform(1.15, 1.6)]]) * ray
            lump += 0.4 * chest.canvas.blur(chest.canvas.stroke(line, 0.12), 0.05)
    lump = film.uniform(0.45, 1.0) * lump * np.clip(chest.lung / 4, 0.15, 1)
    chest.fluid += lump
    return lump


def nodule(chest: Chest, place: Generator, film: Generator) -> np.ndarray:
    """One or a few round lesions below 3 cm, now and then calcified."""
    lumps = []
    calcified = place.random() < 0.2
    for _ in range(int(place.choice([1, 2, 3, 5], p=[0.62, 0.2, 0.12, 0.06]))):
        radius = place.uniform(0.35, 1.4) if not calcified else place.uniform(0.3, 0.7)
        middle = spot(chest.body, pick_side(place), place.uniform(0.05, 0.95), place.uniform(0.12, 0.92))
        lump = _lump(chest, place, middle, radius, 0.04) * np.clip(chest.lung / 4, 0.1, 1)
        chest.fluid += film.uniform(0.55, 1.2) * lump
        if calcified:
            chest.bone += 0.35 * lump
        lumps.append(lump)
    return lumps[0]


def atelectasis(chest: Chest, place: Generator, film: Generator) -> np.ndarray:
    """Collapsed lung: plates near the base, or an airless wedge beside the heart or at the upper fissure."""
    body, canvas = chest.body, chest.canvas
    side = pick_side(place, 0.5)
    kind = place.choice(["plate", "base", "upper"], p=[0.6, 0.3, 0.1])
    base = body.dome_of(side)
    if kind == "plate":
        box = np.zeros_like(chest.lung)
        for number in range(int(place.integers(1, 4))):
            y = base - place.uniform(0.8, 5.5) - 0.5 * number
            start = side * place.uniform(3.5, 6.0)
            end = start + side * place.uniform(2.5, 6.0)
            tip = place.normal(0, 0.9)
            line = rounded(
                [(start, y), ((start + end) / 2, y + tip * 0.4 - 0.3), (end, y + tip)], closed=False
            )
            band = canvas.blur(canvas.stroke(line, place.uniform(0.2, 0.6)), 0.16)
            box += film.uniform(0.7, 2.8) * band * np.clip(chest.lung / 5, 0, 1)
        chest.fluid += box + 0.5 * canvas.blur(box, 0.7)
        return box
    if kind == "base":
        wedge = [(side * 1.0, 12.0), (side * place.uniform(6.5, 10.0), base + 1.5), (side * 1.0, base + 3.0)]
    else:
        wedge = [
            (side * 1.0, 1.0),
            (side * 9.0, 2.0),
            (side * 7.5, 4.8),
            (side * 3.0, place.uniform(7.0, 9.0)),
        ]
    shape = canvas.blur(canvas.fill(rounded(wedge)), 0.3)
    patches = np.clip(0.85 + 0.2 * canvas.cloud(place, 2, 2), 0, 1.1)
    airless: np.ndarray = film.uniform(0.28, 0.85) * shape * patches * _room(chest)
    chest.fluid += airless
    return airless


def base_line(chest: Chest, side: int) -> np.ndarray:
    """Height (y) of the diaphragm on this side under every pixel, float32 (S, S)."""
    return dome_line(chest.body, chest.x, side)
