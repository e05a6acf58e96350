"""A sweep is its folder, `experiments/sweeps/<study>`: files and one lock tell any process what it does.

`sweep.json` is the plan. Whoever works on it holds `.lock`, replaces `progress.json` and `leaderboard.json`
and appends to `log.txt`; whoever wants it to end writes `stop`. The trials are in Optuna's storage, as a rule
`study.db` in the same folder, and their runs in `checkpoints/`. Readers need neither.
"""

import json
import secrets
import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from pydantic import ValidationError

from xlite.config import check_run_name, checkpoints_dir, sweeps_dir
from xlite.errors import RunError, sentence
from xlite.files import read_whole, tail_lines, write_atomic
from xlite.runs.command import absolute_paths
from xlite.runs.lock import gate, holding, is_held, is_locked, start_detached
from xlite.runs.run import Run
from xlite.runs.status import LIVE, State
from xlite.sweeps.plan import Plan


@dataclass(frozen=True)
class SweepStatus:
    """What a sweep does now; a dict a trial: run, state, values, val_auc and what else its run left."""

    state: State = "new"
    message: str = ""
    split_id: str = ""
    total: int = 0
    trials: list[dict[str, Any]] = field(default_factory=list)
    updated: str = ""

    def count(self, state: str) -> int:
        """How many trials are in that state."""
        return sum(trial["state"] == state for trial in self.trials)


