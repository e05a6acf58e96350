"""Works on a sweep: each trial is an ordinary run, trained by a process of its own. Imports no torch.

A run is followed through its files, as a page does it, and outlives the sweep: a sweep that was killed finds
its run still training, or lets it go on from its last finished epoch.
"""

import logging
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import Trial

from xlite.data.folder import NihFolder
from xlite.data.joined import open_data
from xlite.data.split_files import load_split
from xlite.data.splits import Split
from xlite.errors import RunError, XliteError
from xlite.places import checkpoints_dir
from xlite.runs.command import absolute_paths
from xlite.runs.run import Run
from xlite.runs.run_files import SETTINGS_FILE
from xlite.runs.status import LIVE, message_of
from xlite.sweeps.leaderboard import Leaderboard, name_of
from xlite.sweeps.left_out import join_folds
from xlite.sweeps.outcome import NoResult, left_by
from xlite.sweeps.plan import Plan
from xlite.sweeps.ranking import make_leaderboard
from xlite.sweeps.status import Outcome, TrialStatus
from xlite.sweeps.storage import STORAGE_ERRORS, storage_in_words, storage_sentence
from xlite.sweeps.study import BEAT_EVERY_S, Study
from xlite.sweeps.sweep import Sweep
from xlite.text import are, counted

log = logging.getLogger(__name__)

POLL_S = 0.5
WAIT_FOR_OTHERS_S = 5.0
STORAGE_RETRY_S = 30.0
_STORAGE_RETRIES = 20
"""How often in a row a storage that does not answer is asked again."""

_DEATHS = 3
"""How often a run may die within one epoch before its trial is given up."""


class _Stopped(Exception):
    """The sweep was asked to stop; the trial's run has ended and can go on."""


def work_on(sweep: Sweep) -> Leaderboard | None:
    """Trains what is left of a sweep's trials and returns its leaderboard, None if it was asked to stop.

    Raises DataError or RunError if the folder, the split or the storage cannot be had, or if every trial
    fails with the same sentence; KeyboardInterrupt passes through once the run has ended.
    """
    with sweep.hold(), storage_in_words(sweep.name):
        plan = sweep.plan()
        if plan.study != sweep.name:
            raise RunError(
                f"the folder {sweep.name!r} has the plan of study {plan.study!r}, whose runs it would train; "
                f"call the folder {plan.study!r}, or begin a study of another name"
            )
        config = plan.config({})
        folder = open_data(config.data)
        split = load_split(folder, config.split, allow_leakage=config.allow_leakage)
        films = {"split": split.id, "table": folder.fingerprint()}
        study = Study(plan, sweep.storage(), films, sweep.signature())
        work = _Work(sweep, plan, study, folder, split)
        if not work.run_trials():
            work.show("stopped", "it goes on where it was")
            return None
        return work.end()


