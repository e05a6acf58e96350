"""What a finished run leaves: a row in the log, a report, and what its teachers know of the test films."""

import json

import numpy as np
import pytest
from tiny_runs import config, run_to_end

from xlite.config import results_csv
from xlite.data.folder import NihFolder
from xlite.data.predictions import write_predictions
from xlite.data.splits import load_split
from xlite.evaluation.evaluate import evaluate_model
from xlite.report.sentences import clean, interval, mean_of
from xlite.runs.results import read_results
from xlite.training.loop import train

pytestmark = pytest.mark.usefixtures("quick_report")


def test_a_run_of_the_name_and_metrics_of_another_is_logged_too(films):
    run, _ = run_to_end(config(films, "same", epochs=1))
    run.rename("same-old")
    again, _ = run_to_end(config(films, "same", epochs=1))
    log = read_results()
    assert log["experiment_id"].tolist() == ["same", "same"]
    assert log["train_loss"].nunique() == 1
    results_csv().unlink()  # as if the run had been killed right before its row was written
    train(again.config(), again)
    assert read_results().equals(log.iloc[1:].reset_index(drop=True))


def test_what_a_teacher_may_know_of_the_test_films_follows_the_student(films):
    teacher, _ = run_to_end(config(films, "teacher", epochs=1))
    test_list = films / "test_list.txt"
    settings = config(
        films, "student", split="official", teacher="teacher", teacher_list=str(test_list), epochs=1
    )
    run, _ = run_to_end(settings)
    folder = NihFolder.open(films)
    own, other = load_split(folder, "patient"), load_split(folder, "official")
    test = set(other.stems("test"))
    trained, with_val = len(test & set(own.stems("train"))), len(test - set(own.stems("test")))
    patients = int(np.isin(folder.patients(other.stems("test")), folder.patients(own.stems("train"))).sum())
    expected = (
        f"teacher contamination: a teacher was trained on {trained} of the 20 test films of split {other.id} "
        f"({with_val} counting validation), and knows the patients of {with_val} of them; a teacher was "
        f"trained on 20 of the 20 test films of split {other.id}, and knows the patients of 20 of them"
    )
    assert 0 < trained < with_val < 20 and patients == trained
    assert (
        read_results()["notes"]
        .iloc[-1]
        .endswith(
            f"; teacher teacher; teacher saw {trained} of 20 test films ({with_val} counting validation); "
            "teacher saw 20 of 20 test films"
        )
    )
    report = json.loads((run.folder / "evaluation" / "test" / "metrics.json").read_text())
    assert expected in report["warnings"]


def test_predictions_of_a_model_whose_films_nobody_knows_are_told_wherever_metrics_are(
    films, tmp_path, caplog
):
    folder = NihFolder.open(films)
    split = load_split(folder, "patient")
    probs = np.random.default_rng(0).random((len(split.parts["train"]), 14))
    write_predictions(tmp_path / "answers.csv", split.parts["train"], probs)
    run, _ = run_to_end(config(films, "student", teacher=str(tmp_path / "answers.csv"), epochs=1))
    said = caplog.messages
    unknown = (
        "what the model behind the predictions answers.csv was trained on is not known: --teacher-list FILE "
        "tells"
    )
    assert f"Teacher contamination: {unknown}" in said
    report = json.loads((run.folder / "evaluation" / "test" / "metrics.json").read_text())
    assert f"teacher contamination: {unknown}" in report["warnings"]
    assert f"teacher contamination: {unknown}" in (run.folder / "MODEL_CARD.md").read_text()
    assert "teacher may have seen test films" in read_results()["notes"].iloc[-1]
    (tmp_path / "seen.txt").write_text(split.stems("test")[0] + "\n")
    listed = {"resamples": 20, "teacher_list": tmp_path / "seen.txt"}
    again = evaluate_model("student", films, "patient", "test", tmp_path / "again", **listed)
    assert [text for text in again["warnings"] if text.startswith("teacher")] == [
        f"teacher contamination: a teacher was trained on 1 of the {len(split.stems('test'))} test films of "
        f"split {split.id}, and knows the patients of 2 of them"
    ]


def test_the_list_of_a_teachers_films_leads_to_metrics_on_clean_ones(films, tmp_path, caplog):
    folder = NihFolder.open(films)
    split = load_split(folder, "patient")
    probs = np.random.default_rng(0).random((len(split.parts["train"]), 14))
    write_predictions(tmp_path / "answers.csv", split.parts["train"], probs)
    test = split.stems("test")
    (tmp_path / "seen.txt").write_text(test[0] + "\n")
    given = {"teacher": str(tmp_path / "answers.csv"), "teacher_list": str(tmp_path / "seen.txt")}
    run, _ = run_to_end(config(films, "student", **given, epochs=1))
    said = caplog.messages
    report = json.loads((run.folder / "evaluation" / "test" / "metrics.json").read_text())
    spoiled, patients = report["contamination"], folder.patients(test)
    assert (spoiled["films"], spoiled["of"]) == (2, len(test))
    assert spoiled["clean"]["split"]["images"] == int((patients != patients[0]).sum()) == len(test) - 2
    assert f"{clean(report)}." in (run.folder / "MODEL_CARD.md").read_text()
    assert clean(report).startswith(f"On the {len(test) - 2} clean films, ")
    assert (
        f"Test AUC {interval(report['macro']['auc'])}, {mean_of(report)} with 95 % interval, but what it "
        f"learned from knows 2 of the {len(test)} test films. {clean(report)}"
    ) in said
