"""Reports on films of which labels are unknown: "not labelled here" and never a nought, and n is said."""

import json
from pathlib import Path

import numpy as np
import pytest
from demo_home import SPLIT
from unknown_films import HALF, NOBODY_KNOWS, ONE_VIEW, unknown_report

from xlite.evaluation.report import Comparison, Report
from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.metrics.bands import draw_curves
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate
from xlite.metrics.thresholds import Thresholds, ValidationPatients
from xlite.metrics.validation_record import validation_records
from xlite.metrics.worth import Worth
from xlite.models.info import ModelInfo
from xlite.report.card import card
from xlite.report.charts.confusion import confusion_figure
from xlite.report.charts.intervals import auc_figure
from xlite.report.charts.rates import curves_grid
from xlite.report.charts.reliability import reliability_grid
from xlite.report.document import Chart, Table, to_markdown
from xlite.report.judged import compare_judged, judged_films, mistake_caption, mistakes
from xlite.report.means import films_of, some_unknown
from xlite.report.metrics_json import report_json
from xlite.report.saved import Evaluation, read_evaluation
from xlite.report.sections.confusion import confusion
from xlite.report.sections.findings import findings, roc_and_precision
from xlite.report.sections.whole import whole
from xlite.report.sentences import comparison_sentence
from xlite.report.terminal import summary
from xlite.report.view import View
from xlite.report.worth import records_table, threshold_sentence
from xlite.report.write import write_report
from xlite.text import few_patients

NOT = "not labelled here"


@pytest.fixture(scope="module")
def view() -> View:
    report, films = unknown_report()
    return View(report, draw_curves(films.labels, films.probs, Resamples(films.patients, 5)))


@pytest.fixture
def evaluation(tmp_path: Path, no_charts: None) -> Evaluation:
    report, films = unknown_report()
    write_report(tmp_path / "one", report, films)
    return read_evaluation("one", tmp_path / "one")


def rows(text: str, finding: str) -> list[list[str]]:
    """The rows of a finding in all tables of a Markdown text: their cells without marks."""
    lines = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith(f"| {finding}")]
    return [[cell.strip().strip("*\\") for cell in line] for line in lines]


@pytest.mark.slow
def test_each_table_says_that_a_finding_is_not_labelled(view: View) -> None:
    text = to_markdown(*whole(view))
    told = rows(text, NOBODY_KNOWS)
    # Metrics, threshold, rates, two tables a rule, calibration, confusion.
    assert len(told) == 3 + 2 * 4 + 1 + 1
    assert all(row.count(NOT) == 1 and "undefined" not in row and "nan" not in row for row in told)
    assert told[0] == [NOBODY_KNOWS, NOT, "", "", "", "", ""]
    assert told[1] == [NOBODY_KNOWS, "none", "not labelled in validation", NOT, ""]
    assert told[-1] == [NOBODY_KNOWS, NOT, "", "", "", "", ""]
    assert "nan" not in text.lower().replace("resonance", "")
    assert f"Not labelled here, so without any metric and left out of all means: {NOBODY_KNOWS}." in text
    assert "Effusion, Edema known on 150" in text


def test_the_table_of_findings_says_on_how_many_films_one_is_known(view: View) -> None:
    table = next(block for block in findings(view) if isinstance(block, Table))
    names = [row[0] for row in table.texts]
    assert f"{HALF}, known on 150 films" in names and f"{ONE_VIEW}, known on 150 films" in names
    assert NOBODY_KNOWS in names and "Mass" in names and "Hernia*" in names
    assert some_unknown(view.report) and films_of(view.report, "Mass") == ""


def test_charts_say_it_in_the_place_of_the_finding(view: View) -> None:
    report, curves = view.report, view.curves
    aucs = {"m": {name: report.per_class[name].auc for name in FINDINGS}}
    notes = auc_figure(aucs, (), not_labelled=[NOBODY_KNOWS]).layout.annotations
    row = len(FINDINGS) - 1 - FINDINGS.index(NOBODY_KNOWS)
    told = {(note.text, note.y) for note in notes if note.text in (NOT, "undefined")}
    assert told == {(NOT, row), ("undefined", 0)}
    figure = reliability_grid(curves, ())
    [note] = [one for one in figure.layout.annotations if one.text == NOT]
    low, high = figure.layout[note.xref.replace("x", "xaxis")].range
    assert low < note.x < high and low < note.y < high  # within the panel
    grids = [block for block in roc_and_precision(view) if isinstance(block, Chart)]
    for chart in grids:
        assert sum(note.text == NOT for note in chart.draw().layout.annotations) == 1
    assert curves_grid({}, ()).data == ()


