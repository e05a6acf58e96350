"""Calibration intercept and slope: recovered, blind to nothing that is rare, with clustered intervals."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from xlite.metrics.calibration import logit
from xlite.metrics.calibration_line import CalibrationLine, calibration_lines


def drawn(shift: float, stretch: float, n: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and what says of their log odds z that they are (z - shift) / stretch; both (N, 1)."""
    rng = np.random.default_rng(seed)
    z = rng.normal(-1, 1, (n, 1))
    return (rng.random((n, 1)) < expit(z)).astype(np.float32), expit((z - shift) / stretch)


def test_the_line_is_that_of_a_logistic_regression() -> None:
    labels, probs = drawn(0.5, 0.7)
    [line] = calibration_lines(labels, probs, np.arange(4000))
    plain = LogisticRegression(C=np.inf, tol=1e-10).fit(logit(probs), labels[:, 0])
    assert line.slope.value == pytest.approx(plain.coef_[0, 0], abs=1e-4)
    assert expit(logit(probs) + line.intercept.value).mean() == pytest.approx(labels.mean(), abs=1e-6)


@pytest.mark.parametrize(("shift", "stretch"), [(0.0, 1.0), (1.0, 1.0), (-0.5, 1.0), (0.0, 0.5), (0.0, 2.0)])
def test_what_is_wrong_is_told(shift: float, stretch: float) -> None:
    labels, probs = drawn(shift, stretch)
    [line] = calibration_lines(labels, probs, np.arange(4000))
    assert line.slope.low < stretch < line.slope.high
    if stretch == 1:
        assert line.intercept.low < shift < line.intercept.high


def test_films_of_a_patient_are_alike() -> None:
    """Each film four times over: nothing is known that was not, so the interval stays as wide."""
    labels, probs = drawn(0, 1, 500)
    [once] = calibration_lines(labels, probs, np.arange(500))
    [often] = calibration_lines(np.repeat(labels, 4, 0), np.repeat(probs, 4, 0), np.arange(2000) // 4)
    for one, two in ((once.intercept, often.intercept), (once.slope, often.slope)):
        assert (two.value, two.low, two.high) == pytest.approx((one.value, one.low, one.high), abs=1e-6)


def test_scores_of_nothing_but_zeros_are_seen_however_rare_the_finding() -> None:
    labels = np.zeros((5000, 1))
    labels[:10] = 1
    [line] = calibration_lines(labels, np.zeros((5000, 1)), np.arange(5000))
    assert line.intercept.low > 20 and line.slope.value is None


def test_few_patients_have_no_line() -> None:
    labels, probs = drawn(0, 1, 300)
    patients = np.where(labels[:, 0] > 0, np.arange(300) % 9, np.arange(300))
    assert calibration_lines(labels, probs, patients) == [CalibrationLine()]
    assert calibration_lines(1 - labels, probs, patients) == [CalibrationLine()]


def test_scores_that_tell_all_apart_have_no_slope() -> None:
    labels = np.repeat([[1.0], [0.0]], 50, axis=0)
    [line] = calibration_lines(labels, 0.3 + 0.4 * labels, np.arange(100))
    assert line.slope.value is None and line.intercept.value == pytest.approx(0, abs=1e-6)
