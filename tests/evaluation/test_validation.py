"""What validation decides, against searches over every threshold and other people's fits."""

import numpy as np
import pytest
from demo_home import drawn_films
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn.isotonic import isotonic_regression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, confusion_matrix, f1_score, roc_curve

from xlite.errors import CheckpointError
from xlite.evaluation.validation import calibration_maps, operating_points
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import draw_patients
from xlite.metrics.calibration import METHODS, PULL, apply_calibration, fit_calibration, logit
from xlite.metrics.per_finding import ece_per_class
from xlite.metrics.thresholds import RULES, choose_thresholds


def drawn(scale: float, bias: float, n: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, 14) and labels whose true probability is sigmoid(scale * logit + bias)."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, 14))
    return logits, (rng.random((n, 14)) < expit(scale * logits + bias)).astype(np.float32)


def test_each_rule_finds_what_a_search_over_every_threshold_finds() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random((70, 14)) < 0.2).astype(np.float32)
    probs = np.clip(rng.normal(0.3 + 0.2 * labels, 0.2), 0, 1).round(2)
    cuts = {rule: choose_thresholds(labels, probs, rule) for rule in RULES}
    for c in range(14):
        y, p = labels[:, c], probs[:, c]
        fpr, tpr, tried = roc_curve(y, p, drop_intermediate=False)

        def rates(cut: float, y: np.ndarray = y, p: np.ndarray = p) -> tuple[float, float]:
            tn, fp, fn, tp = confusion_matrix(y, p >= cut, labels=[0, 1]).ravel()
            return tp / (tp + fn), tn / (tn + fp)

        assert f1_score(y, p >= cuts["f1"][c]) == pytest.approx(max(f1_score(y, p >= cut) for cut in tried))
        assert sum(rates(cuts["youden"][c])) - 1 == pytest.approx((tpr - fpr).max())
        sensitivity, specificity = rates(cuts["sensitivity_90"][c])
        enough = tpr >= 0.9 - 1e-9
        assert sensitivity >= 0.9 and 1 - specificity == pytest.approx(fpr[enough].min())
        sensitivity, specificity = rates(cuts["specificity_95"][c])
        enough = fpr <= 0.05 + 1e-9
        assert specificity >= 0.95 and sensitivity == pytest.approx(tpr[enough].max())


def test_where_no_threshold_is_specific_enough_nothing_is_called() -> None:
    labels, probs = np.array([[1], [0], [0]]), np.array([[0.8], [0.8], [0.1]])
    assert choose_thresholds(labels, probs, "specificity_95") == pytest.approx([0.9])
    assert choose_thresholds(np.ones((3, 1)), probs, "youden") == pytest.approx([0.5])


def test_an_unknown_rule_or_map_is_refused() -> None:
    with pytest.raises(ValueError, match="'best' is no rule for thresholds; expected one of f1, youden"):
        choose_thresholds(np.array([[1], [0]]), np.array([[0.8], [0.1]]), "best")
    with pytest.raises(CheckpointError, match="calibration 'beta' is not known; expected one of none, temp"):
        fit_calibration(*drawn(1, 0, 30), "beta")


def test_temperature_is_the_least_log_loss_over_all_findings() -> None:
    logits, labels = drawn(0.4, 0.0)
    found = fit_calibration(logits, labels, "temperature")

    def loss(scale: float) -> float:
        z = scale * logits
        return np.sum(np.logaddexp(0, z) - labels * z) + PULL / 2 * (scale - 1) ** 2

    best = minimize_scalar(loss, bounds=(0.01, 5), method="bounded", options={"xatol": 1e-8}).x
    assert found == {"method": "temperature", "temperature": pytest.approx(1 / best, abs=1e-4)}
    assert found["temperature"] == pytest.approx(2.5, abs=0.1)
    np.testing.assert_allclose(apply_calibration(logits, found), expit(logits * best), atol=1e-5)


