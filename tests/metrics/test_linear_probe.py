"""What can be told from features: a planted direction is found, noise is not, patients are kept together."""

import numpy as np
import pytest

from xlite.metrics.linear_probe import out_of_fold, out_of_fold_labels
from xlite.metrics.per_finding import auc_per_class


def features(films: int = 300, channels: int = 40, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(films, channels))


def probe_auc(probs: np.ndarray, classes: np.ndarray, names: list[str]) -> float:
    return float(auc_per_class(classes[:, None] == np.array(names), probs).mean())


CLASSES = np.where(np.arange(300) % 3 == 0, "AP", "PA")
ALONE = np.arange(300)


def test_a_planted_direction_is_told() -> None:
    x = features()
    x[:, 7] += 3 * (CLASSES == "AP")
    probs = out_of_fold(x, CLASSES, ALONE, ["PA", "AP"])
    assert probs.shape == (300, 2) and probs.sum(axis=1) == pytest.approx(1)
    assert probe_auc(probs, CLASSES, ["PA", "AP"]) > 0.95
    assert probs[CLASSES == "AP", 1].mean() > 1.5 * probs[CLASSES == "PA", 1].mean()


def test_noise_tells_nothing() -> None:
    probs = out_of_fold(features(), CLASSES, ALONE, ["PA", "AP"])
    assert probe_auc(probs, CLASSES, ["PA", "AP"]) == pytest.approx(0.5, abs=0.12)


def test_a_patient_known_by_other_films_is_no_answer() -> None:
    """Ten films of each of 30 patients, told apart by a fingerprint that says nothing of the class."""
    patients = np.repeat(np.arange(30), 10)
    classes = np.array(["AP", "PA"])[np.random.default_rng(1).permutation(30) % 2][patients]
    x = features(seed=2)[:, :20] * 0.01 + np.random.default_rng(3).normal(size=(30, 20))[patients]
    leaking = probe_auc(out_of_fold(x, classes, np.arange(300), ["AP", "PA"]), classes, ["AP", "PA"])
    assert leaking > 0.9 > probe_auc(out_of_fold(x, classes, patients, ["AP", "PA"]), classes, ["AP", "PA"])


def test_too_few_patients_are_refused() -> None:
    with pytest.raises(ValueError, match="a class has 1 patients, expected 5 at least"):
        out_of_fold(features(), CLASSES, np.where(CLASSES == "AP", 0, ALONE), ["AP", "PA"])


@pytest.mark.slow
def test_each_finding_is_told_by_the_films_whose_label_is_known() -> None:
    labels = np.zeros((300, 3), np.float32)
    labels[:, 0] = CLASSES == "AP"
    labels[:4, 1] = 1  # too few patients
    labels[:, 2] = np.where(np.arange(300) < 100, np.nan, np.arange(300) % 2)
    x = features()
    x[:, 7] += 3 * labels[:, 0]
    found, asked = out_of_fold_labels(x, labels, ALONE), np.where(CLASSES == "AP", "yes", "no")
    np.testing.assert_array_equal(found[:, 0], out_of_fold(x, asked, ALONE, ["yes"])[:, 0])
    assert (
        np.isnan(found[:, 1]).all() and np.isnan(found[:100, 2]).all() and not np.isnan(found[100:, 2]).any()
    )