class _Work:
    """One process's work on a sweep."""

    def __init__(self, sweep: Sweep, plan: Plan, study: Study, folder: NihFolder, split: Split):
        self.sweep, self.plan, self.study = sweep, plan, study
        self.folder, self.split = folder, split

    def run_trials(self) -> bool:
        """Runs trial after trial until none is left; False if somebody asked for the end.

        If the storage does not answer it begins anew after a while: the run trains on, and is found.
        """
        failures = 0
        while True:
            began = time.monotonic()
            try:
                return self._run_trials()
            except STORAGE_ERRORS as error:
                answered = time.monotonic() - began > STORAGE_RETRY_S * _STORAGE_RETRIES
                failures = 1 if answered else failures + 1
                if failures > _STORAGE_RETRIES:
                    raise
                waits = f"the storage does not answer ({storage_sentence(error)}); it is asked again"
                log.info(waits)
                self.sweep.update_progress(message=waits)
                time.sleep(STORAGE_RETRY_S)

    def _run_trials(self) -> bool:
        self.study.pick_up_failed()
        while not self.sweep.stop_requested():
            self.study.pick_up_dead()
            trial = self.study.next_trial()
            if trial is not None:
                if not self._run(trial):
                    return False
                self._heed_what_fails_always()
            elif away := self.study.elsewhere():
                self.show("running", f"{counted(away, 'trial')} {are(away)} trained on other machines")
                time.sleep(WAIT_FOR_OTHERS_S)
            else:
                return True
        return False

    def end(self) -> Leaderboard:
        """Compares the configurations and says what came of them; RunError if not one trial finished."""
        trials = self.study.trials()
        failed = [trial for trial in trials if trial.state == "failed"]
        if not any(trial.state == "finished" for trial in trials):
            what = f"no trial of study {self.plan.study!r} finished; the last said: "
            raise RunError(what, *failed[-1].said)
        self.show("running", "comparing the configurations")
        leaderboard = self._leaderboard(trials)
        self.sweep.write_leaderboard(leaderboard)
        message = [f"{len(trials) - len(failed)} of {len(trials)} trials ended well"]
        if failed:
            message += [f"; {failed[0].run} failed: ", *failed[0].said]
            message.append(" (resume tries the failed ones again)")
        self.show("finished", *message)
        return leaderboard

    def _leaderboard(self, trials: Sequence[TrialStatus]) -> Leaderboard:
        """What came of the study, all of it; of cross-fitting nothing is chosen, and the folds are joined."""
        if self.plan.kind != "crossfit":
            return make_leaderboard(self.plan, trials, self.split.id, self.folder)
        found = make_leaderboard(self.plan, trials, self.split.id, self.folder, ended=False)
        runs = [trial.run for trial in trials if trial.state == "finished"]
        joined = join_folds(runs, self.folder, self.split, self.sweep.folder)
        return found.model_copy(update={"ended": True, "joined": joined})

    def show(self, state: str, *message: str) -> None:
        """Replaces what readers see: the state, the words of a message, and every trial."""
        trials = self.study.trials()
        total = max(self.plan.total(), len(trials))  # another machine may have been asked for more
        self.sweep.update_progress(
            state=state,
            **message_of(*message),
            split_id=self.split.id,
            total=total,
            trials=trials,
        )

    def _run(self, trial: Trial) -> bool:
        """One trial from its settings to what its run leaves; False if the sweep was asked to stop."""
        name, values = trial.user_attrs["run"], dict(trial.params)
        run = Run(checkpoints_dir() / name)
        try:
            self._tell(f"{name}: {name_of(values)}")
            self._make(run, values)
            left = self._follow(run, trial)
        except (_Stopped, KeyboardInterrupt) as error:
            _stop(run)
            self.study.give_back(trial)
            self._tell(f"{name} was stopped")
            if isinstance(error, _Stopped):
                return False
            raise
        except (NoResult, RunError) as error:
            self.study.fail(trial, error)
            self._tell(f"{name} failed: ", *error.words)
        except UpdateFinishedTrialError:
            _stop(run)
            self._tell(f"{name} was ended by another machine in the meantime")
        else:
            self._end_trial(name, trial, left)
        return True

    def _end_trial(self, name: str, trial: Trial, left: Outcome | None) -> None:
        """Ends a trial with what its run left, None if it was hopeless."""
        if left is None:
            self.study.prune(trial)
            self._tell(f"{name} is stopped early: others were better at this epoch")
            return
        self.study.finish(trial, left)
        trials = self.study.trials()
        self.sweep.write_leaderboard(
            make_leaderboard(self.plan, trials, self.split.id, self.folder, ended=False)
        )
        self._tell(f"{name}: validation AUC {left.val_auc:.4f}")

    def _tell(self, *message: str) -> None:
        """Says what happens, to whoever waits and to whoever looks."""
        log.info("%s", XliteError(*message))
        self.show("running", *message)

    def _make(self, run: Run, values: dict[str, Any]) -> None:
        """Makes the trial's run if it was not begun before; RunError if it has other settings."""
        config = absolute_paths(self.plan.config(values, run.name))
        if run.path(SETTINGS_FILE).is_file() and run.config() == config:
            return
        try:
            Run.create(config)  # also in the place of one that failed before its first epoch
        except RunError as error:
            raise RunError(
                f"run {run.name!r} exists already with other settings: give this study another name, or "
                f"`xlite jobs delete {run.name}`"
            ) from error

    def _follow(self, run: Run, trial: Trial) -> Outcome | None:
        """What the run left at its end; None if it was pruned. Starts it as often as it dies."""
        epoch, begun, deaths, beaten = run.status().epoch, False, 0, time.monotonic()
        reported = self.study.reported(trial)
        while True:
            is_held = run.is_held()  # first: a run that was just started says so a moment later
            status = run.status()
            if status.epoch > epoch:
                epoch, deaths = status.epoch, 0
            if is_held or status.state in LIVE:
                if self.sweep.stop_requested():
                    raise _Stopped
                if _report(run, trial, reported) and trial.should_prune():
                    _stop(run)
                    if run.status().state != "finished":
                        return None
                if time.monotonic() - beaten > BEAT_EVERY_S:
                    beaten = time.monotonic()
                    self.study.beat(trial)
                time.sleep(POLL_S)
            elif status.state == "finished":
                _report(run, trial, reported)
                return left_by(run)
            elif begun and (status.state != "killed" or deaths >= _DEATHS):
                raise NoResult(*status.said)
            else:
                deaths += begun
                begun = True
                run.start()

    def _heed_what_fails_always(self) -> None:
        """RunError if no trial has finished and two, or all there are, failed with the same sentence."""
        trials = self.study.trials()
        failed = [trial for trial in trials if trial.state == "failed"]
        alike = len({trial.cause for trial in failed}) == 1
        finished = any(trial.state in ("finished", "pruned") for trial in trials)
        if not finished and len(failed) >= min(2, self.plan.total()) and alike:
            last = failed[-1]
            raise RunError(f"every trial so far failed alike, {last.run} last: ", *last.said)


def _report(run: Run, trial: Trial, reported: set[int]) -> bool:
    """Tells Optuna of the epochs that are not reported yet; whether there was one."""
    try:
        epochs = run.read_metrics().to_dict("records")
    except RunError:  # somebody damaged it: the trainer writes it anew with the next epoch
        return False
    new = [row for row in epochs if row["epoch"] not in reported]
    for row in new:
        reported.add(row["epoch"])
        if math.isfinite(row["val_auc"]):
            trial.report(row["val_auc"], int(row["epoch"]))
    return bool(new)


def _stop(run: Run) -> None:
    """Asks a run to end, and waits until it has."""
    with suppress(RunError):  # it has ended by itself
        run.stop()
    while run.is_held():
        time.sleep(POLL_S / 5)
