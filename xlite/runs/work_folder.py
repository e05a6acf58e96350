"""What runs and studies are alike: a folder of files, and a lock that tells whether anybody works in it.

Whoever works in the folder holds `.lock`, replaces `progress.json` and appends to `log.txt`; whoever wants it
to end writes `stop`. The operating system drops the lock if the process dies, so no stale file ever says
`running`. Imports no torch.
"""

import os
import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Generic, Self

from xlite.errors import RunError, XliteError, sentence, words_as_json
from xlite.file_lock import file_lock
from xlite.files import tail_lines, write_atomic
from xlite.places import check_run_name
from xlite.runs.launch import spawn, xlite_command
from xlite.runs.lock import holding, is_held, is_locked, mutex
from xlite.runs.status import LIVE, S, read_status

PROGRESS_FILE, LOG_FILE = "progress.json", "log.txt"
START_TIMEOUT_S = 180.0
BALLAST, BALLAST_BYTES = ".ballast", 64 * 1024
"""Space that whoever works in a folder keeps, so that on a full disk there is room to say why it ended."""


class WorkFolder(ABC, Generic[S]):
    """The folder of one run or study; any number of processes may look at it."""

    kind: ClassVar[str]
    kinds: ClassVar[str]
    settings_file: ClassVar[str]
    depth: ClassVar[int]
    """How many folders lie between it and the home."""

    status_type: type[S]

    def __init__(self, folder: Path | str):
        self.folder = Path(folder).absolute()
        self.name = self.folder.name
        self._holds = False

    @staticmethod
    @abstractmethod
    def parent() -> Path:
        """The folder of all of them."""

    @abstractmethod
    def status(self) -> S:
        """What it does now, from progress.json and whether somebody holds it."""

    @abstractmethod
    def _resume_words(self) -> list[str]:
        """The words behind `xlite` that go on with it."""

    @classmethod
    def named(cls, name: str) -> Self:
        """The one of that name; RunError if there is none, or if its settings are not a file."""
        found = cls(cls.parent() / check_run_name(name))
        settings = found.path(cls.settings_file)
        if not os.path.lexists(settings):
            names = ", ".join(other.name for other in cls._all()) or "none yet"
            raise RunError(f"there is no {cls.kind} {name!r} in {cls.parent()}; the {cls.kinds} are: {names}")
        if not settings.is_file():
            raise RunError(
                f"the settings of {cls.kind} {name!r} cannot be read from {settings}: that is not a file; "
                f"put the file back, or delete {found.folder}"
            )
        return found

    @classmethod
    def _all(cls) -> Iterator[Self]:
        """Every one of them, newest first; whether its settings can be read or not."""
        found = []
        for folder in cls.parent().glob("[!.]*"):
            with suppress(FileNotFoundError, NotADirectoryError):  # renamed or deleted at this moment
                # lstat: a link to nothing or to itself cannot be read, which is to be told
                found.append(((folder / cls.settings_file).lstat().st_mtime_ns, folder))
        for _, folder in sorted(found, reverse=True):
            yield cls(folder)

    @property
    def home(self) -> Path:
        """The home that it lies in."""
        return self.folder.parents[self.depth]

    def path(self, name: str) -> Path:
        """The path of one of its files."""
        return self.folder / name

    def is_held(self) -> bool:
        """Whether a process works in this folder."""
        return is_held(self.folder)

    def stop_requested(self) -> bool:
        """Whether somebody asked for the end."""
        return self.path("stop").exists()

    def clear_stop(self) -> None:
        """Forgets a stop request."""
        self.path("stop").unlink(missing_ok=True)

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of log.txt; of a progress bar that redraws itself, its last state."""
        return tail_lines(self.path(LOG_FILE), lines)

    def read_progress(self) -> S:
        """The last word of whoever works in it, who may be dead by now."""
        return read_status(self.path(PROGRESS_FILE), self.status_type)

    def write_progress(self, status: S) -> None:
        """Replaces progress.json whole; `updated` is set here."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        stamped = status.model_copy(update={"updated": now})
        write_atomic(self.path(PROGRESS_FILE), stamped.model_dump_json(indent=1).encode() + b"\n")

    def update_progress(self, **changes: Any) -> None:
        """Replaces progress.json; what is not named stays, but a new message has its own words."""
        if "message" in changes:
            changes = {"words": (), **changes}
        self.write_progress(self.status_type.model_validate({**dict(self.read_progress()), **changes}))

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Holds the folder for who works in it: RunError if another does. May be nested on the same object.

        The outermost hold begins an attempt (an old stop request is forgotten) and leaves `failed` and the
        reason behind if an error ends it.
        """
        if self._holds:
            yield
            return
        with ExitStack() as stack:
            stack.enter_context(holding(self.folder, f"{self.kind} {self.name!r} is already running"))
            self._holds = True
            stack.callback(setattr, self, "_holds", False)
            self._begin_attempt()
            self.path(BALLAST).write_bytes(os.urandom(BALLAST_BYTES))
            stack.callback(self.path(BALLAST).unlink, missing_ok=True)
            stack.push(self._record_failure)
            yield

    def _begin_attempt(self) -> None:
        """Says that somebody has begun to work in it."""
        self.clear_stop()
        self.update_progress(state="queued", message="")

    def _record_failure(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, GeneratorExit):
            return
        self.path(BALLAST).unlink(missing_ok=True)
        with suppress(OSError):  # if even that makes no room, the lock alone tells the end
            if isinstance(error, KeyboardInterrupt):
                self.update_progress(state="stopped", message="interrupted from the keyboard")
            else:
                words = words_as_json(error.words) if isinstance(error, XliteError) else ()
                self.update_progress(state="failed", message=sentence(error), words=words)

    def start(self) -> None:
        """Starts it or goes on with it, in a process that outlives this one.

        Returns once the child holds it. RunError if it already runs, cannot go on, or died at once.
        """
        with self._starting():
            child = spawn(xlite_command(*self._resume_words()), self.home, self.path(LOG_FILE))
            self._wait_until_held(child)

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """One at a time, and only what does not run: RunError otherwise."""
        with ExitStack() as stack:
            try:
                stack.enter_context(file_lock(self.path(".start.lock"), 0))
            except TimeoutError as error:
                raise RunError(f"{self.kind} {self.name!r} is already being started") from error
            if self.is_held() or self.status().state in LIVE:
                raise RunError(f"{self.kind} {self.name!r} is already running")
            yield

    def _wait_until_held(self, child: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (self.is_held() and self.read_progress().state in LIVE):
            if child.returncode == 0:
                return
            if child.returncode is not None:
                last = self.log_tail(1) or "no word in log.txt"
                raise RunError(f"{self.kind} {self.name!r} did not start: {last}")
            if time.monotonic() > deadline:
                child.terminate()
                raise RunError(f"{self.kind} {self.name!r} did not start within {START_TIMEOUT_S:.0f} s")
            time.sleep(0.05)

    def stop(self) -> None:
        """Asks whoever works in it to end; the epoch that trains is given up. RunError if nobody does."""
        state = self.status().state
        if state not in LIVE:
            raise RunError(
                f"{self.kind} {self.name!r} does not run (it is {state}), so there is nothing to stop"
            )
        write_atomic(self.path("stop"), b"")

    def _delete_folder(self) -> None:
        """Deletes the folder with all that is in it; RunError if somebody works in it."""
        grave = self.folder.with_name(f".deleted-{self.name}-{time.time_ns()}")
        with self._at_rest("deleted"):
            self.folder.rename(grave)  # at once: nobody sees half of it
        shutil.rmtree(grave)

    @contextmanager
    def _at_rest(self, done: str) -> Iterator[None]:
        """Keeps everybody out while the folder moves; RunError if somebody works in it."""
        state = self.status().state
        with file_lock(self.folder.parent / ".create.lock", 10), mutex(self.folder):
            if state in LIVE or is_locked(self.folder):
                raise RunError(
                    f"{self.kind} {self.name!r} is not at rest ({state}): stop it, then it can be {done}"
                )
            yield
