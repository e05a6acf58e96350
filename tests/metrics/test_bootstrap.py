"""Resampled metrics against films written out many times."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scores import films, tied_films

from xlite.metrics import bootstrap
from xlite.metrics import per_finding as metrics
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.intervals import percentile


def test_patients_are_drawn_whole_and_the_same_for_a_seed() -> None:
    patients = np.array([7, 3, 7, 9, 3, 7])
    drawn = Resamples(patients, 500, seed=1)
    assert (drawn.patients, drawn.resamples, drawn.seed) == (3, 500, 1)
    np.testing.assert_array_equal(drawn.owner, [1, 0, 1, 2, 0, 1])
    np.testing.assert_array_equal(drawn.counts.sum(axis=0), np.full(500, 3))
    np.testing.assert_array_equal(drawn.counts, Resamples(patients, 500, seed=1).counts)
    assert (drawn.counts != Resamples(patients, 500, seed=2).counts).any()
    assert drawn.counts.mean(axis=1) == pytest.approx([1, 1, 1], abs=0.15)


def test_some_of_the_films_have_the_same_patients_or_patients_drawn_anew() -> None:
    patients = np.array([7, 3, 7, 9, 3, 7])
    drawn = Resamples(patients, 50, seed=1)
    for some in (patients != 9, np.array([0, 1, 2, 4, 5])):
        same, anew = drawn.of(some), drawn.redrawn(some)
        assert (same.patients, anew.patients) == (2, 2)
        np.testing.assert_array_equal(same.owner, [1, 0, 1, 0, 1])
        np.testing.assert_array_equal(same.counts, drawn.counts)
        np.testing.assert_array_equal(anew.counts, Resamples(patients[some], 50, seed=1).counts)


def test_one_patient_has_no_interval() -> None:
    labels, probs, patients = films(30)
    alone = [Resamples(np.zeros(30), 9), Resamples(patients, 9).of(patients == patients[0])]
    for drawn, rows in zip(alone, (patients > 0, patients == patients[0]), strict=True):
        assert drawn.patients == 1
        assert np.isnan(drawn.auc(labels[rows], probs[rows])).all()
        assert np.isnan(drawn.brier(labels[rows], probs[rows])).all()
        assert percentile(drawn.ece(labels[rows], probs[rows])[:, 0]) is None


def all_metrics(labels: np.ndarray, probs: np.ndarray, cuts: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "auc": metrics.auc_per_class(labels, probs),
        "ap": metrics.ap_per_class(labels, probs),
        "ece": metrics.ece_per_class(labels, probs),
        "brier": metrics.brier_per_class(labels, probs),
        **metrics.rates_at(labels, probs, cuts),
    }


@pytest.mark.parametrize("chunk", [250, 19])
def test_every_resample_is_the_metric_of_the_films_written_out(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "CHUNK", chunk)
    labels, probs, patients = films(90)
    labels[:, 3] = 0
    labels[patients != patients[0], 4] = 0  # one patient's only: absent from some resamples
    cuts = np.full(14, np.float32(0.4))  # a score that occurs: >= and > differ
    resamples = Resamples(patients, 20, seed=3)
    auc, ap = resamples.auc_ap(labels, probs)
    np.testing.assert_array_equal(resamples.auc(labels, probs), auc)
    fast = {
        "auc": auc,
        "ap": ap,
        "ece": resamples.ece(labels, probs),
        "brier": resamples.brier(labels, probs),
        **resamples.rates(labels, probs, cuts),
    }
    for r in range(20):
        drawn = np.repeat(np.arange(90), resamples.counts[resamples.owner, r].astype(int))
        slow = all_metrics(labels[drawn], probs[drawn], cuts)
        for name, values in slow.items():
            np.testing.assert_allclose(fast[name][r], values, atol=1e-7, err_msg=f"{name} of resample {r}")


@pytest.mark.slow
@settings(deadline=None, max_examples=50)
@given(tied_films(), st.integers(0, 100))
def test_weighted_auc_and_ap_are_exact_with_any_ties(case: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    labels, scores = case
    resamples = Resamples(np.arange(len(labels)) // 2, 5, seed)
    auc, ap = resamples.auc_ap(labels, scores)
    for r in range(5):
        drawn = np.repeat(np.arange(len(labels)), resamples.counts[resamples.owner, r].astype(int))
        np.testing.assert_allclose(auc[r], metrics.auc_per_class(labels[drawn], scores[drawn]), atol=1e-12)
        np.testing.assert_allclose(ap[r], metrics.ap_per_class(labels[drawn], scores[drawn]), atol=1e-12)


def test_copies_of_a_patients_films_do_not_narrow_the_interval() -> None:
    labels, probs, patients = films(200)
    once = Resamples(patients, 200).auc(labels, probs)
    four = Resamples(np.tile(patients, 4), 200).auc(*(np.tile(a, (4, 1)) for a in (labels, probs)))
    np.testing.assert_allclose(once, four, atol=1e-12)


def test_a_thousand_resamples_are_drawn_unless_others_are_asked_for() -> None:
    assert Resamples(np.arange(3)).counts.shape == (3, 1000)
