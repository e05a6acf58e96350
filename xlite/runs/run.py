"""A run is its folder: files and one lock tell any process what it does. Imports no torch.

The trainer holds `.lock`, replaces `progress.json` and appends to `log.txt`; whoever wants it to end writes
`stop`. The operating system drops the lock when the trainer dies, so no stale file ever says `running`.
"""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from xlite.config import TrainConfig, check_run_name, checkpoints_dir
from xlite.errors import RunError, sentence
from xlite.files import write_atomic
from xlite.runs import slurm
from xlite.runs.command import absolute_paths, train_command
from xlite.runs.folder import RunFolder, free_name
from xlite.runs.launch import resume_command, spawn
from xlite.runs.lock import gate, holding, is_held, is_locked
from xlite.runs.status import LIVE, RunStatus

if TYPE_CHECKING:
    import subprocess

START_TIMEOUT_S = 180.0
BALLAST, BALLAST_BYTES = ".ballast", 64 * 1024
"""Space that a trainer keeps, so that on a full disk there is room to say why it ended."""


class Run(RunFolder):
    """One run's folder, `checkpoints/<name>`; any number of processes may look at it."""

    command = staticmethod(train_command)

    def __init__(self, folder: Path | str):
        super().__init__(folder)
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
            run = cls(parent / (config.name or free_name(parent, config.backbone)))
            if run.failed_untrained():
                shutil.rmtree(run.folder)
            try:
                run.folder.mkdir()
            except FileExistsError as error:
                raise RunError(
                    f"{run.name!r} exists already in {parent}: choose another name, or resume that run"
                ) from error
            run.write_config(absolute_paths(config).model_copy(update={"name": run.name}))
        return run

    @classmethod
    def look(cls) -> "tuple[list[Run], list[RunError | OSError]]":
        """`Run.list()`, and for each other folder with a config.json why that cannot be read."""
        found, damaged = [], []
        for path in sorted(checkpoints_dir().glob("[!.]*/config.json")):
            run = cls(path.parent)
            try:
                run.config()
                found.append((path.stat().st_mtime_ns, run.name, run))
            except (RunError, OSError) as error:
                if path.exists():  # else it was renamed or deleted at this moment
                    damaged.append(error)
        return [run for _, _, run in sorted(found, key=lambda entry: entry[:2], reverse=True)], damaged

    @classmethod
    def list(cls) -> "list[Run]":
        """Every run in `checkpoints/` whose settings can be read, newest first."""
        return cls.look()[0]

    def status(self) -> RunStatus:
        """What the run does now, from progress.json, whether the lock is held, and SLURM's line."""
        status = self.read_progress()
        if status.state in LIVE and not self.is_held():
            status = self.read_progress()  # it may have ended between the two looks
            if status.state in LIVE:
                return self._without_trainer(status)
        return status

    def failed_untrained(self) -> bool:
        """Whether it was refused, or failed before its first epoch ended: there is nothing to go on with."""
        return self.status().state == "failed" and not self.has_trained()

    def is_held(self) -> bool:
        """Whether a trainer is alive in this folder."""
        return is_held(self.folder)

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
            stack.enter_context(holding(self.folder, f"run {self.name!r} is already running"))
            self._held = True
            stack.callback(setattr, self, "_held", False)
            self._begin_attempt()
            stack.callback(self.path(BALLAST).unlink, missing_ok=True)
            stack.push(self._record_failure)
            yield

    def start(self) -> None:
        """Starts or resumes the run in a process of its own, which outlives this one.

        Returns once the child holds the run. RunError where it already runs, has finished, or died at once.
        """
        with self._starting():
            command, home = resume_command(self.name), self.folder.parents[1]
            self._wait_until_held(spawn(command, home, self.path("log.txt")))

    def submit(self, options: Sequence[str] = ()) -> None:
        """Starts or resumes the run as a job of a SLURM cluster; `options` are sbatch's own.

        Returns once SLURM has taken it. RunError where it already runs, has finished, or SLURM refuses.
        """
        config = self.config()
        with self._starting():
            before = self.read_progress()
            self.clear_stop()
            sent = {"state": "queued", "message": "is submitted to SLURM", "eta_s": None}
            self.write_progress({**vars(before), **sent})
            try:
                home, words = self.folder.parents[1], resume_command(self.name)
                slurm.submit(self.folder, home, words, options, config.devices, config.nodes)
            except RunError:
                self.write_progress(vars(before))
                raise

    def resume(self) -> None:
        """Goes on with the run where it last ran: on this machine, or as a job of SLURM with its options."""
        submission = slurm.read_submission(self.folder)
        if submission is None:
            self.start()
        else:
            self.submit(submission.options)

    def stop(self) -> None:
        """Asks the trainer to end; it gives up the epoch it is in. RunError where nothing runs."""
        status = self.status()
        if status.state not in LIVE:
            raise RunError(
                f"run {self.name!r} does not run (it is {status.state}), so there is nothing to stop"
            )
        write_atomic(self.path("stop"), b"")
        submission = slurm.read_submission(self.folder)
        if submission is not None and not self.is_held():
            slurm.cancel_pending(submission.job)
            if not slurm.waiting(submission.job)[0]:
                ended = {"state": "stopped", "message": "taken out of SLURM's line", "eta_s": None}
                self.write_progress({**vars(self.read_progress()), **ended})

    def rename(self, name: str) -> "Run":
        """Gives the run another name; RunError where it is live or the name is taken.

        Rows of results.csv keep the name that they were written under.
        """
        renamed = Run(self.folder.with_name(check_run_name(name)))
        config = self.config().model_copy(update={"name": name})
        with self._at_rest("renamed"):
            if renamed.folder.exists():
                raise RunError(f"{name!r} exists already in {renamed.folder.parent}: choose another name")
            self.folder.rename(renamed.folder)
            renamed.write_config(config)
        return renamed

    def delete(self) -> None:
        """Deletes the folder with all that was trained; RunError where the run is live."""
        grave = self.folder.with_name(f".deleted-{self.name}-{time.time_ns()}")
        with self._at_rest("deleted"):
            self.folder.rename(grave)  # at once: nobody sees half a run
        shutil.rmtree(grave)

    def _without_trainer(self, status: RunStatus) -> RunStatus:
        """What a run is whose last word was that it lives, though nobody holds it."""
        submission = slurm.read_submission(self.folder)
        waits, told = slurm.waiting(submission.job) if submission else (False, "the process died")
        if waits:
            return replace(status, state="queued", message=told, eta_s=None)
        message = f"{told}; resume goes on after the last finished epoch"
        return replace(status, state="killed", message=message, eta_s=None)

    def _begin_attempt(self) -> None:
        submission = slurm.read_submission(self.folder)
        if submission is None or not slurm.is_inside(submission.job):
            if submission is not None and slurm.is_pending(submission.job):
                raise RunError(
                    f"run {self.name!r} waits in SLURM's line as job {submission.job}: stop it first"
                )
            self.path(slurm.SUBMISSION).unlink(missing_ok=True)
            self.clear_stop()
        self.path(BALLAST).write_bytes(os.urandom(BALLAST_BYTES))
        began = {"state": "queued", "message": "", "eta_s": None}
        self.write_progress({**vars(self.read_progress()), **began})

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """One at a time, and only a run that can be started: RunError otherwise."""
        if self.status().state == "finished":
            raise RunError(f"run {self.name!r} has finished; start a new run to train on")
        try:
            with FileLock(self.path(".start.lock"), timeout=0):
                if self.is_held() or self.status().state in LIVE:
                    raise RunError(f"run {self.name!r} is already running")
                yield
        except Timeout as error:
            raise RunError(f"run {self.name!r} is already being started") from error

    @contextmanager
    def _at_rest(self, done: str) -> Iterator[None]:
        """Keeps trainers and new names out while the folder moves; RunError where the run is live."""
        state = self.status().state
        with FileLock(self.folder.parent / ".create.lock", timeout=10), gate(self.folder):
            if state in LIVE or is_locked(self.folder):
                raise RunError(f"run {self.name!r} is not at rest ({state}): stop it, then it can be {done}")
            yield

    def _wait_until_held(self, child: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (self.is_held() and self.read_progress().state in LIVE):
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
        progress = vars(self.read_progress())
        if isinstance(error, KeyboardInterrupt):
            progress |= {"state": "stopped", "message": "interrupted from the keyboard"}
        else:
            progress |= {"state": "failed", "message": sentence(error)}
        self.path(BALLAST).unlink(missing_ok=True)
        with suppress(OSError):  # where even that makes no room, the lock alone tells the end
            self.write_progress({**progress, "eta_s": None})
