"""The files of a run that people and other programs may have changed: config.json, metrics.csv. No torch."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from xlite.config import TrainConfig, make_config
from xlite.errors import RunError, words_of
from xlite.files import read_whole, write_atomic

if TYPE_CHECKING:
    import pandas as pd

SETTINGS_FILE, EPOCHS_FILE = "config.json", "metrics.csv"
"""The settings of a run, and a row for each of its epochs."""

STATE_FILE = "last.ckpt"
"""What a run needs to be resumed, and nobody else: the largest of its files."""

LEFT_OUT_FILE = "left_out.csv"
"""What a run that left a fold of its train part out says of it at its end."""

SIMULATION_FILE, CLIENT_FILE = "simulation.json", "client.ckpt"
"""What a run has that is a federation's simulation, or a client's: `xlite train` goes on with neither."""

EPOCH_COLUMNS = ("epoch", "train_loss", "val_loss", "val_auc")
"""Columns that metrics.csv has had since version 0.1.0."""


def read_settings(path: Path, run: str) -> tuple[TrainConfig, dict[str, Any]]:
    """The settings in a config.json, and those that this X-Lite does not know; RunError if it is damaged."""
    try:
        if path.exists() and not path.is_file():  # a folder, or a pipe, which might never end
            raise ValueError("that is not a file")
        values = from_json(read_whole(path))
        if not isinstance(values, dict):
            raise ValueError("it is not an object of settings")
        known = {name: value for name, value in values.items() if name in TrainConfig.model_fields}
        unknown = {name: value for name, value in values.items() if name not in known}
        return make_config(known), unknown
    except (OSError, ValueError, RunError) as error:
        what = f"the settings of run {run!r} cannot be read from {path}: "
        raise RunError(what, *words_of(error)) from error


def write_settings(path: Path, config: TrainConfig, unknown: dict[str, Any]) -> None:
    """Replaces a config.json whole; what another version wrote there is kept."""
    write_atomic(path, to_json({**config.model_dump(mode="json"), **unknown}, indent=2) + b"\n")


def read_epochs(path: Path, run: str) -> "pd.DataFrame":
    """The table of a metrics.csv, a row for each epoch; empty if there is none. RunError if it is damaged."""
    import pandas as pd

    try:
        table = pd.read_csv(BytesIO(read_whole(path)))
    except (FileNotFoundError, pd.errors.EmptyDataError):
        return pd.DataFrame()
    except (OSError, ValueError) as error:
        raise _damaged(path, run, str(error)) from error
    if missing := [name for name in EPOCH_COLUMNS if name not in table]:
        raise _damaged(path, run, f"it has no column {missing[0]}")
    if texts := [name for name in table if table[name].dtype.kind not in "iuf"]:
        raise _damaged(path, run, f"its column {texts[0]!r:.80} holds something else than numbers")
    if table["epoch"].dtype.kind == "f":
        raise _damaged(path, run, "its epochs are not whole numbers")
    return table


def _damaged(path: Path, run: str, why: str) -> RunError:
    return RunError(
        f"the epochs of run {run!r} cannot be read from {path} ({why:.200}): a resumed run writes them anew"
    )
