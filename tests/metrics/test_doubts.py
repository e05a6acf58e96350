"""Doubts about labels, against cleanlab's own multi-label methods and labels that are known to be wrong."""

import numpy as np
import pytest

from xlite.metrics.doubts import doubts

FILMS = 400


@pytest.fixture
def flipped() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels of two findings, 20 of which say no wrongly and 20 yes; what is right; good probabilities."""
    rng = np.random.default_rng(0)
    right = (rng.random((FILMS, 2)) < 0.3).astype(np.float32)
    labels = right.copy()
    for column in (0, 1):
        for value in (0, 1):
            labels[rng.choice(np.flatnonzero(right[:, column] == value), 20, replace=False), column] = (
                1 - value
            )
    probs = np.clip(0.15 + 0.7 * right + rng.normal(0, 0.1, right.shape), 0.01, 0.99)
    return labels, right, probs


def test_each_finding_has_the_scores_and_the_noise_of_the_multi_label_methods(
    flipped: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    from cleanlab.count import estimate_joint
    from cleanlab.multilabel_classification.rank import get_label_quality_scores_per_class

    labels, _, probs = flipped
    listed = [list(np.flatnonzero(row)) for row in labels]
    scores = get_label_quality_scores_per_class(listed, probs)
    joints = estimate_joint(listed, probs, multi_label=True)
    for column in (0, 1):
        found = doubts(labels[:, column], probs[:, column])
        np.testing.assert_allclose(found.score, scores[:, column])
        np.testing.assert_allclose(found.joint, joints[column])


def test_what_is_wrong_stands_first_in_both_directions(
    flipped: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    labels, right, probs = flipped
    found = doubts(labels[:, 0], probs[:, 0])
    wrong = labels[:, 0] != right[:, 0]
    for value in (0, 1):
        alike = np.flatnonzero(labels[:, 0] == value)
        first = alike[np.argsort(found.place[alike])[:20]]
        assert set(first) == set(alike[wrong[alike]])
        estimated = FILMS * found.joint[value, 1 - value]
        assert estimated == pytest.approx(20, abs=6)
        assert found.doubtful[alike].sum() == round(estimated)
        assert found.place[alike][found.doubtful[alike]].max() == round(estimated) - 1


def test_unknown_labels_are_in_no_doubt_and_change_nothing(
    flipped: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    labels, _, probs = flipped
    some = labels[:, 0].copy()
    some[:100] = np.nan
    found, alone = doubts(some, probs[:, 0]), doubts(labels[100:, 0], probs[100:, 0])
    assert np.isnan(found.score[:100]).all() and np.isinf(found.place[:100]).all()
    assert not found.doubtful[:100].any()
    np.testing.assert_array_equal(found.score[100:], alone.score)
    np.testing.assert_array_equal(found.place[100:], alone.place)
    np.testing.assert_array_equal(found.doubtful[100:], alone.doubtful)
    np.testing.assert_array_equal(found.joint, alone.joint)


def test_labels_that_a_model_never_contradicts_are_in_no_doubt() -> None:
    labels = np.repeat([0.0, 1.0], 50)
    found = doubts(labels, np.where(labels > 0, 0.9, 0.1))
    assert not found.doubtful.any() and found.joint.tolist() == [[0.5, 0], [0, 0.5]]
