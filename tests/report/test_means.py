"""Means over findings in words, and why a metric has no interval."""

import numpy as np
import pytest
from demo_home import drawn_report

from xlite.evaluation.estimates import evaluate_predictions
from xlite.evaluation.report import Metrics
from xlite.evaluation.report_base import Stamp
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate, FixedMean
from xlite.metrics.thresholds import Thresholds
from xlite.report.document import to_markdown
from xlite.report.means import (
    called,
    fixed_findings,
    mean_auc,
    mean_rows,
    missing_intervals,
    positives,
    undefined_resamples,
)
from xlite.report.sections.whole import whole
from xlite.report.view import View
from xlite.report.write import curves_of


def measured(patients: int, rare: int) -> Metrics:
    """Of three films a patient; `rare` patients have Atelectasis on each film."""
    rng = np.random.default_rng(0)
    owner = np.arange(3 * patients) // 3
    labels = (rng.random((len(owner), 14)) < 0.3).astype(np.float32)
    labels[:, 0] = owner < rare
    probs = np.clip(rng.normal(0.3 + 0.2 * labels, 0.2), 0, 1).astype(np.float32)
    stamp = Stamp("m", "s", "test", "2020")
    return evaluate_predictions(labels, probs, Resamples(owner, 200), stamp, Thresholds(np.full(14, 0.4)))


def test_findings_that_few_patients_have_are_left_out_of_a_second_mean() -> None:
    found = measured(120, rare=4)
    first, second = mean_rows(found, found.macro_findings)
    assert (first.title, second.title) == ("mean of 14", "mean of the 13 with 10 patients or more")
    assert first.estimates["auc"] == Estimate(found.macro.auc.value)
    assert second.estimates["auc"] == found.macro_fixed["auc"].estimate
    of_13 = f"{second.estimates['auc']} of the 13 with 10 patients or more"
    assert mean_auc(found) == (f"mean of 14; {of_13}", first.estimates["auc"])
    few, ece = missing_intervals(found)
    [undefined] = undefined_resamples(found)
    assert few == (
        "No interval of AUC, average precision and Brier score below 5 patients with the finding or without "
        "it: Atelectasis (12 films of 4 patients)."
    )
    assert ece == "No interval of the calibration error below 1,000 patients."
    share = max(found.per_class["Atelectasis"].undefined_resamples.values())
    assert undefined == (
        "Some metrics are undefined in a share of the resamples, and their interval is of the others: "
        f"Atelectasis {share:.1%}."
    )


def test_one_mean_is_enough_if_all_findings_bear_it() -> None:
    found = measured(120, rare=40)
    [row] = mean_rows(found, found.macro_findings)
    assert row.text("auc") == str(found.macro.auc) and "(" in row.text("auc")
    assert mean_auc(found) == ("mean of 14", found.macro.auc)
    assert missing_intervals(found) == ["No interval of the calibration error below 1,000 patients."]


def test_few_patients_are_said_to_bear_no_mean() -> None:
    found = measured(60, rare=20)
    assert mean_auc(found) == ("mean of 14", Estimate(found.macro.auc.value))
    assert missing_intervals(found)[0] == "No interval of means over findings below 100 patients."


@pytest.mark.slow
def test_a_mean_over_fewer_findings_says_so() -> None:
    report, _ = drawn_report(threshold=0.4)
    [row] = mean_rows(report.model_copy(update={"macro_fixed": {}}), ("brier",))
    assert row.text("brier") == f"{report.macro.brier} of 14" and row.title == "mean of 13"


@pytest.mark.slow
def test_positives_are_films_of_patients() -> None:
    report, _ = drawn_report()
    mass = report.per_class["Mass"]
    assert positives(mass) == f"{mass.positives} films of {mass.positive_patients} patients"
    assert positives(report.per_class["Hernia"]) == "0"
    assert positives(mass.model_copy(update={"positive_patients": None})) == str(mass.positives)


@pytest.mark.slow
def test_scores_that_call_nothing_have_a_second_mean_without_precision() -> None:
    report, films = drawn_report(threshold=1.0)
    _, second = mean_rows(report, report.macro_findings)
    assert second.estimates["precision"] == Estimate(None) and second.prevalence["precision"] is None
    assert second.prevalence["ap"] == np.mean([report.per_class[name].prevalence for name in FINDINGS[:13]])
    text = to_markdown(*whole(View(report, curves_of(report, films))))
    assert "| Mean of the 13 with 10 patients or more |  |  | undefined of 0 |" not in text


def test_the_fixed_findings_are_named_and_shown_only_if_a_shown_metric_has_others() -> None:
    found = measured(120, rare=4)
    assert fixed_findings(found, ("auc", "brier")) == ["With 10 patients or more: all but Atelectasis."]
    rarer = {**found.macro_fixed, "precision": FixedMean(("Mass", "Nodule"), Estimate(0.5))}
    assert fixed_findings(found.model_copy(update={"macro_fixed": rarer}), ("auc", "ap", "precision")) == [
        "With 10 patients or more: all but Atelectasis (AUC, average precision); Mass, Nodule (precision)."
    ]
    every = measured(120, rare=40)
    fewer = every.model_copy(update={"macro_fixed": {**every.macro_fixed, "precision": FixedMean(("Mass",))}})
    assert len(mean_rows(fewer, ("auc", "precision"))) == 2 and len(mean_rows(fewer, ("auc",))) == 1
    assert fixed_findings(fewer, ("auc",)) == []
    assert fixed_findings(fewer, ("auc", "precision")) == [
        "With 10 patients or more: all (AUC); Mass (precision)."
    ]


@pytest.mark.slow
def test_a_rate_over_more_findings_than_the_row_says_so() -> None:
    report, films = drawn_report(threshold=0.4)
    text = to_markdown(*whole(View(report, curves_of(report, films))))
    assert f"| {report.macro.specificity} of 14 |" in text
    assert f"| Mean of 13 |  |  | {report.macro.f1} |" in text


@pytest.mark.slow
def test_what_is_called_stands_beside_precision() -> None:
    report, films = drawn_report(threshold=0.4)
    text = to_markdown(*whole(View(report, curves_of(report, films))))
    mass, point = report.per_class["Mass"], (report.operating_points or {})["f1"].per_class["Mass"]
    assert f"| Mass | {called(mass)} | {mass.prevalence:.3f} | {mass.estimate('precision')} |" in text
    assert f"| Mass | {called(point)} | {mass.prevalence:.3f} | {point.precision} |" in text
