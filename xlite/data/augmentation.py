"""Training augmentation of several strengths, film by film on a CPU or batch by batch on a GPU.

With the probabilities that the design document lists: flip 0.5 (optional), brightness and contrast ±10 % 0.3,
rotation ±15° 0.4, shift ±6.25 % with scale ±10 % and rotation ±5° 0.3, noise or blur 0.2; no vertical flips.
`light` does the second and the fourth to every film and leaves the third and the last out. Grey values change
before the geometry does, and what moves in from outside is black.
"""

import os
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    import albumentations


class Odds(NamedTuple):
    """The probability, 0 to 1, of each kind of change to a film; a flip has its own."""

    grey: float
    rotate: float
    shift: float
    grain: float


ODDS = {"design": Odds(grey=0.3, rotate=0.4, shift=0.3, grain=0.2), "light": Odds(1.0, 0.0, 1.0, 0.0)}
"""By the name of the augmentation."""

GREY_LIMIT, ROTATE_DEGREES = 0.1, 15.0
SHIFT, SCALE, SHIFT_DEGREES = 0.0625, 0.1, 5.0
NOISE_STD, BLUR_SIGMA = (0.01, 0.03), (0.3, 1.0)
_BLUR_REACH = 3
"""Pixels on either side that a blur looks at: three times its largest sigma."""


def augmentation(flip: bool, odds: Odds = ODDS["design"]) -> "albumentations.Compose":
    """The augmentation of one film, uint8 (S, S) to uint8 (S, S), on the CPU.

    `flip` adds horizontal flips, which bring the heart to the right side.
    """
    # Otherwise its import asks the network for a newer version.
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations as A

    flips = [A.HorizontalFlip(p=0.5)] if flip else []
    grain = [A.GaussNoise(std_range=NOISE_STD), A.GaussianBlur(sigma_limit=BLUR_SIGMA)]
    return A.Compose(
        [
            *flips,
            A.RandomBrightnessContrast(brightness_limit=GREY_LIMIT, contrast_limit=GREY_LIMIT, p=odds.grey),
            A.Rotate(limit=ROTATE_DEGREES, p=odds.rotate),
            A.Affine(
                translate_percent=(-SHIFT, SHIFT),
                scale=(1 - SCALE, 1 + SCALE),
                rotate=(-SHIFT_DEGREES, SHIFT_DEGREES),
                p=odds.shift,
            ),
            A.OneOf(grain, p=odds.grain),
        ]
    )


