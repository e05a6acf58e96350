"""What a finished run leaves: a row in the log, a report, and what its teachers know of the test films."""

import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
import torch
from tiny_runs import TINY, config, run_to_end, stop_after_first_epoch

from xlite.data.folder import NihFolder
from xlite.data.predictions import write_predictions
from xlite.data.split_files import load_split
from xlite.evaluation.contamination.caveats import TeacherKnows
from xlite.evaluation.contamination.contamination import count_source
from xlite.evaluation.contamination.source_facts import SeenByTeacher, TeacherUnknown
from xlite.evaluation.contamination.sources import Source
from xlite.evaluation.options import JudgeOptions
from xlite.metrics.estimate import Estimate
from xlite.models.info import read_info
from xlite.models.student import Student
from xlite.places import results_csv
from xlite.report.learned_sentences import teacher_sentence
from xlite.report.write import evaluate_model
from xlite.runs.notes import Notes
from xlite.runs.results import Experiment, read_results
from xlite.runs.run import Run
from xlite.runs.run_files import STATE_FILE
from xlite.training.finish import _kept_row
from xlite.training.loop import train
from xlite.training.state import reading_state, write_state

pytestmark = pytest.mark.usefixtures("quick_report")


def metrics_json(run: Run) -> dict[str, Any]:
    """The report on the test part as it was written."""
    content: dict[str, Any] = json.loads((run.folder / "evaluation" / "test" / "metrics.json").read_text())
    return content


@pytest.mark.slow
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


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b"[" * 100_000, b'{"experiment_id": 3}'])
def test_a_damaged_row_of_its_own_is_made_anew(tmp_path, content):
    row = Experiment("one", val_auc=0.7, notes="said")
    (tmp_path / "row.json").write_text(json.dumps(asdict(row)))
    assert _kept_row(tmp_path / "row.json") == replace(row, notes="")
    (tmp_path / "row.json").write_bytes(content)
    assert _kept_row(tmp_path / "row.json") is None and _kept_row(tmp_path / "none.json") is None


@pytest.mark.slow
def test_what_a_teacher_may_know_of_the_test_films_follows_the_student(films):
    run_to_end(config(films, "teacher", epochs=1))
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
    assert 0 < trained < with_val < 20 and patients == trained
    report = metrics_json(run)
    [caveat] = [one for one in report["caveats"] if one["kind"] == "teacher_knows"]
    of_test = {"kind": "seen", "split_id": other.id, "part": "test", "films": 20}
    assert caveat["teachers"] == [
        {**of_test, "trained": trained, "with_val": with_val, "patients": with_val},
        {**of_test, "trained": 20, "with_val": 20, "patients": 20},
    ]
    [warning] = [text for text in report["warnings"] if text.startswith("teacher contamination: ")]
    assert f"{trained} of the 20 test films of split {other.id} ({with_val} counting" in warning
    logged = read_results()["notes"].iloc[-1]
    assert Notes.read(logged).teacher == "teacher"
    assert logged.endswith(
        f"; teacher saw {trained} of 20 test films ({with_val} counting validation); "
        "teacher saw 20 of 20 test films"
    )


@pytest.mark.slow
def test_predictions_of_a_model_whose_films_nobody_knows_are_told_wherever_metrics_are(
    films, tmp_path, caplog
):
    folder = NihFolder.open(films)
    split = load_split(folder, "patient")
    probs = np.random.default_rng(0).random((len(split.parts["train"]), 14))
    write_predictions(tmp_path / "answers.csv", split.parts["train"], probs)
    run, _ = run_to_end(config(films, "student", teacher=str(tmp_path / "answers.csv"), epochs=1))
    unknown = teacher_sentence(TeacherUnknown(kind="predictions", name="answers.csv"))
    assert "answers.csv" in unknown
    assert f"Teacher contamination: {unknown}" in caplog.messages
    assert f"teacher contamination: {unknown}" in metrics_json(run)["warnings"]
    assert f"teacher contamination: {unknown}" in (run.folder / "MODEL_CARD.md").read_text()
    assert [seen.known for seen in Notes.read(read_results()["notes"].iloc[-1]).seen] == [False]
    (tmp_path / "seen.txt").write_text(split.stems("test")[0] + "\n")
    listed = JudgeOptions(resamples=20, teacher_list=tmp_path / "seen.txt")
    again = evaluate_model("student", films, "patient", "test", tmp_path / "again", listed)
    [caveat] = [one for one in again.caveats if isinstance(one, TeacherKnows)]
    [seen] = caveat.teachers
    assert isinstance(seen, SeenByTeacher)
    assert (seen.split_id, seen.films) == (split.id, len(split.stems("test")))
    assert (seen.trained, seen.patients) == (1, 2)


