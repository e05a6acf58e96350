"""Which models this machine has, and in which order. No torch."""

from pathlib import Path

from xlite.config import bundled, checkpoints_dir

MODEL_FILE = "model.safetensors"
PREDICTION_SUFFIXES = (".csv", ".csv.gz")
"""How the name of a predictions file ends; every other part of a teacher is a network."""
SHIPPED = "demo"


def model_folders() -> list[Path]:
    """The shipped model's folder, then the user's own, newest model first; also those without a model yet.

    A model of the user's own takes the place of a shipped one with the same name.
    """
    home, package = checkpoints_dir().resolve(), bundled("checkpoints").resolve()
    first = home if (home / SHIPPED / MODEL_FILE).is_file() else package
    own = sorted((path for path in home.glob("*") if path.is_dir()), key=_changed, reverse=True)
    # the home may be the checkout itself
    folders = dict.fromkeys([first / SHIPPED, *own])
    return [folder for folder in folders if folder.is_dir()]


def model_files() -> dict[str, Path]:
    """Model files by name, in the order of `model_folders`: the first is what pages show unasked."""
    files: dict[str, Path] = {}
    for folder in model_folders():
        if (folder / MODEL_FILE).is_file():
            files.setdefault(folder.name, folder / MODEL_FILE)
    return files


def _changed(folder: Path) -> float:
    """When the model was written, or if there is none, when the folder changed; s since 1970."""
    model = folder / MODEL_FILE
    return (model if model.is_file() else folder).stat().st_mtime
