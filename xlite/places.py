"""Where X-Lite's files lie, and what a run may be called."""

import os
from pathlib import Path

from xlite.errors import RunError
from xlite.files import PLAIN_NAME


def bundled(*parts: str) -> Path:
    """A file or folder that comes with X-Lite: beside the package in a checkout, inside it if installed."""
    inside = Path(__file__).resolve().parent / "bundled"
    return (inside if inside.is_dir() else inside.parents[1]).joinpath(*parts)


def home() -> Path:
    """The folder that holds `checkpoints/` and `experiments/`: $XLITE_HOME, else the current folder."""
    return Path(os.environ.get("XLITE_HOME") or ".").absolute()


def checkpoints_dir() -> Path:
    """The folder of all runs."""
    return home() / "checkpoints"


def results_csv() -> Path:
    """The experiment log, one row for each finished experiment."""
    return home() / "experiments" / "results.csv"


def sweeps_dir() -> Path:
    """The folder of all studies."""
    return home() / "experiments" / "sweeps"


def embeddings_dir() -> Path:
    """The folder of all embeddings of films by a model's features."""
    return home() / "experiments" / "embeddings"


def federations_dir() -> Path:
    """What clients of federations said of public films."""
    return home() / "experiments" / "federations"


def labellings_dir() -> Path:
    """The folder of all labellings."""
    return home() / "experiments" / "labellings"


def duty_json() -> Path:
    """Which model is on duty, if somebody chose one."""
    return home() / "experiments" / "duty.json"


def pacs_dir() -> Path:
    """The queue of a DICOM node."""
    return home() / "pacs"


def notice_json() -> Path:
    """That somebody here has read what X-Lite is not for."""
    return home() / "experiments" / "notice.json"


def check_run_name(name: str) -> str:
    """The name itself if it can be that of a folder; raises RunError otherwise."""
    if not PLAIN_NAME.fullmatch(name) or ".." in name:
        raise RunError(
            f"{name!r} cannot be a run's name: use up to 80 letters, digits, '.', '_' and '-', "
            "starting with a letter or digit"
        )
    return name
