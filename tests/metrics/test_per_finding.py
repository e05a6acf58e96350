"""Metrics per finding against scikit-learn or a slow obvious loop."""

from collections.abc import Callable

import numpy as np
import pytest
from demo_home import drawn_films
from hypothesis import given, settings
from scipy import stats
from scores import films, tied_films
from sklearn import metrics as sk

from xlite.metrics import per_finding as metrics


@pytest.mark.slow
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


@pytest.mark.slow
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


def test_ece_counts_in_as_many_bins_as_are_asked_for_and_in_float64() -> None:
    probs = np.array([[0.1], [0.4], [0.6], [0.9]], np.float32)
    labels = np.array([[1], [0], [0], [1]], np.float32)
    # One bin: |0.5 - 0.5|; two: |0.25 - 0.5| of either half; 15: each film has its own.
    for bins, expected in ((1, 0), (2, 0.25), (15, 0.5)):
        assert metrics.ece_per_class(labels, probs, bins) == pytest.approx(expected, abs=1e-7)
    probs = np.random.default_rng(0).random((50, 2), np.float32) ** 3  # float32 cannot hold 1 - p
    zeros = np.zeros((50, 2), np.float32)
    np.testing.assert_allclose(
        metrics.ece_per_class(1 - zeros, probs), 1 - probs.astype(float).mean(axis=0), rtol=0, atol=1e-14
    )


def test_prevalence_is_the_share_of_positives_to_the_last_bit() -> None:
    labels = np.zeros((30, 2), np.float32)
    labels[:10, 0] = labels[:7, 1] = 1
    assert metrics.prevalence(labels).tolist() == [1 / 3, 7 / 30]


@pytest.mark.parametrize("p", [0.05, 0.5, 0.8])
def test_the_ece_of_right_probabilities_is_what_the_binomial_distribution_says(p: float) -> None:
    """All films in one bin: the mean distance of a binomial share from p, by the sum over all counts."""
    n = 25
    share = np.arange(n + 1) / n
    expected = np.sum(stats.binom.pmf(np.arange(n + 1), n, p) * np.abs(share - p))
    found = metrics.perfect_ece_per_class(np.full((n, 2), p), draws=4000)
    assert found == pytest.approx([expected] * 2, rel=0.05)
    assert found[0] != found[1]  # each finding's labels are drawn for it


@pytest.mark.parametrize("words", [{}, {"bins": 10, "draws": 7}])
def test_the_ece_of_right_probabilities_is_the_mean_of_that_of_drawn_labels(words: dict[str, int]) -> None:
    probs = np.random.default_rng(3).beta(1, 4, (150, 14)).astype(np.float32)
    bins, draws = words.get("bins", 15), words.get("draws", 100)
    rng, expected = np.random.default_rng(0), []
    for p in probs.T:
        p = np.array(sorted(p, key=lambda one: int(one * bins)), np.float32)[:, None]  # bin by bin
        drawn = [rng.random(len(p), np.float32)[:, None] < p for _ in range(draws)]
        expected.append(np.mean([metrics.ece_per_class(labels, p, bins)[0] for labels in drawn]))
    np.testing.assert_allclose(metrics.perfect_ece_per_class(probs, **words), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("metric", [metrics.auc_per_class, metrics.ap_per_class, metrics.ece_per_class])
def test_scores_of_other_findings_are_refused(metric: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
    labels, scores = np.eye(4), np.eye(4)
    for wrong in ((labels[:, :3], scores), (labels, scores[:, :3])):
        with pytest.raises(ValueError):
            metric(*wrong)
