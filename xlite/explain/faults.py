"""What keeps a map from showing a place in the chest, and which findings are too small for its cells."""

import numpy as np

from xlite.findings import canonical, spoken

# The median area of NIH's 984 boxes as a share of the film; the other findings have none.
MEDIAN_BOX = {
    "Atelectasis": 0.0188,
    "Cardiomegaly": 0.1709,
    "Effusion": 0.0557,
    "Infiltration": 0.0566,
    "Mass": 0.0148,
    "Nodule": 0.0046,
    "Pneumonia": 0.0572,
    "Pneumothorax": 0.0358,
}
FAULTS = {  # what follows "the map"
    "empty": "is empty: no single place in the film raises the score",
    "flat": "is flat: every place in the film raises the score alike",
    "outside": "peaks at the rim of the picture, outside the chest",
}
FLAT = 0.1  # a map that varies by less of its peak shows no place
RIM = 0.08  # of a side: 3 of the 984 boxes have their centre there


def map_fault(coarse: np.ndarray) -> str | None:
    """Which of FAULTS keeps a map (h, w) >= 0 from showing a place in the chest; None if it shows one."""
    top = coarse.max()
    if top <= 0:
        return "empty"
    if top - coarse.min() < FLAT * top:
        return "flat"
    middles = (np.argwhere(coarse == top) + 0.5) / coarse.shape  # of all peaks: one in the chest is a place
    if (np.minimum(middles, 1 - middles) < RIM).any(axis=1).all():
        return "outside"
    return None


def size_caution(finding: str, cells: int) -> str | None:
    """A sentence if most boxes of a finding are smaller than one of a map's cells, else None."""
    median = MEDIAN_BOX.get(canonical(finding), 1)
    if median * cells >= 1:
        return None
    return (
        f"One cell of this map is {1 / cells:.1%} of the film, and half of the boxes that radiologists "
        f"drew for {spoken(finding).lower()} are below {median:.1%}: the map shows surroundings only."
    )
