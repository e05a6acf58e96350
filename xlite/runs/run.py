"""A run is its folder, `checkpoints/<name>`: files and one lock tell any process what it does.

`config.json` has its settings, `metrics.csv` a row for each epoch; `xlite.runs.work_folder` has the rest,
which studies share. Imports no torch.
"""

import builtins
import itertools
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlite.config import TrainConfig
from xlite.errors import RunError
from xlite.file_lock import file_lock
from xlite.models.available import MODEL_FILE
from xlite.places import check_run_name, checkpoints_dir
from xlite.runs import slurm
from xlite.runs.command import absolute_paths
from xlite.runs.launch import xlite_command
from xlite.runs.run_files import (
    CLIENT_FILE,
    EPOCHS_FILE,
    SETTINGS_FILE,
    SIMULATION_FILE,
    STATE_FILE,
    read_epochs,
    read_settings,
    write_settings,
)
from xlite.runs.status import LIVE, RunStatus, message_of
from xlite.runs.work_folder import WorkFolder

if TYPE_CHECKING:
    import pandas as pd


class Run(WorkFolder[RunStatus]):
    """One run; any number of processes may look at it."""

    kind, kinds, settings_file, depth = "run", "runs", SETTINGS_FILE, 1
    status_type = RunStatus
    parent = staticmethod(checkpoints_dir)

    @classmethod
    def create(cls, config: TrainConfig) -> "Run":
        """A new folder with its config.json, paths made absolute; RunError if the name is taken.

        An empty name is picked from the date and the backbone. A run that failed before its first epoch gives
        up its name, so that a corrected command can be run again.
        """
        parent = checkpoints_dir()
        parent.mkdir(parents=True, exist_ok=True)
        with file_lock(parent / ".create.lock", 10):
            run = cls(parent / (config.name or _free_name(parent, config.backbone)))
            if run.failed_untrained():
                shutil.rmtree(run.folder)
            try:
                run.folder.mkdir()
            except FileExistsError:
                pass  # explained outside the lock, as a cluster may take its time to say a run's state
            else:
                settings = absolute_paths(config).model_copy(update={"name": run.name})
                write_settings(run.path(SETTINGS_FILE), settings, {})
                return run
        raise RunError(run._taken())

    def _taken(self) -> str:
        """What somebody is told who wants its name, and what to do, by its state."""
        exists = f"{self.name!r} exists already in {self.folder.parent}"
        if not self.path(SETTINGS_FILE).is_file():  # a model that ships, or no run at all
            return f"{exists}: choose another name"
        state = self.status().state
        if state == "finished":
            return f"{exists}, and that run has finished: choose another name, or delete that run"
        if state in LIVE:
            return f"{exists}, and that run is {state}: choose another name"
        return f"{exists}: choose another name" + ", or resume that run" * self.can_resume()

    @classmethod
    def list(cls) -> "builtins.list[Run]":
        """Every run in `checkpoints/` whose settings can be read, newest first; see also `Listing`."""
        found: list[Run] = []
        for run in cls._all():
            try:
                run.config()
            except (RunError, OSError):
                continue
            found.append(run)
        return found

    def config(self) -> TrainConfig:
        """The run's own config.json; RunError if it is not one."""
        return read_settings(self.path(SETTINGS_FILE), self.name)[0]

    def unknown_settings(self) -> "builtins.list[str]":
        """The names in config.json that are not settings: of a later version, or of an older one."""
        return builtins.list(read_settings(self.path(SETTINGS_FILE), self.name)[1])

    def read_metrics(self) -> "pd.DataFrame":
        """metrics.csv, a row for each epoch; empty if no epoch has finished. RunError if it is damaged."""
        return read_epochs(self.path(EPOCHS_FILE), self.name)

    def has_trained(self) -> bool:
        """Whether the folder holds anything of a finished epoch."""
        return any(self.path(name).exists() for name in (STATE_FILE, EPOCHS_FILE, MODEL_FILE))

    def failed_untrained(self) -> bool:
        """Whether it was refused, or failed before its first epoch ended: there is nothing to go on with."""
        # a damaged progress.json calls a run failed that trains
        return self.status().state == "failed" and not self.has_trained() and not self.is_held()

    def can_resume(self) -> bool:
        """Whether it is at rest and there is something to go on with."""
        at_rest = self.status().state not in (*LIVE, "finished") and not self.failed_untrained()
        return at_rest and not self.is_client()

    def is_simulation(self) -> bool:
        """Whether clients dealt out of its data folder train it."""
        return self.path(SIMULATION_FILE).exists()

    def is_client(self) -> bool:
        """Whether it takes part in a federation, whose server or simulation alone goes on with it."""
        return self.path(CLIENT_FILE).exists()

    def refuse_simulation(self) -> None:
        """Raises RunError if it is a simulation, which goes on by its own command."""
        if self.is_simulation():
            raise RunError(
                f"run {self.name!r} is a simulation: go on by `xlite federate simulate --resume {self.name}`"
            )

    def refuse_federated(self) -> None:
        """Raises RunError if it is of a federation: trained alone it would be another run."""
        self.refuse_simulation()
        if self.is_client():
            raise RunError(
                f"run {self.name!r} is a client's: it goes on by the command that started it, or with its "
                "simulation"
            )

    def evaluation(self, part: str) -> Path:
        """The folder of its report on a part of its split, or of what it predicts there."""
        return self.path("evaluation") / part

    def status(self) -> RunStatus:
        """What the run does now, from progress.json, whether a trainer holds the lock, and SLURM's queue."""
        status = self.read_progress()
        if status.state in LIVE and not self.is_held():
            status = self.read_progress()  # it may have ended between the two looks
            if status.state in LIVE:
                return self._without_trainer(status)
        return status

    def _without_trainer(self, status: RunStatus) -> RunStatus:
        """What a run does that nobody holds, though its last word was that it lives."""
        submission = slurm.read_submission(self.folder)
        waits, told = slurm.waiting(submission.job) if submission else (False, "the process died")
        if not waits:
            told = f"{told}; {self._way_on()}"
        now = {"state": "queued" if waits else "killed", "message": told, "words": ()}
        return status.model_copy(update={**now, "eta_s": None, "films_a_second": None})

    def _way_on(self) -> str:
        if self.is_client():
            return "it goes on with its federation"
        return f"resume goes on after the last finished {'round' if self.is_simulation() else 'epoch'}"

    def update_progress(self, **changes: Any) -> None:
        """Replaces progress.json; what is not named stays, but time left and speed: a trainer alone tells."""
        super().update_progress(**{"eta_s": None, "films_a_second": None, **changes})

    def submit(self, options: Sequence[str] = ()) -> None:
        """Starts or resumes the run as a job of a SLURM cluster; `options` are sbatch's own.

        Returns once SLURM has taken it. RunError if it already runs, has finished, or SLURM refuses.
        """
        config = self.config()
        with self._starting():
            before = self.read_progress()
            self.clear_stop()
            self.update_progress(state="queued", message="is submitted to SLURM")
            try:
                words = xlite_command(*self._resume_words())
                slurm.submit(self.folder, self.home, words, options, config.devices, config.nodes)
            except RunError as error:
                if before.state == "new":  # so that a corrected command has its name
                    self.update_progress(state="failed", **message_of(*error.words))
                else:
                    self.write_progress(before)
                raise

    def resume(self) -> None:
        """Goes on with the run where it last ran: on this machine, or as a job of SLURM with its options."""
        submission = slurm.read_submission(self.folder)
        if submission is None:
            self.start()
        else:
            self.submit(submission.options)

    def stop(self) -> None:
        """Asks the trainer to end; it gives up its epoch. RunError if nothing runs, or for a client's run."""
        if self.is_client():
            raise RunError(
                f"run {self.name!r} is a client's, which ends with its federation: stop the simulation, or "
                "end the client where it was started"
            )
        super().stop()
        submission = slurm.read_submission(self.folder)
        if submission is not None and not self.is_held():
            slurm.cancel_pending(submission.job)
            if not slurm.waiting(submission.job)[0]:
                self.update_progress(state="stopped", message="taken out of SLURM's queue")

    def rename(self, name: str) -> "Run":
        """Gives the run another name; RunError if it is live or the name is taken.

        Rows of results.csv keep the name that they were written under.
        """
        if (self.is_simulation() or self.is_client()) and self.status().state != "finished":
            raise RunError(
                f"run {self.name!r} is of a federation, whose runs are told by their names: rename it "
                "once it has finished"
            )
        renamed = Run(self.folder.with_name(check_run_name(name)))
        config, unknown = read_settings(self.path(SETTINGS_FILE), self.name)
        with self._at_rest("renamed"):
            if renamed.folder.exists():
                raise RunError(f"{name!r} exists already in {renamed.folder.parent}: choose another name")
            self.folder.rename(renamed.folder)
            settings = config.model_copy(update={"name": name})
            write_settings(renamed.path(SETTINGS_FILE), settings, unknown)
        return renamed

    def delete(self) -> None:
        """Deletes the folder with all that was trained; RunError if the run is live."""
        self._delete_folder()

    def _begin_attempt(self) -> None:
        submission = slurm.read_submission(self.folder)
        if submission is None or not slurm.is_inside(submission.job):
            if submission is not None and slurm.is_pending(submission.job):
                raise RunError(
                    f"run {self.name!r} waits in SLURM's queue as job {submission.job}: stop it first"
                )
            self.path(slurm.SUBMISSION).unlink(missing_ok=True)
            self.clear_stop()
        self.update_progress(state="queued", message="")

    @contextmanager
    def _starting(self) -> Iterator[None]:
        if self.status().state == "finished":
            raise RunError(f"run {self.name!r} has finished; start a new run to train on")
        self.config()  # damaged settings are refused here, and not in a process that nobody listens to
        with super()._starting():
            yield

    def _resume_words(self) -> "builtins.list[str]":
        if self.is_simulation():
            return ["federate", "simulate", "--resume", self.name]
        self.refuse_federated()
        return ["train", "--resume", self.name]


def _free_name(parent: Path, backbone: str) -> str:
    """A name from the date and the backbone that no folder in `parent` has."""
    stem = f"{datetime.now():%Y%m%d-%H%M%S}-{re.sub(r'[^A-Za-z0-9_]+', '-', backbone)[:40]}"
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(name for name in names if not (parent / name).exists())
