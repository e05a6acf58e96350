"""Subgroups against scikit-learn group by group, and gaps that are there or not."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from xlite.evaluation.subgroups import film_groups, subgroups
from xlite.evaluation.subgroups_report import Subgroups
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate


def split_films(gap: float = 0.0, n: int = 900, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, scores whose signal is weaker by `gap` on every other film, views."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, 14)) < 0.3).astype(np.float32)
    view = np.where(np.arange(n) % 2, "AP", "PA")
    signal = np.where(view == "AP", 1.2 - gap, 1.2)[:, None]
    return labels, rng.normal(signal * labels, 1), view


def by_view(gap: float = 0.0, n: int = 900, seed: int = 0) -> Subgroups:
    labels, scores, view = split_films(gap, n, seed)
    resamples = Resamples(np.arange(len(labels)) // 2, 300)
    return subgroups(labels, scores, {"view": view}, resamples)["view"]


def test_each_groups_metrics_are_those_of_its_films() -> None:
    labels, scores, view = split_films()
    found = by_view().groups
    assert list(found) == ["AP", "PA"]
    for name, group in found.items():
        mine = view == name
        aucs = [roc_auc_score(labels[mine, c], scores[mine, c]) for c in range(14)]
        assert (group.images, group.patients, group.findings) == (450, 450, 14)
        assert group.auc.value == pytest.approx(np.mean(aucs))
        assert group.auc.low < group.auc.value < group.auc.high
        for c, finding in enumerate(FINDINGS):
            assert group.per_class[finding].auc.value == pytest.approx(aucs[c])
            assert group.per_class[finding].positives == labels[mine, c].sum()


def test_the_rates_of_each_group_are_those_of_its_films_at_the_thresholds() -> None:
    labels, scores, view = split_films(0.9)
    labels[view == "PA", 3] = np.nan
    labels[view == "AP", 4] = 0
    cuts = np.linspace(0.2, 1.5, 14)
    cuts[5] = np.nan
    resamples = Resamples(np.arange(len(labels)) // 2, 50)
    found = subgroups(labels, scores, {"view": view}, resamples, cuts)["view"].groups
    for name, group in found.items():
        for c, finding in enumerate(FINDINGS):
            one = group.per_class[finding]
            called = scores[view == name, c] >= cuts[c]
            have, lack = (labels[view == name, c] == value for value in (1, 0))
            for rate, share in ((one.recall, called[have]), (one.specificity, ~called[lack])):
                if c == 5 or not len(share):
                    assert rate == Estimate(None)
                else:
                    assert rate.value == pytest.approx(share.mean())
                    assert rate.low < rate.value < rate.high
    assert found["PA"].per_class[FINDINGS[3]].recall == found["AP"].per_class[FINDINGS[4]].recall
    without = subgroups(labels, scores, {"view": view}, resamples)["view"].groups["AP"].per_class[FINDINGS[0]]
    assert (without.recall, without.specificity) == (Estimate(None), Estimate(None))


def test_a_gap_that_is_there_is_larger_than_noise_and_one_that_is_not_is_not() -> None:
    found = by_view(0.9)
    (gap,) = [one for one in found.gaps if one.finding is None]
    assert gap.larger_than_noise and gap.difference.high < 0
    assert (gap.between, gap.findings) == (("AP", "PA"), 14)
    assert gap.values == (found.groups["AP"].auc.value, found.groups["PA"].auc.value)
    assert gap.values[1] == pytest.approx(0.8, abs=0.02)
    assert gap.difference.value == pytest.approx(gap.values[0] - gap.values[1])
    assert -0.3 < gap.difference.value < -0.2
    singles = [one for one in found.gaps if one.finding]
    assert len(singles) > 10
    for one in singles:
        own = [found.groups[name].per_class[one.finding].auc.value for name in one.between]
        assert one.larger_than_noise and list(one.values) == own
        assert one.difference.value == pytest.approx(own[0] - own[1])
    (quiet,) = by_view().gaps
    assert not quiet.larger_than_noise


@pytest.mark.slow
def test_hardly_any_gap_is_found_by_chance() -> None:
    alarms = [one for seed in range(12) for one in by_view(n=400, seed=seed).gaps if one.larger_than_noise]
    assert len(alarms) <= 3


def test_findings_that_a_group_hardly_has_are_left_out_and_counted() -> None:
    labels, scores, view = split_films()
    labels[view == "AP", 13] = 0
    labels[np.flatnonzero(view == "AP")[:9], 13] = 1
    resamples = Resamples(np.arange(len(labels)), 50)
    found = subgroups(labels, scores, {"view": view}, resamples)["view"]
    assert [group.findings for group in found.groups.values()] == [13, 14]
    assert found.groups["AP"].per_class["Hernia"].auc.value is not None
    labels[view == "AP"] = 0
    found = subgroups(labels, scores, {"view": view}, resamples)["view"]
    assert found.groups["AP"].auc == Estimate(None, None, None)
    assert found.gaps == ()


def test_a_group_of_one_patient_has_no_mean_however_many_films_it_has() -> None:
    labels, scores, view = split_films(n=100)
    patients = np.where(view == "AP", 0, np.arange(100))
    found = subgroups(labels, scores, {"view": view}, Resamples(patients, 20))["view"]
    assert [group.patients for group in found.groups.values()] == [1, 50]
    assert (found.groups["AP"].findings, found.groups["AP"].auc) == (0, Estimate(None))
    alone = found.groups["AP"].per_class["Mass"].auc
    assert alone.value is not None and alone.low is None
    assert found.groups["PA"].auc.value is not None  # of 50 patients, who bear no interval of a mean
    assert found.groups["PA"].auc.low is None and found.groups["PA"].per_class["Mass"].auc.low is not None
    assert (found.gaps, found.looks, found.not_compared) == ((), 0, "few_patients")


def test_films_are_grouped_by_view_sex_and_age_and_unknown_ones_left_out() -> None:
    table = pd.DataFrame(
        {"age": [17.9, 18, 60, 60.1, np.nan], "sex": ["M", "F", "F", "M", ""], "view": ["PA"] * 5}
    )
    found = film_groups(table)
    assert found["age"].tolist() == ["under 18", "18 to 60", "18 to 60", "over 60", ""]
    labels, scores, _ = split_films(n=5)
    groups = subgroups(labels, scores, found, Resamples(np.arange(5), 10))
    assert {name: list(one.groups) for name, one in groups.items()} == {
        "view": ["PA"],
        "sex": ["F", "M"],
        "age": ["under 18", "18 to 60", "over 60"],
    }


def test_alpha_is_shared_over_all_gaps_of_all_attributes() -> None:
    """Sex is dealt by chance, yet its groups are looked at too: no gap of views has a smaller p."""
    labels, scores, view = split_films(0.25)
    sex = np.random.default_rng(3).choice(["F", "M"], len(view))
    resamples = Resamples(np.arange(len(labels)), 300)
    alone = subgroups(labels, scores, {"view": view}, resamples)["view"]
    both = subgroups(labels, scores, {"view": view, "sex": sex}, resamples)
    assert [one.looks for one in (alone, both["view"], both["sex"])] == [15, 15, 15]
    assert alone.gaps[0].difference.value == both["view"].gaps[0].difference.value
    assert both["view"].gaps[0].difference.low <= alone.gaps[0].difference.low
    assert both["view"].gaps[0].p >= alone.gaps[0].p
    for one in (alone, *both.values()):
        for gap in one.gaps:
            beyond = gap.difference.low * gap.difference.high > 0
            assert gap.larger_than_noise == (gap.p < 0.05) == beyond


@pytest.mark.parametrize("absent", [False, True])
def test_patients_count_and_not_films(absent: bool) -> None:
    """Nine patients of a group have a finding on 45 films, or all but nine have it on all films."""
    labels, scores, view = split_films()
    patients = np.arange(900) // 10 * 2 + (view == "AP")  # 90 patients of a view each, five films each
    labels[view == "AP", 7] = (patients[view == "AP"] < 19) ^ absent
    found = subgroups(labels, scores, {"view": view}, Resamples(patients, 50))["view"]
    assert found.groups["AP"].per_class["Pneumothorax"].positives == (405 if absent else 45)
    assert ([group.findings for group in found.groups.values()], found.looks) == ([13, 14], 14)


def test_why_nothing_could_be_compared() -> None:
    labels, scores, view = split_films(n=60)
    groups = {
        "view": np.full(60, ""),
        "sex": np.full(60, "F"),
        "age": np.where(view == "AP", "over 60", "under 18"),
    }
    found = subgroups(labels, scores, groups, Resamples(np.arange(60) // 4, 20))
    reasons = {name: (one.looks, one.gaps, one.not_compared) for name, one in found.items()}
    assert reasons == {
        "view": (0, (), "no_groups"),
        "sex": (0, (), "one_group"),
        "age": (0, (), "few_patients"),
    }
    assert by_view().not_compared is None
