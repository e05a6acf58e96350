"""The Optuna side of a sweep: which trials there are, whose turn it is, and which died.

A trial belongs to a run, whose name it carries. One that this sweep left unfinished is gone on with first;
one of another home that nothing was heard of for a while is told to have failed, and so is one whose run
failed: its settings then wait anew under the same run's name. Optuna's own heartbeat is experimental, and it
lets wait for minutes what the free lock of the sweep tells at once.
"""

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import optuna
from optuna.pruners import MedianPruner, NopPruner
from optuna.trial import FrozenTrial, Trial, TrialState

from xlite.errors import RunError, XliteError
from xlite.runs.status import message_of
from xlite.sweeps.plan import Plan
from xlite.sweeps.status import Outcome, Signature, TrialStatus
from xlite.sweeps.storage import open_study
from xlite.sweeps.trials import GIVEN_BACK, status_of, suggest, values_of

BEAT_EVERY_S = 30.0
SETTLE_S = 1.0
"""How long a machine that shares a storage waits whether another one signs its trial too."""

GRACE_S, UNSIGNED_GRACE_S = 600.0, 30.0
"""How long nothing may be heard of who works on a trial, and how long it may take to sign one."""
LISTEN_S = 3 * BEAT_EVERY_S
"""How long one listens at least before a sign is old, as the clocks of two machines need not agree."""
_PRUNE_AFTER_TRIALS, _PRUNE_FROM_EPOCH = 4, 2

_FOLDERS = re.compile(r"[^,]*[/\\]")
_OF_THE_MACHINE = ("data", "device", "workers")


