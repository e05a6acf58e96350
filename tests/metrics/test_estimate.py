"""Differences of estimates of other patients."""

import numpy as np
import pytest

from xlite.metrics.estimate import Estimate, independent_difference


def test_a_difference_has_what_each_side_says_of_its_direction() -> None:
    """3-4-5 triangles: the first's way down with the second's way up, and the other way round."""
    found = independent_difference(Estimate(0.8, 0.77, 0.92), Estimate(0.5, 0.45, 0.54))
    assert (found.value, found.low, found.high) == pytest.approx((0.3, 0.25, 0.43))
    turned = independent_difference(Estimate(0.5, 0.45, 0.54), Estimate(0.8, 0.77, 0.92))
    assert (turned.value, turned.low, turned.high) == pytest.approx((-0.3, -0.43, -0.25))


def test_it_is_that_of_independent_resamples() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.7, 0.03, 200_000), rng.normal(0.6, 0.05, 200_000)
    sides = [Estimate(float(one.mean()), *np.quantile(one, [0.025, 0.975])) for one in (first, second)]
    low, high = np.quantile(first - second, [0.025, 0.975])
    found = independent_difference(*sides)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-3)


def test_what_is_undefined_on_a_side_has_no_difference_and_without_an_interval_none() -> None:
    whole = Estimate(0.5, 0.4, 0.6)
    assert independent_difference(Estimate(None), whole) == Estimate(None)
    assert independent_difference(whole, Estimate(None)) == Estimate(None)
    assert independent_difference(whole, Estimate(0.25)) == Estimate(0.25)
    assert independent_difference(Estimate(0.25), whole) == Estimate(-0.25)
