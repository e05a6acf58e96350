"""The exposure, from thickness to grey: attenuation, scatter, blur, noise and the response of the film."""

from dataclasses import dataclass, replace

import numpy as np

from xlite.data.phantom.canvas import Canvas, smooth_step
from xlite.data.phantom.chest import Chest

WATER, BONE = 0.17, 0.47  # attenuation per cm at chest energies; bone counts on top of water


@dataclass(frozen=True)
class Technique:
    """How a hospital takes its films: the dose beside the usual one, and the share of scatter on top of it.

    Quantum noise goes with one by the square root of the dose.
    """

    dose: float = 1.0
    scatter: float = 0.0


TECHNIQUES = {"usual": Technique(), "low-dose": Technique(dose=0.25, scatter=0.25)}
"""By name. low-dose: a quarter of the dose and no grid, so noise doubles and more scatter comes through."""


@dataclass(frozen=True)
class Exposure:
    """How one film was taken and developed: greys 0-255, shares 0-1, blur in cm."""

    lung_grey: float
    dense_grey: float
    top_grey: float
    scatter: float
    sharpen: float
    blur: float
    noise: float

    def taken_by(self, technique: Technique) -> "Exposure":
        """The same exposure as another hospital takes it."""
        noise = self.noise / np.sqrt(technique.dose)
        return replace(self, noise=float(noise), scatter=self.scatter + technique.scatter)


def draw_exposure(view: str, heavy: float, rng: np.random.Generator) -> Exposure:
    """The exposure of one film; AP and heavy patients get a flatter, noisier one."""
    portable = view == "AP"
    dense = rng.normal(206, 15) if portable else rng.normal(216, 13)
    return Exposure(
        lung_grey=float(np.clip(rng.normal(101 if portable else 78, 24), 32, 155)),
        dense_grey=float(np.clip(dense, 165, 242)),
        top_grey=float(np.clip(dense + rng.uniform(2.5, 12), 170, 254)),
        scatter=float(np.clip(rng.uniform(0.10, 0.3) + (0.14 if portable else 0) + 0.04 * heavy, 0.05, 0.55)),
        sharpen=rng.uniform(0.15, 1.1) ** 1.5,
        blur=rng.uniform(0.015, 0.035) + (rng.exponential(0.02) if portable else 0),
        noise=rng.uniform(0.006, 0.016) * (1.35 if portable else 1.0),
    )


def attenuation(chest: Chest, hardware: np.ndarray | float) -> np.ndarray:
    """Attenuation along the beam, float32 (S, S), of the chest and of hardware before it (cm of water)."""
    weight = chest.body.air_weight * (1 - chest.free_air)
    room = chest.lung * (1 - weight)
    filled = np.minimum(chest.fluid + chest.marking * (1 - 0.97 * chest.free_air), room)
    water = chest.tissue - room + filled + chest.other
    shadow: np.ndarray = WATER * (np.clip(water, 0, None) + hardware) + BONE * chest.bone
    return shadow


def aim(chest: Chest, exposure: Exposure) -> tuple[float, float]:
    """The optical density over lung and belly that the automatic exposure measures.

    Taken from the chest before any finding is painted, so that a finding darkens nothing but its place; on a
    coarse grid.
    """
    step = max(1, chest.canvas.size // 128)
    coarse, body = chest.every(step), chest.body
    x, y = coarse.x, coarse.y
    seen = _through(attenuation(coarse, 0.0), coarse.canvas, exposure)
    lung = (np.abs(np.abs(x) - 0.62 * body.cage(y)) < 2.0) & (y > 5) & (y < 15)
    belly = (np.abs(x) < 8) & (y > max(body.dome) + 2)
    low = float(np.percentile(seen[lung], 35))
    return low, max(float(np.median(seen[belly])) if belly.any() else low + 2, low + 1.0)


def _through(shadow: np.ndarray, canvas: Canvas, exposure: Exposure) -> np.ndarray:
    """Optical density behind an attenuation (S, S), with blur and scattered radiation."""
    beam = np.exp(-canvas.blur(shadow, exposure.blur))
    haze = canvas.blur(beam, 3.0) * np.float32(exposure.scatter)
    density: np.ndarray = -np.log(beam * np.float32(1 - 0.55 * exposure.scatter) + np.minimum(haze, 0.06))
    return density


def develop(
    shadow: np.ndarray,
    canvas: Canvas,
    exposure: Exposure,
    aims: tuple[float, float],
    rng: np.random.Generator,
) -> np.ndarray:
    """The film, uint8 (S, S), 0 black, of an attenuation (S, S) at the exposure's two `aims`."""
    grain = canvas.blur(rng.standard_normal(shadow.shape, dtype=np.float32), 0.03)
    grain /= grain.std()
    seen = _through(shadow, canvas, exposure) + grain * np.float32(exposure.noise) * (1 + 0.35 * shadow)
    lung, dense = aims
    value = (seen - lung) / (dense - lung)
    soft = np.clip(value, -0.6, 1.3)
    for sigma in (1.6, 0.18):
        value = value + np.float32(0.5 * exposure.sharpen) * (soft - canvas.blur(soft, sigma))
    start = float(np.log(exposure.lung_grey / (exposure.top_grey - exposure.lung_grey)))
    stop = float(np.log(exposure.dense_grey / (exposure.top_grey - exposure.dense_grey)))
    grey = exposure.top_grey / (1 + np.exp(-(start + (stop - start) * value)))
    return np.clip(np.round(grey), 0, 255).astype(np.uint8)


def frame(film: np.ndarray, canvas: Canvas, view: str, rng: np.random.Generator) -> np.ndarray:
    """The film with its border: collimator edges, sometimes a white or black rim."""
    if rng.random() > (0.42 if view == "PA" else 0.35):
        return film
    steps = (np.arange(canvas.size, dtype=np.float32) + 0.5) / canvas.size
    tip = rng.normal(0, 0.016)
    gaps = (rng.exponential(0.028, 4) * (rng.random(4) < 0.7)).tolist()
    across, down = steps[None, :] + tip * steps[:, None], steps[:, None] - tip * steps[None, :]
    soft = 0.004 + 0.01 * rng.random()
    edges = [(across, gaps[0]), (1 - across, gaps[1]), (down, gaps[2]), (1 - down, gaps[3])]
    open_ = np.ones_like(film, np.float32)
    for distance, gap in edges:
        if gap > 0:
            open_ = open_ * smooth_step(distance, gap - soft, gap + soft)
    rim = rng.uniform(225, 250) if rng.random() < 0.3 else rng.uniform(0, 12)
    return np.clip(film * open_ + rim * (1 - open_), 0, 255).astype(np.uint8)
