"""The ladder of recalibration against the fits that it is made of."""

import numpy as np
import pytest
from scipy.special import expit

from xlite.errors import CheckpointError
from xlite.findings import FINDINGS
from xlite.metrics.calibration import Isotonic, Platt, Temperature, apply_calibrator, fit_platt
from xlite.metrics.ladder import LINE_PATIENTS, climb


def drawn(positives: list[int], films: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits and labels (films, 14) with so many positives a finding, each film of another patient."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((films, 14), np.float32)
    for c, count in enumerate(positives):
        labels[rng.permutation(films)[:count], c] = 1
    return rng.normal(size=(films, 14)) + labels, labels, np.arange(films).astype(str)


COUNTS = [0, 9, 10, LINE_PATIENTS - 1, LINE_PATIENTS, 100, 171, 191, *[200] * 6]


def test_each_finding_climbs_as_far_as_its_patients_bear() -> None:
    found = climb(*drawn(COUNTS), None)
    assert found.rungs[:8] == (
        *("as_it_is", "as_it_is", "intercept", "intercept"),
        *("line", "line", "intercept", "as_it_is"),
    )
    assert found.rungs[8:] == ("as_it_is",) * 6
    assert found.moved.tolist() == [False, False, True, True, True, True, True, *[False] * 7]
    still = [c for c in range(14) if not found.moved[c]]
    assert [(found.calibrator.scale[c], found.calibrator.bias[c]) for c in still] == [(1, 0)] * len(still)
    assert [found.calibrator.scale[c] for c in (2, 3, 6)] == [1, 1, 1]


def test_a_slope_is_platts_and_an_intercept_meets_the_prevalence() -> None:
    logits, labels, patients = drawn(COUNTS)
    found, platt = climb(logits, labels, patients, None), fit_platt(logits, labels, patients)
    for c in (4, 5):
        assert (found.calibrator.scale[c], found.calibrator.bias[c]) == (platt.scale[c], platt.bias[c])
    probs = apply_calibrator(logits, found.calibrator)
    # The sum is the positives', but for the pull towards no change at all.
    pull = [found.calibrator.bias[c] for c in (2, 3)]
    assert probs[:, 2:4].sum(axis=0) == pytest.approx(np.array([10, 29]) - pull, abs=1e-3)


@pytest.mark.parametrize(
    "before",
    [Platt(scale=(2.0,) * 14, bias=(-0.5,) * 14), Temperature(temperature=0.5), None],
    ids=["platt", "temperature", "none"],
)
def test_it_starts_from_the_models_own_calibrator(before: Platt | Temperature | None) -> None:
    logits, labels, patients = drawn(COUNTS)
    found = climb(logits, labels, patients, before)
    was, now = apply_calibrator(logits, before), apply_calibrator(logits, found.calibrator)
    still = ~found.moved
    np.testing.assert_allclose(now[:, still], was[:, still], atol=1e-7)
    # To probabilities that are right already next to nothing is done.
    right = (np.random.default_rng(1).random((4000, 14)) < 0.3).astype(np.float32)
    x = np.full((4000, 14), np.log(0.3 / 0.7)) + np.random.default_rng(2).normal(size=(4000, 14)) * 1e-9
    assert apply_calibrator(x, climb(x, right, np.arange(4000), None).calibrator) == pytest.approx(
        0.3, abs=0.03
    )


def test_unknown_labels_fit_nothing() -> None:
    logits, labels, patients = drawn(COUNTS)
    hidden = labels.copy()
    hidden[150:, 4] = np.nan
    found, alone = (
        climb(logits, hidden, patients, None),
        climb(logits[:150], labels[:150], patients[:150], None),
    )
    assert found.calibrator.bias[4] == pytest.approx(alone.calibrator.bias[4])
    assert found.rungs[4] == alone.rungs[4]
    assert climb(logits, np.full_like(labels, np.nan), patients, None).rungs == ("as_it_is",) * 14


def test_steps_cannot_be_moved() -> None:
    steps = Isotonic(logits=((0.0, 1.0),) * 14, probabilities=((0.1, 0.9),) * 14)
    with pytest.raises(CheckpointError, match="isotonic calibrator has steps.*--calibration platt"):
        climb(*drawn(COUNTS), steps)


def test_it_undoes_a_shift_of_prevalence() -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(3000, len(FINDINGS)))
    labels = (rng.random(logits.shape) < expit(logits - 1.5)).astype(np.float32)
    found = climb(logits, labels, np.arange(3000), None)
    assert found.rungs == ("line",) * 14
    assert np.array(found.calibrator.bias) == pytest.approx(-1.5, abs=0.2)
    assert np.array(found.calibrator.scale) == pytest.approx(1.0, abs=0.2)
