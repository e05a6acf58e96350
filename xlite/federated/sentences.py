"""What a federation says of its noise, of weights that are lost, and of rounds without a reply. No Flower."""

import math
from collections.abc import Sequence
from typing import Any

from xlite.errors import RunError, Setting
from xlite.federated.plan import Plan, option_of
from xlite.text import counted, from_cell


def noise_sentence(plan: Plan) -> str:
    """What the epsilon of a plan with noise means, and under which assumptions."""
    clip, epsilon, delta = plan.dp_clip, plan.dp_epsilon, plan.dp_delta
    deviation = 2 * clip * math.sqrt(2 * math.log(1.25 / delta)) / epsilon
    if epsilon >= 1:
        worth, whole = "guarantees nothing, as its formula is proven below 1 only", ""
    else:
        rounds = counted(plan.rounds, "round")
        worth = "is a guarantee"
        whole = f": {rounds} add up to at most {plan.rounds * epsilon:g} (delta {plan.rounds * delta:g})"
    return (
        f"Each client's update is clipped to a norm of {clip:g}, and each weight gets noise with a standard "
        f"deviation of {deviation:.3g}; epsilon {epsilon:g} (delta {delta:g}) {worth}. It is that of one "
        f"round of one client whose whole folder may differ{whole}. Numbers of films, losses and AUC leave "
        "without noise."
    )


def destroyed(plan: Plan, number: int) -> RunError:
    """That the weights of a round give no numbers, and what to do."""
    gives = f"those after round {number} give NaN for the validation films"
    if plan.dp_epsilon:
        return RunError(
            f"the noise destroyed the weights: {gives}; use a larger ",
            *(option_of("dp_epsilon"), ", or a smaller ", option_of("dp_clip")),
        )
    return RunError(f"the weights are lost: {gives}; use a smaller ", Setting("lr"))


def after_rounds(rows: Sequence[dict[str, Any]], rounds: int) -> str:
    """After how many rounds a federation ended, and in how many no reply was taken; rows: as rounds.csv."""
    idle = rounds - len(_taken(rows))
    lost = f", in {idle} of which no client's reply was taken" if idle else ""
    return f"after {counted(rounds, 'round')}{lost}"


def nothing_taken(rows: Sequence[dict[str, Any]]) -> RunError | None:
    """That no reply was taken in any round, and why the last was not, if so; rows: as rounds.csv."""
    if _taken(rows):
        return None
    last = f" (last, {rows[-1]['client']}: {from_cell(rows[-1]['refused'])})" if rows else ""
    return RunError(
        f"no client's reply was taken in any round, so the weights are still those that it began with{last}: "
        "see rounds.csv, mend that, and begin a new federation"
    )


def _taken(rows: Sequence[dict[str, Any]]) -> set[int]:
    """The rounds in which at least one reply was."""
    return {row["round"] for row in rows if not row["refused"]}
