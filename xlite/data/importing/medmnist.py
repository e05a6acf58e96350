"""ChestMNIST of MedMNIST v2 (Yang et al. 2023): NIH's films at 64 to 224 px, as arrays in one file.

`chestmnist_64.npz` to `chestmnist_224.npz`: for train, val and test `…_images` (N, S, S) uint8 and `…_labels`
(N, 14) in the order of the mapping. There are no files to link: the pictures are written.
"""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from xlite.data.importing.found import FRONTAL, Found, file_of, films_of, not_that_kind
from xlite.data.importing.mapping import shipped_labels
from xlite.data.phantom.write import encode_png
from xlite.data.splits import PARTS
from xlite.errors import DataError, sentence
from xlite.pixels import MIN_SIDE


def found_in(source: Path) -> Found:
    """What lies in the file, or in a folder that holds it. Raises DataError if it is none."""
    path = source if source.is_file() else file_of(source, "chestmnist*.npz")
    if path is None:
        raise not_that_kind(source, "ChestMNIST", "chestmnist.npz")
    labels = shipped_labels("medmnist")
    images, states = _arrays(path, len(labels))
    parts = [(part, row) for part in PARTS for row in range(len(images.get(part, [])))]

    def picture(place: int) -> bytes:
        part, row = parts[place]
        return encode_png(images[part][row])

    side = next(iter(images.values())).shape[1]
    notes = [f"All films are of ChestX-ray14, at {side} px and without their names: models may know them."]
    if side < 224:
        notes.append("At this size small findings cannot be seen.")
    rows = (
        {"name": f"{part}-{row:06d}", "patient": f"{part}-{row:06d}", "part": part} for part, row in parts
    )
    return Found(
        path.parent,
        films_of({**row, "view": FRONTAL} for row in rows),
        pd.DataFrame(np.concatenate([states[part] for part in images]), columns=labels),
        [path],
        notes=notes,
        has_patients=False,
        picture=picture,
    )


def _arrays(path: Path, width: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The pictures and the labels of each part that is there."""
    try:
        with np.load(path, allow_pickle=False) as file:
            there = [part for part in PARTS if f"{part}_images" in file]
            images = {part: file[f"{part}_images"] for part in there}
            labels = {part: file[f"{part}_labels"].astype(np.float32) for part in there}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read as ChestMNIST: {sentence(error)}") from error
    for part in there:
        shape, marks = images[part].shape, labels[part]
        fits = len(shape) == 3 and images[part].dtype == np.uint8 and marks.shape == (shape[0], width)
        if not fits or not np.isin(marks, (0, 1)).all():
            raise DataError(
                f"{path} is not ChestMNIST: {part}_images has {shape} and {part}_labels {marks.shape}; "
                f"expected grey uint8 pictures and {width} labels of 0 and 1 for each"
            )
    small = [part for part in there if images[part].shape[1] < MIN_SIDE]
    if small:
        raise DataError(
            f"{path} has films of {images[small[0]].shape[1]} px, and X-Lite reads none below {MIN_SIDE}: "
            "take chestmnist_64.npz, chestmnist_128.npz or chestmnist_224.npz"
        )
    if not there:
        raise DataError(f"{path} is not ChestMNIST: it holds no train_images, val_images or test_images")
    return images, labels
