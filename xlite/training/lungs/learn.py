"""The training of the lung network: phantoms with their lungs, and what real films do to them."""

import math
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from xlite.data.phantom.draw import draw_film
from xlite.data.phantom.labels import Film, draw_labels
from xlite.files import Progress
from xlite.training.lungs.network import SIDE, LungNet

BATCH, LEARNING_RATE, WEIGHT_DECAY = 24, 4e-3, 1e-3
DRAWN_SIDE = 160


def draw_lungs(films: int, seed: int, workers: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Phantoms uint8 (N, 160, 160) and where their lungs are, uint8 (N, 160, 160) of 0 and 255."""
    labels = draw_labels(films, max(1, films // 2), seed)
    draw = partial(_drawn, seed=seed)
    with ProcessPoolExecutor(workers) as pool:
        pairs = list(pool.map(draw, labels, chunksize=16))
    pictures, lungs = zip(*pairs, strict=True)
    return np.stack(pictures), np.stack(lungs)


def _drawn(film: Film, seed: int) -> tuple[np.ndarray, np.ndarray]:
    drawing = draw_film(film, DRAWN_SIDE, seed)
    return drawing.image, np.where(drawing.lungs, 255, 0).astype(np.uint8)


def train(
    pictures: np.ndarray, lungs: np.ndarray, steps: int, seed: int, progress: Progress | None = None
) -> LungNet:
    """A network after `steps` batches of phantoms (N, S, S) and their lungs (N, S, S), both uint8.

    The same arguments give the same network on the same machine.
    """
    torch.manual_seed(seed)
    rng, net = np.random.default_rng(seed), LungNet().train()
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(net.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, steps, pct_start=0.15)
    for step in range(steps):
        rows = rng.integers(len(pictures), size=BATCH)
        pairs = [disturbed(rng, pictures[row], lungs[row]) for row in rows]
        x, y = (torch.from_numpy(np.stack(part))[:, None].float() for part in zip(*pairs, strict=True))
        loss = _loss(net(x.to(memory_format=torch.channels_last)), y / 255)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        if progress:
            progress(step + 1, steps)
    return net.eval()


def _loss(logits: Tensor, lungs: Tensor) -> Tensor:
    """Binary cross-entropy, and what the overlap lacks (Dice)."""
    share = logits.sigmoid()
    dice = (2 * (share * lungs).sum() + 1) / (share.sum() + lungs.sum() + 1)
    return F.binary_cross_entropy_with_logits(logits, lungs) + 1 - dice


def disturbed(
    rng: np.random.Generator, picture: np.ndarray, lungs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A phantom and its lungs (S, S) as another film may show them: uint8 (128, 128) each.

    Shifted, turned, zoomed, mirrored; other greys, blurred, noisy, partly white or with a frame.
    """
    side = len(picture)
    zoom, turn = SIDE / side * math.exp(rng.normal(0.02, 0.13)), rng.normal(0, 6)
    move = cv2.getRotationMatrix2D((side / 2, side / 2), turn, zoom)
    move[:, 2] += SIDE / 2 - side / 2 + rng.normal(0, 0.04 * SIDE, 2)
    edge = cv2.BORDER_REPLICATE if rng.random() < 0.5 else cv2.BORDER_CONSTANT
    image = cv2.warpAffine(picture, move, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=edge)
    inside = cv2.warpAffine(lungs, move, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        image, inside = image[:, ::-1], inside[:, ::-1]
    grey = (image / 255.0) ** math.exp(rng.normal(0, 0.4))
    if rng.random() < 0.3:
        grey = cv2.createCLAHE(rng.uniform(1, 4), (4, 4)).apply((255 * grey).astype(np.uint8)) / 255.0
    if rng.random() < 0.4:  # a veil over a part: fluid, a badly placed grid
        grey = grey + rng.uniform(-0.35, 0.35) * _slope(rng)
    grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.1, 1.2)) + rng.normal(
        0, rng.uniform(0, 0.05), grey.shape
    )
    return (255 * grey.clip(0, 1)).astype(np.uint8), np.ascontiguousarray(inside)


def _slope(rng: np.random.Generator) -> np.ndarray:
    """A smooth change from 0 to 1 across the picture, in any direction."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE - 0.5
    angle = rng.uniform(0, 2 * math.pi)
    return np.asarray(1 / (1 + np.exp(-rng.uniform(2, 20) * (math.cos(angle) * x + math.sin(angle) * y))))
