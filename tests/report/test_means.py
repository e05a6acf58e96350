"""Means over findings in words, and why a metric has no interval."""

import numpy as np
from demo_home import drawn_report

from xlite.evaluation.base import Stamp
from xlite.evaluation.estimates import evaluate_predictions
from xlite.evaluation.report import Metrics
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate
from xlite.metrics.thresholds import Thresholds
from xlite.report.means import mean_auc, mean_rows, missing_intervals, positives, undefined_resamples


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
    first, second = mean_rows(found)
    assert (first.title, second.title) == ("mean of 14", "mean of the 13 with 10 patients or more")
    assert first.estimates["auc"] == Estimate(found.macro.auc.value)
    assert second.estimates["auc"] == found.macro_fixed["auc"].estimate
    assert mean_auc(found) == (second.title, second.estimates["auc"])
    few, ece = missing_intervals(found)
    [undefined] = undefined_resamples(found)
    assert few == (
        "No interval of AUC, average precision and Brier score below 5 patients with the finding or without "
        "it: Atelectasis (12 of 4 patients)."
    )
    assert ece == "No interval of the calibration error below 1,000 patients."
    share = max(found.per_class["Atelectasis"].undefined_resamples.values())
    assert undefined == (
        "Some metrics are undefined in a share of the resamples, and their interval is of the others: "
        f"Atelectasis {share:.1%}."
    )


def test_one_mean_is_enough_if_all_findings_bear_it() -> None:
    found = measured(120, rare=40)
    [row] = mean_rows(found)
    assert row.text("auc") == str(found.macro.auc) and "(" in row.text("auc")
    assert mean_auc(found) == ("mean of 14", found.macro.auc)
    assert missing_intervals(found) == ["No interval of the calibration error below 1,000 patients."]


def test_few_patients_are_said_to_bear_no_mean() -> None:
    found = measured(60, rare=20)
    assert mean_auc(found) == ("mean of 14", Estimate(found.macro.auc.value))
    assert missing_intervals(found)[0] == "No interval of means over findings below 100 patients."


def test_a_mean_over_fewer_findings_says_so() -> None:
    report, _ = drawn_report(threshold=0.4)
    [row] = mean_rows(report.model_copy(update={"macro_fixed": {}}))
    assert row.text("brier") == f"{report.macro.brier} of 14" and row.title == "mean of 13"


def test_positives_are_films_of_patients() -> None:
    report, _ = drawn_report()
    mass = report.per_class["Mass"]
    assert positives(mass) == f"{mass.positives} of {mass.positive_patients} patients"
    assert positives(report.per_class["Hernia"]) == "0"
    assert positives(mass.model_copy(update={"positive_patients": None})) == str(mass.positives)
