"""Curves and their bands against films written out many times, and against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from xlite.findings import FINDINGS
from xlite.metrics.bands import GRID, Roc, RocBand, draw_curves, resample_bins, resample_curves
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.intervals import rate_interval
from xlite.metrics.per_finding import ECE_BINS


def films(n: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One finding: labels, scores with many ties, patients of one to several films."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.25).astype(np.float32)
    scores = np.clip(rng.normal(0.35 + 0.2 * labels, 0.2), 0, 1).round(2)
    return labels, scores, rng.integers(0, n // 3, n)


def written_out(resamples: Resamples, resample: int) -> np.ndarray:
    """The rows of the films of a resample, each as often as its patient was drawn."""
    owner = resamples.owner
    return np.repeat(np.arange(len(owner)), resamples.counts[owner, resample].astype(int))


def test_the_bands_resamples_are_the_curves_of_films_written_out() -> None:
    labels, scores, patients = films()
    resamples = Resamples(patients, 6, seed=1)
    tpr, precision = resample_curves(labels, scores, resamples, GRID)
    for r in range(6):
        rows = written_out(resamples, r)
        y, s = labels[rows], scores[rows]
        x, up, _ = sk.roc_curve(y, s, drop_intermediate=False)
        for place, at in enumerate(GRID):
            # If the curve rises straight up, its top counts.
            reached = up[x <= at + 1e-12].max()
            after = np.searchsorted(x, at + 1e-12)
            if after < len(x):
                before = after - 1
                reached = up[before] + (up[after] - up[before]) * (at - x[before]) / (x[after] - x[before])
            assert tpr[r, place] == pytest.approx(reached, abs=1e-6)
            cuts = np.unique(s[y == 1])[::-1]
            recalls = np.array([np.mean(s[y == 1] >= cut) for cut in cuts])
            first = cuts[np.argmax(recalls >= at - 1e-9)]
            assert precision[r, place] == pytest.approx(y[s >= first].mean(), abs=1e-6)


def test_a_resample_without_positives_has_no_curve() -> None:
    labels, scores = np.array([1.0, 0, 0]), np.array([0.9, 0.2, 0.4])
    resamples = Resamples(np.arange(3), 2)
    resamples.counts = np.array([[0, 2], [2, 0], [1, 1]], np.float32)
    tpr, precision = resample_curves(labels, scores, resamples, GRID)
    assert np.isnan(tpr[0]).all() and np.isnan(precision[0]).all()
    assert (tpr[1] == 1).all() and (precision[1] == 1).all()


@pytest.mark.slow
def test_the_bins_are_scikit_learns_and_their_resamples_those_of_films_written_out() -> None:
    labels, scores, patients = films()
    resamples = Resamples(patients, 4, seed=2)
    drawn = resample_bins(labels, scores, resamples)
    edges = np.linspace(0, 1, ECE_BINS + 1)
    for r in range(4):
        rows = written_out(resamples, r)
        which = np.digitize(scores[rows], edges[1:-1])
        for place in range(ECE_BINS):
            inside = labels[rows][which == place]
            expected = inside.mean() if len(inside) else np.nan
            assert drawn[r, place] == pytest.approx(expected, nan_ok=True)
    scores = (scores + 1e-9).clip(0, 1)  # scikit-learn counts a film on an edge to the bin below
    spread = np.tile(labels[:, None], 14), np.tile(scores[:, None], 14)
    found = draw_curves(*spread, Resamples(patients, 5))["Mass"].reliability
    share, probability = calibration_curve(labels, scores, n_bins=ECE_BINS)
    np.testing.assert_allclose(found.share, share, atol=1e-6)
    np.testing.assert_allclose(found.probability, probability, atol=1e-6)
    assert sum(found.films) == len(labels)


@pytest.mark.slow
def test_the_bands_hold_the_curve_and_are_as_wide_as_the_resamples() -> None:
    labels, scores, patients = films(600)
    spread = np.tile(labels[:, None], 14), np.tile(scores[:, None], 14)
    resamples = Resamples(patients, 400, seed=3)
    found = draw_curves(*spread, resamples, raw=spread[1] / 2)
    assert list(found) == list(FINDINGS)
    line, band = found["Edema"].roc, found["Edema"].roc.band
    own = np.interp(band.fpr, line.fpr, line.tpr)
    inside = (np.array(band.low) <= own + 0.02) & (own - 0.02 <= np.array(band.high))
    assert inside.all()
    assert 0.02 < np.max(np.array(band.high) - band.low) < 0.4
    drawn, _ = resample_curves(labels, scores, resamples, GRID)
    whole, _ = resample_curves(labels, scores, resamples.whole(), GRID)
    np.testing.assert_allclose(whole[0], own, atol=1e-5)
    patients = len(np.unique(patients[labels > 0]))
    ends = [rate_interval(*point, patients) for point in zip(whole[0], drawn.T, strict=True)]
    np.testing.assert_allclose(np.stack([band.low, band.high], axis=1), ends, atol=1e-6)
    assert found["Edema"].reliability_before.probability[-1] <= 0.5


def test_what_is_undefined_has_empty_curves_and_one_patient_no_bands() -> None:
    labels, scores, _ = films()
    spread = np.tile(labels[:, None], 14), np.tile(scores[:, None], 14)
    spread[0][:, 13] = 0
    found = draw_curves(*spread, Resamples(np.zeros(len(labels)), 9))
    empty = RocBand(fpr=[], low=[], high=[])
    assert found["Hernia"].roc == Roc(fpr=[], tpr=[], band=empty)
    assert found["Hernia"].pr.recall == []
    assert found["Mass"].roc.band == empty
    assert len(found["Mass"].roc.fpr) > 2
    assert set(found["Mass"].reliability.low) == {None}


@pytest.mark.slow
def test_a_band_needs_five_patients_with_the_finding_and_without_it() -> None:
    labels, scores, _ = films()
    for few in (labels, 1 - labels):
        for count, given in ((4, False), (5, True)):
            patients = np.where(few > 0, np.arange(len(few)) % count, np.arange(len(few)))
            found = draw_curves(
                *(np.tile(one[:, None], 14) for one in (labels, scores)), Resamples(patients, 9)
            )
            assert (len(found["Mass"].roc.band.low) > 0) == (len(found["Mass"].pr.band.low) > 0) == given


def test_a_bin_of_one_patient_is_not_known_for_certain() -> None:
    labels, probs = np.zeros((50, 14), np.float32), np.full((50, 14), 0.05)
    probs[0] = 0.99
    found = draw_curves(labels, probs, Resamples(np.arange(50), 200))["Mass"].reliability
    assert (found.films, found.share) == ([49, 1], [0, 0])
    assert found.low == [0, 0] and found.high == pytest.approx([0.0727, 0.7935], abs=1e-4)


def test_bands_are_given_at_every_fiftieth() -> None:
    np.testing.assert_allclose(GRID, np.arange(51) / 50)


def test_labels_of_any_type_count_each_film() -> None:
    """Each of two patients has 300 positives in one bin, which is more than a uint8 counts to."""
    labels, scores = np.arange(900) % 3 > 0, np.full(900, 0.5)
    resamples = Resamples(np.arange(900) % 2, 20, seed=4)
    for kind in (bool, np.uint8, np.float32):
        drawn = resample_bins(labels.astype(kind), scores, resamples)
        assert drawn[:, 7] == pytest.approx(2 / 3)
        assert np.isnan(np.delete(drawn, 7, axis=1)).all()


@pytest.mark.slow
def test_curves_have_six_digits() -> None:
    labels, scores, patients = films(90)
    spread = np.tile(labels[:, None], 14), np.tile(scores[:, None], 14)
    found = draw_curves(*spread, Resamples(patients, 30))["Mass"]
    line, points = found.reliability, found.roc
    for values in (points.fpr, points.tpr, points.band.low, points.band.high, found.pr.precision):
        assert values == [round(value, 6) for value in values]
    for values in (line.probability, line.share, line.low, line.high):
        assert values == [value and round(value, 6) for value in values]
        assert values != [value and round(value, 5) for value in values]