class Sweep:
    """One study's folder; any number of processes may look at it."""

    def __init__(self, folder: Path | str):
        self.folder = Path(folder).absolute()
        self.name = self.folder.name

    @classmethod
    def named(cls, study: str) -> "Sweep":
        """The sweep of that study; RunError where there is none."""
        sweep = cls(sweeps_dir() / check_run_name(study))
        if not sweep.path("sweep.json").is_file():
            known = ", ".join(other.name for other in cls.list()) or "none yet"
            raise RunError(f"there is no study {study!r} in {sweeps_dir()}; the studies are: {known}")
        return sweep

    @classmethod
    def open(cls, plan: Plan) -> "Sweep":
        """The sweep of a plan, new or begun before; RunError where that study has another plan.

        A search that was begun before may be given more trials. A study without a trial that came to
        anything, which nobody works on, gives up its name, so that a corrected command can be run again.
        """
        sweep = cls(sweeps_dir() / plan.study)
        if sweep.path("sweep.json").is_file() and sweep.plan() != plan:
            if not sweep._came_to_nothing():
                _check_same(sweep.plan(), plan)
            sweep.path("progress.json").unlink(missing_ok=True)
        sweep.folder.mkdir(parents=True, exist_ok=True)
        write_atomic(sweep.path("sweep.json"), plan.model_dump_json(indent=2).encode() + b"\n")
        return sweep

    @classmethod
    def list(cls) -> "list[Sweep]":
        """Every sweep there is, the one begun last first."""
        paths = sorted(
            sweeps_dir().glob("[!.]*/sweep.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True
        )
        return [cls(path.parent) for path in paths]

    def path(self, name: str) -> Path:
        """The path of one of the sweep's files."""
        return self.folder / name

    def plan(self) -> Plan:
        """The sweep's own sweep.json; RunError where it is not one."""
        path = self.path("sweep.json")
        try:
            return Plan.model_validate_json(read_whole(path))
        except (OSError, ValidationError) as error:
            raise RunError(f"the plan of study {self.name!r} cannot be read from {path}: {error}") from error

    def storage(self) -> str:
        """The URL of the Optuna storage: the plan's own, else SQLite in this folder."""
        return self.plan().storage or f"sqlite:///{self.path('study.db')}"

    def signature(self) -> str:
        """How this sweep signs the trials that it works on, "machine:home#id"; the same for ever.

        It is made up once: a machine may get another name, and a home another place.
        """
        path = self.path("signature")
        if not path.exists():
            name = f"{socket.gethostname()}:{self.folder.parents[2]}#{secrets.token_hex(8)}"
            write_atomic(path, name.encode())
        return read_whole(path).decode()

    def status(self) -> SweepStatus:
        """What the sweep does now, from progress.json and whether the lock is held."""
        held = is_held(self.folder)
        status = self._read_progress()
        if held:
            return replace(status, state="running")  # who has just begun says so a moment later
        if status.state == "running":
            message = "the process died; its trials are picked up again when the sweep goes on"
            return replace(status, state="killed", message=message)
        return status

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Holds the sweep for the one who works on it; leaves `failed` and why where an error ends it."""
        with ExitStack() as stack:
            stack.enter_context(holding(self.folder, f"study {self.name!r} is already being worked on"))
            self.path("stop").unlink(missing_ok=True)
            self.write_progress(state="running", message="opening")
            stack.push(self._record_failure)
            yield

    def start(self) -> None:
        """Goes on with the sweep in a process that outlives this one; RunError where it cannot."""
        if is_held(self.folder):
            raise RunError(f"study {self.name!r} is already being worked on")
        start_detached(self.folder, ["sweep", "resume", self.name], self.folder.parents[2])

    def stop(self) -> None:
        """Asks the sweep to end; its trial gives up the epoch it is in. RunError where nothing runs."""
        state = self.status().state
        if state != "running":
            raise RunError(f"study {self.name!r} does not run (it is {state}), so there is nothing to stop")
        write_atomic(self.path("stop"), b"")

    def runs(self) -> "list[Run]":
        """The runs of its trials that are in this home; one of its name with other settings is not its."""
        plan, found = self.plan(), []
        for trial in self.status().trials:
            run, values = Run(checkpoints_dir() / trial["run"]), trial["values"]
            with suppress(RunError):  # it was trained in another home, or cannot be read
                if run.config() == absolute_paths(plan.config(values, run.name)):
                    found.append(run)
        return found

    def delete(self, runs: "Sequence[Run]" = ()) -> None:
        """Deletes the folder, and those of its runs; what a shared storage holds stays.

        RunError, and nothing is deleted, where somebody works on the study or a run is live.
        """
        live = [run.name for run in runs if run.status().state in LIVE]
        if live:
            raise RunError(
                f"run {live[0]!r} of study {self.name!r} is live: stop it, then they can be deleted"
            )
        grave = self.folder.with_name(f".deleted-{self.name}-{time.time_ns()}")
        with gate(self.folder):
            if is_locked(self.folder):
                raise RunError(f"study {self.name!r} is being worked on: stop it, then it can be deleted")
            self.folder.rename(grave)  # at once: nobody sees half a study
        shutil.rmtree(grave)
        for run in runs:
            run.delete()

    def stop_requested(self) -> bool:
        """Whether somebody asked for the end."""
        return self.path("stop").exists()

    def write_progress(self, **changes: Any) -> None:
        """Replaces progress.json whole; keys as in SweepStatus, those not named stay."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        content = {**vars(self._read_progress()), **changes, "updated": now}
        write_atomic(self.path("progress.json"), json.dumps(content, indent=1).encode() + b"\n")

    def leaderboard(self) -> dict[str, Any] | None:
        """What `make_leaderboard` last made of the sweep; None where no trial has finished."""
        try:
            return json.loads(read_whole(self.path("leaderboard.json")))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise RunError(f"{self.path('leaderboard.json')} is damaged: {error}") from error

    def write_leaderboard(self, leaderboard: dict[str, Any]) -> None:
        """Replaces leaderboard.json whole."""
        content = json.dumps(leaderboard, indent=1, allow_nan=False)
        write_atomic(self.path("leaderboard.json"), content.encode() + b"\n")

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of log.txt."""
        return tail_lines(self.path("log.txt"), lines)

    def _came_to_nothing(self) -> bool:
        """Whether nobody works on it and no trial has ended well; the storage has the last word on that."""
        status = self.status()
        return status.state != "running" and not status.count("finished") + status.count("pruned")

    def _record_failure(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, KeyboardInterrupt):
            self.write_progress(state="stopped", message="interrupted from the keyboard")
        elif error is not None:
            with suppress(OSError):  # on a full disk the lock alone tells the end
                self.write_progress(state="failed", message=sentence(error))

    def _read_progress(self) -> SweepStatus:
        path = self.path("progress.json")
        try:
            values = json.loads(read_whole(path))
            return SweepStatus(**{known.name: values[known.name] for known in fields(SweepStatus)})
        except FileNotFoundError:
            return SweepStatus()
        except (ValueError, TypeError, KeyError) as error:
            return SweepStatus(state="failed", message=f"{path} is not what a sweep writes: {error}")


def _check_same(then: Plan, now: Plan) -> None:
    """RunError where a study that was begun is given another plan than more trials."""
    for name, old in then.model_dump().items():
        new = now.model_dump()[name]
        if isinstance(old, dict):
            changed = {key for key in (*old, *new) if old.get(key) != new.get(key)}
            what = ", ".join(sorted(changed))
        else:
            what = name if old != new else ""
        more_trials = name == "trials" and then.trials and now.trials >= then.trials
        if what and not more_trials:
            raise RunError(
                f"study {then.study!r} was begun with other settings (it differs in {what}): go on with "
                f"`xlite sweep resume {then.study}`, or give the new one another --study"
            )
