"""The report: the contract's structure, what is undefined or doubtful, and published figures reproduced."""

import csv
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from xlite.errors import DataError
from xlite.evaluation.estimates import evaluate_predictions
from xlite.evaluation.score import score_predictions
from xlite.findings import FINDINGS
from xlite.metrics import bootstrap
from xlite.metrics import per_finding as metrics
from xlite.report.terminal import summary

REST = {"contamination": None, "subgroups": {}}
STAMP = {"split_id": "patient-42-1a2b3c4d", "part": "test", "label_version": "2020"}


def films(n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels with at least 10 positives a finding, probabilities float32, patients."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, 14)) < 0.2).astype(np.float32)
    labels[:10] = 1
    probs = np.clip(rng.normal(0.3 + 0.2 * labels, 0.2), 0, 1).astype(np.float32)
    return labels, probs, np.arange(n) // 3


def test_the_report_is_the_contracts() -> None:
    labels, probs, patients = films()
    cuts = np.linspace(0.3, 0.5, 14)
    report = evaluate_predictions(labels, probs, patients, **STAMP, thresholds=cuts, resamples=200)
    assert report["split"] == {
        "id": "patient-42-1a2b3c4d",
        "part": "test",
        "images": 300,
        "patients": 100,
        "label_version": "2020",
    }
    assert report["warnings"] == []
    assert list(report["per_class"]) == list(FINDINGS)
    values = {
        "auc": metrics.auc_per_class(labels, probs),
        "ap": metrics.ap_per_class(labels, probs),
        "ece": metrics.ece_per_class(labels, probs),
        "brier": metrics.brier_per_class(labels, probs),
        **metrics.rates_at(labels, probs, cuts),
    }
    for name in ("auc", "ap", "f1", "precision", "recall", "specificity", "ece", "brier"):
        mean = report["macro"][name]
        assert mean["value"] == pytest.approx(values[name].mean())
        assert mean["low"] < mean["value"] < mean["high"]
        assert set(mean) == {"value", "low", "high"}
    for c, figures in enumerate(report["per_class"].values()):
        for name in ("auc", "ap"):
            assert figures[name]["value"] == pytest.approx(values[name][c])
            assert figures[name]["low"] < figures[name]["value"] < figures[name]["high"]
        for name in ("f1", "precision", "recall", "specificity", "ece", "brier"):
            low, high = figures["intervals"][name]
            assert figures[name] == pytest.approx(values[name][c])
            assert low < figures[name] < high
        assert (figures["positives"], figures["threshold"]) == (labels[:, c].sum(), cuts[c])
        assert figures["few_positives"] is False
        assert figures["always_yes_f1"] == pytest.approx(f1_score(labels[:, c], np.ones(300)))
        assert figures["accuracy"] == pytest.approx(accuracy_score(labels[:, c], probs[:, c] >= cuts[c]))
        assert figures["always_no_accuracy"] == pytest.approx(accuracy_score(labels[:, c], np.zeros(300)))
    assert report["baseline"] == {
        "always_no_accuracy": pytest.approx(1 - labels.mean()),
        "accuracy": pytest.approx(((probs >= cuts) == labels).mean()),
        "prevalence": pytest.approx(labels.mean()),
        "always_yes_f1": pytest.approx(np.mean([f1_score(y, np.ones(300)) for y in labels.T])),
    }
    assert set(report["macro_findings"].values()) == {14}


def test_the_same_seed_gives_the_same_report_and_another_seed_other_intervals() -> None:
    one, two, three = (evaluate_predictions(*films(), **STAMP, resamples=50, seed=s) for s in (1, 1, 2))
    assert one == two
    assert one["macro"]["auc"]["low"] != three["macro"]["auc"]["low"]
    assert one["macro"]["auc"]["value"] == three["macro"]["auc"]["value"]


def test_without_thresholds_a_half_is_used_and_said() -> None:
    labels, probs, patients = films()
    report = evaluate_predictions(labels, probs, patients, **STAMP, resamples=10)
    given = evaluate_predictions(labels, probs, patients, **STAMP, thresholds=np.full(14, 0.5), resamples=10)
    assert report["warnings"] == ["no thresholds given; 0.5 used for every finding"]
    assert given["warnings"] == []
    assert report["per_class"] == given["per_class"]


def test_what_is_undefined_is_null_and_named() -> None:
    labels, probs, patients = films()
    labels[:, 13], labels[:, 4], labels[3:, 1] = 0, 1, 0  # Hernia never, Mass always, Cardiomegaly 3
    probs[:, 12] = 0.01
    report = evaluate_predictions(
        labels, probs, patients, **STAMP, thresholds=np.full(14, 0.3), warnings=["said before"], resamples=50
    )
    hernia, mass = report["per_class"]["Hernia"], report["per_class"]["Mass"]
    nothing = {"value": None, "low": None, "high": None}
    assert (hernia["auc"], hernia["ap"], hernia["f1"], hernia["positives"]) == (nothing, nothing, None, 0)
    assert mass["auc"] == nothing
    assert mass["ap"]["value"] == 1
    assert report["per_class"]["Pleural_Thickening"]["precision"] is None
    aucs = [figures["auc"]["value"] for figures in report["per_class"].values()]
    assert report["macro"]["auc"]["value"] == pytest.approx(np.mean([auc for auc in aucs if auc is not None]))
    assert report["warnings"] == [
        "said before",
        "never positive, so without AUC, AP and F1 and left out of their means: Hernia",
        "always positive, so without AUC and left out of its mean: Mass",
        "never called at its threshold, so without precision and left out of its mean: Pleural_Thickening",
        "fewer than 10 positives, so hardly known, yet counted in the means: Cardiomegaly (3); without them "
        f"the mean AUC is {np.mean([auc for c, auc in enumerate(aucs) if c not in (1, 4, 13)]):.3f}",
    ]
    assert (report["macro_findings"]["auc"], report["macro_findings"]["precision"]) == (12, 13)
    assert [name for name, figures in report["per_class"].items() if figures["few_positives"]] == [
        "Cardiomegaly",
        "Hernia",
    ]


def test_scores_turned_round_are_named() -> None:
    labels, probs, patients = films()
    probs[:, 2] = 1 - labels[:, 2]
    report = evaluate_predictions(labels, probs, patients, **STAMP, thresholds=np.full(14, 0.3), resamples=50)
    assert report["warnings"] == ["AUC below chance, so the scores may be turned round: Effusion (0.000)"]


def test_the_calibration_errors_interval_is_not_moved_up_by_resampling() -> None:
    """On few films the error's resamples all but miss it; recentred they lie around it."""
    labels, probs, patients = films(60)
    report = evaluate_predictions(labels, probs, patients, **STAMP, resamples=300)
    value = metrics.ece_per_class(labels, probs).mean()
    drawn = bootstrap.resample_ece(labels, probs, *bootstrap.patient_counts(patients, 300, 0)).mean(axis=1)
    low, high = bootstrap.interval(drawn - drawn.mean() + value)
    assert report["macro"]["ece"] == pytest.approx({"value": value, "low": low, "high": high})
    assert drawn.mean() > value


def test_one_patient_has_figures_and_no_intervals() -> None:
    labels, probs, _ = films()
    report = evaluate_predictions(labels, probs, np.zeros(300), **STAMP, thresholds=np.full(14, 0.3))
    assert report["macro"]["auc"] == {"value": pytest.approx(metrics.auc_per_class(labels, probs).mean())} | {
        "low": None,
        "high": None,
    }
    assert report["per_class"]["Mass"]["intervals"]["brier"] == [None, None]
    assert report["warnings"] == ["all films are of one patient, so there are no intervals"]


def test_no_positive_at_all_is_no_crash() -> None:
    report = evaluate_predictions(
        np.zeros((5, 14)), np.full((5, 14), 0.4), np.arange(5), **STAMP, resamples=9
    )
    assert report["macro"]["auc"] == {"value": None, "low": None, "high": None}
    assert report["macro"]["brier"]["value"] == pytest.approx(0.16)
    assert "Mean" in summary(report | REST)


def test_no_films_are_refused() -> None:
    with pytest.raises(DataError, match="there are no films to evaluate"):
        evaluate_predictions(np.zeros((0, 14)), np.zeros((0, 14)), np.zeros(0), **STAMP)


def test_the_summary_is_a_table_and_the_warnings() -> None:
    report = evaluate_predictions(*films(), **STAMP, resamples=50)
    lines = summary(report | REST).splitlines()
    auc, f1 = report["per_class"]["Mass"]["auc"], report["per_class"]["Mass"]["f1"]
    mass = next(line for line in lines if line.startswith("Mass"))
    assert mass.split()[1:5] == [f"{auc['value']:.3f}", f"{auc['low']:.3f}", "to", f"{auc['high']:.3f}"]
    assert mass.split()[-2:] == [f"{f1:.3f}", str(report["per_class"]["Mass"]["positives"])]
    assert lines[-2:] == [
        "300 films of 100 patients, split patient-42-1a2b3c4d, part test, labels 2020",
        "Warning: no thresholds given; 0.5 used for every finding",
    ]
    gaps = [{"finding": None, "sentence": "A is higher."}, {"finding": "Mass", "sentence": "B is higher."}]
    doubtful = {"contamination": {"films": 9, "of": 300}, "subgroups": {"view": {"gaps": gaps}}}
    assert summary(report | doubtful).splitlines()[-4:-1] == [
        "Contaminated: 9 of 300 films; none of these figures is that of a clean test",
        "There are no figures on clean films alone: it cannot be told which those are; xlite evaluate … "
        "--teacher-list FILE, a list of its teacher's training films, tells",
        "A is higher.",
    ]


def test_a_public_models_published_figures_are_reproduced(shared_data: Path, tmp_path: Path) -> None:
    start = time.perf_counter()
    report = score_predictions(
        shared_data / "reference" / "densenet121_test_predictions.csv",
        shared_data / "nih_tables" / "Data_Entry_2017_v2020.csv.gz",
        tmp_path,
        say=lambda _: None,
        resamples=200,
    )
    took = time.perf_counter() - start
    with open(shared_data / "reference" / "densenet121_test_aucs.csv", newline="") as file:
        published = {line["label"].replace(" ", "_"): float(line["auc"]) for line in csv.DictReader(file)}
    assert {name: figures["auc"]["value"] for name, figures in report["per_class"].items()} == pytest.approx(
        published, abs=1e-9
    )
    mean = report["macro"]
    assert mean["auc"] == {
        name: pytest.approx(value, abs=2e-3)
        for name, value in {"value": 0.8383, "low": 0.832, "high": 0.844}.items()
    }
    assert mean["auc"]["value"] == pytest.approx(0.8383, abs=1e-4)
    assert mean["ece"]["value"] == pytest.approx(0.0092, abs=1e-4)
    assert mean["ap"]["value"] == pytest.approx(0.259, abs=1e-3)
    assert mean["f1"]["value"] == pytest.approx(0.172, abs=1e-3)
    assert report["baseline"]["always_no_accuracy"] == pytest.approx(0.947, abs=1e-3)
    assert (report["split"]["images"], report["split"]["patients"]) == (22433, 6187)
    assert took < 30  # the goal of 10 s is the benchmark's; this machine may be busy