class BatchAugment:
    """The same augmentation for whole batches, on their device.

    What happens to a film is a pure function of (seed, epoch, row); only the pattern of the noise also
    depends on the earlier batches and on the process that draws it. Rotation, shift and scale are one
    interpolation here and up to two on the CPU.
    """

    def __init__(
        self,
        films: int,
        flip: bool,
        seed: int,
        device: torch.device,
        rank: int = 0,
        odds: Odds = ODDS["design"],
    ):
        """For training films by row, 0 to `films` - 1, in the process of that rank."""
        self.odds = odds
        self.films, self.flip, self.seed, self.device, self.rank = films, flip, seed, device, rank
        # Its own generator: noise drawn from torch's would shift the dropout, which all processes draw alike.
        self.generator = torch.Generator(device)

    def set_epoch(self, epoch: int) -> None:
        """Draws the augmentation of each film for this epoch."""
        rng, films, odds = np.random.default_rng((self.seed, epoch)), self.films, self.odds
        key = np.random.SeedSequence((self.seed, epoch, self.rank)).generate_state(1, np.uint64)[0]
        self.generator.manual_seed(int(key >> 1))
        grey = rng.random(films) < odds.grey
        self.contrast = self._put(np.where(grey, rng.uniform(1 - GREY_LIMIT, 1 + GREY_LIMIT, films), 1))
        self.brightness = self._put(np.where(grey, 255 * rng.uniform(-GREY_LIMIT, GREY_LIMIT, films), 0))
        flips = np.where(rng.random(films) < 0.5 * self.flip, -1, 1)
        turns = rng.uniform(-ROTATE_DEGREES, ROTATE_DEGREES, films) * (rng.random(films) < odds.rotate)
        moved = rng.random(films) < odds.shift
        angles = rng.uniform(-SHIFT_DEGREES, SHIFT_DEGREES, films) * moved
        scales = np.where(moved[:, None], rng.uniform(1 - SCALE, 1 + SCALE, (films, 2)), 1)
        shifts = rng.uniform(-SHIFT, SHIFT, (films, 2)) * moved[:, None]
        self.sources = self._put(_sources(flips, turns, scales, angles, shifts))
        grain = rng.random(films)
        self.noisy, self.blurred = grain < odds.grain / 2, (grain >= odds.grain / 2) & (grain < odds.grain)
        self.noise = self._put(255 * rng.uniform(*NOISE_STD, films))
        self.blur = self._put(_blur_kernels(rng.uniform(*BLUR_SIGMA, films)))

    def _put(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(self.device)

    def __call__(self, films: Tensor, rows: Tensor) -> Tensor:
        """Films uint8 (B, S, S) on the device, rows int64 (B,) on the CPU, to float32 (B, S, S) of 0-255."""
        at = rows.to(self.device, non_blocking=True)
        x = films.float() * self.contrast[at, None, None] + self.brightness[at, None, None]
        x = x.clamp(0, 255)[:, None]
        grid = F.affine_grid(self.sources[at], list(x.shape), align_corners=False)
        x = F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)[:, 0]
        noisy, blurred = self._which(self.noisy, rows), self._which(self.blurred, rows)
        std, shape = self.noise[at[noisy], None, None], (len(noisy), *x.shape[1:])
        noise = std * torch.randn(shape, generator=self.generator, device=self.device)
        x[noisy] = (x[noisy] + noise).clamp(0, 255)
        x[blurred] = _blurred(x[blurred], self.blur[at[blurred]])
        return x

    def _which(self, chosen: np.ndarray, rows: Tensor) -> Tensor:
        """Positions in the batch of the chosen films; found on the CPU, so that nothing waits for the GPU."""
        return torch.from_numpy(np.flatnonzero(chosen[rows.numpy()])).to(self.device, non_blocking=True)


def _sources(
    flips: np.ndarray, turns: np.ndarray, scales: np.ndarray, angles: np.ndarray, shifts: np.ndarray
) -> np.ndarray:
    """Affine transforms from each pixel to its source, (N, 2, 3) for F.affine_grid, in coordinates -1 to 1.

    In this order an image is flipped (`flips` (N,): -1 flips, 1 does not), turned by `turns` (N,) degrees,
    scaled by (N, 2), turned by `angles` (N,) degrees and shifted by (N, 2), in sides of the image.
    """
    ahead = _rotations(angles) @ (scales[:, :, None] * np.eye(2)) @ _rotations(turns)
    ahead[:, :, 0] *= flips[:, None]
    back = np.linalg.inv(ahead)
    return np.concatenate([back, -back @ (2 * shifts)[:, :, None]], axis=2)


def _rotations(degrees: np.ndarray) -> np.ndarray:
    """Rotations (N, 2, 2) by angles (N,) in degrees."""
    sine, cosine = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
    return np.stack([cosine, -sine, sine, cosine], axis=1).reshape(-1, 2, 2)


def _blur_kernels(sigmas: np.ndarray) -> np.ndarray:
    """Gaussian weights (N, 2 reach + 1) that sum to 1."""
    offsets = np.arange(-_BLUR_REACH, _BLUR_REACH + 1)
    weights: np.ndarray = np.exp(-((offsets / sigmas[:, None]) ** 2) / 2)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def _blurred(images: Tensor, kernels: Tensor) -> Tensor:
    """Images (B, S, S), each blurred by its own kernel (B, K) along both axes; edges mirrored like OpenCV."""
    if not len(images):
        return images
    reach = kernels.shape[1] // 2
    x = F.pad(images[None], (reach, reach, reach, reach), mode="reflect")
    groups = len(images)
    x = F.conv2d(x, kernels[:, None, None, :], groups=groups)
    return F.conv2d(x, kernels[:, None, :, None], groups=groups)[0]
