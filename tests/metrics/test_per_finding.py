"""Metrics per finding against scikit-learn or a slow obvious loop."""

import numpy as np
import pytest
from demo_home import drawn_films
from hypothesis import given, settings
from scores import films, tied_films
from sklearn import metrics as sk

from xlite.metrics import per_finding as metrics


@settings(deadline=None, max_examples=80)
@given(tied_films())
def test_auc_and_ap_are_scikit_learns_with_any_ties(case: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = case
    assert metrics.auc_per_class(labels, scores) == pytest.approx(sk.roc_auc_score(labels, scores), abs=1e-12)
    assert metrics.ap_per_class(labels, scores) == pytest.approx(
        sk.average_precision_score(labels[:, 0], scores[:, 0]), abs=1e-12
    )


def test_auc_is_undefined_without_both_labels_and_keeps_the_other_findings() -> None:
    labels = np.array([[0, 1, 0], [0, 1, 1], [0, 1, 0]], np.float32)
    scores = np.array([[0.1, 0.1, 0.1], [0.2, 0.2, 0.2], [0.3, 0.3, 0.3]])
    np.testing.assert_equal(metrics.auc_per_class(labels, scores), [np.nan, np.nan, 0.5])
    np.testing.assert_allclose(metrics.ap_per_class(labels, scores), [np.nan, 1.0, 0.5])
    np.testing.assert_equal(metrics.auc_per_class(labels[:0], scores[:0]), [np.nan] * 3)


def test_a_nan_score_is_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 scores are NaN"):
        metrics.auc_per_class(np.array([[0.0], [1.0]]), np.array([[0.1], [np.nan]]))


def test_the_auc_of_each_finding_by_each_score_is_the_share_of_pairs_won() -> None:
    films = drawn_films(np.random.default_rng(2), count=60)
    labels, probs = films.labels, films.probs.round(1)
    found = metrics.cross_auc(labels, probs)
    for a, b in ((0, 0), (3, 7), (7, 3)):
        high, low = probs[labels[:, a] == 1, b], probs[labels[:, a] == 0, b]
        wins = (high[:, None] > low).mean() + (high[:, None] == low).mean() / 2
        assert found[a, b] == pytest.approx(wins)
    assert np.isnan(found[13]).all()


def test_ece_is_the_slow_loops_and_brier_is_scikit_learns() -> None:
    labels, probs, _ = films()
    expected = []
    for y, p in zip(labels.T.astype(float), probs.T.astype(float), strict=True):
        total = 0.0
        for b in range(15):
            inside = [i for i in range(len(p)) if b / 15 <= p[i] < (b + 1) / 15 or (b == 14 and p[i] == 1)]
            if inside:
                total += len(inside) / len(p) * abs(np.mean(p[inside]) - np.mean(y[inside]))
        expected.append(total)
    np.testing.assert_allclose(metrics.ece_per_class(labels, probs), expected, atol=1e-12)
    brier = [sk.brier_score_loss(y, p.astype(float)) for y, p in zip(labels.T, probs.T, strict=True)]
    np.testing.assert_allclose(metrics.brier_per_class(labels, probs), brier, atol=1e-12)


def test_bins_hold_their_lower_edge_and_the_last_one_holds_one() -> None:
    np.testing.assert_array_equal(
        metrics.ece_bin(np.array([0, 0.09, 0.1, 0.95, 1.0]), bins=10), [0, 0, 1, 9, 9]
    )


def test_rates_are_scikit_learns_at_thresholds_that_count_as_called() -> None:
    labels, probs, _ = films()
    cuts = probs[5].astype(float)  # scores that occur: >= and > differ
    found = metrics.rates_at(labels, probs, cuts)
    for c in range(14):
        y, called = labels[:, c], probs[:, c] >= cuts[c]
        assert found["f1"][c] == pytest.approx(sk.f1_score(y, called))
        assert found["precision"][c] == pytest.approx(sk.precision_score(y, called))
        assert found["recall"][c] == pytest.approx(sk.recall_score(y, called))
        assert found["specificity"][c] == pytest.approx(sk.recall_score(1 - y, ~called))
        assert found["accuracy"][c] == pytest.approx(sk.accuracy_score(y, called))


def test_rates_without_positives_calls_or_negatives_are_undefined() -> None:
    labels = np.array([[0, 1, 1], [0, 0, 1]])
    found = metrics.rates_at(labels, np.array([[0.9, 0.1, 0.9], [0.1, 0.1, 0.1]]), np.full(3, 0.5))
    np.testing.assert_equal(found["f1"], [np.nan, 0, 2 / 3])
    np.testing.assert_equal(found["precision"], [0, np.nan, 1])
    np.testing.assert_equal(found["recall"], [np.nan, 0, 0.5])
    np.testing.assert_equal(found["specificity"], [0.5, 1, np.nan])


def test_macro_is_the_mean_of_what_is_defined() -> None:
    values = np.array([[1.0, np.nan, 2.0], [np.nan, np.nan, np.nan]])
    np.testing.assert_equal(metrics.macro(values), [1.5, np.nan])
