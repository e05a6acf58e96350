"""What the cut-offs of "not sure" zones guarantee, measured on patients drawn from real predictions."""

import pytest
from population import Population
from triage_coverage import measure


@pytest.mark.release
@pytest.mark.slow
def test_a_guarantee_is_broken_in_one_of_twenty_at_most(population: Population) -> None:
    rows = measure(population, (300, 1000), draws=60)
    low, high = (rows[rows["cut_off"] == end] for end in ("low", "high"))
    assert ((low["k"] >= 29) == low["certified"]).all() and ((high["k"] >= 59) == high["certified"]).all()
    for one in (low, high):
        certified = one[one["certified"]]
        assert certified["broken"].mean() <= 0.05
