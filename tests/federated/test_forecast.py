"""What a simulated federation will take."""

import pytest
from forecasts import FORECAST

from xlite.federated.forecast import (
    round_seconds,
    simulated,
    simulation_basis,
    simulation_facts,
    simulation_seconds,
)
from xlite.federated.plan import make_plan


def test_a_round_trains_on_all_films_and_validates_once_however_many_epochs_it_has() -> None:
    plan = make_plan({"clients": 3, "rounds": 4, "local_epochs": 2})
    # 2 epochs of 5 steps of 2 s, and 20 films of 0.1 s to validate on
    assert round_seconds(plan, FORECAST) == pytest.approx(2 * 5 * 2 + 20 * 0.1)
    run = FORECAST.model_copy(update={"decode_s": 60.0, "film_decode_s": 0.5, "film_cache_gb": 0.01})
    # opening 3, decoding 60 and again by the clients, and 40 films judged by the clients and by the whole
    assert simulation_seconds(plan, run) == pytest.approx(3 + 60 + 70 + 4 * 22 + 2 * 4)
    assert simulated(plan, run).cache_gb == pytest.approx(1.4)
    assert simulation_facts(plan, run) == {
        "Time": "about 4 min",
        "A round": "about 20 s",
        "Films a second": "10",
        "Memory": "2.0 of 8.0 free GB",
        "Disk": "1.8 GB",
        "Device": "cpu",
    }
    assert simulation_basis(plan).startswith("Measured is one run on the films of all 3 clients, each")


def test_the_whole_is_not_judged_if_norms_stay_with_the_clients() -> None:
    plan = make_plan({"clients": 2, "rounds": 4, "norms": "local"})
    assert simulation_seconds(plan, FORECAST) == pytest.approx(3 + 4 * 12 + 4)
    uncached = FORECAST.model_copy(update={"decode_s": 60.0, "cache_gb": 1.4})
    assert (simulated(plan, uncached).decode_s, simulated(plan, uncached).cache_gb) == (0, 0)
