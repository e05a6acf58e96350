"""The paired test of two models: no difference, a large one, a small but even one."""

import numpy as np
import pytest
from scores import films

from xlite.metrics import per_finding as metrics
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate
from xlite.metrics.intervals import percentile
from xlite.metrics.paired import (
    PairedDifference,
    compared_findings,
    macro_auc,
    paired_difference,
    paired_test,
)
from xlite.patients import fewer_patients


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
    low, high = percentile(metrics.macro(Resamples(patients, 199).auc(labels, probs)))
    assert found.p == pytest.approx(2 / 200)
    assert found.difference.high - found.difference.low < (high - low) / 2


def test_an_undefined_difference_is_a_tie() -> None:
    labels, probs, _ = films(30)
    assert compare(labels, probs, probs / 2, np.zeros(30)).difference.low is None
    assert compare(labels, probs, probs / 2, np.zeros(30)).tie


def test_resamples_without_an_auc_count_for_neither_side() -> None:
    drawn = np.where(np.arange(199) % 2, np.nan, np.linspace(0.01, 0.02, 199))
    found = paired_difference((0.8, drawn + 0.7), (0.785, np.full(199, 0.7)))
    assert (found.p, found.tie) == (pytest.approx(2 / 101), False)
    assert (found.difference.low, found.difference.high) == pytest.approx((drawn[2], drawn[196]))
    nothing = paired_difference((0.8, np.full(9, np.nan)), (0.7, np.full(9, 0.7)))
    assert (nothing.p, nothing.tie, nothing.difference.low) == (1, True, None)


@pytest.mark.parametrize("below", [23, 24, 25, 26])
def test_p_below_alpha_is_no_tie_and_the_interval_says_the_same(below: int) -> None:
    drawn = np.concatenate([np.full(below, -0.01), np.linspace(0.01, 0.02, 1000 - below)])
    found = paired_difference((0.8, drawn), (0.79, np.zeros(1000)))
    assert found.tie == (found.p >= 0.05) == (found.difference.low <= 0) == (below > 24)


def test_a_comparison_is_over_the_findings_of_every_resample() -> None:
    labels, _, patients = films(400)
    labels[:, 3], labels[:, 4], labels[:, 5] = 0, 1, 0
    labels[:2, 5] = 1  # of one patient or two: some resamples have none
    resamples = Resamples(patients, 99)
    found, in_every = compared_findings(labels, resamples)
    assert (np.flatnonzero(~found).tolist(), in_every) == ([3, 4, 5], True)
    rare = labels[:, 3:6]
    assert [each.tolist() for each in compared_findings(rare, resamples)[:1]] == [[False, False, True]]
    assert not compared_findings(rare, resamples).in_every_resample


def test_few_patients_widen_the_interval_and_lift_p() -> None:
    drawn = np.linspace(-0.002, 0.042, 999)
    many = paired_difference((0.82, 0.8 + drawn), (0.8, np.full(999, 0.8)))
    few = paired_difference((0.82, 0.8 + drawn), (0.8, np.full(999, 0.8)), np.array([4, 4]))
    assert (many.difference.value, few.difference.value) == pytest.approx((0.02, 0.02))
    assert few.difference.low < many.difference.low and few.difference.high > many.difference.high
    assert many.p < 0.1 < few.p < 0.2


@pytest.mark.parametrize(("patients", "widened"), [(99, True), (100, False)])
def test_below_the_limit_of_means_a_test_is_one_of_few_patients(patients: int, widened: bool) -> None:
    labels, probs, _ = films(patients)
    resamples = Resamples(np.arange(patients), 399)
    compared, other = compared_findings(labels, resamples), probs - 0.1 * (1 - labels) + 0.1 * labels
    over = compared.findings
    found = paired_test(labels, probs, other, resamples, compared)
    aucs = [macro_auc(labels[:, over], one[:, over], resamples) for one in (probs, other)]
    k = fewer_patients(labels[:, over], resamples.owner)
    assert found == paired_difference(*aucs, k if widened else None)
    assert found != paired_difference(*aucs, None if widened else k)
    rough = paired_test(labels, probs, other, resamples, compared._replace(in_every_resample=False))
    assert rough == paired_difference(*aucs, k)