def test_isotonic_is_scikit_learns_regression_and_keeps_the_sigmoid_where_positives_are_few() -> None:
    logits, labels = drawn(1.5, -1.0, n=400)
    labels[:, 3] = np.arange(400) < 9
    found = fit_calibration(logits, labels, "isotonic")
    assert (found["logits"][3], found["probabilities"][3]) == ([], [])
    probs = apply_calibration(logits, found)
    np.testing.assert_allclose(probs[:, 3], expit(logits[:, 3]), atol=1e-6)
    order = np.argsort(logits[:, 0])
    expected = isotonic_regression(labels[order, 0].astype(float), y_min=0, y_max=1)
    np.testing.assert_allclose(probs[order, 0], expected, atol=1e-6)
    beyond = apply_calibration(np.array([[-99.0] * 14, [99.0] * 14]), found)
    np.testing.assert_allclose(beyond[:, 0], expected[[0, -1]], atol=1e-6)


def test_platt_is_near_scikit_learns_where_there_are_many_films() -> None:
    logits, labels = drawn(0.5, -1.0)

    theirs = LogisticRegression(C=1e9).fit(logits[:, :1], labels[:, 0])
    mine = apply_calibration(logits, fit_calibration(logits, labels, "platt"))[:, 0]
    np.testing.assert_allclose(mine, theirs.predict_proba(logits[:, :1])[:, 1], atol=1e-3)


def test_maps_keep_the_order_of_films_and_mend_what_is_off() -> None:
    logits, labels = drawn(0.5, -2.0)
    judged, truth = drawn(0.5, -2.0, seed=1)
    for method in METHODS:
        probs = apply_calibration(judged, fit_calibration(logits, labels, method))
        order = np.argsort(judged[:, 0], kind="stable")
        assert (np.diff(probs[order, 0]) >= -1e-7).all()
        if method != "temperature":  # which cannot move the mean
            assert ece_per_class(truth, probs).max() < 0.04


def test_operating_points_are_chosen_on_one_set_and_judged_on_the_other() -> None:
    rng = np.random.default_rng(0)
    films, validation = drawn_films(rng), drawn_films(rng, 200)
    owner, counts = draw_patients(films.patients, 40, 0)
    found = operating_points(films, validation, owner, counts)
    assert list(found) == list(RULES)
    for rule, one in found.items():
        cuts = choose_thresholds(validation.labels, validation.probs, rule)
        for c, finding in enumerate(FINDINGS[:13]):
            row, called = one["per_class"][finding], films.probs[:, c] >= cuts[c]
            assert row["threshold"] == cuts[c]
            assert row["f1"]["value"] == pytest.approx(f1_score(films.labels[:, c], called))
            assert row["f1"]["low"] <= row["f1"]["value"] <= row["f1"]["high"]
            tn, fp, fn, tp = confusion_matrix(films.labels[:, c], called).ravel()
            assert row["recall"]["value"] == pytest.approx(tp / (tp + fn))
            assert row["specificity"]["value"] == pytest.approx(tn / (tn + fp))
        values = [one["per_class"][finding]["f1"]["value"] for finding in FINDINGS[:13]]
        assert one["macro"]["f1"]["value"] == pytest.approx(np.mean(values))
        assert one["per_class"]["Hernia"]["f1"] == {"value": None, "low": None, "high": None}


def test_calibration_maps_are_judged_before_and_after() -> None:
    rng = np.random.default_rng(0)
    films, validation = drawn_films(rng), drawn_films(rng, 200)
    owner, counts = draw_patients(films.patients, 40, 0)
    found = calibration_maps(films, validation, owner, counts)
    assert list(found) == ["none", *METHODS]
    np.testing.assert_allclose(logit(films.probs[0]), films.logits[0])
    for method, one in found.items():
        fitted = fit_calibration(validation.logits, validation.labels, method)
        probs = apply_calibration(films.logits, fitted)
        briers = [brier_score_loss(films.labels[:, c], probs[:, c]) for c in range(14)]
        assert one["macro"]["brier"]["value"] == pytest.approx(np.mean(briers))
        assert one["per_class"]["Mass"]["brier"] == pytest.approx(briers[4])
        assert one["macro"]["ece"]["low"] <= one["macro"]["ece"]["value"] <= one["macro"]["ece"]["high"]
    assert found["platt"]["macro"]["ece"]["value"] < found["none"]["macro"]["ece"]["value"]
