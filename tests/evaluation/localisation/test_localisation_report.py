"""What is said of the maps' metrics: counts of boxes, published results, caveats; the old keys."""

import json

import numpy as np
import pandas as pd
import pytest

from xlite.data.splits import Split
from xlite.evaluation.contamination.caveats import (
    BoxesWithoutFilm,
    FewBoxes,
    NotAboveBaseline,
    SmallBoxes,
    UnchangedMap,
)
from xlite.evaluation.localisation.localisation_report import (
    BoxCounts,
    CheckedEstimate,
    LocalisationJudged,
    LocalisationReport,
    MethodMetrics,
    SanityChecks,
    count_boxes,
    map_caveats,
    published_boxes,
)
from xlite.evaluation.report_base import Bootstrap
from xlite.metrics.estimate import Estimate
from xlite.metrics.target_means import BoxSummary


def split(way: str) -> Split:
    return Split("mine", "mine-42-f26cf2e5", way, 42, {})


def method(low: float | None, **kept: float) -> MethodMetrics:
    """Metrics of a method whose gaps to the baselines begin at `low`, with these rank correlations."""
    gap = BoxSummary(Estimate(0.3, low, 0.5), Estimate(None), {"Mass": Estimate(0.1)})
    checks = {stage: CheckedEstimate(value=value, boxes=2) for stage, value in kept.items()}
    return MethodMetrics(
        metrics={"pointing_above_random": gap, "pointing_above_centre": gap},
        faults={"empty": 1},
        checks=SanityChecks(boxes=2, metrics=checks) if kept else None,
    )


def report(**changes: object) -> LocalisationReport:
    content = {
        "model": "m",
        "split": LocalisationJudged(
            id="s", part="test", films=30, patients=30, boxes=30, boxes_without_film=0, label_version="2020"
        ),
        "grid": (7, 7),
        "cell": 0.02,
        "methods": {"gradcam": method(0.1)},
        "findings": {"Mass": BoxCounts(boxes=30, few=False, smaller_than_a_cell=3)},
        "published": published_boxes(30, split("patient"), "test"),
        "bootstrap": Bootstrap(resamples=9, seed=0),
    }
    return LocalisationReport(**content | changes)


@pytest.mark.parametrize(
    ("boxes", "way", "part", "same"),
    [
        (984, "official", "test", True),
        (27, "official", "test", False),
        (984, "patient", "test", False),
        (984, "official", "val", False),
    ],
)
def test_published_results_are_comparable_on_the_same_boxes_only(
    boxes: int, way: str, part: str, same: bool
) -> None:
    found = published_boxes(boxes, split(way), part)
    assert {one.comparable for one in found} == {same}
    wang = found[0].metrics["iobb_0.25"]
    assert (wang.mean, wang.per_finding) == (0.486, {"Cardiomegaly": 0.979, "Nodule": 0.051})


def test_maps_that_do_not_change_or_beat_no_baseline_are_named() -> None:
    methods = {
        "gradcam": method(0.1, head=0.1, all=0.2),
        "eigencam": method(-0.1, head=1.0, all=0.6),
        "layercam": method(None),
        "random": method(0.0),
        "centre": method(-0.2),
    }
    assert map_caveats(report(methods=methods)) == [
        UnchangedMap(method="eigencam", stage="head", correlation=1.0),
        UnchangedMap(method="eigencam", stage="all", correlation=0.6),
        NotAboveBaseline(method="eigencam", baseline="random"),
        NotAboveBaseline(method="eigencam", baseline="centre"),
        NotAboveBaseline(method="layercam", baseline="random"),
        NotAboveBaseline(method="layercam", baseline="centre"),
    ]


def test_boxes_that_are_missing_small_or_few_are_counted() -> None:
    whole = report()
    split = whole.split.model_copy(update={"boxes_without_film": 4})
    findings = {
        "Mass": BoxCounts(boxes=30, few=False, smaller_than_a_cell=15),
        "Nodule": BoxCounts(boxes=3, few=True, smaller_than_a_cell=2),
    }
    assert map_caveats(report(split=split, findings=findings)) == [
        BoxesWithoutFilm(boxes=30, given=34),
        SmallBoxes(finding="Nodule", boxes=3, small=2, cell=0.02),
        FewBoxes(findings=("Nodule",)),
    ]
    assert map_caveats(whole) == []


def test_boxes_below_a_cell_are_counted_by_their_area() -> None:
    sides = [100.0] * 9 + [512.0, 513.0]
    stems = ["a", *"abcdefgh", *"ab"]
    table = pd.DataFrame({"stem": stems, "finding": ["Mass"] * 9 + ["Edema"] * 2, "w": sides, "h": sides})
    patients = table["stem"].replace("b", "a").to_numpy()
    assert count_boxes(table, patients, (2, 2)) == {
        "Edema": BoxCounts(boxes=2, few=True, smaller_than_a_cell=0, targets=2, patients=1),
        "Mass": BoxCounts(boxes=9, few=True, smaller_than_a_cell=9, targets=8, patients=7),
    }
    assert count_boxes(table, patients, (1, 2))["Edema"].smaller_than_a_cell == 2


def test_few_boxes_are_those_of_fewer_than_10_patients() -> None:
    table = pd.DataFrame({"stem": list("abcdefghijkl"), "finding": "Mass", "w": 100.0, "h": 100.0})
    few = {
        patients: count_boxes(table, np.arange(12) % patients, (2, 2))["Mass"].few for patients in (9, 10, 12)
    }
    assert few == {9: True, 10: False, 12: False}


def test_metrics_stand_beside_the_other_keys_as_in_files_of_old() -> None:
    whole = report(methods={"gradcam": method(0.1, head=0.5)})
    content = json.loads(whole.model_dump_json())
    gap = {
        "all": {"value": 0.3, "low": 0.1, "high": 0.5},
        "mean": {"value": None, "low": None, "high": None},
        "per_finding": {"Mass": {"value": 0.1, "low": None, "high": None}},
    }
    assert content["methods"]["gradcam"] == {
        "pointing_above_random": gap,
        "pointing_above_centre": gap,
        "faults": {"empty": 1},
        "checks": {
            "head": {"value": 0.5, "low": None, "high": None, "boxes": 2, "targets": None},
            "boxes": 2,
            "targets": None,
        },
    }
    assert content["published"][0]["iobb_0.25"]["mean"] == 0.486
    assert LocalisationReport.model_validate(content) == whole
    content["warnings"] = ["said"]
    del content["caveats"]
    for one in content["published"]:
        del one["comparable"]
        one["not_comparable"] = "measured on other boxes"
    old = LocalisationReport.model_validate(content)
    assert [caveat.text for caveat in old.caveats] == ["said"]
    assert old.published == whole.published
