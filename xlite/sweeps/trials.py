"""Optuna's trials, read as those of a study: their settings, their state and who works on them."""

from optuna.trial import FrozenTrial, Trial, TrialState

from xlite.config import Value
from xlite.sweeps.plan import Range
from xlite.sweeps.status import Signature, TrialStatus, TrialWord

GIVEN_BACK = 0.0
"""When was last heard of who works on a trial that waits for whoever goes on first."""

_STATES: dict[TrialState, TrialWord] = {
    TrialState.WAITING: "waiting",
    TrialState.RUNNING: "running",
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}


def status_of(run: str, trial: FrozenTrial) -> TrialStatus:
    """The last attempt at a run, from its trial."""
    return TrialStatus(
        run=run,
        state=_state(trial),
        values=values_of(trial),
        where=_where(trial),
        **trial.user_attrs.get("left", {}),
    )


def _state(trial: FrozenTrial) -> TrialWord:
    """A trial's state in a word; one that was given back waits."""
    beat = trial.user_attrs.get("worker", {}).get("beat")
    given_back = trial.state == TrialState.RUNNING and beat == GIVEN_BACK
    return "waiting" if given_back else _STATES[trial.state]


def _where(trial: FrozenTrial) -> str:
    """The machine and home that worked on a trial last; nothing if none did."""
    worker = trial.user_attrs.get("worker", {"where": ""})
    # version 0.1.0 left the signature alone
    return str(worker["where"]) if "where" in worker else Signature.read(worker["here"]).place


def values_of(trial: FrozenTrial) -> dict[str, Value]:
    """The settings of a trial that vary."""
    return {**trial.system_attrs.get("fixed_params", {}), **trial.params}


def suggest(trial: Trial, name: str, choices: list[Value] | Range) -> None:
    """Lets Optuna pick a setting of a trial."""
    if isinstance(choices, list):
        trial.suggest_categorical(name, choices)
    elif isinstance(choices.low, int) and isinstance(choices.high, int):
        trial.suggest_int(name, choices.low, choices.high, log=choices.log)
    else:
        trial.suggest_float(name, choices.low, choices.high, log=choices.log)
