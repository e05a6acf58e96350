"""A run's curves as TensorBoard's event files, beside metrics.csv."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from xlite.errors import RunError

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class Curves:
    """Writes an epoch's row, figure by figure, at the step of its number."""

    def __init__(self, writer: "SummaryWriter"):
        self.writer = writer

    def add(self, row: Mapping[str, float]) -> None:
        """Adds the figures of one epoch, and sees that they are in the file when it returns."""
        for name, value in row.items():
            if name != "epoch" and math.isfinite(value):
                self.writer.add_scalar(name, value, int(row["epoch"]))
        self.writer.flush()


def open_curves(run_folder: Path) -> Curves:
    """Event files in the folder's `tensorboard`; RunError where the package is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise RunError(
            "--tensorboard needs the package tensorboard: pip install 'xlite-cxr[tensorboard]'"
        ) from error
    return Curves(SummaryWriter(str(run_folder / "tensorboard")))
