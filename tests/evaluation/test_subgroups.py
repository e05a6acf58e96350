"""Subgroups against scikit-learn group by group, and gaps that are there or not; confusion by counting."""

import numpy as np
import pandas as pd
import pytest
from demo_home import drawn_films
from sklearn.metrics import roc_auc_score

from xlite.evaluation.subgroups import film_groups, subgroup_figures
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import draw_patients
from xlite.metrics.confusion import confusion


def split_films(gap: float = 0.0, n: int = 900, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, scores whose signal is weaker by `gap` on every other film, views."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, 14)) < 0.3).astype(np.float32)
    view = np.where(np.arange(n) % 2, "AP", "PA")
    signal = np.where(view == "AP", 1.2 - gap, 1.2)[:, None]
    return labels, rng.normal(signal * labels, 1), view


def figures(gap: float = 0.0, **options) -> dict:
    labels, scores, view = split_films(gap, **options)
    owner, counts = draw_patients(np.arange(len(labels)) // 2, 300, 0)
    return subgroup_figures(labels, scores, {"view": view}, owner, counts)["view"]


def test_each_groups_figures_are_those_of_its_films() -> None:
    labels, scores, view = split_films()
    found = figures()["groups"]
    assert list(found) == ["AP", "PA"]
    for name, group in found.items():
        mine = view == name
        aucs = [roc_auc_score(labels[mine, c], scores[mine, c]) for c in range(14)]
        assert (group["images"], group["patients"], group["findings"]) == (450, 450, 14)
        assert group["auc"]["value"] == pytest.approx(np.mean(aucs))
        assert group["auc"]["low"] < group["auc"]["value"] < group["auc"]["high"]
        for c, finding in enumerate(FINDINGS):
            assert group["per_class"][finding]["auc"]["value"] == pytest.approx(aucs[c])
            assert group["per_class"][finding]["positives"] == labels[mine, c].sum()


def test_a_gap_that_is_there_is_said_and_one_that_is_not_is_not() -> None:
    (gap,) = [one for one in figures(0.9)["gaps"] if one["finding"] is None]
    assert gap["larger_than_noise"]
    assert gap["difference"]["high"] < 0
    assert gap["sentence"].startswith("The mean AUC of 14 findings is higher on films in view PA (0.8")
    assert "difference 0.2" in gap["sentence"]
    assert len([one for one in figures(0.9)["gaps"] if one["finding"]]) > 10
    (quiet,) = figures()["gaps"]
    assert (quiet["larger_than_noise"], quiet["sentence"]) == (False, None)


def test_hardly_any_gap_is_said_by_chance() -> None:
    alarms = [one for seed in range(12) for one in figures(n=400, seed=seed)["gaps"] if one["sentence"]]
    assert len(alarms) <= 3


def test_findings_that_a_group_hardly_has_are_left_out_and_counted() -> None:
    labels, scores, view = split_films()
    labels[view == "AP", 13] = 0
    labels[np.flatnonzero(view == "AP")[:9], 13] = 1
    owner, counts = draw_patients(np.arange(len(labels)), 50, 0)
    found = subgroup_figures(labels, scores, {"view": view}, owner, counts)["view"]
    assert [group["findings"] for group in found["groups"].values()] == [13, 14]
    assert found["groups"]["AP"]["per_class"]["Hernia"]["auc"]["value"] is not None
    labels[view == "AP"] = 0
    found = subgroup_figures(labels, scores, {"view": view}, owner, counts)["view"]
    assert found["groups"]["AP"]["auc"] == {"value": None, "low": None, "high": None}
    assert found["gaps"] == []


def test_films_are_grouped_by_view_sex_and_age_and_unknown_ones_left_out() -> None:
    table = pd.DataFrame(
        {"age": [17.9, 18, 60, 60.1, np.nan], "sex": ["M", "F", "F", "M", ""], "view": ["PA"] * 5}
    )
    found = film_groups(table)
    assert found["age"].tolist() == ["under 18", "18 to 60", "18 to 60", "over 60", ""]
    labels, scores, _ = split_films(n=5)
    owner, counts = draw_patients(np.arange(5), 10, 0)
    groups = subgroup_figures(labels, scores, found, owner, counts)
    assert {name: list(one["groups"]) for name, one in groups.items()} == {
        "view": ["PA"],
        "sex": ["F", "M"],
        "age": ["under 18", "18 to 60", "over 60"],
    }


def test_confusion_counts_films() -> None:
    films = drawn_films(np.random.default_rng(1), count=80)
    labels, cuts = films.labels, np.full(14, 0.45)
    called = films.probs >= cuts
    found = confusion(labels, films.probs, cuts)
    expected = {name: np.zeros((14, 14), int) for name in ("together", "called", "beside", "in_place")}
    missed, silent = np.zeros(14, int), np.zeros(14, int)
    for y, call in zip(labels.astype(bool), called, strict=True):
        for a in np.flatnonzero(y):
            missed[a] += not call[a]
            silent[a] += not call.any()
            for b in range(14):
                expected["together"][a, b] += y[b]
                expected["called"][a, b] += call[b]
                expected["beside"][a, b] += call[a] and call[b] and not y[b]
                expected["in_place"][a, b] += not call[a] and call[b] and not y[b]
    assert found["findings"] == list(FINDINGS)
    assert found["films"] == labels.sum(axis=0).astype(int).tolist()
    assert (found["missed"], found["silent"]) == (missed.tolist(), silent.tolist())
    assert {name: np.array(found[name]).tolist() for name in expected} == {
        name: counts.tolist() for name, counts in expected.items()
    }
