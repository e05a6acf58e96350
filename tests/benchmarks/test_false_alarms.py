"""What is called a difference and is none: by reports, leaderboards and comparisons."""

import numpy as np
import pandas as pd
import pytest
from false_alarms import board, equal_models, measure, pair, report, without_gaps
from population import Population, Sample

from xlite.findings import FINDINGS


@pytest.fixture(scope="module")
def made_up() -> Population:
    """500 patients with one to three films each."""
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(500), rng.integers(1, 4, 500))
    labels = (rng.random((len(patients), len(FINDINGS))) < 0.3).astype(np.float32)
    probs = np.clip(0.3 + 0.2 * labels + rng.normal(0, 0.15, labels.shape), 0.01, 0.99)
    groups = {"view": np.where(rng.random(len(patients)) < 0.6, "PA", "AP")}
    starts = np.searchsorted(patients, np.arange(501))
    return Population(Sample(labels, probs, patients, groups), starts)


def test_groups_without_a_gap_are_dealt_to_whole_patients(made_up: Population) -> None:
    rng = np.random.default_rng(1)
    sample = made_up.draw(rng, 200)
    view = without_gaps(sample, rng)["view"]
    of_patient = pd.Series(view).groupby(sample.patients)
    assert (of_patient.nunique() == 1).all() and 90 < (of_patient.first() == "PA").sum() < 150


def test_equal_models_are_the_same_but_for_noise(made_up: Population) -> None:
    sample = made_up.draw(np.random.default_rng(1), 200)
    first, second = equal_models(sample, 2, np.random.default_rng(2))
    assert first.shape == sample.probs.shape
    assert 0.6 < np.corrcoef(first[:, 0], second[:, 0])[0, 1] < 0.9


@pytest.mark.slow
def test_a_row_for_each_number_of_patients(made_up: Population) -> None:
    found = measure(made_up, report, (100, 200), 2)
    assert found.index.tolist() == [100, 200]
    assert found["gaps looked at"].tolist() == [15, 15] and not found["gap"].any()
    pairs = measure(made_up, pair, (60,), 2)
    assert pairs.loc[60, ["refused", "findings"]].tolist() == [0, 14]
    boards = measure(made_up, board, (60,), 2)
    assert 0 < boards.loc[60, "said to add"] < 0.1 and 0 < boards.loc[60, "best of 10 adds"] < 0.1


@pytest.mark.release
@pytest.mark.slow
def test_few_reports_tell_of_a_gap_if_there_is_none(population: Population) -> None:
    found = measure(population, report, (100, 300, 1000), 150)
    assert (found["gap"] <= 0.07).all(), found
    assert (found["nothing compared"] < [0.5, 0.01, 0.01]).all(), found


@pytest.mark.release
@pytest.mark.slow
def test_few_leaderboards_call_one_of_ten_equal_models_beaten(population: Population) -> None:
    found = measure(population, board, (100, 300), 100)
    assert (found["any beaten"] <= 0.07).all(), found
    assert found["said to add"].to_numpy() == pytest.approx(found["best of 10 adds"].to_numpy(), rel=0.25)


@pytest.mark.release
@pytest.mark.slow
def test_few_comparisons_call_one_of_two_equal_models_better(population: Population) -> None:
    found = measure(population, pair, (10, 30, 100, 300), 150)
    assert (found["no tie"] <= 0.08).all() and found["no tie"].mean() <= 0.06, found
    assert (found["no tie"] == found["p < .05"]).all() and not found["refused"].any()
