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
from xlite.findings import FINDINGS, spoken

OTHERWISE = {
    "padchest": {
        "infiltrates": "Infiltration",
        "hydropneumothorax": "Effusion|Pneumothorax",
        "costophrenic angle blunting": "Effusion?",
        **dict.fromkeys(
            ("interstitial pattern", "alveolar pattern", "ground glass pattern"), "Infiltration?"
        ),
        "air bronchogram": "Consolidation?",
        "bullas": "Emphysema?",
        **dict.fromkeys(
            ("mediastinal mass", "soft tissue mass", "pseudonodule", "subcutaneous emphysema"), ""
        ),
    },
    "vindr": {"Nodule/Mass": ""},
    "rsna": {"Target": "Pneumonia"},
    "openi": {
        "Infiltrate": "Infiltration",
        "Cardiac Shadow/enlarged": "Cardiomegaly?",
        "Hydropneumothorax": "Effusion|Pneumothorax",
        "Thickening/pleura": "Pleural_Thickening",
        "Fibrosis": "Fibrosis?",
        **dict.fromkeys(("Mass", "Nodule"), ""),
    },
    "xrv": {"Pleural_Thickening": "Pleural_Thickening"},
    "medmnist": {"pleural": "Pleural_Thickening"},
}
"""Labels of data sets that are not the finding whose name is in theirs."""
STEMS = {
    "Atelectasis": ("atele", "atéle", "dystele", "collapse"),
    "Cardiomegaly": ("cardiomeg", "cardiomég", "kardiomeg", "heart", "herz"),
    "Effusion": ("effusion", "erguss", "ergüss", "erguess", "derrame", "épanchement"),
    "Infiltration": ("infiltr",),
    "Mass": ("mass", "masa", "raumforderung"),
    "Nodule": ("nodul", "nódul", "rundherd"),
    "Pneumonia": ("pneumonia", "pneumonie", "pneumopathie", "neumonía", "entzündung", "entzuendung"),
    "Pneumothorax": ("pneumothora", "neumotórax", "ptx"),
    "Consolidation": ("consolid", "konsolid", "condensation"),
    "Edema": ("edema", "oedem", "ödem", "œdème"),
    "Emphysema": ("emphys", "enfisema"),
    "Fibrosis": ("fibros",),
    "Pleural_Thickening": ("thickening", "verdickung", "schwiele", "épaississement", "engrosamiento"),
    "Hernia": ("hernia", "hernie"),
    "No Finding": (
        *("no finding", "normal", "healthy", "without", "kein", "ohne", "unauff", "aucune", "sans", "sin "),
    ),
}
"""How the words begin that stand for a finding in tables of one's own."""


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "csv"])
def test_a_label_is_the_finding_that_it_is_called_by(kind: str) -> None:
    for rule in shipped(kind):
        name = rule.label.casefold()
        named = [finding for finding in FINDINGS if spoken(finding).casefold() in name]
        usual = "No Finding" if name in ("no finding", "normal") else "|".join(named)
        assert rule.finding == OTHERWISE.get(kind, {}).get(rule.label, usual), rule.label
        assert rule.blank == ("0" if kind in ("padchest", "openi", "chestx-det") else "unknown"), rule.label


def test_a_word_of_ones_own_is_the_finding_that_it_stands_for() -> None:
    for rule in shipped("csv"):
        found = {
            name for name, stems in STEMS.items() if any(stem in rule.label.casefold() for stem in stems)
        }
        assert found == {rule.finding}, rule.label


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
        {
            "both": [1, 0, np.nan, 1, 0],
            "bullas": [np.nan, 1, 1, 0, UNCERTAIN],
            "lung": [np.nan, np.nan, 1, np.nan, np.nan],
        },
        dtype="float32",
    )
    labels = map_labels(states, rules, Policy())
    places = [FINDINGS.index(name) for name in ("Effusion", "Mass", "Emphysema")]
    wanted = [[1, 0, 0, 1, 0], [1, 0, 0, 1, 0], [0, np.nan, 1, 0, np.nan]]
    np.testing.assert_array_equal(labels.values[:, places].T, wanted)
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
