"""Films made small, with the radiologists' boxes drawn on them."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from xlite.data.eda.palette import SCREEN_BOX
from xlite.findings import spoken
from xlite.images import read_image
from xlite.pixels import RELEASE_SIDE

SIDE = 400  # px


def thumbnail(path: Path, boxes: pd.DataFrame, side: int = SIDE) -> bytes:
    """A film as JPEG, its longer side `side` px, its boxes (px of the 1024 frame) and their findings drawn.

    Raises ImageError if the film cannot be read.
    """
    image = read_image(path)
    scale = side / max(image.shape)
    size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
    shrunk = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    drawn = cv2.cvtColor(shrunk, cv2.COLOR_GRAY2BGR)
    for box in boxes.itertuples():
        _draw_box(drawn, box.finding, (box.x, box.y, box.w, box.h))
    _, jpeg = cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, 88])
    return jpeg.tobytes()


def _draw_box(image: np.ndarray, finding: str, box: tuple[float, float, float, float]) -> None:
    """Draws a box (x, y, w, h; px of the 1024 frame) and its finding onto a BGR image, uint8 (H, W, 3).

    NIH squashed films to a square, so width and height have a scale each.
    """
    height, width = image.shape[:2]
    across, down = width / RELEASE_SIDE, height / RELEASE_SIDE
    x, y, w, h = box
    left, top = round(x * across), round(y * down)
    right, bottom = round((x + w) * across), round((y + h) * down)
    colour = SCREEN_BOX[::-1]
    cv2.rectangle(image, (left, top), (right, bottom), colour, 2, cv2.LINE_AA)
    text, font, size = spoken(finding), cv2.FONT_HERSHEY_SIMPLEX, height / 550
    (long, high), _ = cv2.getTextSize(text, font, size, 2)
    at = (
        min(max(left, 2), max(width - long - 2, 2)),
        top - 7 if top > high + 9 else min(bottom + high + 7, height - 5),
    )
    cv2.rectangle(image, (at[0] - 2, at[1] - high - 4), (at[0] + long + 2, at[1] + 5), (0, 0, 0), -1)
    cv2.putText(image, text, at, font, size, colour, 2, cv2.LINE_AA)
