"""targets.csv: how a model's maps meet the boxes of each film, one by one; and the best and worst of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pandas as pd

from xlite.data.rows import read_text
from xlite.errors import DataError
from xlite.explain import DEFAULT_METHOD
from xlite.files import write_atomic
from xlite.findings import spoken
from xlite.messages import literal
from xlite.text import as_cell, from_cell

TARGETS_FILE = "targets.csv"
_COLUMNS = ["stem", "finding", "method", "pointing", "iou"]


@dataclass(frozen=True)
class BoxTarget:
    """All boxes of a finding on a film, and how a map meets them.

    pointing: the share of the map's peaks in a box, 0-1; iou: of the best pair of the map's boxes and these.
    """

    stem: str
    finding: str
    method: str
    pointing: float
    iou: float


def write_targets(out: Path, targets: pd.DataFrame | None) -> None:
    """Writes what was found of each target, as `BoxTarget` has it; without any, deletes an older file."""
    path = out / TARGETS_FILE
    if targets is None:
        path.unlink(missing_ok=True)
        return
    table = targets.assign(stem=targets["stem"].map(as_cell))[_COLUMNS]
    write_atomic(path, table.to_csv(index=False, lineterminator="\n", float_format="%.6g").encode())


def read_targets(folder: Path) -> list[BoxTarget]:
    """What `write_targets` wrote; nothing if it wrote nothing. Raises DataError if the file is damaged."""
    path = folder / TARGETS_FILE
    if not path.is_file():
        return []
    try:
        kinds = {"stem": str, "finding": str, "method": str, "pointing": float, "iou": float}
        table = pd.read_csv(StringIO(read_text(path)), dtype=kinds, keep_default_na=False)[_COLUMNS]
    except (DataError, ValueError, KeyError) as error:
        raise DataError(f"{path} is damaged ({error}): evaluate the model again") from error
    return [BoxTarget(from_cell(row[0]), *row[1:]) for row in table.itertuples(index=False, name=None)]


def methods_of(targets: Sequence[BoxTarget]) -> list[str]:
    """The kinds of map that were judged, the one that pages show first."""
    found = dict.fromkeys(one.method for one in targets)
    return sorted(found, key=lambda name: name != DEFAULT_METHOD)


def best_and_worst(
    targets: Sequence[BoxTarget], method: str, count: int
) -> tuple[list[BoxTarget], list[BoxTarget]]:
    """Those that a kind of map meets best and worst, by its peak, then its overlap; none is in both."""
    own = sorted((one for one in targets if one.method == method), key=lambda one: (-one.pointing, -one.iou))
    best = min(count, (len(own) + 1) // 2)
    return own[:best], own[best:][::-1][:count]


def target_caption(target: BoxTarget) -> str:
    """What a map meets, as Markdown."""
    peak = "in the box" if target.pointing == 1 else "beside the box" if target.pointing == 0 else "partly"
    return f"**{spoken(target.finding)}**: peak {peak}, IoU {target.iou:.2f}  \n{literal(target.stem)}"
