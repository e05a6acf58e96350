"""metrics.json keeps its keys and can be read again."""

import json
from pathlib import Path

import pytest
from demo_home import drawn_report

from xlite.evaluation.contamination.caveats import Said, TrainedOn
from xlite.evaluation.report import Comparison, Report
from xlite.metrics.estimate import Estimate
from xlite.places import bundled
from xlite.report.caveat_sentences import sentence
from xlite.report.metrics_json import comparison_json, localisation_json, report_json

OLD = Path(__file__).parents[1] / "data" / "old_run" / "evaluation" / "metrics.json"
SHIPPED = bundled("checkpoints", "demo", "evaluation", "test", "metrics.json")


def missing(old: object, new: object, path: str = "") -> list[str]:
    """The keys of one document that the other lacks, those of its lists by the first entry."""
    if isinstance(old, dict) and isinstance(new, dict):
        gone = [f"{path}.{key}" for key in old if key not in new]
        return gone + [
            key for name in old if name in new for key in missing(old[name], new[name], f"{path}.{name}")
        ]
    if isinstance(old, list) and isinstance(new, list) and old and new:
        return missing(old[0], new[0], f"{path}[]")
    return []


def kept(old: object, new: object) -> object:
    """What a document has of the keys of an old one."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {key: kept(old[key], new[key]) for key in old}
    return new


@pytest.mark.slow
def test_no_key_of_old_is_gone() -> None:
    films = frozenset(f"{number:08d}_000" for number in range(40))
    report, _ = drawn_report(caveats=[TrainedOn(films=200, known=40, stems=films)])
    written = report_json(report)
    old = json.loads(OLD.read_text())
    lacking = [key for key in missing(old, written) if not key.startswith(".localisation")]
    assert lacking == []
    for path in (OLD, SHIPPED):
        found = json.loads(path.read_text())
        assert missing(found, report_json(Report.model_validate(found))) == []


def test_an_old_file_says_in_words_what_it_said() -> None:
    old = json.loads(OLD.read_text())
    report = Report.model_validate(old)
    assert [sentence(caveat) for caveat in report.caveats] == old["warnings"]
    assert all(isinstance(caveat, Said) for caveat in report.caveats)
    new = report_json(report)
    for name in (
        "split",
        "macro",
        "per_class",
        "warnings",
        "confusion",
        "operating_points",
        "calibration",
    ):
        assert kept(old[name], new[name]) == old[name], name
    assert new["validation"]["note"] == old["validation"]["note"]
    assert [one["reason"] for one in new["references"]] == [one["reason"] for one in old["references"]]
    gaps = [
        [gap["sentence"] for one in content["subgroups"].values() for gap in one["gaps"]]
        for content in (old, new)
    ]
    assert gaps[0] == gaps[1]


@pytest.mark.slow
def test_what_is_written_is_read_again() -> None:
    films = [f"{number:08d}_000" for number in range(40)]
    seen = TrainedOn(films=200, known=40, stems=frozenset(films))
    report, _ = drawn_report(caveats=[seen, Said(text="in words")], training_seed=3)
    written = json.loads(json.dumps(report_json(report), allow_nan=False))
    assert written["warnings"][:2] == ["the model was trained on 40 of these films", "in words"]
    assert written["contamination"]["reasons"] == written["warnings"][:1]
    assert written["contamination"]["clean"]["split"]["images"] == 160
    assert "comparison" not in written and "stems" not in written["caveats"][0]
    again = Report.model_validate(written)
    assert again.model_dump() == report.model_dump()
    assert report_json(again) == written


@pytest.mark.slow
def test_a_comparison_is_written_with_its_sentence() -> None:
    found = Comparison(
        names=("a", "b"), first=0.7, second=0.6, difference=Estimate(0.1, 0.05, 0.15), p=0.01, tie=False,
        images=3, patients=2,
    )  # fmt: skip
    report = drawn_report()[0].model_copy(update={"comparison": found})
    written = report_json(report)["comparison"]
    assert written == comparison_json(found)
    assert written["difference"] == {"value": 0.1, "low": 0.05, "high": 0.15}
    assert written["names"] == ["a", "b"] and written["sentence"].endswith(": higher than b")


def test_boxes_keep_the_keys_of_localisation_json() -> None:
    old = json.loads(OLD.read_text())["localisation"]
    found = Report.model_validate(json.loads(OLD.read_text())).localisation
    assert found is not None
    new = localisation_json(found)
    assert missing(old, new) == []
    assert kept(old["methods"], new["methods"]) == old["methods"] and new["warnings"] == old["warnings"]
    reasons = [[one["not_comparable"] for one in content["published"]] for content in (old, new)]
    assert reasons[0] == reasons[1]
