"""A run is its folder: files and one lock tell any process what it does. Imports no torch.

The trainer holds `.lock`, replaces `progress.json` and appends to `log.txt`; whoever wants it to end writes
`stop`. The operating system drops the lock when the trainer dies, so no stale file ever says `running`.
"""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, get_args

from filelock import FileLock, Timeout

from xlite.config import TrainConfig, check_run_name, checkpoints_dir, make_config
from xlite.errors import RunError, XliteError
from xlite.files import read_whole, tail_lines, write_atomic

if TYPE_CHECKING:
    import pandas as pd

State = Literal["new", "queued", "running", "finished", "stopped", "failed", "killed"]
LIVE: tuple[State, ...] = ("queued", "running")

START_TIMEOUT_S = 180.0


@dataclass(frozen=True)
class RunStatus:
    """What a run does now; times in s, `updated` in ISO 8601, None where it is not known yet."""

    state: State = "new"
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    loss: float | None = None
    val_auc: float | None = None
    best_auc: float | None = None
    best_epoch: int | None = None
    elapsed_s: float = 0.0
    eta_s: float | None = None
    device: str = ""
    message: str = ""
    updated: str = ""


def train_command(config: TrainConfig) -> list[str]:
    """The command line that makes this config: every field that is not at its default."""
    words = ["xlite", "train"]
    for name, field in TrainConfig.model_fields.items():
        value = getattr(config, name)
        if not field.is_required() and value == field.default:
            continue
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            words += [f"--{option}", str(value)]
    return words


