"""The film plane: from centimetres of the body to pixels of the film.

Lengths in cm; x grows to the patient's left.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np

SUBPIXEL_BITS = 4
Window = tuple[slice, slice]


@dataclass(frozen=True)
class Canvas:
    """A film of `width` x `height` cm on `size` x `size` px, its middle at `centre`, turned `angle` rad."""

    size: int
    width: float
    height: float
    centre: tuple[float, float]
    angle: float

    @property
    def density(self) -> float:
        """Pixels per cm, the mean of both axes."""
        return self.size * 2 / (self.width + self.height)

    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """Body coordinates x, y of every pixel's middle: two float32 (S, S), cm."""
        steps = ((np.arange(self.size, dtype=np.float32) + 0.5) / self.size) - 0.5
        across, down = (steps * self.width)[None, :], (steps * self.height)[:, None]
        cos, sin = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        return across * cos + down * sin + self.centre[0], down * cos - across * sin + self.centre[1]

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Body points (..., 2), cm, in pixels (..., 2); the first pixel's middle is 0.5."""
        x, y = points[..., 0] - self.centre[0], points[..., 1] - self.centre[1]
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        across = self.size * (0.5 + (x * cos - y * sin) / self.width)
        down = self.size * (0.5 + (x * sin + y * cos) / self.height)
        return np.moveaxis(np.array([across, down]), 0, -1)

    def splat(self, parts: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        """Projects small volumes, parts (body points (N, 2), cm3 (N,)): thickness float32 (S, S), cm."""
        side = self.size + 2  # a margin of one pixel catches what falls off the film
        total = np.zeros(side * side, np.float32)
        for points, volumes in parts:
            cells = np.clip(self.pixels(points) + 1, 0, side - 1).astype(np.intp)
            np.add.at(total, cells[..., 1] * side + cells[..., 0], volumes)
        area = self.width * self.height / self.size**2
        return total.reshape(side, side)[1:-1, 1:-1] / np.float32(area)

    def smooth(self, function: Callable[[np.ndarray, np.ndarray], np.ndarray], every: int = 4) -> np.ndarray:
        """A function of x and y without fine detail, from one pixel in `every` ** 2: float32 (S, S)."""
        coarse = replace(self, size=max(self.size // every, 32))
        field = np.asarray(function(*coarse.grid()), np.float32)
        return cv2.resize(field, (self.size, self.size), interpolation=cv2.INTER_LINEAR)

    def fill(self, polygon: np.ndarray) -> np.ndarray:
        """The inside of a body polygon (N, 2), cm: float32 (S, S), 0-1, with smooth edges."""
        return self._paste(*self._filled(polygon, 2))

    def solid(self, polygon: np.ndarray, depth: float, rim: float) -> np.ndarray:
        """A rounded body with this silhouette: float32 (S, S), cm; `depth` cm thick from `rim` cm inwards."""
        softness = 0.06
        reached = 3 + int(4 * softness * self.density)  # px, by the blur
        mask, window = self._filled(polygon, reached)
        inside = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
        reach = np.clip((inside - 0.5) / (rim * self.density), 0, 1)
        return self._paste(self.blur(depth * np.sqrt(reach * (2 - reach)) * mask, softness), window)

    def stroke(self, line: np.ndarray, width: float) -> np.ndarray:
        """A line (N, 2) through body points, `width` cm wide: float32 (S, S), 0-1."""
        thick = max(1, round(width * self.density))
        corners, mask, window = self._stencil(line, 2 + thick)
        cv2.polylines(mask, [corners], False, 255, thick, cv2.LINE_AA, SUBPIXEL_BITS)
        weight = np.float32(min(1.0, width * self.density / thick) / 255)
        return self._paste(mask.astype(np.float32) * weight, window)

    def _filled(self, polygon: np.ndarray, margin: int) -> tuple[np.ndarray, Window]:
        corners, mask, window = self._stencil(polygon, margin)
        cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, SUBPIXEL_BITS)
        return mask.astype(np.float32) / 255, window

    def _stencil(self, points: np.ndarray, margin: int) -> tuple[np.ndarray, np.ndarray, Window]:
        """The points in an empty uint8 mask around them, that mask, and its window on the film."""
        pixels = self.pixels(points) - 0.5
        low = np.clip(np.floor(pixels.min(axis=0)) - margin, 0, self.size - 1).astype(int)
        high = np.clip(np.ceil(pixels.max(axis=0)) + margin + 1, low + 1, self.size).astype(int)
        mask = np.zeros((high - low)[::-1], np.uint8)
        corners = np.round((pixels - low) * 2**SUBPIXEL_BITS).astype(np.int32)
        return corners, mask, (slice(low[1], high[1]), slice(low[0], high[0]))

    def _paste(self, part: np.ndarray, window: Window) -> np.ndarray:
        total = np.zeros((self.size, self.size), np.float32)
        total[window] = part
        return total

    def blur(self, field: np.ndarray, sigma: float) -> np.ndarray:
        """The field (S, S) smoothed by a Gaussian of `sigma` cm; wide ones are computed on a smaller grid."""
        pixels = sigma * self.density
        if pixels < 0.2:
            return field
        shrink = int(max(1, min(pixels // 4, self.size // 16)))
        if shrink > 1:
            small = max(8, self.size // shrink)
            field = cv2.resize(field, (small, small), interpolation=cv2.INTER_AREA)
            pixels *= small / self.size
        field = cv2.GaussianBlur(field, (0, 0), pixels, borderType=cv2.BORDER_REFLECT_101)
        return (
            cv2.resize(field, (self.size, self.size), interpolation=cv2.INTER_CUBIC) if shrink > 1 else field
        )

    def cloud(self, rng: np.random.Generator, scale: float, octaves: int = 3) -> np.ndarray:
        """Smooth random texture float32 (S, S), mean 0, deviation about 1, its largest grains `scale` cm."""
        total = np.zeros((self.size, self.size), np.float32)
        for octave in range(octaves):
            cells = int(np.ceil(self.height / scale * 2**octave)) + 3
            grains = rng.standard_normal((cells, cells), dtype=np.float32)
            side = min(cells, 4 * self.size)
            total += 0.6**octave * cv2.resize(
                grains[:side, :side], (self.size, self.size), interpolation=cv2.INTER_CUBIC
            )
        return total * np.float32(1.5 / np.sqrt(sum(0.36**octave for octave in range(octaves))))


def smooth_step(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between."""
    part = np.clip((value - low) / (high - low), 0, 1)
    return part * part * (3 - 2 * part)


def rounded(corners: list[tuple[float, float]] | np.ndarray, closed: bool = True) -> np.ndarray:
    """A smooth curve (M, 2) along the corners (N, 2), by cutting corners."""
    curve = np.asarray(corners, float)
    for _ in range(4):
        start, following = (
            (curve, np.concatenate([curve[1:], curve[:1]])) if closed else (curve[:-1], curve[1:])
        )
        cut = np.empty((2 * len(start), curve.shape[1]))
        cut[::2], cut[1::2] = 0.75 * start + 0.25 * following, 0.25 * start + 0.75 * following
        curve = cut if closed else np.concatenate([curve[:1], cut, curve[-1:]])
    return curve


def ellipse(x: float, y: float, across: float, down: float, angle: float = 0.0) -> np.ndarray:
    """An ellipse around (x, y) with these half axes, cm, turned by `angle` rad: polygon (64, 2)."""
    turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    u, v = across * np.cos(turn), down * np.sin(turn)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([x + u * cos - v * sin, y + u * sin + v * cos], axis=-1)
