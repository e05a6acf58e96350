"""Which models there are on this machine, and in which order. No torch."""

from pathlib import Path

from xlite.config import bundled, checkpoints_dir

MODEL_FILE = "model.safetensors"
PREDICTIONS = (".csv", ".csv.gz")
"""How the name of a predictions file ends: what else a teacher is made of are networks."""
SHIPPED = "demo"


def model_folders() -> list[Path]:
    """The shipped model's folder, then those of one's own, newest model first; with or without a model yet.

    A model of one's own takes the place of the shipped one of its name.
    """
    home, package = checkpoints_dir().resolve(), bundled("checkpoints").resolve()
    first = home if (home / SHIPPED / MODEL_FILE).is_file() else package
    own = sorted((path for path in home.glob("*") if path.is_dir()), key=_changed, reverse=True)
    # the home may be the checkout itself
    folders = dict.fromkeys([first / SHIPPED, *own])
    return [folder for folder in folders if folder.is_dir()]


def model_files() -> dict[str, Path]:
    """Model files by name, in the order of `model_folders`: the first is the model on duty."""
    files: dict[str, Path] = {}
    for folder in model_folders():
        if (folder / MODEL_FILE).is_file():
            files.setdefault(folder.name, folder / MODEL_FILE)
    return files


def _changed(folder: Path) -> float:
    """When the model was written, else when the folder changed; s since 1970."""
    model = folder / MODEL_FILE
    return (model if model.is_file() else folder).stat().st_mtime
