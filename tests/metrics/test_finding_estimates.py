"""Which interval goes with which metric, and means over the findings that can bear one."""

import numpy as np
import pytest

from xlite.findings import FINDINGS
from xlite.metrics import intervals
from xlite.metrics.estimate import Estimate, FixedMean
from xlite.metrics.finding_estimates import (
    PatientCounts,
    finding_estimate,
    fixed_mean,
    mean_estimate,
    whole_mean_auc,
)

DRAWN = np.linspace(0.4, 0.6, 1001)
COUNTS = PatientCounts(positive=20, negative=90, called=7, either=25, all=95, effective=80.0)


def test_patients_are_counted_by_what_their_films_are() -> None:
    labels = np.array([[1, 0], [1, 0], [0, 0], [1, 0]], np.float32)
    called = np.array([[0, 0], [1, 0], [1, 1], [0, 0]], bool)
    first, second = PatientCounts.per_finding(labels, called, np.array([0, 0, 0, 1]))
    assert first == PatientCounts(positive=2, negative=1, called=1, either=2, all=2, effective=1.6)
    assert second == PatientCounts(positive=0, negative=2, called=1, either=1, all=2, effective=1.6)
    assert (first.k, second.k) == (1, 0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("auc", intervals.auc_interval(0.5, DRAWN, 20, 90)),
        ("ap", intervals.ap_interval(0.5, DRAWN, 20, 90)),
        ("brier", intervals.brier_interval(0.5, DRAWN, 20, 90)),
        ("f1", intervals.f1_interval(0.5, DRAWN, 25)),
        ("precision", intervals.rate_interval(0.5, DRAWN, 7)),
        ("recall", intervals.rate_interval(0.5, DRAWN, 20)),
        ("specificity", intervals.rate_interval(0.5, DRAWN, 90)),
    ],
)
def test_each_metric_has_the_interval_of_its_own_patients(name: str, expected: tuple[float, float]) -> None:
    assert finding_estimate(name, 0.5, DRAWN, COUNTS) == Estimate(0.5, *expected)
    assert finding_estimate(name, np.nan, DRAWN, COUNTS) == Estimate(None)


def test_a_calibration_error_needs_many_patients_and_enough_with_the_finding() -> None:
    many = PatientCounts(positive=30, negative=970, called=0, either=30, all=1000, effective=900.0)
    expected = Estimate(0.5, *intervals.ece_interval(0.5, DRAWN, 1000, 30))
    assert finding_estimate("ece", 0.5, DRAWN, many) == expected
    assert finding_estimate("ece", 0.5, DRAWN, many._replace(positive=29)) == Estimate(0.5)
    assert finding_estimate("ece", 0.5, DRAWN, many._replace(all=999)) == Estimate(0.5)


def test_the_fixed_findings_have_patients_enough_and_the_metric_in_each_resample() -> None:
    values = np.linspace(0.6, 0.9, 14)
    drawn = np.random.default_rng(0).normal(values, 0.02, (200, 14))
    drawn[7, 3] = np.nan  # Infiltration, undefined once
    counts = [COUNTS._replace(positive=9 if c == 0 else 20, all=100) for c in range(14)]
    values[5] = np.nan
    estimates = [finding_estimate("auc", value, drawn[:, c], counts[c]) for c, value in enumerate(values)]
    found = fixed_mean("auc", estimates, drawn, counts)
    chosen = [c for c in range(14) if c not in (0, 3, 5)]
    assert found.findings == tuple(FINDINGS[c] for c in chosen)
    limits = np.array([(estimates[c].low, estimates[c].high) for c in chosen]).T
    expected = intervals.mean_interval(values[chosen], limits, drawn[:, chosen], 100, 80.0)
    assert found.estimate == Estimate(pytest.approx(values[chosen].mean()), *expected)
    assert mean_estimate(values, found) == Estimate(pytest.approx(np.nanmean(values)))
    none = [one._replace(positive=9) for one in counts]
    assert fixed_mean("auc", estimates, drawn, none) == FixedMean()


def test_a_mean_over_all_that_have_the_metric_has_the_fixed_findings_interval() -> None:
    values = np.full(14, 0.5)
    drawn = np.tile(DRAWN[:, None], 14)
    counts = [COUNTS._replace(all=1000)] * 14
    for name in ("recall", "ece"):
        estimates = [finding_estimate(name, 0.5, DRAWN, one) for one in counts]
        found = fixed_mean(name, estimates, drawn, counts)
        assert mean_estimate(values, found) == found.estimate
        assert found.estimate.low < 0.5 < found.estimate.high
    expected = intervals.ece_interval(0.5, DRAWN, 1000, 80.0)
    assert (found.estimate.low, found.estimate.high) == pytest.approx(expected)
    assert mean_estimate(np.full(14, np.nan), FixedMean()) == Estimate(None)


def test_the_mean_auc_of_a_file_has_an_interval_of_all_findings_that_no_correlation_narrows() -> None:
    auc, drawn = np.full(14, np.nan), np.full((1001, 14), np.nan)
    auc[:2] = 0.5
    drawn[:, 0], drawn[:, 1] = DRAWN, DRAWN[::-1]  # where one is higher the other one is lower
    counts = [COUNTS._replace(positive=positive) for positive in (20, 2, *[0] * 12)]
    found = whole_mean_auc(auc, drawn, counts)
    limits = np.array([intervals.newcombe(0.5, 20, 90), intervals.newcombe(0.5, 2, 90)]).T
    expected = intervals.moved(np.array([0.5, 0.5]), limits, np.eye(2), 80.0)
    assert (found.value, found.low, found.high) == pytest.approx((0.5, *expected))
    assert whole_mean_auc(auc, np.full((9, 14), np.nan), counts) == Estimate(0.5)
    assert whole_mean_auc(np.full(14, np.nan), drawn, counts) == Estimate(None)
