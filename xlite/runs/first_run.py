"""The first run of somebody who tries X-Lite: a tiny student of a small folder. Imports no torch."""

from pathlib import Path

from xlite.config import TrainConfig, make_config
from xlite.data.folder import is_phantom
from xlite.models.available import MODEL_FILE, TINY
from xlite.places import bundled
from xlite.runs.run import Run

NAME = "first-student"
SETTINGS: dict[str, object] = {
    "backbone": "tf_efficientnet_lite0",
    "stages": 4,
    "image_size": 128,
    "hidden": 0,
    "epochs": 8,
    "batch_size": 8,
    "augment": "light",
    "device": "auto",
}
"""The architecture of the small model that ships, whose weights it starts from: from scratch, so few films
teach nothing in two minutes."""


ESTIMATE = (
    "About two minutes of processor time, longer while others use the machine. It starts from the small "
    "model that ships and shows how training goes; what it scores says nothing about real films."
)


def is_next(data: Path) -> bool:
    """Whether it is the next step with that folder: drawn films, and nothing was trained here yet."""
    return not Run.list() and is_phantom(data)


def first_config(data: Path) -> TrainConfig:
    """The settings of that run on a data folder."""
    weights = bundled("checkpoints", TINY, MODEL_FILE)
    return make_config({"data": data, "name": NAME, "weights": str(weights), **SETTINGS})


def start_first(data: Path) -> Run:
    """Starts it in the background. RunError as `Run.create` and `Run.start`."""
    run = Run.create(first_config(data))
    run.start()
    return run
