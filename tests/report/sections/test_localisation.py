"""Where the maps look, as tables."""

import json
from pathlib import Path

import pytest
from demo_home import drawn_report

from xlite.evaluation.contamination.caveats import TrainedOn
from xlite.evaluation.localisation.localisation_report import LocalisationReport
from xlite.findings import spoken
from xlite.report.caveat_sentences import sentence
from xlite.report.document import Alert, Cell, Table
from xlite.report.sections.localisation import localisation, map_notes, map_tables
from xlite.report.view import View

MEASURED = Path(__file__).parents[2] / "data" / "localisation_of_boxes.json"
"""What `xlite localise` wrote before it counted targets."""


def test_the_tables_hold_the_metrics_of_each_method_and_finding() -> None:
    content = json.loads(MEASURED.read_text())
    found = LocalisationReport.model_validate(content)
    methods, overlaps, findings, checks = map_tables(found)
    layercam = content["methods"]["layercam"]
    pointing = found.methods["layercam"].metrics["pointing"]
    assert methods.header[0] == "27 boxes"
    assert methods.texts[0][:3] == ["LayerCAM", str(pointing.all), f"{pointing.mean.value:.3f}"]
    assert pointing.mean.low is not None  # by a rule that held for few patients, too: it is not shown
    assert methods.texts[0][-3:] == [str(layercam["faults"][name]) for name in ("empty", "flat", "outside")]
    assert overlaps.texts[0][1] == f"{layercam['iobb_0.1']['all']['value']:.3f}"
    assert findings.texts[0][:2] == ["Atelectasis", "1"]
    row = dict(zip(checks.header, checks.texts[0], strict=True))
    assert row["rank kept: head"] == "0.737 (0.658–0.804) of 12"
    assert row["deletion"] == "0.119 (0.103–0.137)"
    chance = dict(zip(checks.header, checks.texts[-1], strict=True))
    assert chance["rank kept: head"] == ""


def test_what_the_models_own_maps_reach_is_struck_through_on_contaminated_films() -> None:
    found = LocalisationReport.model_validate(json.loads(MEASURED.read_text()))
    methods, _, findings, _ = map_tables(found, contaminated=True)
    struck = {row[0]: [isinstance(cell, Cell) and cell.struck for cell in row[1:]] for row in methods.rows}
    assert struck["LayerCAM"] == [True] * 4 + [False] * 3
    assert not any(struck["Random"]) and not any(struck["Centre"])
    marks = [isinstance(cell, Cell) and cell.struck for cell in findings.rows[0][1:]]
    assert marks == [False, *[True] * 5, False, False]


@pytest.mark.slow
def test_the_section_says_what_limits_it_and_greys_results_of_other_boxes() -> None:
    content = json.loads(MEASURED.read_text())
    report, _ = drawn_report(caveats=[TrainedOn(films=200, known=1)])
    report = report.model_copy(update={"localisation": LocalisationReport.model_validate(content)})
    blocks = localisation(View(report, {}))
    [alert] = [block for block in blocks if isinstance(block, Alert)]
    assert len(alert.sentences) == len(content["warnings"])
    published = blocks[-1]
    assert isinstance(published, Table)
    reason = "measured on NIH's 984 boxes; these are 27, official-42-f26cf2e5, test"
    assert [cell.text for cell in published.rows[0] if isinstance(cell, Cell)] == [
        "Wang 2017",
        "",
        "0.486",
        reason,
    ]
    assert all(isinstance(cell, Cell) and cell.grey for cell in published.rows[0])
    assert published.caption.startswith("split official-42-f26cf2e5, test part: 24 films of 23 patients")


def test_a_report_of_targets_counts_them_and_says_why_intervals_are_missing() -> None:
    content = json.loads(MEASURED.read_text())
    content["split"] |= {"targets": 25}
    for n, counts in enumerate(content["findings"].values()):
        counts |= {"targets": 20 + n, "patients": 3 + n}
    names = list(content["findings"])
    found = LocalisationReport.model_validate(content)
    methods, overlaps, findings, _ = map_tables(found)
    assert (methods.header[0], overlaps.header[0]) == ("25 targets", "Share of targets")
    assert findings.header[:3] == ["Pointing", "targets", "patients"]
    assert findings.texts[1][:3] == [spoken(names[1]), "21", "4"]
    few = f"{spoken(names[0])} (3), {spoken(names[1])} (4)"
    assert map_notes(found)[-2:] == [
        f"no interval below 5 patients with a box of the finding: {few}",
        "no interval of means of findings below 100 patients with a box",
    ]
    content["split"]["patients"] = 100
    assert map_notes(LocalisationReport.model_validate(content))[-1] == (
        "no interval of means of findings, as fewer than 10 patients have a box of one of them"
    )
    old = LocalisationReport.model_validate(json.loads(MEASURED.read_text()))
    assert map_notes(old) == [sentence(caveat) for caveat in old.caveats]
