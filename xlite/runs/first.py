"""The first run of somebody who tries X-Lite: a tiny student of a small folder. Imports no torch."""

from pathlib import Path

from xlite.config import TrainConfig, make_config
from xlite.data.folder import is_phantom
from xlite.runs.run import Run

NAME = "first-student"
SETTINGS: dict[str, object] = {
    "backbone": "mobilenetv3_small_050",
    "weights": "none",
    "image_size": 96,
    "hidden": 0,
    "epochs": 12,
    "batch_size": 8,
    "augment": "light",
    "device": "auto",
}
"""Nothing of it is fetched: a student from scratch, small enough for two cores."""


ESTIMATE = (
    "About two minutes of processor time, longer while others use the machine. It shows how training goes; "
    "what it scores says nothing about real films."
)


def is_next(data: Path) -> bool:
    """Whether it is the next step with that folder: drawn films, and nothing was trained here yet."""
    return not Run.list() and is_phantom(data)


def first_config(data: Path) -> TrainConfig:
    """The settings of that run on a data folder."""
    return make_config({"data": data, "name": NAME, **SETTINGS})


def start_first(data: Path) -> Run:
    """Starts it in the background. RunError as `Run.create` and `Run.start`."""
    run = Run.create(first_config(data))
    run.start()
    return run
