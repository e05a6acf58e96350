"""Intervals: formulas against published values, and which of them is used at how many patients."""

import numpy as np
import pytest
from scipy.stats import binomtest, norm, t

from xlite.metrics import intervals
from xlite.metrics.intervals import newcombe, percentile, union, wilson

DRAWN = np.linspace(0.4, 0.6, 1001)  # its percentile interval is 0.405 to 0.595
SIMPLE = pytest.approx((0.405, 0.595))


@pytest.mark.parametrize(("hits", "cases"), [(0, 10), (10, 10), (1, 1), (3, 10), (81, 263), (15, 148)])
def test_wilsons_interval_is_scipys(hits: int, cases: int) -> None:
    found = binomtest(hits, cases).proportion_ci(method="wilson")
    assert wilson(hits / cases, cases) == pytest.approx((found.low, found.high), abs=1e-12)


def test_wilsons_interval_takes_any_number_of_cases() -> None:
    assert wilson(0.5, 0) is None and wilson(np.nan, 10) is None
    assert wilson(0.5, np.inf) == (0.5, 0.5)
    low, high = wilson(0.2, 12.5)
    assert wilson(0.2, 12)[0] < low < 0.2 < high < wilson(0.2, 12)[1]


def test_newcombes_interval_solves_its_equation() -> None:
    """Newcombe 2006: each limit is as many of its own standard errors away as a normal quantile says."""

    def error(theta: float, m: int, n: int) -> float:
        star = (m + n) / 2 - 1
        inside = 1 + star * (1 - theta) / (2 - theta) + star * theta / (1 + theta)
        return float(np.sqrt(theta * (1 - theta) * inside / (m * n)))

    for auc, m, n in ((0.8, 10, 90), (0.55, 5, 5), (0.97, 25, 600)):
        low, high = newcombe(auc, m, n)
        assert (auc - low) / error(low, m, n) == pytest.approx(intervals.Z)
        assert (high - auc) / error(high, m, n) == pytest.approx(intervals.Z)
        assert newcombe(1 - auc, m, n) == pytest.approx((1 - high, 1 - low))
    assert newcombe(1.0, 5, 50)[1] == 1 and 0.6 < newcombe(1.0, 5, 50)[0] < 1
    assert newcombe(0.0, 5, 50) == pytest.approx((0, 1 - newcombe(1.0, 5, 50)[0]))


def test_percentiles_are_of_the_resamples_that_have_the_metric() -> None:
    assert percentile(np.append(DRAWN, [np.nan] * 50)) == SIMPLE
    assert percentile(np.full(5, np.nan)) is None


def test_percentiles_of_few_cases_are_expanded() -> None:
    tail = norm.cdf(np.sqrt(30 / 29) * t.ppf(0.025, 29))
    assert tail == pytest.approx(0.01875, abs=1e-5)
    assert percentile(DRAWN, 30) == pytest.approx((0.4 + 0.2 * tail, 0.6 - 0.2 * tail))
    assert percentile(DRAWN, 10**9) == SIMPLE


def test_a_union_is_the_wider_at_each_end() -> None:
    assert union((0.2, 0.5), (0.3, 0.6)) == (0.2, 0.6)
    assert union(None, (0.3, 0.6)) == union((0.3, 0.6), None) == (0.3, 0.6)
    assert union(None, None) is None


def test_an_auc_has_no_interval_then_the_wider_one_then_percentiles() -> None:
    assert intervals.auc_interval(0.5, DRAWN, 4, 900) is None
    assert intervals.auc_interval(0.5, DRAWN, 900, 4) is None
    assert intervals.auc_interval(np.nan, DRAWN, 0, 900) is None
    assert intervals.auc_interval(0.5, DRAWN, 5, 900) == newcombe(0.5, 5, 900)
    narrow = 0.45 + DRAWN / 10
    assert intervals.auc_interval(0.5, narrow, 29, 900) == newcombe(0.5, 29, 900)
    assert intervals.auc_interval(0.5, DRAWN, 900, 30) == percentile(DRAWN, 30)


def test_a_perfect_ranking_has_an_interval_of_some_width() -> None:
    assert intervals.auc_interval(1.0, np.ones(100), 900, 40) == newcombe(1.0, 900, 40)
    assert intervals.auc_interval(0.0, np.zeros(100), 900, 40) == newcombe(0.0, 900, 40)
    assert intervals.ap_interval(1.0, np.ones(100), 200, 900) == wilson(1.0, 200)


def test_an_average_precision_needs_more_patients_for_percentiles_alone() -> None:
    assert intervals.ap_interval(0.5, DRAWN, 4, 900) is None
    assert intervals.ap_interval(0.5, DRAWN, 99, 900) == union(percentile(DRAWN), wilson(0.5, 99))
    assert intervals.ap_interval(0.5, DRAWN, 100, 900) == percentile(DRAWN, 100)


def test_a_rate_has_as_many_cases_as_its_resamples_say_but_no_more_than_patients() -> None:
    assert intervals.rate_interval(1.0, np.ones(100), 1) == pytest.approx((0.2065, 1), abs=1e-4)
    assert intervals.rate_interval(0.0, np.zeros(100), 10) == pytest.approx((0, 0.2775), abs=1e-4)
    near = np.append(np.ones(99), 0.9)  # some resamples of a curve are a little below its top
    assert intervals.rate_interval(1.0, near, 8) == pytest.approx(wilson(1.0, 8))
    few = intervals.rate_interval(0.5, DRAWN, 20)
    assert few == pytest.approx(wilson(0.5, 20))
    cases = 0.25 / DRAWN.var()
    many = intervals.rate_interval(0.5, DRAWN, 10_000)
    assert many == pytest.approx(union((0.405, 0.595), wilson(0.5, cases)))
    assert intervals.rate_interval(0.5, np.full(9, np.nan), 0) is None


