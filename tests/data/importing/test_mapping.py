"""The mappings that ship: each names its source, and says what a blank label means."""

from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from foreign_sets import refused

from xlite.data.importing.found import UNCERTAIN
from xlite.data.importing.kinds import KINDS
from xlite.data.importing.labels import Policy, map_labels
from xlite.data.importing.mapping import Rule, as_csv, checked, for_labels, read_mapping, shipped
from xlite.findings import FINDINGS


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_mapping_with_sources(kind: str) -> None:
    rules = shipped(kind)
    assert rules and all(rule.source for rule in rules)
    assert any(rule.finding in FINDINGS for rule in rules)


def test_no_mapping_is_of_no_kind() -> None:
    folder = resources.files("xlite.data.importing") / "mappings"
    assert {Path(file.name).stem for file in folder.iterdir()} == set(KINDS)


def test_the_order_of_torchxrayvision() -> None:
    datasets = pytest.importorskip("torchxrayvision.datasets")
    assert [rule.label for rule in shipped("xrv")] == datasets.default_pathologies


def test_the_order_of_medmnist_is_nihs() -> None:
    assert tuple(rule.finding for rule in shipped("medmnist")) == FINDINGS


def test_a_mapping_is_read_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "mapping.csv"
    rules = [Rule("a, b", "Mass", "0", 'a "note"', "here"), Rule("c")]
    path.write_text(as_csv(rules))
    assert read_mapping(path) == rules
    assert for_labels(rules, ["c", "d"]) == [Rule("c"), Rule("d", note="not in the mapping")]


def test_a_label_of_several_findings_and_one_that_leaves_a_finding_open(tmp_path: Path) -> None:
    path = tmp_path / "mapping.csv"
    path.write_text("label,finding,blank\nboth,Effusion|Mass,0\nbullas,Emphysema?,0\nlung,Emphysema,0\n")
    rules = read_mapping(path)
    assert [rule.finding for rule in rules] == ["Effusion|Mass", "Emphysema?", "Emphysema"]
    assert read_mapping(path) == rules
    states = pd.DataFrame(
        {"both": [1, 0, np.nan, 1], "bullas": [np.nan, 1, 1, 0], "lung": [np.nan, np.nan, 1, np.nan]},
        dtype="float32",
    )
    labels = map_labels(states, rules, Policy())
    places = [FINDINGS.index(name) for name in ("Effusion", "Mass", "Emphysema")]
    np.testing.assert_array_equal(labels.values[:, places].T, [[1, 0, 0, 1], [1, 0, 0, 1], [0, np.nan, 1, 0]])
    assert labels.labelled == ["Effusion", "Mass", "Emphysema"]
    assert "'bullas' is mapped to 'Bulla?', which is not one of" in refused(
        lambda: checked([Rule("bullas", "Bulla?")])
    )


@pytest.mark.parametrize(
    ("kind", "label", "has", "left_open"),
    [
        ("padchest", "hydropneumothorax", ["Effusion", "Pneumothorax"], []),
        ("openi", "Hydropneumothorax", ["Effusion", "Pneumothorax"], []),
        ("openi", "Fibrosis", [], ["Fibrosis"]),
        ("padchest", "bullas", [], ["Emphysema"]),
    ],
)
def test_labels_that_name_several_findings_or_leave_one_open(
    kind: str, label: str, has: list[str], left_open: list[str]
) -> None:
    rule = next(rule for rule in shipped(kind) if rule.label == label)
    assert (rule.findings, rule.left_open) == (has, left_open)


def test_several_labels_of_one_finding() -> None:
    nan = np.nan
    states = pd.DataFrame(
        {
            "effusion": [1, 0, 0, nan, UNCERTAIN, nan, 0],
            "empyema": [0, 0, nan, 1, 0, nan, 1],
            "clear": [nan, nan, nan, nan, nan, 1, 1],
        },
        dtype="float32",
    )
    rules = [Rule("effusion", "Effusion"), Rule("empyema", "Effusion"), Rule("clear", "No Finding")]
    labels = map_labels(states, rules, Policy())
    place = FINDINGS.index("Effusion")
    np.testing.assert_array_equal(labels.values[:, place], [1, 0, nan, 1, nan, 0, 1])
    assert np.isnan(np.delete(labels.values, place, axis=1)).all()
    assert labels.labelled == ["Effusion"]
    # The last film is said to be clear, and has an empyema.
    assert labels.conflicts == {"marked as without a finding, and with one; the finding stays": 1}
    assert labels.positives() == [
        "Effusion",
        *["No Finding"] * 2,
        "Effusion",
        *["No Finding"] * 2,
        "Effusion",
    ]
    assert labels.unknown()[2].split("|") == list(FINDINGS)
    assert "Effusion" not in labels.unknown()[0].split("|")
    zeros = map_labels(states, rules, Policy("zeros", {}, "zeros"))
    np.testing.assert_array_equal(zeros.values[:, place], [1, 0, 0, 1, 0, 0, 1])
