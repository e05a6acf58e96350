"""All runs with what is known of each, read anew only if files have changed: for pages that renew
themselves every few seconds. No torch.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from xlite.config import TrainConfig
from xlite.errors import DataError, RunError, XliteError
from xlite.models.available import MODEL_FILE
from xlite.places import results_csv
from xlite.runs.annotation import ANNOTATION_FILE, Annotation, read_annotation
from xlite.runs.judged import REPORT_FILE, ROW_FILE, Judgement, read_judgement, read_parameters, read_row
from xlite.runs.results import Experiment, readable_and_damaged
from xlite.runs.run import Run
from xlite.runs.run_files import EPOCHS_FILE, SETTINGS_FILE, read_epochs, read_settings
from xlite.runs.seen_files import SeenFiles
from xlite.runs.status import LIVE, RunStatus, read_status
from xlite.runs.work_folder import PROGRESS_FILE

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")


class Settings(NamedTuple):
    """A run's settings, what all seeds of it have in common, and for searches in small letters: each setting
    as `seed=3`, and the values that are not at their defaults.
    """

    config: TrainConfig
    without_seed: str
    words: frozenset[str]
    changed: str


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run without reading its model; None or empty if it is not known.

    logged: its row of results.csv; size_mb: of its model file, in 10^6 bytes.
    """

    run: Run
    settings: Settings
    status: RunStatus
    annotation: Annotation = Annotation()
    judged: Judgement | None = None
    logged: Experiment | None = None
    size_mb: float | None = None

    @property
    def name(self) -> str:
        """The run's name."""
        return self.run.name

    @property
    def config(self) -> TrainConfig:
        """The run's settings."""
        return self.settings.config

    @property
    def latency_ms(self) -> float | None:
        """How long its model took for a film when the run ended, on the machine that trained it."""
        return None if self.logged is None else self.logged.inference_time_ms


class Listing:
    """The runs in one folder, for as many threads as look at them."""

    def __init__(self, parent: Path):
        self.parent = parent
        self._files: dict[Path, SeenFiles] = {}
        self._log = SeenFiles()

    def runs(self) -> tuple[list[RunFacts], list[XliteError | OSError]]:
        """Every run whose settings can be read, newest first; and what of these and others is damaged."""
        found: list[RunFacts] = []
        damaged: list[XliteError | OSError] = []
        folders = _run_folders(self.parent)
        self._files = {folder: self._files.get(folder) or SeenFiles() for folder in folders}
        for folder, files in self._files.items():
            try:
                found.append(_facts(folder, files, damaged))
            except (XliteError, OSError) as error:
                if os.path.lexists(folder / SETTINGS_FILE):  # else it was renamed or deleted at this moment
                    damaged.append(error)
        return found, damaged

    def parameters(self, run: Run) -> int | None:
        """How many parameters the run's model has; None if it has none."""
        return self._of(run.folder).read(run.path(MODEL_FILE), read_parameters)

    def epochs(self, run: Run) -> "pd.DataFrame":
        """The run's metrics.csv, a row for each epoch; RunError if it is damaged."""
        return self._of(run.folder).read(run.path(EPOCHS_FILE), _epochs)

    def experiments(self) -> tuple[list[Experiment], DataError | None]:
        """The rows of results.csv and what is damaged in it, as `readable_and_damaged` gives them."""
        return self._log.read(results_csv(), readable_and_damaged)

    def _of(self, folder: Path) -> SeenFiles:
        return self._files.get(folder) or SeenFiles()


def _facts(folder: Path, files: SeenFiles, damaged: list[XliteError | OSError]) -> RunFacts:
    """What the files of a folder say; what is wrong with one of them is added to `damaged`."""

    def read_or(name: str, reader: Callable[[Path], T], otherwise: T) -> T:
        try:
            return files.read(folder / name, reader)
        except (XliteError, OSError) as error:
            damaged.append(error)
            return otherwise

    run = Run(folder)
    settings = files.read(folder / SETTINGS_FILE, _settings)
    status = files.read(folder / PROGRESS_FILE, _status)
    if status.damage:
        damaged.append(RunError(f"the state of run {run.name!r} is not known: {status.damage}"))
    if status.state in LIVE:  # as the lock tells, which no file does
        status = run.status()
    return RunFacts(
        run,
        settings,
        status,
        read_or(ANNOTATION_FILE, _annotation, Annotation()),
        read_or(REPORT_FILE, read_judgement, None),
        read_or(ROW_FILE, read_row, None),
        _megabytes(folder / MODEL_FILE),
    )


def _settings(path: Path) -> Settings:
    return settings_of(read_settings(path, path.parent.name)[0])


def settings_of(config: TrainConfig) -> Settings:
    """A config with what is made of it once, as it is asked for again and again."""
    values = config.model_dump(mode="json")
    words = {f"{name}={value}".casefold() for name, value in values.items()}
    changed = [
        str(value)
        for name, value in config
        if value != TrainConfig.model_fields[name].default and not isinstance(value, bool)
    ]
    without_seed = config.model_dump_json(exclude={"name", "seed"})
    return Settings(config, without_seed, frozenset(words), "\n".join(changed).casefold())


def _epochs(path: Path) -> "pd.DataFrame":
    return read_epochs(path, path.parent.name)


def _status(path: Path) -> RunStatus:
    return read_status(path, RunStatus)


def _annotation(path: Path) -> Annotation:
    return read_annotation(path.parent)


def _megabytes(path: Path) -> float | None:
    try:
        return round(os.stat(path).st_size / 1e6, 2)
    except OSError:
        return None


def _run_folders(parent: Path) -> list[Path]:
    """The folders with a config.json, whether it can be read or not, newest first."""
    found = []
    with suppress(FileNotFoundError), os.scandir(parent) as entries:
        for entry in entries:
            if not entry.name.startswith("."):
                with suppress(FileNotFoundError, NotADirectoryError):  # renamed or deleted at this moment
                    changed = os.lstat(os.path.join(entry.path, SETTINGS_FILE)).st_mtime_ns
                    found.append((changed, Path(entry.path)))
    return [folder for _, folder in sorted(found, reverse=True)]


def names_of(runs: Iterable[RunFacts]) -> list[str]:
    """The names of runs, in their order."""
    return [one.name for one in runs]
