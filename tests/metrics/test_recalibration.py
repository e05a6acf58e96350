"""The ladder of recalibration against the fits that it is made of."""

import numpy as np
import pytest
from scipy.special import expit

from xlite.errors import CheckpointError
from xlite.findings import FINDINGS
from xlite.metrics.calibration import Isotonic, Platt, Temperature, apply_calibrator, fit_platt
from xlite.metrics.recalibration import LINE_PATIENTS, climb


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
    assert found.rungs == (*["intercept"] * 4, *["line"] * 2, *["intercept"] * 8)
    assert [found.calibrator.scale[c] for c in range(14) if found.rungs[c] == "intercept"] == [1] * 12
    assert found.lines == tuple(zip(found.calibrator.scale, found.calibrator.bias, strict=True))


def test_a_slope_is_platts_and_an_intercept_meets_the_prevalence() -> None:
    logits, labels, patients = drawn(COUNTS)
    found, platt = climb(logits, labels, patients, None), fit_platt(logits, labels, patients)
    for c in (4, 5):  # enough for a slope
        assert (found.calibrator.scale[c], found.calibrator.bias[c]) == (platt.scale[c], platt.bias[c])
    probs = apply_calibrator(logits, found.calibrator)
    # The sum is the positives', but for the pull towards no change at all.
    pull = found.calibrator.bias[:4]
    assert probs[:, :4].sum(axis=0) == pytest.approx(np.array([0, 9, 10, 29]) - pull, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "before",
    [Platt(scale=(2.0,) * 14, bias=(-0.5,) * 14), Temperature(temperature=0.5), None],
    ids=["platt", "temperature", "none"],
)
def test_it_starts_from_the_models_own_calibrator(before: Platt | Temperature | None) -> None:
    logits, labels, patients = drawn(COUNTS)
    found = climb(logits, labels, patients, before)
    was, now = apply_calibrator(logits, before), apply_calibrator(logits, found.calibrator)
    carried = np.stack([found.carried(name, was[:, c]) for c, name in enumerate(FINDINGS)], axis=1)
    np.testing.assert_allclose(carried, now, atol=1e-5)
    # To probabilities that are right already next to nothing is done.
    right = (np.random.default_rng(1).random((4000, 14)) < 0.3).astype(np.float32)
    x = np.full((4000, 14), np.log(0.3 / 0.7)) + np.random.default_rng(2).normal(size=(4000, 14)) * 1e-9
    assert apply_calibrator(x, climb(x, right, np.arange(4000), None).calibrator) == pytest.approx(
        0.3, abs=0.03
    )


def test_a_positive_moves_what_expected_many_and_hardly_what_expected_few() -> None:
    """200 films, one with the finding: a model that expects 40 is wrong, one that expects 2 may be right."""
    logits, labels, patients = drawn([1] * 14)
    expects = {40: np.log(0.2 / 0.8), 2: np.log(0.01 / 0.99)}
    sums = {
        count: apply_calibrator(x, climb(x, labels, patients, None).calibrator)[:, 0].sum()
        for count, logit in expects.items()
        for x in [np.full_like(logits, logit)]
    }
    assert sums == {40: pytest.approx(3.61, abs=0.01), 2: pytest.approx(1.38, abs=0.01)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shift", "least", "most"),
    [(1.0, -0.020, -0.005), (0.0, 0.0, 0.002)],
    ids=["other prevalences", "the same"],
)
def test_on_other_films_few_positives_gain_more_than_they_cost(
    shift: float, least: float, most: float
) -> None:
    """What 200 films with a few positives do to the log loss on 5,000 others, mean of 20 hospitals.

    Prevalences that differ by a factor of e or so are bettered by more than equal ones are worsened.
    """
    rng = np.random.default_rng(0)
    change = []
    for biases in rng.normal(0, shift, (20, 14)):
        logits = rng.normal(-4.5, 1, (5200, 14))
        labels = (rng.random(logits.shape) < expit(logits + biases)).astype(np.float32)
        found = climb(logits[:200], labels[:200], np.arange(200), None)
        change.append(_log_loss(logits, labels, found.calibrator) - _log_loss(logits, labels, None))
    assert least < np.mean(change) < most


def _log_loss(logits: np.ndarray, labels: np.ndarray, calibrator: Platt | None) -> float:
    probs = apply_calibrator(logits[200:], calibrator).astype(np.float64).clip(1e-9, 1 - 1e-9)
    return float(-np.where(labels[200:] == 1, np.log(probs), np.log(1 - probs)).mean())


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
