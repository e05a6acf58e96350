"""Several models on the same films: none of equal ones is beaten, and choosing the best of them flatters."""

import numpy as np
import pytest

from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.paired import macro_auc, paired_difference
from xlite.metrics.per_finding import auc_per_class
from xlite.sweeps.comparison import judge, optimism

Models = list[np.ndarray]


def equal_models(films: int = 300, seed: int = 0, models: int = 10) -> tuple[np.ndarray, Models, np.ndarray]:
    """Labels of 4 findings, the scores of equal models, the best first, and patients with two films each."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((films, 4)) < 0.3).astype(np.float32)
    shared = labels + rng.normal(0, 1, labels.shape)
    scores = [shared + rng.normal(0, 0.7, labels.shape) for _ in range(models)]
    aucs = [macro_auc(labels, one, Resamples(np.zeros(films), 1))[0] for one in scores]
    return labels, [scores[place] for place in np.argsort(aucs)[::-1]], np.arange(films) // 2


@pytest.mark.slow
def test_of_ten_equal_models_none_is_beaten_though_the_worst_alone_would_be() -> None:
    alone = beaten = 0
    for seed in range(6):
        labels, scores, patients = equal_models(seed=seed)
        found = [one.against_first for one in judge(labels, scores, patients)]
        beaten += any(one is not None and not one.tie for one in found)
        drawn = Resamples(patients)
        alone += not paired_difference(*(macro_auc(labels, scores[n], drawn) for n in (0, -1))).tie
    assert alone >= 2 and beaten == 0


def test_a_model_that_is_worse_is_beaten() -> None:
    labels, scores, patients = equal_models()
    worse = scores[-1] + np.random.default_rng(1).normal(0, 2, labels.shape)
    (first, *ties, last) = judge(labels, [*scores[:-1], worse], patients)
    assert first.against_first is None
    assert [one.against_first and one.against_first.tie for one in (*ties, last)] == [True] * 8 + [False]
    found = last.against_first
    assert found is not None and found.low > 0 and found.p == pytest.approx(2 / 1001) and found.findings == 4
    assert first.averaged.value is not None and last.averaged.value is not None
    assert found.value == pytest.approx(first.averaged.value - last.averaged.value)


def test_a_rare_finding_takes_no_interval_from_the_others() -> None:
    labels, scores, patients = equal_models(models=2)
    labels[:, 3] = patients < 3
    (first, second) = judge(labels, scores, patients)
    assert first.averaged.value is not None and first.averaged.low is None
    assert first.fixed.findings == FINDINGS[:3] and first.fixed.estimate.low is not None
    assert second.against_first is not None and second.against_first.findings == 3


def test_films_of_one_patient_compare_nothing() -> None:
    labels, scores, patients = equal_models(60, models=3)
    assert judge(labels, scores, np.zeros(60)) == []
    assert np.isnan(optimism(labels, scores, np.zeros(60)))


@pytest.mark.slow
def test_choosing_the_best_of_equal_models_adds_as_much_as_is_said() -> None:
    said, true = [], []
    for seed in range(12):
        labels, scores, patients = equal_models(seed=seed)
        said.append(optimism(labels, scores, patients))
        aucs = [macro_auc(labels, one, Resamples(np.zeros(300), 1))[0] for one in scores]
        true.append(max(aucs) - np.mean(aucs))
    assert np.mean(said) == pytest.approx(np.mean(true), rel=0.3)


def test_choosing_the_best_adds_nothing_if_it_is_always_the_same() -> None:
    labels, scores, patients = equal_models(models=2)
    assert optimism(labels, [labels + scores[0] / 50, scores[1]], patients) == pytest.approx(0, abs=0.003)
    assert optimism(labels, scores[:1], patients) == 0


def test_what_models_say_of_an_unknown_label_moves_nothing() -> None:
    labels, scores, patients = equal_models(models=3)
    labels[np.random.default_rng(8).random(labels.shape) < 0.3] = np.nan
    labels[:, 3] = np.nan
    turned = [np.where(np.isnan(labels), -one, one) for one in scores]
    found = judge(labels, scores, patients)
    assert judge(labels, turned, patients) == found
    assert optimism(labels, turned, patients) == optimism(labels, scores, patients) > 0
    assert [one.fixed.findings for one in found] == [FINDINGS[:3]] * 3
    assert found[1].against_first is not None and found[1].against_first.findings == 3
    aucs = [auc_per_class(labels[:, c : c + 1], scores[0][:, c : c + 1])[0] for c in range(3)]
    assert found[0].averaged.value == pytest.approx(np.mean(aucs))