class Run:
    """One run's folder, `checkpoints/<name>`; any number of processes may look at it."""

    def __init__(self, folder: Path | str):
        self.folder = Path(folder).absolute()
        self.name = self.folder.name
        self._held = False

    @classmethod
    def named(cls, name: str) -> "Run":
        """The run of that name in `checkpoints/`; RunError where there is none."""
        run = cls(checkpoints_dir() / check_run_name(name))
        if not run.path("config.json").is_file():
            known = ", ".join(other.name for other in cls.list()) or "none yet"
            raise RunError(f"there is no run {name!r} in {checkpoints_dir()}; the runs are: {known}")
        return run

    @classmethod
    def create(cls, config: TrainConfig) -> "Run":
        """A new folder with its config.json, paths made absolute; RunError where the name is taken.

        An empty name is picked from the date and the backbone. A run that failed before its first epoch gives
        up its name, so that a corrected command can be run again.
        """
        parent = checkpoints_dir()
        parent.mkdir(parents=True, exist_ok=True)
        with FileLock(parent / ".create.lock", timeout=10):
            run = cls(_new_folder(parent, config))
            named = _absolute_paths(config).model_copy(update={"name": run.name})
            write_atomic(run.path("config.json"), named.model_dump_json(indent=2).encode() + b"\n")
        return run

    @classmethod
    def list(cls) -> "list[Run]":
        """Every run in `checkpoints/`, newest first; folders that hold no run's config are left out."""
        found = []
        for path in checkpoints_dir().glob("*/config.json"):
            run = cls(path.parent)
            with suppress(XliteError, OSError):
                run.config()
                found.append((path.stat().st_mtime_ns, run.name, run))
        return [run for _, _, run in sorted(found, key=lambda entry: entry[:2], reverse=True)]

    command = staticmethod(train_command)

    def path(self, name: str) -> Path:
        """The path of one of the run's files."""
        return self.folder / name

    def config(self) -> TrainConfig:
        """The run's own config.json; RunError where it is not one."""
        path = self.path("config.json")
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(
                f"the settings of run {self.name!r} cannot be read from {path}: {error}"
            ) from error
        if not isinstance(values, dict):
            raise RunError(f"{path} does not hold a run's settings")
        return make_config(values)

    def status(self) -> RunStatus:
        """What the run does now, from progress.json and whether the lock is held."""
        status = self._read_progress()
        if status.state in LIVE and not self.is_held():
            status = self._read_progress()  # it may have ended between the two looks
            if status.state in LIVE:
                message = "the process died; resume goes on after the last finished epoch"
                status = replace(status, state="killed", message=message, eta_s=None)
        return status

    def is_held(self) -> bool:
        """Whether a trainer is alive in this folder."""
        if not self.path(".lock").exists():
            return False
        with self._gate():
            try:
                with FileLock(self.path(".lock"), timeout=0):
                    return False
            except Timeout:
                return True

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Holds the run for the trainer: RunError where another holds it. May be nested on the same object.

        The outermost hold begins an attempt (state `queued`, an old stop request forgotten) and leaves
        `failed` and the reason behind where an error ends it.
        """
        if self._held:
            yield
            return
        with ExitStack() as stack:
            try:
                with self._gate():
                    stack.enter_context(FileLock(self.path(".lock"), timeout=0))
            except Timeout as error:
                raise RunError(f"run {self.name!r} is already running") from error
            self._held = True
            stack.callback(setattr, self, "_held", False)
            self.clear_stop()
            self.write_progress(
                {**vars(self._read_progress()), "state": "queued", "message": "", "eta_s": None}
            )
            stack.push(self._record_failure)
            yield

    def start(self) -> None:
        """Starts or resumes the run in a process of its own, which outlives this one.

        Returns once the child holds the run. RunError where it already runs, has finished, or died at once.
        """
        if self.status().state == "finished":
            raise RunError(f"run {self.name!r} has finished; start a new run to train on")
        try:
            with FileLock(self.path(".start.lock"), timeout=0):
                if self.is_held():
                    raise RunError(f"run {self.name!r} is already running")
                self._wait_until_held(self._spawn())
        except Timeout as error:
            raise RunError(f"run {self.name!r} is already being started") from error

    def stop(self) -> None:
        """Asks the trainer to end; it gives up the epoch it is in. RunError where nothing runs."""
        state = self.status().state
        if state not in LIVE:
            raise RunError(f"run {self.name!r} does not run (it is {state}), so there is nothing to stop")
        write_atomic(self.path("stop"), b"")

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

    def _read_progress(self) -> RunStatus:
        path = self.path("progress.json")
        try:
            values = json.loads(read_whole(path))
            if not isinstance(values, dict):
                raise TypeError(f"it holds {values!r}")
            known = {field.name: values[field.name] for field in fields(RunStatus) if field.name in values}
            status = RunStatus(**known)
        except FileNotFoundError:
            return RunStatus()
        except (ValueError, TypeError) as error:
            return RunStatus(state="failed", message=f"{path} is not what a trainer writes: {error}")
        if status.state not in get_args(State):
            return RunStatus(state="failed", message=f"{path} has the unknown state {status.state!r}")
        return status

    def _gate(self) -> FileLock:
        """Held for the moment in which `.lock` is tried, so that no reader's look passes for a trainer."""
        return FileLock(self.path(".gate.lock"), timeout=10)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        detached: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
            detached = {"creationflags": flags}
        with open(self.path("log.txt"), "ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "xlite", "train", "--resume", self.name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "XLITE_HOME": str(self.folder.parents[1]), "PYTHONUNBUFFERED": "1"},
                **detached,
            )
        # Waited for in a thread, so that it leaves no zombie where this process lives longer.
        threading.Thread(target=child.wait, daemon=True).start()
        return child

    def _wait_until_held(self, child: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.is_held():
            if child.returncode is not None:
                if child.returncode == 0:
                    return
                raise RunError(f"run {self.name!r} did not start: {self.log_tail(1) or 'no word in log.txt'}")
            if time.monotonic() > deadline:
                child.terminate()
                raise RunError(f"run {self.name!r} did not start within {START_TIMEOUT_S:.0f} s")
            time.sleep(0.05)

    def _record_failure(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, GeneratorExit):
            return
        progress = vars(self._read_progress())
        if isinstance(error, KeyboardInterrupt):
            progress |= {"state": "stopped", "message": "interrupted from the keyboard"}
        else:
            plain = isinstance(error, XliteError | OSError)
            progress |= {
                "state": "failed",
                "message": str(error) if plain else f"{type(error).__name__}: {error}",
            }
        with suppress(OSError):  # on a full disk the lock alone tells the end
            self.write_progress({**progress, "eta_s": None})


def _new_folder(parent: Path, config: TrainConfig) -> Path:
    if config.name:
        folder = parent / config.name
        trained = any((folder / name).exists() for name in ("last.ckpt", "metrics.csv", "model.safetensors"))
        if Run(folder).status().state == "failed" and not trained:
            shutil.rmtree(folder)
        try:
            folder.mkdir()
        except FileExistsError as error:
            raise RunError(
                f"{config.name!r} exists already in {parent}: choose another name, or resume that run"
            ) from error
        return folder
    backbone = re.sub(r"[^A-Za-z0-9_]+", "-", config.backbone)[:40]
    stem = f"{datetime.now():%Y%m%d-%H%M%S}-{backbone}"
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    folder = next(parent / name for name in names if not (parent / name).exists())
    folder.mkdir()
    return folder


def _absolute_paths(config: TrainConfig) -> TrainConfig:
    """The same choices, valid from any folder: a resume may come from another one."""
    teachers = [_absolute_path(part.strip()) for part in config.teacher.split(",")]
    return config.model_copy(
        update={
            "data": Path(os.path.expanduser(config.data)).absolute(),
            "weights": _absolute_path(config.weights),
            "teacher": ",".join(teachers),
            "teacher_list": _absolute_path(config.teacher_list),
        }
    )


def _absolute_path(spec: str) -> str:
    path = Path(os.path.expanduser(spec))
    return str(path.absolute()) if spec and path.exists() else spec
