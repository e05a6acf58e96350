"""What a simulated federation will take, from a few real steps of one run. No torch, no Flower."""

from xlite.federated.plan import Plan
from xlite.text import counted
from xlite.training.forecast import Forecast, forecast_facts, gigabytes, rounded


def simulated(plan: Plan, run: Forecast) -> Forecast:
    """A run's forecast with what the simulation decodes, caches and keeps in place of what the run does.

    Each client is a folder and a run of its own, with a cache of its films. The whole folder is decoded as
    well, for the judgement at the end, but not if norms stay with the clients.
    """
    films = run.films + run.val_films + run.test_films
    whole = 0 if plan.norms == "local" else 1
    return run.model_copy(
        update={
            "decode_s": films * run.film_decode_s + whole * run.decode_s,
            "cache_gb": films * run.film_cache_gb + whole * run.cache_gb,
            "run_gb": (plan.clients + 1) * run.run_gb,
        }
    )


def round_seconds(plan: Plan, run: Forecast) -> float:
    """A round in s: all clients train one after the other, then judge the new weights on their own films."""
    training = plan.local_epochs * run.steps * run.step_s
    return training + run.val_films * run.val_film_s


def simulation_seconds(plan: Plan, run: Forecast) -> float:
    """All of it in s: opening, decoding, the rounds, and the judgements at the end.

    Each client is judged on its own films, and the whole on all of them, but if norms stay with the clients.
    """
    judgements = 1 if plan.norms == "local" else 2
    judged = judgements * (run.val_films + run.test_films) * run.val_film_s
    rounds = plan.rounds * round_seconds(plan, run)
    return run.opening_s + simulated(plan, run).decode_s + rounds + judged


def simulation_facts(plan: Plan, run: Forecast) -> dict[str, str]:
    """The forecast of a simulation as titles and texts for people."""
    facts, whole = forecast_facts(run), simulated(plan, run)
    return {
        "Time": f"about {rounded(simulation_seconds(plan, run))}",
        "A round": f"about {rounded(round_seconds(plan, run))}",
        "Films a second": facts["Films a second"],
        "Memory": facts["Memory"],
        "Disk": gigabytes(whole.cache_gb + whole.run_gb),
        "Device": facts["Device"],
    }


def simulation_basis(plan: Plan) -> str:
    """What was measured for all clients, and what is not in it."""
    return (
        f"Measured is one run on the films of all {counted(plan.clients, 'client')}, each of which decodes "
        "its own; what messages take, and the reports at the end, come on top."
    )
