"""What intervals hold, measured on patients drawn from real predictions."""

import numpy as np
import pandas as pd
import pytest
from interval_coverage import IN_FILE, K_BINS, K_NAMES, measure, tables
from population import Population

pytestmark = pytest.mark.slow

RATES = ("f1", "precision", "recall", "specificity")


def test_a_patient_drawn_twice_is_two_patients(population: Population) -> None:
    assert (len(population.starts) - 1, len(population.films.labels)) == (6187, 22_433)
    drawn = population.draw(np.random.default_rng(0), 20_000)
    assert np.unique(drawn.patients).tolist() == list(range(20_000))
    assert len(drawn.labels) / 20_000 == pytest.approx(22_433 / 6187, rel=0.05)
    assert drawn.labels.mean(axis=0) == pytest.approx(population.films.labels.mean(axis=0), abs=0.01)


@pytest.mark.release
def test_the_mean_auc_of_a_file_has_an_interval_that_holds_however_few_the_patients(
    population: Population,
) -> None:
    """Reports withhold it below 100 patients; a program that reads metrics.json relies on one."""
    rows = measure(population, (10, 30, 60, 96), draws=150)
    mean = rows[rows["finding"] == ""]
    assert mean[mean["given"]]["metric"].unique().tolist() == [IN_FILE]
    assert mean[mean["given"]].groupby("patients")["holds"].mean().min() >= 0.93


@pytest.mark.release
def test_intervals_hold_what_they_claim(population: Population) -> None:
    rows = measure(population, (100, 300), draws=300)
    given = rows[rows["given"]]
    single, mean = given[given["finding"] != ""], given[given["finding"] == ""]
    auc = single[single["metric"] == "auc"]
    by_k = auc.groupby(pd.cut(auc["k"], K_BINS, labels=K_NAMES), observed=True)["holds"].mean()
    assert list(by_k.index) == ["5-9", "10-19", "20-29", "30-99", "100+"]
    assert by_k.min() >= 0.93
    held = single.groupby("metric")["holds"].mean()
    assert held[[*RATES, "ap", "brier"]].min() >= 0.93 and "ece" not in held
    assert mean.groupby("metric")["holds"].mean().min() >= 0.93
    assert [len(table.columns) for _, table in tables(rows)] == [2, 2, 2, 8, 8, 8, 2, 2, 2]
