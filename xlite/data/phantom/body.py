"""A patient's build and how the patient stands before the film. Lengths in cm, angles in rad.

x grows to the patient's left (the film's right), y downwards from the first rib, z to the front.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from xlite.data.phantom.canvas import Canvas

LEFT, RIGHT = 1, -1
SPINE_DEPTH = -5.5


@dataclass(frozen=True)
class Body:
    """The build and pose of one patient on one film, all that the drawing needs."""

    female: bool
    age: float
    cage_width: float
    cage_depth: float
    wall: float
    heart_ratio: float
    dome: tuple[float, float]  # height (y) of the right and left dome of the diaphragm
    dome_drop: float  # how far a dome falls from its top to the chest wall
    air_weight: float  # density of aerated lung, water = 1
    vessels: float
    knob: float
    bone: float
    slope: float  # how steeply the ribs run down, 1 is usual
    scoliosis: float
    breast: float
    stomach: float
    supine: bool
    turn: float
    tilt: float
    arm: float
    scapula: float  # x of the shoulder blade's inner border
    seed: tuple[int, int]  # of the patient's own random details

    def rng(self, detail: int) -> np.random.Generator:
        """Random numbers that belong to this patient, the same on every film."""
        return np.random.default_rng([*self.seed, detail])

    def cage(self, y: np.ndarray) -> np.ndarray:
        """Half the inner width of the rib cage at height y."""
        share = np.clip((y + 1.6) / 15.5, 0.01, 1)
        return self.cage_width * (1 - (1 - share) ** 2.4) ** 0.62 * (0.90 + 0.10 * np.clip(y / 22, 0, 1))

    def depth(self, y: np.ndarray) -> np.ndarray:
        """Half the inner depth of the rib cage at height y."""
        return self.cage_depth * (1 - np.exp(-np.clip(y + 3.0, 0.05, None) / 6.0))

    def spine(self, y: np.ndarray) -> np.ndarray:
        """x of the spine's middle at height y."""
        return self.scoliosis * np.sin((np.asarray(y) + 2) / 9.0)

    def dome_of(self, side: int) -> float:
        """Height (y) of the dome on this side."""
        return self.dome[0] if side == RIGHT else self.dome[1]

    def with_dome(self, side: int, lower: float) -> "Body":
        """The same body, the dome of this side `lower` cm deeper (negative: raised)."""
        right, left = self.dome
        return replace(self, dome=(right + lower, left) if side == RIGHT else (right, left + lower))

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) of the body on the film plane (..., 2), as the beam throws them."""
        x, y, z = points[..., 0], points[..., 1], points[..., 2]
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        across, front = x * cos + z * sin, z * cos - x * sin
        grow = 1 + front / (105 if self.supine else -190)
        down = 13 + (y + front * math.tan(self.tilt) - 13) * grow
        return np.moveaxis(np.array([across * grow, down]), 0, -1)


def draw_patient(seed: int, patient: int, female: bool, age: float) -> Body:
    """The build of one patient, drawn from (seed, patient)."""
    rng = np.random.default_rng([seed, patient, 0])
    weight = float(np.clip(rng.gamma(4.0, 0.27), 0.15, 2.6))  # about 1 is average
    dome = 20.9 + rng.normal(0, 0.9) - 0.35 * max(weight - 1, 0)
    size = rng.normal(0.92 if female else 1.0, 0.035)
    return Body(
        female=female,
        age=age,
        cage_width=14.3 * size,
        cage_depth=9.6 * size * rng.normal(1, 0.04),
        wall=1.5 + 1.8 * weight * rng.uniform(0.8, 1.15),
        heart_ratio=float(
            np.clip(rng.normal(0.43 + 0.0006 * (age - 45) + 0.012 * (weight - 1), 0.025), 0.36, 0.495)
        ),
        dome=(dome, dome + rng.normal(0.9, 0.45)),
        dome_drop=rng.uniform(3.6, 5.6),
        air_weight=rng.uniform(0.16, 0.24),
        vessels=rng.uniform(0.8, 1.2),
        knob=float(np.clip(1.25 + 0.011 * (age - 30) + rng.normal(0, 0.15), 1.0, 2.3)),
        bone=rng.uniform(0.85, 1.2) * (1.05 - 0.003 * max(age - 50, 0)),
        slope=rng.normal(1.0, 0.08),
        scoliosis=rng.normal(0, 0.3 if rng.random() < 0.9 else 1.2),
        breast=float(np.clip(0.25 + weight * rng.uniform(0.4, 1.2), 0, 2.1)) if female and age > 13 else 0.0,
        stomach=rng.uniform(0, 1),
        supine=False,
        turn=0.0,
        tilt=0.0,
        arm=0.0,
        scapula=0.0,
        seed=(seed, patient),
    )


def pose(body: Body, view: str, rng: np.random.Generator) -> Body:
    """The same patient on one film: PA standing and breathing in, AP mostly in bed with less breath."""
    supine = view == "AP"
    breath = rng.normal(-2.7, 1.6) if supine else rng.normal(-0.8, 1.2)
    return replace(
        body,
        supine=supine,
        dome=(body.dome[0] + breath, body.dome[1] + breath + rng.normal(0, 0.4)),
        heart_ratio=body.heart_ratio * (1.09 + rng.normal(0, 0.025) if supine else 1 + rng.normal(0, 0.012)),
        turn=rng.normal(0, 0.11 if supine else 0.05),
        tilt=rng.normal(0.09, 0.12) if supine else rng.normal(0.0, 0.06),
        arm=rng.uniform(0.05, 0.5) if supine else rng.uniform(0.15, 0.9),
        scapula=rng.uniform(8.4, 11.5) if supine else rng.uniform(11.4, 14.4),
    )


def place_film(body: Body, size: int, film: tuple[float, float], rng: np.random.Generator) -> Canvas:
    """The film plane of one exposure, of width and height `film` (cm); its middle and tilt are random."""
    loose = 1.5 if body.supine else 1.0
    tall = 0.88 if film[1] > 40 else 1.0  # a tall film shows more of the neck and belly, yet not all
    zoom = rng.triangular(0.82, 0.93, 1.16) * (0.94 + 0.06 * body.cage_width / 13.9)
    middle = (rng.normal(0, 1.2 * loose), 14.2 + rng.normal(0, 1.4 * loose) - (1.0 if body.supine else 0))
    return Canvas(size, film[0] * zoom, film[1] * zoom * tall, middle, rng.normal(0, 0.03 * loose))
