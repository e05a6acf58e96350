"""The paired test of two models: no difference, a large one, a small but even one."""

import numpy as np
import pytest
from scores import films

from xlite.metrics import per_finding as metrics
from xlite.metrics.bootstrap import Resamples, interval
from xlite.metrics.estimate import Estimate
from xlite.metrics.paired import PairedDifference, macro_auc, paired_difference


def compare(
    labels: np.ndarray, first: np.ndarray, second: np.ndarray, patients: np.ndarray, resamples: int = 99
) -> PairedDifference:
    drawn = Resamples(patients, resamples)
    return paired_difference(macro_auc(labels, first, drawn), macro_auc(labels, second, drawn))


def test_a_model_against_itself_is_no_difference_and_against_noise_is_one() -> None:
    labels, probs, patients = films(400)
    value = metrics.auc_per_class(labels, probs).mean()
    same = pytest.approx(value)
    assert compare(labels, probs, probs, patients) == PairedDifference(same, same, Estimate(0, 0, 0), 1, True)
    noise = np.random.default_rng(5).random(probs.shape)
    better = compare(labels, probs, noise, patients)
    gap = better.difference
    assert gap.value == pytest.approx(value - metrics.auc_per_class(labels, noise).mean())
    assert 0 < gap.low < gap.value < gap.high
    assert (better.p, better.tie) == (pytest.approx(2 / 100), False)
    worse = compare(labels, noise, probs, patients)
    assert worse.difference.high == pytest.approx(-gap.low)
    assert (worse.p, worse.tie) == (better.p, False)


def test_the_comparison_is_paired() -> None:
    """A small, even improvement is seen though each model's own interval is far wider."""
    labels, probs, patients = films(400)
    found = compare(labels, probs, probs - 0.02 * labels, patients, resamples=199)
    low, high = interval(metrics.macro(Resamples(patients, 199).auc(labels, probs)))
    assert found.p == pytest.approx(2 / 200)
    assert found.difference.high - found.difference.low < (high - low) / 2


def test_an_undefined_difference_is_a_tie() -> None:
    labels, probs, _ = films(30)
    assert compare(labels, probs, probs / 2, np.zeros(30)).difference.low is None
    assert compare(labels, probs, probs / 2, np.zeros(30)).tie
