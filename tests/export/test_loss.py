"""What a smaller export may lose."""

import numpy as np
import pytest

from xlite.export.loss import loss
from xlite.findings import FINDINGS
from xlite.models.info import read_info

PATIENTS = np.repeat(np.arange(120), 2).astype(str)


@pytest.fixture
def films():
    rng = np.random.default_rng(0)
    labels = (rng.random((240, 14)) < 0.3).astype(np.float32)
    return labels, rng.normal(size=(240, 14)) + labels


def test_the_same_answers_lose_nothing(exported, films):
    labels, logits = films
    found = loss(read_info(exported[0]), labels, PATIENTS, logits, logits)
    assert (found.films, found.patients, found.decisions, found.objections()) == (240, 120, 0, [])
    assert found.macro.difference.value == 0 and list(found.by_finding) == list(FINDINGS)


@pytest.mark.slow
def test_noise_and_a_shift_are_refused_each_for_what_it_does(exported, films):
    labels, logits = films
    info = read_info(exported[0])
    noisy = logits + np.random.default_rng(1).normal(size=logits.shape)
    found = loss(info, labels, PATIENTS, logits, noisy)
    assert [text.partition(" falls")[0] for text in found.objections()][0] == "mean AUC"
    # AUC does not see a shift, decisions do
    found = loss(info, labels, PATIENTS, logits, logits + 0.3)
    assert found.macro.difference.value == 0
    [objection] = found.objections()
    assert objection.endswith("of the decisions change, at most 2% may")
    # and a model without thresholds decides nothing
    bare = info.model_copy(update={"thresholds": None})
    assert loss(bare, labels, PATIENTS, logits, logits + 0.3).objections() == []


def test_auc_is_compared_where_labels_are_known(exported, films):
    labels, logits = films
    noisy = logits + np.random.default_rng(1).normal(size=logits.shape)
    labels[np.random.default_rng(2).random(labels.shape) < 0.3] = np.nan
    labels[:, 5] = np.nan
    here = ~np.isnan(labels)
    found = loss(read_info(exported[0]), labels, PATIENTS, logits, noisy)
    other = loss(
        read_info(exported[0]), labels, PATIENTS, np.where(here, logits, 0), np.where(here, noisy, 1)
    )
    assert (found.macro, found.by_finding) == (other.macro, other.by_finding)
    assert list(found.by_finding) == [name for c, name in enumerate(FINDINGS) if c != 5]
    assert found.changed.keys() == set(FINDINGS)  # a decision needs no label
