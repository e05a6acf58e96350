"""What thresholds promise, measured on validation patients drawn from real predictions."""

import pytest
from population import Population
from thresholds import measure


@pytest.mark.release
@pytest.mark.slow
def test_what_a_threshold_promises_holds(population: Population) -> None:
    rows = measure(population, (100, 300), draws=40)
    enough = rows[rows["k"] >= 10]
    assert enough.groupby(["rate", "rule"])["holds"].mean().min() >= 0.93
    assert rows[rows["k"] == 1].groupby(["rate", "rule"])["seen"].mean()["sensitivity", "sensitivity_90"] == (
        pytest.approx(1, abs=0.01)
    )
