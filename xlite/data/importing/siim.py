"""SIIM-ACR Pneumothorax Segmentation: DICOM films whose masks are run lengths, made into boxes.

`train-rle.csv` or `stage_2_train.csv`: ImageId, EncodedPixels (the first file writes it with a blank before
it), a row a mask or -1. Runs are pairs of a gap and a length, down the columns of 1024 x 1024 px. Films lie
as `dicom-images-train/STUDY/SERIES/IMAGEID.dcm`; they are of ChestX-ray14, and nothing says which.
"""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from xlite.data.importing.found import BOX_COLUMNS, Found, file_of, films_of, not_that_kind, text_columns
from xlite.errors import DataError

SIDE = 1024
_LEAST = 16
"""px; a smaller piece of a mask is a slip of the pen."""


def found_in(source: Path) -> Found:
    """What lies in a folder of the challenge. Raises DataError if it is none, or a mask cannot be read."""
    path = file_of(source, "stage_2_train.csv", "*train-rle.csv", "*train-rle*.csv")
    if path is None:
        raise not_that_kind(source, "the SIIM-ACR challenge", "train-rle.csv or stage_2_train.csv")
    table = text_columns(path, ["ImageId", "EncodedPixels"])
    masks = [
        _boxes(name, runs, path) for name, runs in zip(table["ImageId"], table["EncodedPixels"], strict=True)
    ]
    has = (table["EncodedPixels"] != "-1").groupby(table["ImageId"], sort=False).max()
    return Found(
        source,
        films_of({"file": f"{name}.dcm", "name": name, "patient": name} for name in has.index),
        has.reset_index(drop=True).to_frame("Pneumothorax").astype(np.float32),
        [path],
        boxes=pd.DataFrame([box for boxes in masks for box in boxes], columns=BOX_COLUMNS),
        notes=[
            "All films are of ChestX-ray14, and no table says which: models that know NIH's films may know "
            "these.",
            "A box is drawn around each piece of a mask.",
        ],
        has_patients=False,
    )


def mask_of(runs: str) -> np.ndarray:
    """bool (1024, 1024) from `gap length gap length …`. Raises ValueError for other text."""
    numbers = np.array([int(word) for word in runs.split()])
    if len(numbers) % 2 or (numbers < 0).any() or numbers.sum() > SIDE * SIDE:
        raise ValueError("no pairs of gaps and lengths within 1024 x 1024 px")
    # Down the columns: transposed to rows and columns.
    inside = np.tile([False, True], len(numbers) // 2).repeat(numbers)
    flat = np.zeros(SIDE * SIDE, bool)
    flat[: len(inside)] = inside
    return flat.reshape(SIDE, SIDE).T


def _boxes(name: str, runs: str, path: Path) -> list[dict[str, object]]:
    if runs == "-1":
        return []
    try:
        mask = mask_of(runs)
    except ValueError as error:
        raise DataError(f"{path} has the mask {runs[:40]!r} for {name}: {error}") from error
    _, _, pieces, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    frame = {"name": name, "label": "Pneumothorax", "width": SIDE, "height": SIDE}
    return [
        {**frame, "x": x, "y": y, "w": width, "h": height}
        for x, y, width, height, area in pieces[1:].tolist()
        if area >= _LEAST
    ]
