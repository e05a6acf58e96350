"""The films on which an export is compared with its model."""

from pathlib import Path

import numpy as np

from xlite.data.folder import NihFolder
from xlite.examples import examples
from xlite.images import read_image

FILMS = 16


def parity_films(data: Path | None) -> list[np.ndarray]:
    """Those that come with X-Lite, and FILMS of a data folder if one is given; each uint8 (H, W)."""
    paths = [example.path for example in examples().values()]
    if data is not None:
        here = list(NihFolder.open(data).paths.values())
        paths += here[:: max(1, len(here) // FILMS)][:FILMS]
    return [read_image(path) for path in paths]
