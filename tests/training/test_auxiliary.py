"""Auxiliary heads: what the table knows, and that nothing of them is left in the model."""

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_models import untrained
from tiny_runs import config, run_to_end, state, weights

from xlite.data.folder import NihFolder
from xlite.training.auxiliary import attributes_of
from xlite.training.fabric import open_fabric
from xlite.training.job import open_job
from xlite.training.step import Learner

pytestmark = pytest.mark.usefixtures("quick_report")


def test_what_the_table_knows_is_view_sex_and_the_standardised_age():
    table = pd.DataFrame(
        {"view": ["PA", "AP", "", "LL"], "sex": ["F", "", "M", "U"], "age": [20.0, 40.0, np.nan, 60.0]}
    )
    nan, one = np.nan, np.sqrt(1.5)
    expected = [[0, 0, -one], [1, nan, 0], [nan, 1, nan], [nan, nan, one]]
    np.testing.assert_allclose(attributes_of(table), np.float32(expected), atol=1e-6)
    alike = attributes_of(table.assign(age=50.0))
    np.testing.assert_array_equal(alike[:, 2], np.zeros(4))
    assert np.isnan(attributes_of(table.assign(age=np.nan))[:, 2]).all()


def test_each_film_of_a_batch_comes_with_what_is_known_of_it(films):
    settings = config(films, "aux", auxiliary=0.5, augment="none")
    job = open_job(settings, None, lambda done, total: None)
    folder = NihFolder.open(films)
    table = folder.table.iloc[folder.rows(job.train_stems)]
    learner = Learner(open_fabric(settings, "cpu"), job)
    learner.begin(2)
    rows = learner.sampler.batches().ravel()
    known = torch.cat([batch.attributes for batch in learner.batches()]).numpy()
    np.testing.assert_array_equal(known[:, 0], (table["view"] == "AP").to_numpy()[rows])
    np.testing.assert_array_equal(known[:, 1], (table["sex"] == "M").to_numpy()[rows])
    age = table["age"].to_numpy()
    np.testing.assert_allclose(known[:, 2], ((age - age.mean()) / age.std())[rows], atol=1e-6)


@pytest.mark.slow
def test_auxiliary_heads_are_trained_and_dropped(films):
    run, _ = run_to_end(config(films, "aux", auxiliary=0.5, augment="none", epochs=6, lr=1e-2))
    missed = run.read_metrics()["auxiliary_loss"]
    assert missed.iloc[-1] < missed.iloc[0]
    assert weights(run).keys() == untrained(hidden=16).state_dict().keys()
    assert {"auxiliary.weight", "auxiliary.bias"} < state(run)["model"].keys()
    plain, _ = run_to_end(config(films, "plain", epochs=1))
    assert "auxiliary_loss" not in plain.read_metrics()
