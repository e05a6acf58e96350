"""Boxes of another data set in the frame of NIH's: px of 1024 x 1024, whatever the size of the film."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xlite.data.importing.labels import Labels
from xlite.data.importing.mapping import Mapping
from xlite.data.importing.views import size_of
from xlite.findings import FINDINGS
from xlite.pixels import RELEASE_SIDE


@dataclass(frozen=True, eq=False)
class FramedBoxes:
    """all: image, label, reader, x, y, w, h of the boxes on films that were taken; kept: those of a finding
    that its film has, with the finding; left_out: why the others are not kept.
    """

    all: pd.DataFrame
    kept: pd.DataFrame
    left_out: Counter[str]


def frame_boxes(boxes: pd.DataFrame, films: pd.DataFrame, labels: Labels, mapping: Mapping) -> FramedBoxes:
    """The boxes on films (`name`, `image`, `path`, in the order of the labels), scaled to the frame."""
    row_of = {name: row for row, name in enumerate(films["name"])}
    there = boxes[boxes["name"].isin(row_of)].reset_index(drop=True)
    left_out = Counter({"on films left out": len(boxes) - len(there)})
    rows = there["name"].map(row_of).to_numpy(int)
    sizes = _sizes(there, films, rows)
    known = ~np.isnan(sizes).any(1)
    left_out["on films of unknown size"] = int((~known).sum())
    there, rows, sizes = there[known].reset_index(drop=True), rows[known], sizes[known]
    scale = RELEASE_SIDE / sizes
    finding_of = {rule.label: rule.finding for rule in mapping if rule.finding in FINDINGS}  # of one alone
    framed = pd.DataFrame(
        {
            "image": films["image"].to_numpy()[rows],
            "label": there["label"],
            "finding": there["label"].map(finding_of).fillna(""),
            "reader": ["" if pd.isna(reader) else str(reader) for reader in there["reader"]],
            **{
                side: (there[side].to_numpy(float) * scale[:, axis]).round(3)
                for axis, side in enumerate("xy")
            },
            **{
                side: (there[side].to_numpy(float) * scale[:, axis]).round(3)
                for axis, side in enumerate("wh")
            },
        }
    )
    mapped = (framed["finding"] != "").to_numpy()
    places = (
        framed["finding"]
        .map({finding: place for place, finding in enumerate(FINDINGS)})
        .fillna(0)
        .to_numpy(int)
    )
    has = labels.values[rows, places] == 1
    left_out["of labels that are none of the 14"] = int((~mapped).sum())
    left_out["of a finding that the film does not count as having"] = int((mapped & ~has).sum())
    return FramedBoxes(framed, framed[mapped & has], +left_out)


def _sizes(boxes: pd.DataFrame, films: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
    """float (N, 2): width and height of the frame of each box; NaN if nobody can tell."""
    sizes: np.ndarray = boxes[["width", "height"]].to_numpy(float, copy=True)
    paths = films["path"].to_numpy()
    for row in np.unique(rows[np.isnan(sizes).any(1)]):
        found = size_of(paths[row])
        sizes[rows == row] = found or np.nan
    return sizes
