"""Calibrators against slow, independent ways to the same numbers and other people's fits."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression, isotonic_regression
from sklearn.linear_model import LogisticRegression

from xlite.errors import CheckpointError
from xlite.findings import FINDINGS
from xlite.metrics.calibration import (
    METHODS,
    PULL,
    Calibrator,
    Isotonic,
    Platt,
    Temperature,
    apply_calibrator,
    fit_calibrator,
    fit_platt,
    in_effect,
    logit,
    uncalibrated,
)
from xlite.metrics.per_finding import ece_per_class


def drawn(scale: float, bias: float, n: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, 14) and labels whose true probability is sigmoid(scale * logit + bias)."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, 14))
    return logits, (rng.random((n, 14)) < expit(scale * logits + bias)).astype(np.float32)


def alone(labels: np.ndarray) -> np.ndarray:
    """The patients (N,) of labels (N, 14), each of one film."""
    return np.arange(len(labels))


def test_platt_is_the_least_penalised_log_loss() -> None:
    logits, labels = drawn(2.0, -1.5)
    found = fit_platt(logits, labels, alone(labels))
    for c in (0, 13):
        x, y = logits[:, c], labels[:, c].astype(float)

        def loss(v: np.ndarray, x: np.ndarray = x, y: np.ndarray = y) -> float:
            z = v[0] * x + v[1]
            return np.sum(np.logaddexp(0, z) - y * z) + PULL / 2 * ((v[0] - 1) ** 2 + v[1] ** 2)

        best = minimize(loss, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-9}).x
        assert (found.scale[c], found.bias[c]) == pytest.approx(tuple(best), abs=1e-5)


def test_platt_makes_probabilities_of_scores_on_films_it_did_not_see() -> None:
    found = fit_platt(*drawn(0.5, -2.0), np.arange(4000))
    logits, labels = drawn(0.5, -2.0, seed=1)
    before = ece_per_class(labels, apply_calibrator(logits, None))
    after = ece_per_class(labels, apply_calibrator(logits, found))
    assert before.min() > 0.3
    assert after.max() < 0.03
    assert found.scale == pytest.approx((0.5,) * 14, abs=0.2)
    assert found.bias == pytest.approx((-2.0,) * 14, abs=0.2)


def test_too_few_positives_or_negatives_keep_the_identity() -> None:
    logits, labels = drawn(2.0, 0.0, n=40)
    labels[:] = np.arange(40)[:, None] < 20
    labels[:, 0], labels[:, 1] = np.arange(40) < 9, np.arange(40) < 31
    labels[:, 2], labels[:, 3] = np.arange(40) < 10, np.arange(40) < 30
    found = fit_platt(logits, labels, alone(labels))
    assert [found.scale[c] == 1 and found.bias[c] == 0 for c in range(4)] == [True, True, False, False]


@pytest.mark.parametrize("method", METHODS)
def test_many_films_of_few_patients_choose_no_calibrator(method: str) -> None:
    logits, labels = drawn(0.5, -1.0, n=400)
    few = fit_calibrator(logits, labels, np.arange(400) % 9, method)
    assert uncalibrated(few) == list(FINDINGS) and in_effect(few) is None
    assert uncalibrated(fit_calibrator(logits, labels, np.arange(400) % 10, method)) == []


def test_scores_the_wrong_way_round_keep_their_order_and_get_the_prevalence() -> None:
    logits, labels = drawn(3.0, -2.0)
    found = fit_platt(-logits, labels, alone(labels))
    assert found.scale == (0.01,) * 14
    mean = apply_calibrator(-logits, found).mean(axis=0)
    np.testing.assert_allclose(mean, labels.mean(axis=0), atol=0.01)


@pytest.mark.slow
@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.floats(1e-6, 1e4), st.floats(-500, 500))
def test_platt_is_finite_and_rising_for_any_logits(seed: int, spread: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    logits = (rng.normal(size=(60, 14)) * spread + shift).astype(np.float32)
    labels = rng.random((60, 14)) < 0.4
    labels[:30, 0] = logits[:30, 0] > shift  # nearly separable
    found = fit_platt(logits, labels, alone(labels))
    assert np.isfinite([*found.scale, *found.bias]).all()
    assert min(found.scale) >= 0.01
    probs = apply_calibrator(logits, found)
    assert probs.dtype == np.float32
    assert ((probs >= 0) & (probs <= 1)).all()


def test_no_calibration_is_the_sigmoid_without_overflow() -> None:
    logits = np.array([[-1e4, -800.0, -30.0, -1.0, 0.0, 1.0, 30.0, 800.0, 1e4] + [0.0] * 5])
    np.testing.assert_allclose(apply_calibrator(logits, None), expit(logits), atol=1e-7)


def test_platt_applies_each_findings_own_line() -> None:
    calibrator = Platt(scale=tuple(1.0 + c for c in range(14)), bias=tuple(c / 10 for c in range(14)))
    expected = expit(np.arange(1, 15) * 0.3 + np.arange(14) / 10)
    np.testing.assert_allclose(apply_calibrator(np.full(14, 0.3), calibrator), expected, atol=1e-7)


def test_temperature_is_the_least_log_loss_over_all_findings() -> None:
    logits, labels = drawn(0.4, 0.0)
    found = fit_calibrator(logits, labels, alone(labels), "temperature")

    def loss(scale: float) -> float:
        z = scale * logits
        return np.sum(np.logaddexp(0, z) - labels * z) + PULL / 2 * (scale - 1) ** 2

    best = minimize_scalar(loss, bounds=(0.01, 5), method="bounded", options={"xatol": 1e-8}).x
    assert found.temperature == pytest.approx(1 / best, abs=1e-4)
    assert found.temperature == pytest.approx(2.5, abs=0.1)
    np.testing.assert_allclose(apply_calibrator(logits, found), expit(logits * best), atol=1e-5)


def test_isotonic_is_scikit_learns_regression_and_keeps_the_sigmoid_if_positives_are_few() -> None:
    logits, labels = drawn(1.5, -1.0, n=400)
    labels[:, 3] = np.arange(400) < 9
    found = fit_calibrator(logits, labels, alone(labels), "isotonic")
    assert (found.logits[3], found.probabilities[3]) == ((), ())
    probs = apply_calibrator(logits, found)
    np.testing.assert_allclose(probs[:, 3], expit(logits[:, 3]), atol=1e-6)
    order = np.argsort(logits[:, 0])
    expected = isotonic_regression(labels[order, 0].astype(float), y_min=0, y_max=1)
    np.testing.assert_allclose(probs[order, 0], expected, atol=1e-6)
    beyond = apply_calibrator(np.array([[-99.0] * 14, [99.0] * 14]), found)
    np.testing.assert_allclose(beyond[:, 0], expected[[0, -1]], atol=1e-6)


def test_platt_is_near_scikit_learns_on_many_films() -> None:
    logits, labels = drawn(0.5, -1.0)

    theirs = LogisticRegression(C=1e9).fit(logits[:, :1], labels[:, 0])
    mine = apply_calibrator(logits, fit_calibrator(logits, labels, alone(labels), "platt"))[:, 0]
    np.testing.assert_allclose(mine, theirs.predict_proba(logits[:, :1])[:, 1], atol=1e-3)


def test_calibrators_keep_the_order_of_films_and_mend_what_is_off() -> None:
    logits, labels = drawn(0.5, -2.0)
    judged, truth = drawn(0.5, -2.0, seed=1)
    for method in METHODS:
        probs = apply_calibrator(judged, fit_calibrator(logits, labels, alone(labels), method))
        order = np.argsort(judged[:, 0], kind="stable")
        assert (np.diff(probs[order, 0]) >= -1e-7).all()
        if method != "temperature":  # which cannot move the mean
            assert ece_per_class(truth, probs).max() < 0.04


def test_an_unknown_calibrator_is_refused() -> None:
    with pytest.raises(CheckpointError, match="'beta' .* none, temperature, platt, isotonic"):
        fit_calibrator(*drawn(1, 0, 30), np.arange(30), "beta")


@pytest.mark.parametrize("method", METHODS)
def test_a_calibrator_is_read_back_from_json(method: str) -> None:
    fitted = fit_calibrator(*drawn(0.5, -1.0, 300), np.arange(300), method)
    content = json.loads(json.dumps(fitted.model_dump()))
    assert content["method"] == method
    assert TypeAdapter(Calibrator).validate_python(content) == fitted


PLATT: dict[str, Any] = {"method": "platt", "scale": [1.0] * 14, "bias": [0.0] * 14}
STEPS: dict[str, Any] = {"method": "isotonic", "logits": [[]] * 14, "probabilities": [[]] * 14}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1], "dictionary"),
        ({"method": "spline"}, "'spline' .* 'platt', 'temperature', 'isotonic'"),
        ({"scale": [1.0] * 14}, "'method'"),
        ({"method": "platt", "scale": [1.0] * 14}, "'platt' has method, scale, expected bias, method, scale"),
        ({**PLATT, "more": 1}, "has bias, method, more, scale"),
        ({**PLATT, "scale": [1.0] * 13}, "scale is .* expected 14 finite numbers above 0"),
        ({**PLATT, "scale": [0.0] * 14}, "above 0"),
        ({**PLATT, "scale": [1.0] * 13 + [0.0]}, "above 0"),
        ({**PLATT, "bias": [float("nan")] * 14}, r"bias is .* expected 14 finite numbers \["),
        ({**PLATT, "bias": [2e6] * 14}, r"bias is .* expected 14 numbers from -1e\+06 to 1e\+06 \["),
        ({**PLATT, "bias": [-2e6] * 14}, r"bias is .* expected 14 numbers from -1e\+06 to 1e\+06 \["),
        ({**PLATT, "scale": [2e6] * 14}, r"scale is .* expected 14 numbers from 0.001 to 1e\+06 \["),
        ({**PLATT, "scale": [1e-4] * 14}, r"scale is .* expected 14 numbers from 0.001 to 1e\+06 \["),
        ({**PLATT, "bias": [True] * 14}, "bias is"),
        ({**PLATT, "bias": [10**400] * 14}, "bias is"),
        ({"method": "temperature", "temperature": -1}, "temperature is .-1.* above 0"),
        ({"method": "temperature", "temperature": "1"}, "temperature is"),
        ({**STEPS, "logits": [[]] * 13}, "logits are .* expected 14 lists"),
        ({**STEPS, "logits": [[0.0]] * 14}, r"calibration's logits is \[0.0\], expected 0 finite numbers \["),
        (
            {**STEPS, "logits": [[0.0, 1.0]] * 14, "probabilities": [[0.1, None]] * 14},
            r"calibration's probabilities is \[0.1, None\], expected 2 finite numbers \[",
        ),
        (
            {**STEPS, "logits": [[0.0, 0.0]] * 14, "probabilities": [[0.1, 0.2]] * 14},
            "expected rising numbers",
        ),
        ({**STEPS, "logits": [[0.0, 1.0]] * 14, "probabilities": [[0.2, 0.1]] * 14}, "rising ones in 0 to 1"),
        ({**STEPS, "logits": [[0.0, 1.0]] * 14, "probabilities": [[0.2, 1.1]] * 14}, "rising ones in 0 to 1"),
        (
            {**STEPS, "logits": [[0.0, 1.0]] * 14, "probabilities": [[-0.1, 0.2]] * 14},
            "rising ones in 0 to 1",
        ),
        (
            {**STEPS, "logits": [[0.0, 1.0, 2.0, 3.0]] * 14, "probabilities": [[0.1, 0.3, 0.2, 1.1]] * 14},
            "rising ones in 0 to 1",
        ),
        (
            {**STEPS, "logits": [[0.0, 1.0, 2.0, 3.0]] * 14, "probabilities": [[0.1, 0.3, 0.2, 0.4]] * 14},
            "rising ones in 0 to 1",
        ),
    ],
)
def test_what_no_calibrator_works_with_is_refused(content: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TypeAdapter(Calibrator).validate_python(content)


def test_a_calibrator_cannot_be_made_of_wrong_numbers_nor_changed() -> None:
    with pytest.raises(ValidationError, match="14 finite numbers above 0"):
        Platt(scale=(0.0,) * 14, bias=(0.0,) * 14)
    with pytest.raises(ValidationError, match="frozen"):
        Temperature(temperature=2.0).temperature = 1.0


def test_findings_left_to_the_sigmoid_are_named() -> None:
    knots = tuple(() if finding == "Mass" else (0.0, 1.0) for finding in FINDINGS)
    heights = tuple(() if finding == "Mass" else (0.1, 0.2) for finding in FINDINGS)
    scale = tuple(1.0 if finding in ("Mass", "Hernia") else 2.0 for finding in FINDINGS)
    assert uncalibrated(None) == list(FINDINGS)
    assert uncalibrated(Temperature(temperature=1)) == list(FINDINGS)
    assert uncalibrated(Temperature(temperature=2)) == []
    assert uncalibrated(Platt(scale=scale, bias=(0.0,) * 14)) == ["Mass", "Hernia"]
    assert uncalibrated(Isotonic(logits=knots, probabilities=heights)) == ["Mass"]


def test_a_logit_is_finite_for_probabilities_of_0_and_1() -> None:
    probs = np.array([0.0, 0.25, 1.0])
    np.testing.assert_allclose(expit(logit(probs)), probs, atol=1e-11)
    assert np.isfinite(logit(probs)).all()


def test_a_calibrator_that_leaves_every_finding_is_not_in_effect() -> None:
    fitted = Temperature(temperature=2.0)
    assert in_effect(fitted) is fitted
    assert in_effect(Temperature(temperature=1.0)) is None and in_effect(None) is None
    half = Platt(scale=(2.0,) + (1.0,) * 13, bias=(0.0,) * 14)
    assert in_effect(half) is half


def test_isotonic_weighs_tied_logits_by_their_films() -> None:
    rng = np.random.default_rng(6)
    logits = rng.integers(-3, 4, (200, 14)).astype(float)  # seven values, many films each
    labels = (rng.random((200, 14)) < 1 / (1 + np.exp(-logits))).astype(float)
    found = apply_calibrator(logits, fit_calibrator(logits, labels, alone(labels), "isotonic"))
    for c in range(14):
        reference = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(logits[:, c], labels[:, c])
        np.testing.assert_allclose(found[:, c], reference.predict(logits[:, c]), atol=1e-6)


def pulled_loss(point: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    z = point[0] * x + point[1]
    return np.sum(np.logaddexp(0, z) - y * z) + PULL / 2 * ((point[0] - 1) ** 2 + point[1] ** 2)


@pytest.mark.parametrize("case", ["separated", "nearly all positive"])
def test_platt_finds_the_least_loss_where_its_curvature_is_small_too(case: str) -> None:
    if case == "separated":
        logits, labels = np.tile(np.repeat([-8.0, 8.0], 10)[:, None], 14), np.zeros((20, 14))
        labels[10:] = 1
    else:
        logits, labels = np.random.default_rng(0).normal(size=(4000, 14)) / 10, np.ones((4000, 14))
        labels[:10] = 0
    found = fit_platt(logits, labels, alone(labels))
    x, y = logits[:, 0], labels[:, 0]
    best = minimize(
        pulled_loss, [1.0, 0.0], (x, y), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}
    ).x
    assert abs(best - [1, 0]).max() > 0.03  # it is not where the search begins
    assert (found.scale[0], found.bias[0]) == pytest.approx(tuple(best), abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_logits_of_15_findings_fit_no_labels_of_14(method: str) -> None:
    with pytest.raises(ValueError):
        fit_calibrator(np.zeros((40, 15)), np.tile(np.arange(40)[:, None] % 2, 14), np.arange(40), method)


def test_the_sigmoid_of_float32_is_rounded_once() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (50, 14)).astype(np.float32)
    expected = expit(logits.astype(np.float64)).astype(np.float32)
    np.testing.assert_array_equal(apply_calibrator(logits, None), expected)