def test_what_is_called_in_its_place_is_a_share_of_films_that_both_are_known_of(view: View) -> None:
    found = view.report.confusion
    heat = confusion_figure(found, ()).data[0]
    a, b = FINDINGS.index("Mass"), FINDINGS.index(HALF)
    text, true = np.array(heat.text)[::-1], np.array(heat.customdata)[::-1]
    assert found.both is not None and found.both[a][b] < found.films[a]
    assert text[a][b] == f"{round(100 * found.called[a][b] / found.both[a][b])}"
    assert true[a][b] == pytest.approx(found.together[a][b] / found.both[a][b])
    c = FINDINGS.index(NOBODY_KNOWS)
    assert set(text[c]) == set(text[:, c]) == {""} and np.isnan(np.array(heat.z)[::-1][:, c]).all()
    table = next(block for block in confusion(view) if isinstance(block, Table))
    assert table.caption.endswith("Of the films that both findings are known of.")
    most = max(found.together[a][d] / found.both[a][d] for d in range(14) if d not in (a, c))
    assert table.texts[a][-1].split(",")[0].endswith(f"\N{NO-BREAK SPACE}{most:.0%}")


def test_the_terminal_and_the_card_say_it(view: View) -> None:
    lines = summary(view.report).splitlines()
    assert f"{NOBODY_KNOWS:<20}{NOT}" in lines
    assert any(line.startswith("Warning: labels are unknown on some of the 300 films") for line in lines)
    info = ModelInfo(
        backbone="test_resnet",
        attention="none",
        hidden=8,
        dropout=0.0,
        preprocess=Preprocess(32),
        split_id=SPLIT,
        label_version="2020",
        thresholds=None,
    )
    text = card("one", info, view.report, 1000, 1.0)
    [told] = rows(text, NOBODY_KNOWS)
    assert told == [NOBODY_KNOWS, NOT, "", "", "", "none", "not labelled in validation", "", ""]
    assert f"| {HALF}, known on 150 films | " in text


def test_metrics_json_has_no_number_for_it_and_counts_the_films(view: View) -> None:
    content = json.loads(json.dumps(report_json(view.report), allow_nan=False))
    none = {"value": None, "low": None, "high": None}
    told = content["per_class"][NOBODY_KNOWS]
    assert (told["films"], told["auc"], told["prevalence"], told["f1"]) == (0, none, None, None)
    assert content["per_class"][HALF]["films"] == 150
    assert any(NOBODY_KNOWS in warning for warning in content["warnings"])
    again = Report.model_validate({**content, "model": "demo"})
    assert again.per_class == view.report.per_class and again.confusion == view.report.confusion


@pytest.mark.slow
def test_nobody_is_wrong_about_a_label_that_is_unknown(evaluation: Evaluation) -> None:
    films = judged_films(evaluation, None)
    column = FINDINGS.index(HALF)
    assert np.isnan(films.labels[:, column]).sum() == 150
    for kind in ("missed", "alarm"):
        wrong = mistakes(films, HALF, 0.5, kind, 300)  # type: ignore[arg-type]
        rows_ = [films.stems.index(one.stem) for one in wrong]
        truth = films.labels[rows_, column]
        assert wrong and set(truth.tolist()) == {1.0 if kind == "missed" else 0.0}
        assert not any(one.whole for one in wrong)  # a finding is not labelled at all
    assert mistakes(films, NOBODY_KNOWS, 0.5, "alarm", 300) == []
    bare = next(one for one in mistakes(films, "Mass", 0.0, "alarm", 300) if not one.labels)
    assert "labelled none of the findings that are known" in mistake_caption(bare)


@pytest.mark.slow
def test_a_saved_comparison_says_on_how_many_films_labels_are_known(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    report, films = unknown_report()
    write_report(tmp_path / "two", report, films)
    found = compare_judged(evaluation, read_evaluation("two", tmp_path / "two"), None)
    assert (found.least_films, found.findings) == (150, 12)
    over = "mean of 12 findings, each on the films whose label is known, 150 or more"
    assert over in comparison_sentence(found)
    whole_ = Comparison(names=("a", "b"), first=0.8, second=0.8, difference=Estimate(0.0, 0.0, 0.0), p=1,
                        tie=True, images=3, patients=2, findings=12)  # fmt: skip
    assert "mean of 12 findings: difference" in comparison_sentence(whole_)


def test_validation_films_that_do_not_label_a_finding_say_so() -> None:
    _, films = unknown_report()
    cuts = Thresholds.choose(films.labels, films.probs, films.patients)
    records = validation_records(films.labels, films.probs, films.patients, cuts)
    table = {row[0]: row for row in records_table(records, cuts.by_finding()).texts}
    assert table[NOBODY_KNOWS] == [NOBODY_KNOWS, "none", "not labelled in validation", *[""] * 5]
    assert table[HALF][2].startswith(f"{int(np.nansum(films.labels[:, FINDINGS.index(HALF)]))} films of ")
    assert (
        few_patients(0, 0) == "not labelled in validation" and few_patients(0, 1) == "0 validation patients"
    )
    withheld = Worth(NOBODY_KNOWS, 0.2, None, withheld=True, patients=ValidationPatients(0, 0))
    assert threshold_sentence(withheld) == "no threshold: not labelled in validation"