def test_f1_is_a_rate_of_the_films_that_are_positive_or_called() -> None:
    drawn = np.full(100, 0.8)
    low, high = wilson(0.8 / 1.2, 15)
    expected = 2 * low / (1 + low), 2 * high / (1 + high)
    assert intervals.f1_interval(0.8, drawn, 15) == pytest.approx(expected)
    low, high = intervals.f1_interval(0.0, np.zeros(100), 3)
    assert low == 0 < high


def test_a_brier_score_is_as_skewed_as_a_share() -> None:
    drawn = np.linspace(0.01, 0.03, 1001)
    assert intervals.brier_interval(0.02, drawn, 4, 900) is None
    skewed = wilson(0.02, 0.02 * 0.98 / drawn.var())
    assert intervals.brier_interval(0.02, drawn, 5, 900) == pytest.approx((0.0105, skewed[1]))


def test_a_calibration_errors_resamples_are_turned_round() -> None:
    drawn = np.append(np.full(900, 0.41), np.linspace(0.41, 0.61, 100))  # a tail towards larger errors
    low, high = np.quantile(drawn, [0.025, 0.975])
    middle, half = 0.9 - drawn.mean(), intervals.Z * drawn.std()
    found = intervals.ece_interval(0.45, drawn, 1000, 10**9)
    assert found == pytest.approx((0.9 - high, middle + half)) and 0.9 - high < middle - half
    assert intervals.ece_interval(0.45, 0.9 - drawn, 1000, 10**9) == pytest.approx(
        (drawn.mean() - half, high)
    )
    assert intervals.ece_interval(0.45, drawn, 999, 10**9) is None
    assert intervals.ece_interval(0.2, drawn, 1000, 10**9)[0] == 0
    far = np.sqrt(30 / 29) * t.ppf(0.975, 29)
    few = intervals.ece_interval(0.45, drawn, 1000, 30)
    assert few == pytest.approx((0.9 - np.quantile(drawn, norm.cdf(far)), middle + far * drawn.std()))


def test_the_interval_of_a_mean_keeps_what_each_interval_knows() -> None:
    values, limits = np.array([0.5, 0.9]), np.array([[0.3, 0.6], [0.7, 0.95]])
    one = np.random.default_rng(0).normal(size=1000)

    def mean(drawn: np.ndarray, patients: int = 100, effective: float = 1e12) -> tuple[float, float] | None:
        return intervals.mean_interval(values, limits, drawn, patients, effective)

    alike = np.stack([one, 2 * one], axis=1)
    assert mean(alike) == pytest.approx((0.45, 0.825))
    assert mean(np.stack([one, -one], axis=1)) == pytest.approx((0.65, 0.775))
    low, high = mean(np.stack([one, np.zeros(1000)], axis=1))  # a rate that is 1 in each resample
    assert (low, high) == pytest.approx((0.7 - np.hypot(0.2, 0.3) / 2, 0.7 + np.hypot(0.2, 0.05) / 2))
    wider = np.sqrt(20 / 19) * t.ppf(0.975, 19) / intervals.Z
    assert mean(alike, effective=20) == pytest.approx((0.7 - 0.25 * wider, 0.7 + 0.125 * wider))
    assert mean(alike, patients=99) is None
    assert intervals.mean_interval(values[:0], limits[:, :0], alike[:, :0], 100, 100) is None


def test_the_interval_of_a_difference_keeps_what_each_interval_knows() -> None:
    """56 of 70 less 48 of 80: Newcombe, Statistics in Medicine 17 (1998) 873, table II, method 10."""
    values, limits = np.array([56 / 70, 48 / 80]), np.array([wilson(56 / 70, 70), wilson(48 / 80, 80)]).T
    apart = np.array([[0.7, 0.5], [0.7, 0.7], [0.9, 0.5], [0.9, 0.7]])  # resamples without a correlation
    unknown = np.append(apart, [[np.nan, 0.9]], axis=0)
    for drawn in (apart, unknown, apart * [1, 0], unknown[4:]):
        found = intervals.difference_interval(values, limits, drawn)
        assert found == pytest.approx((0.0524, 0.3339), abs=5e-5)
    alike = np.stack([DRAWN, DRAWN], axis=1)
    below, above = np.abs(values - limits)
    together = 0.2 - abs(below[0] - above[1]), 0.2 + abs(above[0] - below[1])
    assert intervals.difference_interval(values, limits, alike) == pytest.approx(together)
    wide = intervals.difference_interval(np.array([0.0, 1.0]), np.array([[0, 0.7], [0.3, 1]]), apart)
    assert wide == pytest.approx((-1, -1 + np.hypot(0.3, 0.3)))


def test_patients_with_many_films_leave_few_that_tell() -> None:
    assert intervals.effective_number(np.arange(50) // 5) == pytest.approx(10)
    assert intervals.effective_number(np.array([0] * 90 + list(range(1, 11)))) == pytest.approx(100**2 / 8110)


@pytest.mark.parametrize(("right", "cases"), [(9, 10), (10, 10), (0, 12), (27, 30)])
def test_what_a_threshold_promises_is_clopper_and_pearsons_interval_if_films_are_of_other_patients(
    right: int, cases: int
) -> None:
    found = binomtest(right, cases).proportion_ci(method="exact")
    films = np.arange(cases) < right
    assert intervals.promised_interval(films, np.arange(cases)) == pytest.approx((found.low, found.high))
    twice = intervals.promised_interval(np.repeat(films, 2), np.repeat(np.arange(cases), 2))
    assert twice == pytest.approx((found.low, found.high))  # films that are all the same tell no more
    assert intervals.promised_interval(films[:0], films[:0]) is None