@pytest.mark.slow
def test_the_list_of_a_teachers_films_leads_to_metrics_on_clean_ones(films, tmp_path, caplog):
    folder = NihFolder.open(films)
    split = load_split(folder, "patient")
    probs = np.random.default_rng(0).random((len(split.parts["train"]), 14))
    write_predictions(tmp_path / "answers.csv", split.parts["train"], probs)
    test = split.stems("test")
    (tmp_path / "seen.txt").write_text(test[0] + "\n")
    given = {"teacher": str(tmp_path / "answers.csv"), "teacher_list": str(tmp_path / "seen.txt")}
    run, _ = run_to_end(config(films, "student", **given, epochs=1))
    report = metrics_json(run)
    contamination, patients = report["contamination"], folder.patients(test)
    assert (contamination["films"], contamination["of"]) == (2, len(test))
    new = contamination["clean"]
    assert new["split"]["images"] == int((patients != patients[0]).sum()) == len(test) - 2
    auc, clean_auc = (Estimate(**found["macro"]["auc"]) for found in (report, new))
    [line] = [line for line in caplog.messages if line.startswith("Test AUC")]
    assert (
        line.startswith(f"Test AUC {auc.value:.3f}, mean of ") and f"2 of the {len(test)} test films" in line
    )
    clean = line[line.index("On the") :]
    assert (
        clean.startswith(f"On the {len(test) - 2} clean films")
        and f" {clean_auc.value:.3f}, mean of" in clean
    )
    assert f"{clean}." in (run.folder / "MODEL_CARD.md").read_text()


@pytest.mark.slow
def test_films_of_the_model_that_a_run_starts_from_are_counted_also_after_a_resume(films):
    first, _ = run_to_end(config(films, "first", epochs=1))
    weights = {"weights": str(first.folder / "model.safetensors"), "split": "official"}
    run = Run.create(config(films, "second", **weights, epochs=2))
    stop_after_first_epoch(run)
    train(run.config(), run)
    folder = NihFolder.open(films)
    own, other = load_split(folder, "patient"), load_split(folder, "official")
    source = count_source(Source(split=own.id, start=True), folder, other)
    seen, report = source.seen["test"], metrics_json(run)
    assert 0 < seen.trained < seen.with_val == seen.patients < 20
    assert read_info(run.folder / "model.safetensors").notes.start_knows == (source.model_dump(),)
    [caveat] = [one for one in report["caveats"] if one["kind"] == "teacher_knows"]
    assert caveat["teachers"] == [
        {"kind": "seen", "start": True, "split_id": other.id, "part": "test"}
        | {key: value for key, value in seen.model_dump().items() if key != "known"}
    ]
    contamination = report["contamination"]
    assert (contamination["films"], contamination["of"]) == (seen.patients, 20)
    assert contamination["clean"]["split"]["images"] == 20 - seen.patients
    assert contamination["reasons"] == [
        f"contamination: a model that training started from was trained on {seen.trained} of the 20 test "
        f"films of split {other.id} ({seen.with_val} counting validation), and knows the patients of "
        f"{seen.patients} of them"
    ]
    logged = Notes.read(read_results()["notes"].iloc[-1])
    assert (logged.seen, logged.start_seen) == ((), (seen,))


@pytest.mark.slow
def test_a_resumed_run_of_old_has_no_note_of_what_it_started_from(films, tmp_path):
    torch.save({"model": backbone().state_dict()}, tmp_path / "w.pt")
    run = Run.create(config(films, "old", weights=str(tmp_path / "w.pt"), epochs=2))
    stop_after_first_epoch(run)
    with reading_state(run.folder / STATE_FILE) as content:
        del content["start_knows"]
        write_state(run.folder / STATE_FILE, content)
    train(run.config(), run)
    name = f"{TINY['backbone']} starts from w.pt ({len(backbone().state_dict())} tensors)"
    fact = TeacherUnknown(kind="weights", name=name, start=True)
    contamination = metrics_json(run)["contamination"]
    assert contamination["unknown"] == [fact.model_dump()] and contamination["clean"] is None
    assert contamination["sentence"] == f"There are no metrics on clean films alone: {teacher_sentence(fact)}"


def backbone() -> torch.nn.Module:
    """The backbone of the tiny runs, untrained."""
    return Student(TINY["backbone"], hidden=16).backbone
