"""A sweep is the folder of one study, `experiments/sweeps/<study>`: files and one lock tell what it does.

`sweep.json` is the plan, `leaderboard.json` what came of it so far; `xlite.runs.work_folder` has the rest,
which runs share. The trials are in Optuna's storage, as a rule `study.db` in the same folder, and their runs
in `checkpoints/`. Readers need neither.
"""

import builtins
import secrets
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from xlite.errors import RunError, objection, sentence
from xlite.files import read_whole, write_atomic
from xlite.places import checkpoints_dir, sweeps_dir
from xlite.runs.command import absolute_paths
from xlite.runs.run import Run
from xlite.runs.status import LIVE
from xlite.runs.work_folder import PROGRESS_FILE, WorkFolder
from xlite.sweeps.leaderboard import Leaderboard
from xlite.sweeps.plan import Plan
from xlite.sweeps.status import Signature, SweepStatus

LEADERBOARD_FILE = "leaderboard.json"


class Sweep(WorkFolder[SweepStatus]):
    """One study; any number of processes may look at it."""

    kind, kinds, settings_file, depth = "study", "studies", "sweep.json", 2
    status_type = SweepStatus
    parent = staticmethod(sweeps_dir)

    @classmethod
    def open(cls, plan: Plan) -> "Sweep":
        """The sweep of a plan, new or begun before; RunError if that study has another plan.

        A search that was begun before may be given more trials. A study without a trial that came to
        anything, which nobody works on, gives up its name, so that a corrected command can be run again.
        """
        sweep = cls(sweeps_dir() / plan.study)
        if sweep.path(cls.settings_file).is_file() and sweep.plan() != plan:
            if not sweep._came_to_nothing():
                _check_same(sweep.plan(), plan)
            sweep.path(PROGRESS_FILE).unlink(missing_ok=True)
        sweep.folder.mkdir(parents=True, exist_ok=True)
        write_atomic(sweep.path(cls.settings_file), plan.model_dump_json(indent=2).encode() + b"\n")
        return sweep

    @classmethod
    def list(cls) -> "builtins.list[Sweep]":
        """Every sweep there is, the one begun last first."""
        return builtins.list(cls._all())

    def plan(self) -> Plan:
        """The sweep's own sweep.json; RunError if it is not one."""
        path = self.path(self.settings_file)
        try:
            return Plan.model_validate_json(read_whole(path))
        except (OSError, ValidationError) as error:
            # Not the value: it may be a storage with its password.
            why = objection(error, show=False) if isinstance(error, ValidationError) else sentence(error)
            raise RunError(f"the plan of study {self.name!r} cannot be read from {path}: {why}") from error

    def storage(self) -> str:
        """The URL of the Optuna storage: the plan's own, else SQLite in this folder."""
        return self.plan().storage or f"sqlite:///{self.path('study.db')}"

    def signature(self) -> Signature:
        """How this sweep signs the trials that it works on; the same for ever.

        It is made up once: a machine may get another name, and a home another place.
        """
        path = self.path("signature")
        if not path.exists():
            made = Signature(f"{socket.gethostname()}:{self.home}", secrets.token_hex(8))
            write_atomic(path, str(made).encode())
        return Signature.read(read_whole(path).decode(errors="replace"))

    def status(self) -> SweepStatus:
        """What the sweep does now, from progress.json and whether somebody holds the lock."""
        is_held = self.is_held()
        status = self.read_progress()
        if is_held:
            return status.model_copy(update={"state": "running"})  # who has just begun says so a moment later
        if status.state == "running":
            message = "the process died; its trials are picked up again when the study goes on"
            return status.model_copy(update={"state": "killed", "message": message, "words": ()})
        return status

    def runs(self) -> "builtins.list[Run]":
        """The runs of its trials that are in this home; one of its name with other settings is not its."""
        plan, found = self.plan(), []
        for trial in self.status().trials:
            run = Run(checkpoints_dir() / trial.run)
            with suppress(RunError):  # it was trained in another home, or cannot be read
                if run.config() == absolute_paths(plan.config(trial.values, run.name)):
                    found.append(run)
        return found

    def delete(self, runs: Sequence[Run] = ()) -> None:
        """Deletes the folder, and those of its runs; what a shared storage holds stays.

        RunError, and nothing is deleted, if somebody works on the study or a run is live.
        """
        live = [run.name for run in runs if run.status().state in LIVE]
        if live:
            raise RunError(
                f"run {live[0]!r} of study {self.name!r} is live: stop it, then they can be deleted"
            )
        self._delete_folder()
        for run in runs:
            run.delete()

    def leaderboard(self) -> Leaderboard | None:
        """What came of the study so far; None if no trial has finished, RunError if the file is damaged."""
        path = self.path(LEADERBOARD_FILE)
        try:
            return Leaderboard.model_validate_json(read_whole(path))
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise RunError(f"{path} is damaged: {objection(error)}") from error

    def write_leaderboard(self, leaderboard: Leaderboard) -> None:
        """Replaces leaderboard.json whole."""
        content = leaderboard.model_dump_json(indent=1)
        write_atomic(self.path(LEADERBOARD_FILE), content.encode() + b"\n")

    def _came_to_nothing(self) -> bool:
        """Whether nobody works on it and no trial has ended well; the storage has the last word on that."""
        status = self.status()
        return status.state != "running" and not status.count("finished") + status.count("pruned")

    def _begin_attempt(self) -> None:
        self.clear_stop()
        self.update_progress(state="running", message="opening")

    def _resume_words(self) -> "builtins.list[str]":
        return ["sweep", "resume", self.name]


def _check_same(then: Plan, now: Plan) -> None:
    """RunError if a study that was begun is given another plan than more trials."""
    meant: dict[str, Any] = now.model_dump()
    for name, old in then.model_dump().items():
        new = meant[name]
        if isinstance(old, dict):
            changed = {key for key in (*old, *new) if old.get(key) != new.get(key)}
            what = ", ".join(sorted(changed))
        else:
            what = name if old != new else ""
        more_trials = name == "trials" and then.trials and now.trials >= then.trials
        if what and not more_trials:
            raise RunError(
                f"study {then.study!r} was begun with other settings (it differs in {what}): go on with "
                f"`xlite sweep resume {then.study}`, or give the new one another name"
            )
