"""One finding at a threshold: rates against scikit-learn, predictive values by hand and by counting."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate
from xlite.metrics.intervals import wilson
from xlite.metrics.operating_point import operating_point, predictive_values, too_few


def drawn(films: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, probabilities and patients, two films of each."""
    rng = np.random.default_rng(5)
    positive = rng.random(films) < 0.2
    return (
        positive,
        np.clip(0.3 * positive + 0.7 * rng.random(films), 0, 1),
        (np.arange(films) // 2).astype(str),
    )


@pytest.mark.parametrize("cut", [0.1, 0.45, 0.8])
def test_rates_are_those_of_scikit_learn(cut: float) -> None:
    positive, probs, patients = drawn()
    point = operating_point(positive, probs, Resamples(patients, 100), cut)
    called = probs >= cut
    (left_out, alarms), (missed, found) = confusion_matrix(positive, called)
    assert (point.found, point.alarms, point.positive, point.negative) == (
        found, alarms, found + missed, left_out + alarms,
    )  # fmt: skip
    assert point.sensitivity.value == pytest.approx(recall_score(positive, called))
    assert point.specificity.value == pytest.approx(recall_score(~positive, ~called))
    assert point.precision == pytest.approx(precision_score(positive, called, zero_division=np.nan))
    assert point.positive_patients == len(np.unique(patients[positive]))
    assert point.negative_patients == len(np.unique(patients[~positive]))
    low, value, high = point.sensitivity.low, point.sensitivity.value, point.sensitivity.high
    assert low < value <= high and (value < high or value == 1)


def test_an_interval_is_as_wide_as_so_many_patients_and_not_films_allow() -> None:
    """Each patient's ten films are alike: as many films tell no more than the patients."""
    positive = np.repeat(np.arange(40) < 20, 10)
    probs = np.repeat(np.tile([0.2, 0.8], 20), 10)
    patients = np.repeat(np.arange(40), 10).astype(str)
    point = operating_point(positive, probs, Resamples(patients), 0.5)
    low, high = wilson(0.5, 20)
    assert point.sensitivity.value == 0.5
    assert point.sensitivity.low <= low and point.sensitivity.high >= high


def test_at_the_prevalence_of_the_films_predictive_values_are_what_is_counted() -> None:
    positive, probs, patients = drawn()
    point = operating_point(positive, probs, Resamples(patients, 50), 0.45)
    found = predictive_values(point.sensitivity, point.specificity, point.prevalence)
    called = probs >= 0.45
    assert found.ppv.value == pytest.approx(precision_score(positive, called))
    assert found.npv.value == pytest.approx(precision_score(~positive, ~called))
    assert found.ppv.low < found.ppv.value < found.ppv.high
    assert found.npv.low < found.npv.value < found.npv.high


def test_bayes_by_hand() -> None:
    """Of 1,000 people 10 are ill: 9 are found, and 99 of the 990 others are called too."""
    found = predictive_values(Estimate(0.9, 0.8, 1.0), Estimate(0.9, 0.8, 0.95), 0.01)
    assert found.ppv.value == pytest.approx(9 / 108)
    assert found.ppv.low == pytest.approx(8 / (8 + 198)) and found.ppv.high == pytest.approx(10 / (10 + 49.5))
    assert found.npv.value == pytest.approx(891 / 892)
    assert found.npv.low == pytest.approx(792 / 794) and found.npv.high == 1


@pytest.mark.parametrize(
    ("sensitivity", "specificity", "ppv", "npv"),
    [
        (Estimate(0.0, 0.0, 0.2), Estimate(1.0, 0.9, 1.0), None, 0.8),  # nothing is called
        (Estimate(1.0, 0.8, 1.0), Estimate(0.0, 0.0, 0.1), 0.2, None),  # everything is
        (Estimate(None), Estimate(0.9, 0.8, 1.0), None, None),
        (Estimate(0.5), Estimate(0.9), 0.5 * 0.2 / (0.5 * 0.2 + 0.1 * 0.8), 0.72 / 0.82),
    ],
)
def test_what_is_undefined_has_no_value_and_no_interval(
    sensitivity: Estimate, specificity: Estimate, ppv: float | None, npv: float | None
) -> None:
    found = predictive_values(sensitivity, specificity, 0.2)
    assert found.ppv.value == (None if ppv is None else pytest.approx(ppv))
    assert found.npv.value == (None if npv is None else pytest.approx(npv))
    if ppv is None:
        assert found.ppv == Estimate(None)
    if sensitivity.low is None:
        assert (found.npv.low, found.npv.high) == (None, None)


def test_intervals_of_predictive_values_hold_what_they_claim() -> None:
    """Of 400 draws of independent cases at least 95 % hold the true value."""
    rng = np.random.default_rng(0)
    truth = predictive_values(Estimate(0.7), Estimate(0.9), 0.05)
    held = {"ppv": 0, "npv": 0}
    for _ in range(400):
        found, left = rng.binomial(60, 0.7), rng.binomial(300, 0.9)
        rates = (Estimate(n / of, *wilson(n / of, of)) for n, of in ((found, 60), (left, 300)))
        values = predictive_values(*rates, 0.05)
        for name in held:
            one = getattr(values, name)
            held[name] += one.low <= getattr(truth, name).value <= one.high
    assert min(held.values()) >= 0.95 * 400


def test_below_ten_patients_of_either_kind_there_is_nothing_to_choose_by() -> None:
    patients = np.arange(40).astype(str)
    assert too_few(np.arange(40) < 10, patients) is None
    assert too_few(np.arange(40) < 9, patients) == (9, 31)
    assert too_few(np.arange(40) >= 9, patients) == (31, 9)
    assert too_few(np.arange(40) < 20, (np.arange(40) // 4).astype(str)) == (5, 5)
