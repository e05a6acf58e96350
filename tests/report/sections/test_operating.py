"""A threshold tried out, in words and as a table."""

import pytest
from demo_home import drawn_report

from xlite.evaluation.contamination.caveats import TrainedOn
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.operating_point import operating_point, predictive_values
from xlite.report.document import Cell
from xlite.report.sections.operating import not_offered_sentence, operating_table, point_sentence, rule_cuts
from xlite.report.view import View

pytestmark = pytest.mark.slow


def test_a_point_is_a_table_of_what_is_counted_and_what_follows() -> None:
    report, films = drawn_report()
    positive, probs = films.labels[:, 4] > 0, films.probs[:, 4]
    point = operating_point(positive, probs, Resamples(films.patients, 50), 0.5)
    table = operating_table(View(report, {}), point, 0.1)
    values = predictive_values(point.sensitivity, point.specificity, 0.1)
    assert table.header == ["Called at 50.0%", "Value (95 % interval)", "What it is"]
    left = point.negative - point.alarms
    found = f"{point.found} of {point.positive} films with it are called"
    left_out = f"{left} of {point.negative} films without it are not called"
    assert table.texts == [
        ["Sensitivity (recall)", str(point.sensitivity), found],
        ["Specificity", str(point.specificity), left_out],
        ["PPV at a prevalence of 10.0%", str(values.ppv), "of films called, the share with the finding"],
        ["NPV at a prevalence of 10.0%", str(values.npv), "of films not called, the share without it"],
    ]  # fmt: skip
    assert f"{point.positive_patients} patients with the finding" in table.caption
    assert point_sentence(point) == (
        f"At a threshold of 50.0% sensitivity {point.sensitivity}, specificity {point.specificity}, "
        f"precision on these films {point.precision:.3f}."
    )


def test_on_contaminated_films_the_rates_are_struck_through() -> None:
    report, films = drawn_report(caveats=[TrainedOn(films=200, known=7)])
    point = operating_point(films.labels[:, 4] > 0, films.probs[:, 4], Resamples(films.patients, 20), 2.0)
    cells = [row[1] for row in operating_table(View(report, {}), point, 0.1).rows]
    assert [cell.struck for cell in cells] == [True, True, False, True]
    assert cells[2] == Cell("undefined")  # nothing is called
    assert point_sentence(point).endswith("precision on these films undefined.")


def test_thresholds_to_try_are_the_models_and_those_of_each_rule() -> None:
    report, _ = drawn_report()
    points = {rule: one.per_class["Mass"].threshold for rule, one in report.operating_points.items()}
    assert rule_cuts(report, "Mass") == {
        "The model's": 0.5,
        "Best F1": points["f1"],
        "Best sensitivity + specificity (Youden)": points["youden"],
        "90 % sensitivity": points["sensitivity_90"],
        "95 % specificity": points["specificity_95"],
    }
    assert rule_cuts(report, "Hernia") == {"The model's": 0.5}  # nobody has it, so validation chose none


def test_a_threshold_is_withheld_with_the_reason() -> None:
    assert not_offered_sentence("Hernia", (3, 97)) == (
        "Hernia: 3 patients with it and 97 without it among these films. With fewer than 10 of either a "
        "threshold cannot be chosen by them, so none is offered."
    )
