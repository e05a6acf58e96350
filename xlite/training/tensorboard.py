"""The metrics of a run as TensorBoard's event files, beside metrics.csv."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from xlite.errors import RunError, Setting

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class EventWriter:
    """Writes an epoch's row, metric by metric, at the step that is the epoch's number."""

    def __init__(self, writer: "SummaryWriter"):
        self.writer = writer

    def add(self, row: Mapping[str, float]) -> None:
        """Adds the metrics of one epoch; they are in the file when it returns."""
        for name, value in row.items():
            if name != "epoch" and math.isfinite(value):
                self.writer.add_scalar(name, value, int(row["epoch"]))
        self.writer.flush()


def open_event_writer(run_folder: Path) -> EventWriter:
    """Event files in the folder's `tensorboard`; RunError if the package is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise RunError(
            Setting("tensorboard"), " needs the package tensorboard: pip install 'xlite-cxr[tensorboard]'"
        ) from error
    return EventWriter(SummaryWriter(str(run_folder / "tensorboard")))
