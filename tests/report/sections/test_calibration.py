"""The section on calibration: the calibrator in use, what each gives, and each finding's line."""

import pytest
from demo_home import drawn_report

from xlite.evaluation.contamination.caveats import TrainedOn
from xlite.evaluation.report import Report
from xlite.evaluation.validation_report import CalibrationErrors, CalibrationReport, Validation
from xlite.findings import FINDINGS
from xlite.metrics.estimate import Estimate
from xlite.report.document import Chart, Table, Text
from xlite.report.sections.calibration import calibration
from xlite.report.view import View

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def drawn() -> Report:
    return drawn_report()[0]


def errors(ece: float, brier: float, perfect: float | None) -> CalibrationErrors:
    macro = {"ece": Estimate(ece, ece - 0.01, ece + 0.01), "brier": Estimate(brier)}
    return CalibrationErrors(macro=macro, per_class={}, perfect_ece=perfect)


def changed(report: Report, **fields: object) -> Report:
    """The report with other fields of its part on calibration."""
    content = {"in_use": "none", "without_calibrator": (), "calibrators": None, **fields}
    return report.model_copy(update={"calibration": CalibrationReport.model_validate(content)})


def test_each_calibrator_has_its_row_and_the_one_in_use_is_marked(drawn: Report) -> None:
    both = {"none": errors(0.123, 0.2, 0.05), "platt": errors(0.041, 0.15, None)}
    intro, table, *_ = calibration(View(changed(drawn, in_use="platt", calibrators=both), {}))
    assert intro == Text("Calibrator in use: Platt.")
    assert isinstance(table, Table) and table.texts == [
        ["none", "0.123 (0.113–0.133)", "0.050", "0.200"],
        ["Platt (in use)", "0.041 (0.031–0.051)", "–", "0.150"],
    ]
    assert table.header == ["Calibrator", "Calibration error (15 bins)", "If perfect", "Brier score"]
    assert table.caption.startswith("Each fitted on the 200 films of the val part of split ")


def test_without_validation_films_the_reason_stands_in_place_of_the_table(drawn: Report) -> None:
    bare = changed(drawn, in_use="as given")
    report = bare.model_copy(update={"validation": Validation(absent="not_given")})
    intro, reason, *_ = calibration(View(report, {}))
    assert intro == Text("Calibrator in use: as given.")
    assert isinstance(reason, Text) and reason.text.startswith("No calibrators were fitted: ")


def test_findings_that_the_calibrator_leaves_as_they_are_are_named(drawn: Report) -> None:
    left = ("Hernia", "Pleural_Thickening")
    [said, *_] = calibration(View(changed(drawn, in_use="platt", without_calibrator=left), {}))
    assert said == Text(
        "Calibrator in use: Platt, for 12 of 14 findings; the others had too few patients with them or "
        "without them in validation: Hernia, Pleural thickening."
    )
    [none, *_] = calibration(View(changed(drawn, without_calibrator=left), {}))
    assert none == Text("Calibrator in use: none.")


def test_each_finding_has_its_line_and_what_nobody_has_none(drawn: Report) -> None:
    *_, lines, chart = calibration(View(drawn, {}))
    assert isinstance(lines, Table) and isinstance(chart, Chart)
    rows = dict(zip(FINDINGS, lines.texts, strict=True))
    mass, hernia = drawn.per_class["Mass"], drawn.per_class["Hernia"]
    low, slope = mass.calibration_intercept, mass.calibration_slope
    assert rows["Mass"] == [
        "Mass",
        f"{mass.positives} films of {mass.positive_patients} patients",
        f"{low.value:.2f} ({low.low:.2f} to {low.high:.2f})",  # below 0: the probabilities are too high
        f"{slope.value:.2f} ({slope.low:.2f}–{slope.high:.2f})",
        f"{mass.ece:.3f}",
        f"{mass.perfect_ece:.3f}",
    ]
    assert rows["Hernia"][1:] == ["0", "–", "–", f"{hernia.ece:.3f}", f"{hernia.perfect_ece:.3f}"]


def test_an_old_report_has_no_lines(drawn: Report) -> None:
    old = changed(drawn).model_copy(update={"macro_fixed": {}})
    assert [type(block) for block in calibration(View(old, {}))] == [Text, Text, Chart]


def test_on_contaminated_films_the_errors_are_struck_through_and_what_is_perfect_is_not() -> None:
    report, _ = drawn_report(caveats=[TrainedOn(films=200, known=7)])
    _, table, *_ = calibration(View(report, {}))
    assert isinstance(table, Table)
    assert [[getattr(cell, "struck", False) for cell in row] for row in table.rows] == [
        [False, True, False, True]
    ] * 4