class Study:
    """The trials of one plan in an Optuna storage, which other machines may share."""

    def __init__(self, plan: Plan, storage: str, films: Mapping[str, str], here: Signature):
        """Opens or begins the study; RunError if the storage cannot be had, or holds another study.

        films: what must be equal on every machine, {"split": id, "table": fingerprint}; here: the
        sweep's signature. A study of other settings that came to nothing gives way.
        """
        self.plan = plan
        self.here = here
        # trial -> its last sign, and when this process first saw it, as clocks differ and jump
        self._seen: dict[int, tuple[float | None, float]] = {}
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        pruner = MedianPruner(_PRUNE_AFTER_TRIALS, _PRUNE_FROM_EPOCH) if plan.prune else NopPruner()
        self.study = open_study(plan.study, storage, pruner)
        meant = {**films, **_settings(plan)}
        then = self.study.user_attrs.get("xlite")
        if then not in (None, meant) and all(map(self._has_nothing, self.study.get_trials(deepcopy=False))):
            optuna.delete_study(study_name=plan.study, storage=storage)
            self.study = open_study(plan.study, storage, pruner)
        self._check(meant)
        if not plan.trials:
            for number, values in enumerate(plan.combinations()):
                run = {"run": self._run_of(number)}
                self.study.enqueue_trial(values, user_attrs=run, skip_if_exists=True)

    def _check(self, meant: dict[str, Any]) -> None:
        then = self.study.user_attrs.get("xlite")
        if then is None and not self.study.get_trials(deepcopy=False):
            self.study.set_user_attr("xlite", meant)
        elif then != meant:
            differing = sorted(key for key in meant if (then or {}).get(key) != meant[key])
            raise RunError(
                f"the storage holds a study {self.plan.study!r} of other settings or films (it differs in "
                f"{', '.join(differing)}): give this one another name"
            )

    def next_trial(self) -> Trial | None:
        """The next trial to work on, its settings and its run's name in it; None if none is left.

        Called by the holder of the sweep between trials, so one of this sweep that still runs is its own.
        """
        while (trial := self._unfinished() or self._asked()) is not None:
            with suppress(optuna.exceptions.UpdateFinishedTrialError):  # another machine has buried it
                self.beat(trial)
                if not self._keeps(trial):
                    continue
                if self._is_superfluous(trial):
                    trial.set_user_attr("run", None)
                    self.study.tell(trial, state=TrialState.FAIL)
                    continue
                for name, choices in self.plan.vary.items():
                    suggest(trial, name, choices)
                if "run" not in trial.user_attrs:
                    trial.set_user_attr("run", self._run_of(trial.number))
                return trial
        return None

    def _keeps(self, trial: Trial) -> bool:
        """Whether it is this sweep's: some storages (SQLite) give one trial to two machines that ask at once,
        and then the last to sign has it.
        """
        if self.plan.storage:
            time.sleep(SETTLE_S)
        return self._is_mine(self.study.get_trials(deepcopy=False)[trial.number])

    def _unfinished(self) -> Trial | None:
        """A trial that this sweep has begun."""
        mine = [trial for trial in self._running() if self._is_mine(trial)]
        return Trial(self.study, mine[0]._trial_id) if mine else None

    def _asked(self) -> Trial | None:
        """A trial that waits, else a new one if TPE may pick more."""
        more = self._waiting() or len(self._picks()) < self.plan.trials
        return self.study.ask() if more else None

    def _picks(self) -> list[int]:
        """The numbers of the trials that TPE has picked, or is about to; those that are tried anew aside."""
        return [
            trial.number
            for trial in self.study.get_trials(deepcopy=False)
            if trial.user_attrs.get("run", "") == self._run_of(trial.number)
            or ("run" not in trial.user_attrs and trial.state == TrialState.RUNNING)
        ]

    def _run_of(self, number: int) -> str:
        return f"{self.plan.study}-{number:03d}"

    def beat(self, trial: Trial) -> None:
        """Says that the trial is being worked on, and where."""
        self._sign(trial, time.time())

    def finish(self, trial: Trial, left: Outcome) -> None:
        """Ends a trial well, with what its run left."""
        trial.set_user_attr("left", left.model_dump(mode="json"))
        self.study.tell(trial, left.val_auc)

    def prune(self, trial: Trial) -> None:
        """Ends a trial that is hopeless."""
        self.study.tell(trial, state=TrialState.PRUNED)

    def fail(self, trial: Trial, error: XliteError) -> None:
        """Ends a trial whose run failed; it waits for the next time that the sweep is begun."""
        trial.set_user_attr("left", message_of(*error.words))
        self.study.tell(trial, state=TrialState.FAIL)

    def give_back(self, trial: Trial) -> None:
        """Leaves a trial for whoever goes on first, this home or another."""
        self._sign(trial, GIVEN_BACK)

    def _sign(self, trial: Trial, beat: float) -> None:
        signed = {"where": self.here.place, "here": str(self.here), "beat": beat}
        trial.set_user_attr("worker", signed)

    def reported(self, trial: Trial) -> set[int]:
        """The epochs that Optuna knows of a trial."""
        return set(self.study.get_trials(deepcopy=False)[trial.number].intermediate_values)

    def pick_up_dead(self) -> None:
        """Lets wait anew what other machines left behind."""
        for trial in self._running():
            if not self._is_mine(trial) and self._is_dead(trial):
                try:
                    buried = self.study.tell(trial.number, state=TrialState.FAIL)
                except (ValueError, optuna.exceptions.UpdateFinishedTrialError):
                    continue  # another machine was faster
                self._again(buried)

    def pick_up_failed(self) -> None:
        """Lets wait anew what failed before: the cause may be gone."""
        for trial in self.latest().values():
            if trial.state == TrialState.FAIL:
                self._again(trial)

    def elsewhere(self) -> int:
        """How many trials other machines work on."""
        return len(self._running())

    def latest(self) -> dict[str, FrozenTrial]:
        """The last attempt at each run, by the run's name."""
        trials = self.study.get_trials(deepcopy=False)
        return {trial.user_attrs["run"]: trial for trial in trials if trial.user_attrs.get("run")}

    def trials(self) -> list[TrialStatus]:
        """Every run's last attempt."""
        return [status_of(run, trial) for run, trial in sorted(self.latest().items())]

    def _running(self) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))

    def _waiting(self) -> bool:
        return bool(self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))

    def _is_mine(self, trial: FrozenTrial) -> bool:
        """Whether this sweep has begun it: a storage of its own is nobody else's."""
        return not self.plan.storage or bool(trial.user_attrs.get("worker", {}).get("here") == str(self.here))

    def _is_dead(self, trial: FrozenTrial) -> bool:
        """Whether nothing was heard of who works on it for too long, by the clock or since one listens."""
        sign, now = _sign_of(trial), time.monotonic()
        before, since = self._seen.get(trial.number, (sign, now))
        if sign != before:
            since = now
        self._seen[trial.number] = sign, since
        if sign is None:
            return now - since > UNSIGNED_GRACE_S
        return sign == GIVEN_BACK or now - since > (LISTEN_S if _is_old(sign) else GRACE_S)

    def _has_nothing(self, trial: FrozenTrial) -> bool:
        """Whether nothing came of it and nobody works on it."""
        sign = _sign_of(trial)
        left = self._is_dead(trial) or (sign is not None and _is_old(sign))
        idle = trial.state == TrialState.RUNNING and (self._is_mine(trial) or left)
        return idle or trial.state in (TrialState.WAITING, TrialState.FAIL)

    def _is_superfluous(self, trial: Trial) -> bool:
        """Whether two machines acted at once: another trial has its run, or enough were picked before it."""
        run = trial.user_attrs.get("run")
        if run is None:
            return sum(number < trial.number for number in self._picks()) >= self.plan.trials
        ended = (TrialState.COMPLETE, TrialState.PRUNED)
        return any(
            other.state in ended or (other.state == TrialState.RUNNING and other.number < trial.number)
            for other in self.study.get_trials(deepcopy=False)
            if other.user_attrs.get("run") == run and other.number != trial.number
        )

    def _again(self, trial: FrozenTrial) -> None:
        if trial.user_attrs.get("run"):
            self.study.enqueue_trial(values_of(trial), user_attrs={"run": trial.user_attrs["run"]})


def _sign_of(trial: FrozenTrial) -> float | None:
    """When whoever works on a trial signed it last, by their clock; None if nobody has."""
    return float(trial.user_attrs["worker"]["beat"]) if "worker" in trial.user_attrs else None


def _is_old(sign: float) -> bool:
    return time.time() - sign > GRACE_S


def _settings(plan: Plan) -> dict[str, Any]:
    """What must be equal on every machine: of files their names, as their folders may differ."""
    fixed = {name: value for name, value in plan.fixed.items() if name not in _OF_THE_MACHINE}
    vary = {name: str(choices) for name, choices in plan.vary.items()}
    return {**{name: _FOLDERS.sub("", str(value)) for name, value in fixed.items()}, **vary}
