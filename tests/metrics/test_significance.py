"""One rule for p, interval and noise: of one difference, and of many that are looked at together."""

import numpy as np
import pytest
from scipy.special import ndtri

from xlite.metrics.estimate import Estimate
from xlite.metrics.significance import Found, Look, alone, shared

RNG = np.random.default_rng(0)
NORMAL = RNG.permutation(ndtri((np.arange(999) + 0.5) / 999))
MANY = np.array([500])
"""Patients enough that Student's t is a normal."""


@pytest.mark.parametrize("tail", [0, 1, 22, 23, 24, 25, 400, 499])
@pytest.mark.parametrize("side", [1, -1])
def test_p_is_below_alpha_if_and_only_if_the_interval_leaves_out_zero(tail: int, side: int) -> None:
    drawn = side * np.concatenate([-1 - np.arange(tail), 1 + np.arange(999 - tail)])
    found = alone(drawn.astype(float))
    assert found.p == pytest.approx(min(1, 2 * (min(tail, 999 - tail) + 1) / 1000))
    assert (found.p < 0.05) == (found.low * found.high > 0) == (tail < 24)


def test_resamples_without_the_metric_do_not_count() -> None:
    drawn = np.where(np.arange(999) % 2, NORMAL + 1, np.nan)
    assert alone(drawn) == alone(drawn[~np.isnan(drawn)])
    assert alone(np.full(9, np.nan)).p == 1
    assert alone(np.array([np.nan, 1.0, 2.0])).p == pytest.approx(2 / 3)


def test_one_look_has_the_p_of_a_normal() -> None:
    """2.1 standard deviations: p .036, and the interval is 1.96 of them wide to each side."""
    (found,) = shared([Look(0.21, 0.21 + 0.1 * NORMAL, MANY)])
    assert found.p == pytest.approx(0.036, abs=0.012)
    gap = found.difference
    assert (gap.value, gap.low, gap.high) == pytest.approx((0.21, 0.014, 0.406), abs=0.015)
    assert found.larger_than_noise


def test_alpha_is_shared_over_all_looks_but_not_over_copies_of_one() -> None:
    look = Look(0.03, 0.03 + 0.01 * NORMAL, MANY)
    others = [Look(0.0, 0.01 * RNG.normal(size=999), MANY) for _ in range(40)]
    (single, *copies), (many, *_) = shared([look] * 41), shared([look, *others])
    assert single.larger_than_noise and copies == [single] * 40
    assert shared([look]) == [single]
    assert not many.larger_than_noise and many.p == pytest.approx(41 * 0.0027, abs=0.03)
    assert many.difference.low < 0 < many.difference.high
    assert shared([look, *others], [look]) == [many]


def test_few_patients_have_longer_tails() -> None:
    p = [shared([Look(0.2, 0.2 + 0.1 * NORMAL, np.array([k]))])[0].p for k in (500, 10, 3)]
    assert p == pytest.approx([0.045, 0.061, 0.116], abs=0.005)
    assert Look(0.0, NORMAL, np.array([10])).freedom == 18
    assert Look(0.0, NORMAL, np.array([10, 10, 10])).freedom == pytest.approx(54)
    assert 18 < Look(0.0, NORMAL, np.array([10, 1000])).freedom < 20


def test_p_and_interval_of_all_looks_agree() -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        values, patients = rng.normal(0, 2.5, 6), rng.integers(2, 40, (6, 3))
        looks = [
            Look(v / 9, (v + rng.normal(size=200)) / 9, k) for v, k in zip(values, patients, strict=True)
        ]
        for found in shared(looks):
            low, high = found.difference.low, found.difference.high
            assert found.larger_than_noise == (found.p < 0.05) == (low * high > 0)


def test_differences_without_noise() -> None:
    none, one = (Look(value, np.full(99, value), MANY) for value in (0.0, 0.5))
    assert shared([none, one]) == [Found(Estimate(0.0, 0.0, 0.0), 1.0), Found(Estimate(0.5, 0.5, 0.5), 0.02)]
    assert shared([]) == []


@pytest.mark.parametrize(("resamples", "enough"), [(3, False), (20, False), (39, False), (40, True)])
def test_too_few_resamples_give_no_interval_and_no_difference(resamples: int, enough: bool) -> None:
    (found,) = shared([Look(0.5, np.linspace(0.4, 0.6, resamples), MANY)])
    assert (found.difference.low is not None) == found.larger_than_noise == enough
    assert found.p == pytest.approx(2 / (resamples + 1))
