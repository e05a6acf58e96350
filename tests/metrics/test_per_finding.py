"""Metrics against scikit-learn or a slow obvious loop; the bootstrap against films written out many times."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from xlite.metrics import bootstrap
from xlite.metrics import per_finding as metrics
from xlite.metrics.curves import roc_points, sweep


def films(n: int = 300, findings: int = 14, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, probabilities with many ties, and patients of one to several films."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, findings)) < rng.uniform(0.05, 0.5, findings)).astype(np.float32)
    probs = np.clip(rng.normal(0.35 + 0.2 * labels, 0.2), 0, 1).round(2)
    return labels, probs.astype(np.float32), rng.integers(1000, 1000 + n // 3, n)


@st.composite
def tied_films(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """One finding in 2 to 40 films with scores of few levels, both labels present."""
    n = draw(st.integers(2, 40))
    labels = draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(lambda y: 0 < sum(y) < len(y)))
    level = st.sampled_from([0.0, 1e-30, 0.1, 0.2, 0.3, 0.5, 1 - 2**-52, 1.0])
    scores = draw(st.lists(level, min_size=n, max_size=n))
    return np.array(labels, np.float32)[:, None], np.array(scores)[:, None]


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


def test_roc_points_are_scikit_learns() -> None:
    labels, probs, _ = films()
    fpr, tpr = roc_points(labels[:, 0], probs[:, 0])
    np.testing.assert_allclose(
        (fpr, tpr), sk.roc_curve(labels[:, 0], probs[:, 0], drop_intermediate=False)[:2], atol=1e-12
    )


def test_thinned_roc_points_keep_both_ends_and_the_shape() -> None:
    labels, scores = films(5000)[0][:, 0], np.random.default_rng(1).normal(size=5000)
    scores += labels
    fpr, tpr = roc_points(labels, scores)
    all_fpr, all_tpr, _ = sk.roc_curve(labels, scores, drop_intermediate=False)
    assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)
    assert 150 <= len(fpr) <= 200
    distance = np.abs(all_fpr[:, None] - fpr) + np.abs(all_tpr[:, None] - tpr)
    assert distance.min(axis=1).max() <= 2 / 199
    assert sk.auc(fpr, tpr) == pytest.approx(sk.roc_auc_score(labels, scores), abs=1e-3)


def test_roc_points_and_sweep_of_nothing_are_empty() -> None:
    assert roc_points(np.zeros(3), np.arange(3))[0].shape == (0,)
    assert sweep(np.zeros(0), np.zeros(0)).tp.shape == (0,)


def test_patients_are_drawn_whole_and_the_same_for_a_seed() -> None:
    patients = np.array([7, 3, 7, 9, 3, 7])
    owner, counts = bootstrap.patient_counts(patients, 500, seed=1)
    np.testing.assert_array_equal(owner, [1, 0, 1, 2, 0, 1])
    np.testing.assert_array_equal(counts.sum(axis=0), np.full(500, 3))
    np.testing.assert_array_equal(counts, bootstrap.patient_counts(patients, 500, seed=1)[1])
    assert (counts != bootstrap.patient_counts(patients, 500, seed=2)[1]).any()
    assert counts.mean(axis=1) == pytest.approx([1, 1, 1], abs=0.15)


def all_figures(labels: np.ndarray, probs: np.ndarray, cuts: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "auc": metrics.auc_per_class(labels, probs),
        "ap": metrics.ap_per_class(labels, probs),
        "ece": metrics.ece_per_class(labels, probs),
        "brier": metrics.brier_per_class(labels, probs),
        **metrics.rates_at(labels, probs, cuts),
    }


@pytest.mark.parametrize("chunk", [250, 19])
def test_every_resample_is_the_figure_of_the_films_written_out(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "CHUNK", chunk)
    labels, probs, patients = films(90)
    labels[:, 3] = 0
    labels[patients != patients[0], 4] = 0  # one patient's only: absent from some resamples
    cuts = np.full(14, 0.4)
    owner, counts = bootstrap.patient_counts(patients, 20, seed=3)
    auc, ap = bootstrap.resample_auc_ap(labels, probs, owner, counts)
    fast = {
        "auc": auc,
        "ap": ap,
        "ece": bootstrap.resample_ece(labels, probs, owner, counts),
        "brier": bootstrap.resample_brier(labels, probs, owner, counts),
        **bootstrap.resample_rates(labels, probs, cuts, owner, counts),
    }
    for r in range(20):
        drawn = np.repeat(np.arange(90), counts[owner, r].astype(int))
        slow = all_figures(labels[drawn], probs[drawn], cuts)
        for name, values in slow.items():
            np.testing.assert_allclose(fast[name][r], values, atol=1e-7, err_msg=f"{name} of resample {r}")


@settings(deadline=None, max_examples=50)
@given(tied_films(), st.integers(0, 100))
def test_weighted_auc_and_ap_are_exact_with_any_ties(case: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    labels, scores = case
    owner, counts = bootstrap.patient_counts(np.arange(len(labels)) // 2, 5, seed)
    auc, ap = bootstrap.resample_auc_ap(labels, scores, owner, counts)
    for r in range(5):
        drawn = np.repeat(np.arange(len(labels)), counts[owner, r].astype(int))
        np.testing.assert_allclose(auc[r], metrics.auc_per_class(labels[drawn], scores[drawn]), atol=1e-12)
        np.testing.assert_allclose(ap[r], metrics.ap_per_class(labels[drawn], scores[drawn]), atol=1e-12)


def test_interval_is_the_percentiles_of_the_defined_resamples() -> None:
    values = np.append(np.arange(1001.0), [np.nan] * 99)
    assert bootstrap.interval(values) == (25.0, 975.0)
    np.testing.assert_equal(bootstrap.interval(np.full(5, np.nan)), (np.nan, np.nan))


def test_copies_of_a_patients_films_do_not_narrow_the_interval() -> None:
    labels, probs, patients = films(200)
    once = bootstrap.resample_auc_ap(labels, probs, *bootstrap.patient_counts(patients, 200, 0))[0]
    copied = (np.tile(a, (4, 1)) for a in (labels, probs))
    four = bootstrap.resample_auc_ap(*copied, *bootstrap.patient_counts(np.tile(patients, 4), 200, 0))[0]
    np.testing.assert_allclose(once, four, atol=1e-12)


def test_recentred_resamples_have_the_value_as_mean_and_never_fall_below_zero() -> None:
    np.testing.assert_allclose(bootstrap.recentred(np.array([0.2, 0.3, 0.4]), 0.25), [0.15, 0.25, 0.35])
    np.testing.assert_allclose(bootstrap.recentred(np.array([0.0, 1.0]), 0.1), [0, 0.6])


def test_a_model_against_itself_is_no_difference_and_against_noise_is_one() -> None:
    labels, probs, patients = films(400)
    same = bootstrap.compare_auc(labels, probs, probs, patients, resamples=99)
    value = metrics.auc_per_class(labels, probs).mean()
    assert same == {
        "first": pytest.approx(value),
        "second": pytest.approx(value),
        "difference": {"value": 0, "low": 0, "high": 0},
        "p": 1,
        "tie": True,
    }
    noise = np.random.default_rng(5).random(probs.shape)
    better = bootstrap.compare_auc(labels, probs, noise, patients, resamples=99)
    assert better["difference"]["value"] == pytest.approx(value - metrics.auc_per_class(labels, noise).mean())
    assert 0 < better["difference"]["low"] < better["difference"]["value"] < better["difference"]["high"]
    assert better["p"] == pytest.approx(2 / 100)
    worse = bootstrap.compare_auc(labels, noise, probs, patients, resamples=99)
    assert worse["difference"]["high"] == pytest.approx(-better["difference"]["low"])
    assert worse["p"] == better["p"]


def test_the_comparison_is_paired() -> None:
    """A small, even improvement is seen though each model's own interval is far wider."""
    labels, probs, patients = films(400)
    worse = probs - 0.02 * labels
    found = bootstrap.compare_auc(labels, probs, worse, patients, resamples=199)
    owner, counts = bootstrap.patient_counts(patients, 199, 0)
    low, high = bootstrap.interval(metrics.macro(bootstrap.resample_auc_ap(labels, probs, owner, counts)[0]))
    assert found["p"] == pytest.approx(2 / 200)
    assert found["difference"]["high"] - found["difference"]["low"] < (high - low) / 2
