"""Curves and the counts behind them, against scikit-learn."""

import numpy as np
import pytest
from scores import films
from sklearn import metrics as sk

from xlite.metrics.curves import counts_by_score, pr_points, roc_points


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
    assert counts_by_score(np.zeros(0), np.zeros(0)).tp.shape == (0,)


def test_the_pr_curve_sums_to_average_precision() -> None:
    labels, scores = (columns[:, 0] for columns in films(240)[:2])
    recall, precision = pr_points(labels, scores, limit=10**6)
    assert recall[-1] == 1
    steps = np.diff(recall, prepend=0)
    assert (steps * precision).sum() == pytest.approx(sk.average_precision_score(labels, scores))
    few = pr_points(labels, scores, limit=20)
    assert len(few[0]) <= 20 and few[0][-1] == 1
    assert [len(points) for points in pr_points(np.zeros(5), np.ones(5))] == [0, 0]


def test_the_pr_curve_has_a_point_for_each_score_of_a_positive() -> None:
    recall, precision = pr_points(np.array([0, 1, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.6, 0.5]))
    assert (recall.tolist(), precision.tolist()) == ([0.5, 1.0], [0.5, 0.5])


def test_a_positive_with_the_highest_score_begins_the_pr_curve():
    recall, precision = pr_points(np.array([1, 0, 1]), np.array([0.9, 0.5, 0.1]))
    assert (recall.tolist(), precision.tolist()) == ([0.5, 1.0], [1.0, 2 / 3])


def test_as_many_points_as_the_limit_are_all_kept_and_200_is_the_limit():
    labels, scores = np.array([1, 0, 0, 1, 0, 1]), np.arange(6.0)
    assert len(roc_points(labels, scores, limit=7)[0]) == 7
    both = np.tile([0, 1], 500)  # a straight staircase, on which no two points are asked for twice
    assert len(roc_points(both, np.arange(1000.0))[0]) == 200


def test_thinned_pr_points_keep_both_ends_and_the_shape() -> None:
    labels, scores = films(5000)[0][:, 0], np.random.default_rng(1).normal(size=5000)
    scores += labels
    recall, precision = pr_points(labels, scores)
    every, its_precision = pr_points(labels, scores, limit=10**6)
    assert len(every) > 1000 and 150 <= len(recall) <= 200
    assert (recall[0], precision[0], recall[-1]) == (every[0], its_precision[0], 1)
    walked = np.cumsum(
        np.abs(np.diff(every, prepend=every[0])) + np.abs(np.diff(its_precision, prepend=its_precision[0]))
    )
    kept = walked[np.searchsorted(every, recall)]
    np.testing.assert_array_equal(its_precision[np.searchsorted(every, recall)], precision)
    assert np.abs(walked[:, None] - kept).min(axis=1).max() <= walked[-1] / 199


def test_one_positive_has_one_point() -> None:
    for limit in (1, 200):
        recall, precision = pr_points(np.array([0, 1, 0]), np.array([0.9, 0.8, 0.7]), limit)
        assert (recall.tolist(), precision.tolist()) == ([1.0], [0.5])


def test_scores_of_any_number_type_are_walked_from_the_highest_down() -> None:
    labels, scores = np.array([1, 0, 1, 0]), np.array([0, 3, 200, 3])
    for kind in (np.uint8, np.int64, np.float32, np.float64):
        found = counts_by_score(labels, scores.astype(kind))
        assert (found.cuts.tolist(), found.cuts.dtype) == ([200, 3, 0], np.float64)
        assert (found.tp.tolist(), found.fp.tolist()) == ([1, 1, 2], [0, 2, 2])
