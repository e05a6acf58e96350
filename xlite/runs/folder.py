"""The files of a run's folder, as trainers write them and everybody reads them. Imports no torch."""

import itertools
import json
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlite.config import TrainConfig, make_config
from xlite.errors import RunError
from xlite.files import tail_lines, write_atomic
from xlite.runs.status import RunStatus, read_status

if TYPE_CHECKING:
    import pandas as pd


class RunFolder:
    """The files that a run consists of, without a word on whether anybody is at work on them."""

    def __init__(self, folder: Path | str):
        self.folder = Path(folder).absolute()
        self.name = self.folder.name

    def path(self, name: str) -> Path:
        """The path of one of the run's files."""
        return self.folder / name

    def config(self) -> TrainConfig:
        """The run's own config.json; RunError where it is not one."""
        path = self.path("config.json")
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(values, dict):
                raise ValueError("it is no object of settings")
            return make_config(values)
        except (OSError, ValueError, RunError) as error:
            raise RunError(
                f"the settings of run {self.name!r} cannot be read from {path}: {error}"
            ) from error

    def write_config(self, config: TrainConfig) -> None:
        """Replaces config.json whole."""
        write_atomic(self.path("config.json"), config.model_dump_json(indent=2).encode() + b"\n")

    def has_trained(self) -> bool:
        """Whether the folder holds anything of a finished epoch."""
        return any(self.path(name).exists() for name in ("last.ckpt", "metrics.csv", "model.safetensors"))

    def stop_requested(self) -> bool:
        """Whether somebody asked for the end."""
        return self.path("stop").exists()

    def clear_stop(self) -> None:
        """Forgets a stop request."""
        self.path("stop").unlink(missing_ok=True)

    def write_progress(self, progress: dict[str, Any]) -> None:
        """Replaces progress.json whole; keys as in RunStatus, `updated` is set here."""
        stamped = {**progress, "updated": datetime.now().astimezone().isoformat(timespec="seconds")}
        write_atomic(self.path("progress.json"), json.dumps(stamped, indent=1).encode() + b"\n")

    def read_metrics(self) -> "pd.DataFrame":
        """metrics.csv, a row an epoch; empty where no epoch has finished."""
        import pandas as pd

        path = self.path("metrics.csv")
        try:
            return pd.read_csv(path)
        except (FileNotFoundError, pd.errors.EmptyDataError):
            return pd.DataFrame()

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of log.txt; of a progress bar that redraws itself, its last state."""
        return tail_lines(self.path("log.txt"), lines)

    def read_progress(self) -> RunStatus:
        """The last word of a trainer, which may be dead by now."""
        return read_status(self.path("progress.json"))


def free_name(parent: Path, backbone: str) -> str:
    """A name from the date and the backbone that no folder in `parent` has."""
    stem = f"{datetime.now():%Y%m%d-%H%M%S}-{re.sub(r'[^A-Za-z0-9_]+', '-', backbone)[:40]}"
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(name for name in names if not (parent / name).exists())
