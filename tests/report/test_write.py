"""What `report.write` writes: files of a report and what they say, the calibrator, the card."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from command_line import Command
from demo_home import drawn_report, save_demo_model
from html_texts import HtmlTexts
from judged import BOXES, amend, save_tiny_model, write_common_folder, write_some_predictions
from tiny_runs import TINY
from unknown_labels import LACKING, hide_some

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.predictions import read_predictions, write_predictions
from xlite.data.split_files import load_split
from xlite.errors import DataError
from xlite.evaluation.contamination.contamination import count_source
from xlite.evaluation.contamination.sources import Source
from xlite.evaluation.films import read_labels, write_labels
from xlite.evaluation.options import JudgeOptions, MapOptions, ScoreOptions
from xlite.evaluation.report import Report
from xlite.findings import FINDINGS, spoken
from xlite.images import read_image
from xlite.metrics.bands import draw_curves
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.calibration import apply_calibrator, fit_calibrator
from xlite.metrics.thresholds import Thresholds
from xlite.models.checkpoint import load_model, save_model
from xlite.patients import patients_with
from xlite.report.curves_json import dump_curves, read_curves
from xlite.report.document import to_markdown
from xlite.report.means import mean_of
from xlite.report.metrics_json import localisation_json, report_json
from xlite.report.sections.whole import whole
from xlite.report.sentences import source
from xlite.report.terminal import summary
from xlite.report.view import View
from xlite.report.worth import records_sentence, records_table
from xlite.report.write import evaluate_model, localise_model, score_predictions, write_report
from xlite.runs.run import Run

pytestmark = pytest.mark.slow


@pytest.fixture
def model(tiny_folder: Path, own_home: Path, no_charts: None) -> Path:
    return save_tiny_model(own_home, tiny_folder)


@pytest.fixture
def common_folder(model: Path, tmp_path: Path) -> Path:
    return write_common_folder(tmp_path / "common", model)


def evaluate(model: Path, data: Path, out: Path, part: str = "test", **options) -> Report:
    return evaluate_model(model, data, "patient", part, out, JudgeOptions(resamples=20, **options))


def test_labels_keep_names_that_a_spreadsheet_would_run(tmp_path: Path) -> None:
    _, films = drawn_report()
    names = ["=1+1.png", "a,b.png", "x\x1b.png", *films.names[3:]]
    write_labels(tmp_path / "labels.csv", replace(films, names=names))
    kept = read_labels(tmp_path / "labels.csv")
    assert kept["image"].tolist() == names and kept.index.tolist()[:3] == ["=1+1", "a,b", "x\x1b"]
    assert (tmp_path / "labels.csv").read_text().splitlines()[1].startswith("'=1+1.png,")


def test_the_folder_holds_the_report_in_each_form(tmp_path: Path) -> None:
    report, films = drawn_report(threshold=0.4, training_seed=7)
    out = tmp_path / "new" / "out"
    write_report(out, report, films)
    assert sorted(path.name for path in out.iterdir()) == [
        "curves.json", "labels.csv", "metrics.json", "predictions.csv", "report.html", "report.md",
    ]  # fmt: skip
    assert json.loads((out / "metrics.json").read_text()) == report_json(report)
    curves = json.loads((out / "curves.json").read_text())
    assert curves == dump_curves(draw_curves(films.labels, films.probs, Resamples(films.patients, 20, 0)))
    assert (out / "report.md").read_text() == to_markdown(*whole(View(report, read_curves(curves))))
    given = read_predictions(out / "predictions.csv")
    np.testing.assert_array_equal(given.probs.astype(np.float32), films.probs)
    kept = read_labels(out / "labels.csv")
    assert kept.index.tolist() == given.stems
    np.testing.assert_array_equal(kept[list(FINDINGS)], films.labels)
    np.testing.assert_array_equal(kept["patient"], films.patients)
    page = HtmlTexts()
    page.feed((out / "report.html").read_text())
    assert page.loads == []
    for c, (finding, one) in enumerate(report.per_class.items()):
        assert str(one.auc) in page.texts, finding
        assert films.labels[:, c].sum() == one.positives
    text = " ".join(page.texts)
    assert source(report) in text and "2020 labels; trained with seed 7; 95 % intervals" in text
    assert "Chosen per finding on the 200 films of the val part" in text
    assert "95 % specificity" in text and "isotonic" in text and "Age: over 60" in text


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    report, films = drawn_report()
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written.*file"):
        write_report(tmp_path / "file", report, films)


def test_a_models_predictions_and_metrics_are_written(model: Path, tiny_folder: Path, tmp_path: Path) -> None:
    report = evaluate(model, tiny_folder, tmp_path)
    found = read_predictions(tmp_path / "predictions.csv")
    folder, classifier = NihFolder.open(tiny_folder), Classifier.load(model)
    split = load_split(folder, "patient")
    assert found.names == split.parts["test"]
    expected = [classifier.predict(read_image(folder.paths[stem])) for stem in split.stems("test")]
    np.testing.assert_allclose(found.probs, expected, atol=1e-6)
    assert json.loads((tmp_path / "metrics.json").read_text()) == report_json(report)


@pytest.mark.parametrize("method", ["none", "temperature", "platt", "isotonic"])
def test_a_chosen_calibrator_is_saved_in_the_model_and_used_by_every_prediction(
    model: Path, common_folder: Path, tmp_path: Path, method: str
) -> None:
    folder = NihFolder.open(common_folder)
    split, before = load_split(folder, "patient"), Classifier.load(model)
    report = evaluate(model, common_folder, tmp_path, calibration=method)
    after = Classifier.load(model)
    assert report.calibration.in_use == method
    assert (after.info.calibration.method if after.info.calibration else "none") == method
    films = [read_image(folder.paths[stem]) for stem in split.stems("val")]
    logits = np.array([before.logits(before.input(film))[0] for film in films])
    labels = folder.labels(split.stems("val"))
    expected = fit_calibrator(logits, labels, folder.patients(split.stems("val")), method)
    film = read_image(folder.paths[split.stems("test")[0]])
    one = before.logits(before.input(film))[0]
    np.testing.assert_allclose(after.predict(film), apply_calibrator(one, expected), atol=1e-5)
    np.testing.assert_allclose(
        read_predictions(tmp_path / "predictions.csv").probs[0], after.predict(film), atol=1e-6
    )
    patients = folder.patients(split.stems("val"))
    cuts = Thresholds.choose(labels, apply_calibrator(logits, expected), patients).cuts
    found_cuts = np.array(list(after.info.thresholds.values()), np.float64)
    np.testing.assert_allclose(found_cuts, cuts, atol=1e-5)


def test_what_thresholds_are_worth_is_saved_in_a_model_that_stays_as_it_is(
    model: Path, common_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "xlite")
    evaluate(model, common_folder, tmp_path / "platt", calibration="platt")
    fitted, card = load_model(model)[1], model.with_name("MODEL_CARD.md")
    assert fitted.validation is not None
    old, info = load_model(model)
    save_model(model, old, info.model_copy(update={"validation": None}))
    card.write_text("old")
    evaluate(model, common_folder, tmp_path / "kept", calibration="keep")
    student, kept = load_model(model)
    assert kept == fitted
    assert all(torch.equal(mine, student.state_dict()[name]) for name, mine in old.state_dict().items())
    assert caplog.messages[-1].startswith(f"{model} now holds what its thresholds are worth, from ")
    said = f"On the validation films: {records_sentence(kept.validation)}"
    assert [text for text in caplog.messages if text.startswith("On the val")] == [said, said]
    text = card.read_text()
    assert to_markdown("", [records_table(kept.validation, kept.thresholds)]) in text
    assert (
        "With 95 % confidence each, at most 10% of patients with a finding have a film with it below" in text
    )


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_card_and_report_name_the_findings_without_a_calibrator(
    model: Path, common_folder: Path, tmp_path: Path, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "xlite")
    card = model.with_name("MODEL_CARD.md")
    card.write_text("old")
    others = [finding for finding in FINDINGS if finding not in ("Effusion", "Mass")]
    evaluate(model, common_folder, tmp_path, calibration=method)
    [said] = [text for text in caplog.messages if text.startswith("Calibration: ")]
    name = {"platt": "Platt", "isotonic": "isotonic"}[method]
    assert f"{name} calibrator for 2 of 14 findings; the others have fewer than 10 patients with it" in said
    counts = ", ".join(f"{spoken(finding)} 0" for finding in others)  # said once, with the thresholds
    assert [text for text in caplog.messages if "Hernia" in text] == [
        text
        for text in caplog.messages
        if text.endswith(f"; withheld below 10 validation patients: {counts}")
    ]
    text = card.read_text()
    assert (
        "| Output | 14 probabilities (not exclusive) in NIH order |\n| Calibrated | 2 of 14 findings, by "
        in text
    )
    assert f"on validation films |\n| Not calibrated | {', '.join(map(spoken, others))} |" in text
    said = "the others had too few patients with them or without them in validation: Atelectasis, "
    assert said in (tmp_path / "report.md").read_text()


@pytest.mark.parametrize("method", ["platt", "temperature", "isotonic"])
def test_a_calibrator_that_no_finding_has_films_enough_for_is_saved_as_none(
    model: Path, tiny_folder: Path, tmp_path: Path, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "xlite")
    card = model.with_name("MODEL_CARD.md")
    card.write_text("old")
    films = evaluate(model, tiny_folder, tmp_path, calibration=method).validation.films
    [said] = [text for text in caplog.messages if text.startswith("Calibration: ")]
    folder = NihFolder.open(tiny_folder)
    stems = load_split(folder, "patient").stems("val")
    positives = patients_with(folder.labels(stems) > 0, folder.patients(stems))
    counted = zip(map(spoken, FINDINGS), positives, strict=True)
    counts = ", ".join(f"{finding} {count}" for finding, count in counted)
    assert "no calibrator could be fitted" in said
    assert "every finding has fewer than 10 patients with it or without it among the " in said
    assert f"Thresholds: withheld below 10 validation patients: {counts}" in caplog.messages
    assert caplog.messages[-1].startswith(f"{model} now holds the calibrator 'none'")
    assert caplog.messages[-1].endswith(f"{films} films")
    assert load_model(model)[1].calibration is None
    assert "14 scores 0-1 (not exclusive) in NIH order, not calibrated" in card.read_text()


def test_a_calibrator_is_saved_only_if_all_that_was_given_could_be_read(
    model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    header = "Image Index,Pneumothorax,Nodule or mass,Airspace opacity,Fracture\n"
    (tmp_path / "read.csv").write_text(header + "00000999_000.png,NO,NO,NO,NO\n")
    before, chosen = model.read_bytes(), {"calibration": "isotonic"}
    with pytest.raises(DataError, match="radiologists read none"):
        evaluate(model, tiny_folder, tmp_path / "o", radiologists=tmp_path / "read.csv", **chosen)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        evaluate(model, tiny_folder, tmp_path / "file", **chosen)
    assert model.read_bytes() == before


def test_the_card_follows_the_calibrator(
    model: Path, common_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "xlite")
    card = model.with_name("MODEL_CARD.md")
    evaluate(model, common_folder, tmp_path / "a", calibration="temperature")
    assert not card.exists()
    card.write_text("old")
    evaluate(model, common_folder, tmp_path / "b", "train", calibration="platt")
    own = Classifier.load(model).info.split_id
    assert card.read_text() == "old"
    assert "MODEL_CARD.md still has" in caplog.messages[-1] and caplog.messages[-1].endswith(own)
    report = evaluate(model, common_folder, tmp_path / "c", calibration="none")
    assert "in NIH order, not calibrated" in card.read_text()
    assert f"| **{mean_of(report)}** |" in card.read_text()
    evaluate(model, common_folder, tmp_path / "d", calibration="isotonic")
    assert "| Calibrated | 2 of 14 findings, by isotonic regression per finding on valid" in card.read_text()
    evaluate(model, common_folder, tmp_path / "e", calibration="temperature")
    assert "in NIH order |\n| Calibrated | by one temperature on validation films |" in card.read_text()


def test_a_summary_says_what_would_tell_which_films_are_clean(
    model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    folder = NihFolder.open(tiny_folder)
    split, path = load_split(folder, "patient"), tmp_path / "list.txt"
    path.write_text(split.stems("test")[0] + "\n")
    source = count_source(Source(list="list.txt"), folder, split, path)
    amend(model, notes={"teacher": "t", "teacher_knows": [source.model_dump()]})
    text = summary(evaluate(model, tiny_folder, tmp_path / "out"))
    assert "without a list of its teacher's training films it cannot be told which those are" in text


@pytest.mark.usefixtures("no_charts")
def test_a_run_on_unknown_labels_reports_what_is_known(
    xlite: Command, tiny_folder: Path, own_home: Path
) -> None:
    """From the table to the report: trained, evaluated, written, with two findings that nobody labelled."""
    folder = hide_some(tiny_folder)
    words = [word for key, value in TINY.items() for word in (f"--{key.replace('_', '-')}", value)]
    status, _, err = xlite("train", "--data", tiny_folder, "--name", "unknown", *words, "--epochs", 1)
    assert status == 0, err
    judged = Run.named("unknown").evaluation("test")
    facts = json.loads((judged / "metrics.json").read_text())
    labels = folder.labels(load_split(folder, "patient").stems("test"))
    films = [facts["per_class"][finding]["films"] for finding in FINDINGS]
    assert films == (~np.isnan(labels)).sum(axis=0).tolist()
    assert [finding for finding, count in zip(FINDINGS, films, strict=True) if not count] == [*LACKING]
    rows = (judged / "report.md").read_text().splitlines()
    for finding in LACKING:
        assert any(row.startswith(f"| {finding} | not labelled here |") for row in rows)


def test_scored_predictions_are_passed_on_and_the_films_counted(
    tiny_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "xlite")
    predictions = write_some_predictions(tmp_path / "p.csv", tiny_folder)
    out = tmp_path / "out"
    report = score_predictions(predictions, tiny_folder, out, ScoreOptions(resamples=20))
    given, passed_on = read_predictions(predictions), read_predictions(out / "predictions.csv")
    assert passed_on.names == given.names
    np.testing.assert_allclose(passed_on.probs, given.probs, rtol=1e-8)
    assert json.loads((out / "metrics.json").read_text()) == report_json(report)
    assert caplog.messages == [f"23 of the 24 films of the table judged, report in {out}"]


@pytest.mark.usefixtures("no_charts")
def test_a_comparison_is_a_file_of_its_own_too(tiny_folder: Path, tmp_path: Path) -> None:
    predictions = write_some_predictions(tmp_path / "p.csv", tiny_folder)
    given = read_predictions(predictions)
    write_predictions(tmp_path / "q.csv", given.names, 1 - given.probs)
    out, options = tmp_path / "out", ScoreOptions(resamples=20, against=tmp_path / "q.csv")
    found = score_predictions(predictions, tiny_folder, out, options).comparison
    written = json.loads((out / "comparison.json").read_text())
    assert written["names"] == ["p.csv", "q.csv"]
    assert written["sentence"].startswith(
        f"Mean AUC {found.first:.4f} of p.csv against {found.second:.4f} of q.csv, on the "
    )
    assert json.loads((out / "metrics.json").read_text())["comparison"] == written


def test_maps_are_judged_into_a_file_and_a_sheet(tiny_folder: Path, own_home: Path, tmp_path: Path) -> None:
    (tiny_folder / "BBox_List_2017.csv").write_text(BOXES)
    model, out = save_demo_model(own_home), tmp_path / "out"
    options = MapOptions(methods=("layercam",), checks=0, resamples=20)
    report = localise_model(model, tiny_folder, "official", "all", out, options)
    assert json.loads((out / "localisation.json").read_text()) == localisation_json(report)
    sheet = cv2.imread(str(out / "maps.png"))
    assert sheet.shape[0] > 300 and sheet.shape[1] > 300
    warnings = " ".join(localisation_json(report)["warnings"])
    assert "only 4 of 5 boxes" in warnings and "Mass: 1 of 1 box is smaller than one cell" in warnings
    assert (
        "these are all films of the folder, not a part of the model's own split" in warnings
        and "under 10 patients with a box" in warnings
    )


@pytest.mark.usefixtures("no_charts")
def test_an_evaluation_has_the_section_on_maps_if_the_folder_has_boxes(
    tiny_folder: Path, own_home: Path, tmp_path: Path
) -> None:
    (tiny_folder / "BBox_List_2017.csv").write_text(BOXES)
    model, options = save_demo_model(own_home), JudgeOptions(resamples=20)
    found = evaluate_model(model, tiny_folder, "official", "test", tmp_path / "a", options).localisation
    text = (tmp_path / "a" / "report.md").read_text().partition("## Where the maps look")[2]
    pointing = found.methods["layercam"].metrics["pointing"].all.value
    assert f"| LayerCAM | {pointing:.3f} | " in text
    assert "| *Wang 2017* |  | *0.486* | *measured on NIH's 984 boxes; these are 1, official-42-" in text
    (tiny_folder / "BBox_List_2017.csv").unlink()
    evaluate_model(model, tiny_folder, "official", "test", tmp_path / "a", options)
    assert "Where the maps look" not in (tmp_path / "a" / "report.md").read_text()
