"""What the lung network learns from: phantoms with their lungs, changed as real films differ from them."""

import math
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import cv2
import numpy as np

from xlite.data.phantom.draw import draw_film
from xlite.data.phantom.labels import Film, draw_labels
from xlite.files import Progress
from xlite.processors import processors

SIDE = 64
"""Side of what the network sees, in px."""
DRAWN_SIDE = 96


def draw_lungs(films: int, seed: int, progress: Progress | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Phantoms uint8 (N, 96, 96) and where their lungs are, uint8 (N, 96, 96) of 0 and 255."""
    labels = draw_labels(films, films, seed)
    pictures, lungs = [], []
    # spawn: a forked child can inherit OpenCV's thread pool in mid-lock and hang.
    with ProcessPoolExecutor(processors(), multiprocessing.get_context("spawn")) as pool:
        for picture, inside in pool.map(partial(_drawn, seed=seed), labels, chunksize=8):
            pictures.append(picture)
            lungs.append(inside)
            if progress:
                progress(len(pictures), films)
    return np.stack(pictures), np.stack(lungs)


def _drawn(film: Film, seed: int) -> tuple[np.ndarray, np.ndarray]:
    drawing = draw_film(film, DRAWN_SIDE, seed)
    return drawing.image, np.where(drawing.lungs, 255, 0).astype(np.uint8)


def as_seen(pictures: np.ndarray, interpolation: int = cv2.INTER_AREA) -> np.ndarray:
    """Pictures uint8 (N, S, S) at the network's side, uint8 (N, 64, 64)."""
    return np.stack([cv2.resize(one, (SIDE, SIDE), interpolation=interpolation) for one in pictures])


def changed(
    rng: np.random.Generator, picture: np.ndarray, lungs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A phantom and its lungs, uint8 (S, S) each, as another film may show them, uint8 (64, 64) each.

    Shifted, turned, zoomed, mirrored; with other greys, a veil, blur and noise, or a wide border.
    """
    image, inside = _moved(rng, picture, lungs)
    grey: np.ndarray = (image / 255.0) ** math.exp(rng.normal(0, 0.4))
    if rng.random() < 0.3:  # as the processing of some machines does
        grey = cv2.createCLAHE(rng.uniform(1, 4), (4, 4)).apply((255 * grey).astype(np.uint8)) / 255.0
    if rng.random() < 0.4:  # as fluid or a badly placed grid would
        grey = grey + rng.uniform(-0.35, 0.35) * _slope(rng)
    grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.1, 1.2))
    grey = grey + rng.normal(0, rng.uniform(0, 0.05), grey.shape)
    return (255 * grey.clip(0, 1)).astype(np.uint8), inside


def _moved(rng: np.random.Generator, picture: np.ndarray, lungs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    side = len(picture)
    zoom, turn = SIDE / side * math.exp(rng.normal(0.02, 0.13)), rng.normal(0, 6)
    move: np.ndarray = cv2.getRotationMatrix2D((side / 2, side / 2), turn, zoom)
    move[:, 2] += SIDE / 2 - side / 2 + rng.normal(0, 0.04 * SIDE, 2)
    edge = cv2.BORDER_REPLICATE if rng.random() < 0.5 else cv2.BORDER_CONSTANT
    image = cv2.warpAffine(picture, move, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=edge)
    inside = cv2.warpAffine(lungs, move, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        image, inside = image[:, ::-1], inside[:, ::-1]
    return np.ascontiguousarray(image), np.ascontiguousarray(inside)


def _slope(rng: np.random.Generator) -> np.ndarray:
    """A smooth change from 0 to 1 across the picture, in any direction."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE - 0.5
    angle = rng.uniform(0, 2 * math.pi)
    return np.asarray(1 / (1 + np.exp(-rng.uniform(2, 20) * (math.cos(angle) * x + math.sin(angle) * y))))
