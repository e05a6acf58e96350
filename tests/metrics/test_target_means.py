"""Means over targets and their intervals."""

import numpy as np
import pytest

from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate
from xlite.metrics.intervals import difference_interval, rate_interval, wilson
from xlite.metrics.target_means import summarise, summarise_gap


def test_intervals_resample_patients() -> None:
    """Against a loop that draws patients one by one and counts the targets of each."""
    rng = np.random.default_rng(1)
    patients, values = rng.integers(0, 12, 40), rng.random(40) < 0.4
    findings = rng.choice(["Mass", "Nodule", "Effusion"], 40)
    summary = summarise(values, findings, Resamples(patients, 200, seed=3), rate=True)
    drawn, different = np.random.default_rng(3), np.unique(patients)
    every = []
    for _ in range(200):
        rows = [
            row
            for k in drawn.integers(len(different), size=len(different))
            for row in np.flatnonzero(patients == different[k])
        ]
        every.append(values[rows].mean())
    low, high = rate_interval(values.mean(), np.array(every), len(different))
    found = summary.all
    assert (found.value, found.low, found.high) == pytest.approx((values.mean(), low, high))
    means = {name: values[findings == name].mean() for name in set(findings)}
    assert {name: one.value for name, one in summary.per_finding.items()} == pytest.approx(means)
    assert summary.mean == Estimate(pytest.approx(np.mean(list(means.values()))))


@pytest.mark.parametrize(("value", "interval"), [(0, (0, 0.2775)), (1, (0.7225, 1))])
def test_none_or_all_of_10_has_an_interval(value: int, interval: tuple[float, float]) -> None:
    patients = np.repeat(np.arange(10), 3)  # films of a patient are alike: Wilson's of 10, not of 30
    found = summarise(np.full(30, value), np.full(30, "Mass"), Resamples(patients, 50), rate=True)
    assert (found.all.low, found.all.high) == pytest.approx(wilson(value, 10))
    assert wilson(value, 10) == pytest.approx(interval, abs=1e-4)
    assert found.per_finding["Mass"] == found.all
    assert found.mean == Estimate(value)


@pytest.mark.parametrize(("pointing", "centre"), [(0, 1), (1, 0), (0, 0), (1, 1)])
def test_a_gap_between_maps_of_which_all_or_none_point_into_10_boxes_has_an_interval(
    pointing: int, centre: int
) -> None:
    """The shares do not vary over resamples, which says nothing of the patients that were not drawn."""
    resamples, findings = Resamples(np.arange(10), 50), np.full(10, "Cardiomegaly")
    found = summarise_gap(np.full(10, pointing), np.full(10, centre), findings, resamples)
    far = wilson(0, 10)[1]
    both = np.hypot(far, far)
    ends = {-1: (-1, both - 1), 0: (-far, far), 1: (1 - both, 1)}
    assert (found.all.low, found.all.high) == pytest.approx(ends[pointing - centre])
    assert found.per_finding == {"Cardiomegaly": found.all}
    assert found.mean == Estimate(pointing - centre)


def test_a_gap_is_the_first_rate_less_the_second_on_the_same_resamples() -> None:
    rng = np.random.default_rng(2)
    patients, findings = rng.integers(0, 40, 80), rng.choice(["Mass", "Nodule"], 80)
    first, second = rng.random(80) < 0.6, rng.random(80) * 0.5
    resamples = Resamples(patients, 300)
    found = summarise_gap(first, second, findings, resamples)
    one, other = (summarise(values, findings, resamples, rate=True) for values in (first, second))
    assert found.all.value == pytest.approx(first.mean() - second.mean())
    weights = np.stack([resamples.counts[resamples.owner].T @ values for values in (first, second)], axis=1)
    drawn = weights / resamples.counts[resamples.owner].sum(axis=0)[:, None]
    limits = np.array([(one.all.low, other.all.low), (one.all.high, other.all.high)])
    expected = difference_interval(np.array([first.mean(), second.mean()]), limits, drawn)
    assert (found.all.low, found.all.high) == pytest.approx(expected, abs=1e-5)
    assert found.mean.value == pytest.approx(one.mean.value - other.mean.value)
    alone = summarise_gap(first[:4], second[:4], findings[:4], Resamples(np.arange(4), 50)).all
    assert alone == Estimate(pytest.approx((first[:4] - second[:4]).mean()))


def test_an_interval_needs_5_patients_with_a_box() -> None:
    findings = np.array(["Mass"] * 8 + ["Nodule"] * 5)
    patients = np.array([1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 9])
    values = np.tile([0.0, 1.0], 7)[:13]
    for rate in (True, False):
        found = summarise(values, findings, Resamples(patients, 200), rate=rate)
        assert found.per_finding["Mass"] == Estimate(0.5)
        nodule = found.per_finding["Nodule"]
        assert nodule.value == 0.4 and 0 <= nodule.low < 0.2 < 0.7 < nodule.high <= 1
        assert found.all.low < found.all.value < found.all.high


def test_one_patient_has_no_interval() -> None:
    findings, resamples = np.array(["Mass", "Mass"]), Resamples(np.array([7, 7]))
    assert summarise(np.array([0.0, 1.0]), findings, resamples, rate=True).all == Estimate(0.5, None, None)


@pytest.mark.parametrize(
    ("patients", "nodules", "given"), [(120, 20, True), (120, 9, False), (90, 20, False)]
)
def test_a_mean_of_findings_needs_100_patients_and_10_of_each(
    patients: int, nodules: int, given: bool
) -> None:
    findings = np.array(["Nodule"] * nodules + ["Mass"] * (patients - nodules))
    values = np.random.default_rng(0).random(patients) < 0.5
    found = summarise(values, findings, Resamples(np.arange(patients), 300), rate=True)
    each = found.per_finding
    assert found.mean.value == pytest.approx((each["Mass"].value + each["Nodule"].value) / 2)
    assert (found.mean.low is not None) == given
    if given:
        width = found.mean.high - found.mean.low
        widths = np.array([one.high - one.low for one in each.values()])
        assert width == pytest.approx(np.sqrt((widths**2).sum()) / 2, rel=0.15)  # other patients: independent
