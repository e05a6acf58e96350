"""What a study will take, from a forecast of one of its runs. No torch."""

import math

from xlite.config import TrainConfig, Value
from xlite.messages import field_title
from xlite.sweeps.plan import Plan, Range
from xlite.text import counted
from xlite.training.forecast import Forecast, forecast_facts, gigabytes, rounded


def sample_config(plan: Plan) -> TrainConfig:
    """The settings of the run that stands for all: of a list the first value, of a range the middle."""
    return plan.config({name: _typical(choices) for name, choices in plan.vary.items()})


def _typical(choices: list[Value] | Range) -> Value:
    if not isinstance(choices, Range):
        return choices[0]
    low, high = choices.low, choices.high
    middle = math.sqrt(low * high) if choices.log else (low + high) / 2
    return round(middle) if isinstance(low, int) and isinstance(high, int) else middle


def study_seconds(plan: Plan, run: Forecast) -> float:
    """How long all runs take one after the other; the films are decoded once."""
    return run.decode_s + plan.total() * (run.seconds - run.decode_s)


def study_facts(plan: Plan, run: Forecast) -> dict[str, str]:
    """The forecast of a study as titles and texts for people."""
    facts = forecast_facts(run)
    return {
        "Time": f"about {rounded(study_seconds(plan, run))}",
        "Runs": f"{plan.total():,}, one after the other",
        "A run": facts["Time"],
        "An epoch": facts["An epoch"],
        "Memory": facts["Memory"],
        "Disk": gigabytes(run.cache_gb + plan.total() * run.run_gb),
        "Device": facts["Device"],
    }


def study_basis(plan: Plan) -> str:
    """Which run was measured for all, and what makes the others take less or more."""
    config = sample_config(plan)
    varying = [name for name in plan.vary if name != "seed"]
    values = ", ".join(f"{field_title(name)} {_shown(getattr(config, name))}" for name in varying)
    told = f"Measured is one of {counted(plan.total(), 'run')}"
    told += f", with {values}; others may take less or more." if values else "."
    return told + (" Runs that are given up early take less." if plan.prune else "")


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
