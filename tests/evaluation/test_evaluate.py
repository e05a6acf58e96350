"""Models on data folders, anyone's predictions on tables, and what is said of where the films come from."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from noise_folder import write_noise_folder
from xlite.evaluation.doubts import TEACHER

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.predictions import read_predictions, write_predictions
from xlite.data.splits import Split, load_split
from xlite.data.tables import read_list
from xlite.errors import DataError
from xlite.evaluation import contamination
from xlite.evaluation.compare import compare_files
from xlite.evaluation.evaluate import evaluate_model
from xlite.evaluation.score import score_predictions
from xlite.findings import FINDINGS
from xlite.images import Preprocess, read_image
from xlite.metrics.calibration import apply_calibration, fit_calibration
from xlite.metrics.thresholds import choose_thresholds
from xlite.models.checkpoint import ModelInfo, load_model, save_model
from xlite.models.student import Student
from xlite.report.terminal import summary

pytestmark = pytest.mark.usefixtures("no_charts")

TABLE = "Data_Entry_2017_v2020.csv"


def quiet(_: str) -> None:
    """Says nothing."""


@pytest.fixture
def model(tiny_folder: Path, own_home: Path) -> Path:
    """A tiny untrained model of the tiny folder's patient split, with thresholds and calibration."""
    torch.manual_seed(0)
    path = own_home / "checkpoints" / "tiny" / "model.safetensors"
    path.parent.mkdir(parents=True)
    info = ModelInfo(
        backbone="test_resnet",
        attention="none",
        hidden=8,
        dropout=0.0,
        preprocess=Preprocess(32),
        split_id=load_split(NihFolder.open(tiny_folder), "patient").id,
        label_version="2020",
        thresholds={finding: 0.4 + c / 100 for c, finding in enumerate(FINDINGS)},
        calibration={"method": "platt", "scale": [2.0] * 14, "bias": [0.1] * 14},
        notes={"loss": "bce", "sampler": "shuffle"},
    )
    save_model(path, Student("test_resnet", hidden=8), info)
    return path


@pytest.fixture
def common_folder(model: Path, tmp_path: Path) -> Path:
    """300 films, half of them with Effusion and Mass, the others with nothing; the model is of its split."""
    folder = write_noise_folder(tmp_path / "common", patients=150)
    table = folder / TABLE
    table.write_text(re.sub(rf",({'|'.join(FINDINGS)}),", ",Effusion|Mass,", table.read_text()))
    amend(model, split_id=load_split(NihFolder.open(folder), "patient").id)
    return folder


def amend(path: Path, **changes: object) -> None:
    """Changes what the model file says of itself."""
    model, info = load_model(path)
    save_model(path, model, replace(info, **changes))


def judged(model: Path, data: Path, out: Path, split: str = "patient", part: str = "test", **options) -> dict:
    return evaluate_model(model, data, split, part, out, say=quiet, resamples=20, **options)


def doubts(report: dict) -> list[str]:
    """The warnings that are not about how few films there are."""
    return [text for text in report["warnings"] if "positive" not in text and "called" not in text]


def test_a_model_is_judged_on_its_films_by_its_own_thresholds(
    model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    said = []
    out = tmp_path / "out"
    report = evaluate_model(
        "tiny", tiny_folder, "patient", "test", out, batch_size=3, say=said.append, resamples=20
    )
    folder = NihFolder.open(tiny_folder)
    split = load_split(folder, "patient")
    stems = split.stems("test")
    assert said == [
        f"tiny reads {len(split.parts[name])} films: split {split.id}, part {name}"
        for name in ("val", "test")
    ]
    found = read_predictions(out / "predictions.csv")
    assert found.names == split.parts["test"]
    classifier = Classifier.load(model)
    expected = [classifier.predict(read_image(folder.paths[stem])) for stem in stems]
    np.testing.assert_allclose(found.probs, expected, atol=1e-6)
    assert report == json.loads((out / "metrics.json").read_text())
    assert report["split"] == {
        "id": split.id,
        "part": "test",
        "images": len(stems),
        "patients": len(set(folder.patients(stems))),
        "label_version": "2020",
    }
    assert [figures["threshold"] for figures in report["per_class"].values()] == pytest.approx(
        [0.4 + c / 100 for c in range(14)]
    )
    positives = folder.labels(stems).sum(axis=0).tolist()
    assert [figures["positives"] for figures in report["per_class"].values()] == positives
    assert doubts(report) == []


def test_the_parts_a_model_learned_from_are_named(model: Path, tiny_folder: Path, tmp_path: Path) -> None:
    assert doubts(judged(model, tiny_folder, tmp_path, part="train")) == [
        "the model was trained on these films"
    ]
    assert doubts(judged(model, tiny_folder, tmp_path, part="val")) == [
        "the model was chosen and calibrated on these films"
    ]


def test_another_split_counts_the_films_the_model_knows(
    model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    folder = NihFolder.open(tiny_folder)
    own, other = load_split(folder, "image", allow_leakage=True), load_split(folder, "official")
    amend(model, split_id=own.id)
    learned, judged_on = own.stems("train") + own.stems("val"), other.stems("test")
    known = len(set(learned) & set(judged_on))
    affected = np.isin(folder.patients(judged_on), folder.patients(learned)).sum()
    assert 0 < known < affected
    report = judged(model, tiny_folder, tmp_path, split="official")
    assert doubts(report) == [
        f"split {other.id} is not the model's own, {own.id}: {known} of these "
        f"{len(judged_on)} films were in its training or validation part, {affected} are of patients who were"
    ]
    assert report["split"]["id"] == other.id


@pytest.mark.parametrize("split_id", ["mine-1-00000000", "patient-42-00000000", "anything"])
def test_a_model_of_an_unknown_split_says_that_it_is_not_known(
    model: Path, tiny_folder: Path, tmp_path: Path, split_id: str
) -> None:
    amend(model, split_id=split_id)
    (doubt,) = doubts(judged(model, tiny_folder, tmp_path))
    assert f"is not the model's own, {split_id}: this folder does not have that split" in doubt


def test_a_leaky_split_is_judged_with_the_count(model: Path, tiny_folder: Path, tmp_path: Path) -> None:
    folder = NihFolder.open(tiny_folder)
    split = load_split(folder, "image", allow_leakage=True)
    amend(model, split_id=split.id)
    known = set(folder.patients(split.stems("train") + split.stems("val")))
    affected = sum(patient in known for patient in folder.patients(split.stems("test")).tolist())
    total = len(split.stems("test"))
    assert affected
    assert doubts(judged(model, tiny_folder, tmp_path, split="image")) == [
        f"the split shares patients: {affected} of {total} films ({affected / total:.1%}) are of patients "
        "the model was trained on"
    ]


def test_what_training_did_to_the_figures_is_said(model: Path, tiny_folder: Path, tmp_path: Path) -> None:
    notes = {
        "loss": "weighted_bce",
        "sampler": "balanced",
        "contamination": "3 films were in its training list",
    }
    amend(model, notes=notes, calibration=None, label_version="2017")
    assert doubts(judged(model, tiny_folder, tmp_path)) == [
        "the model learned the 2017 labels, these are the 2020 ones",
        "scores are not probabilities: trained with weighted_bce and balanced sampler, not calibrated",
        "teacher contamination: 3 films were in its training list",
    ]
    elsewhere = doubts(judged(model, tiny_folder, tmp_path, part="train"))
    assert elsewhere[-1].endswith(
        f"its training list (counted on the test part of {load_model(model)[1].split_id})"
    )
    for scales, said in (
        ([2.0] * 14, []),
        (
            [1.0] + [2.0] * 12 + [1.0],
            ["scores of Atelectasis, Hernia are not probabilities: trained with focal, not calibrated"],
        ),
        ([1.0] * 14, ["scores are not probabilities: trained with focal, not calibrated"]),
    ):
        platt = {"method": "platt", "scale": scales, "bias": [0.0] * 14}
        amend(model, notes={"loss": "focal"}, calibration=platt, label_version="2020")
        report = judged(model, tiny_folder, tmp_path)
        assert doubts(report) == said
    assert report["calibration"]["in_use"] == "none"  # a map that leaves all as it was


def test_thresholds_and_maps_are_compared_on_the_val_part_of_the_models_own_split(
    model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    folder = NihFolder.open(tiny_folder)
    split = load_split(folder, "patient")
    stems, classifier = split.stems("val"), Classifier.load(model)
    report = judged(model, tiny_folder, tmp_path)
    note = f"the {len(stems)} films of the val part of split {split.id}"
    assert report["validation"] == {"films": len(stems), "note": note}
    assert report["calibration"]["in_use"] == "platt"
    probs = np.array([classifier.predict(read_image(folder.paths[stem])) for stem in stems])
    cuts = choose_thresholds(folder.labels(stems), probs, "youden")
    found = report["operating_points"]["youden"]["per_class"]
    assert [found[name]["threshold"] for name in FINDINGS] == pytest.approx(cuts.tolist(), abs=1e-5)
    raw = np.array([classifier.predict_batch(classifier.tensor(read_image(p)))[0] for p in
                    (folder.paths[stem] for stem in split.stems("test"))])  # fmt: skip
    none = report["calibration"]["maps"]["none"]["macro"]["brier"]["value"]
    labels = folder.labels(split.stems("test"))
    assert none == pytest.approx(np.mean((1 / (1 + np.exp(-raw)) - labels) ** 2), abs=1e-6)
    names, logits = split.parts["val"], np.log(probs / (1 - probs))
    shifted = judged(model, tiny_folder, tmp_path, val_logits=(names, (logits - 0.1) / 2.0 + 0.05))
    assert shifted["operating_points"] != report["operating_points"]
    same = judged(model, tiny_folder, tmp_path, val_logits=(names, (logits - 0.1) / 2.0))
    close = same["operating_points"]["f1"]["per_class"]
    for name, one in report["operating_points"]["f1"]["per_class"].items():
        assert close[name]["threshold"] == pytest.approx(one["threshold"], abs=1e-5)


def test_without_validation_films_nothing_is_chosen_and_the_reason_is_said(
    model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    report = judged(model, tiny_folder, tmp_path, part="val")
    assert (report["operating_points"], report["calibration"]["maps"]) == (None, None)
    assert report["validation"]["note"] == "these are the validation films themselves"
    amend(model, split_id="mine-1-00000000")
    report = judged(model, tiny_folder, tmp_path)
    assert report["validation"]["note"] == "this folder does not have the model's split, mine-1-00000000"
    with pytest.raises(DataError, match="no calibration can be fitted: this folder does not have the model"):
        judged(model, tiny_folder, tmp_path, calibration="isotonic")


def test_missing_validation_films_are_no_reason_not_to_judge(
    model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    split = load_split(NihFolder.open(tiny_folder), "patient")
    first, *others = split.parts["val"]
    (tiny_folder / "images" / first).unlink()
    report = judged(model, tiny_folder, tmp_path)
    note = f"only {len(others)} of the {len(others) + 1} films of the val part of split {split.id} are here"
    assert (report["operating_points"], report["validation"]["note"]) == (None, note)
    assert judged(model, tiny_folder, tmp_path, skip_missing=True)["validation"]["films"] == len(others)


@pytest.mark.parametrize("method", ["none", "temperature", "platt", "isotonic"])
def test_a_chosen_map_is_saved_in_the_model_and_used_by_every_prediction(
    model: Path, common_folder: Path, tmp_path: Path, method: str
) -> None:
    folder = NihFolder.open(common_folder)
    split, before = load_split(folder, "patient"), Classifier.load(model)
    report = judged(model, common_folder, tmp_path, calibration=method)
    after = Classifier.load(model)
    assert report["calibration"]["in_use"] == method
    assert (after.info.calibration or {"method": "none"})["method"] == method
    films = [read_image(folder.paths[stem]) for stem in split.stems("val")]
    logits = np.array([before.predict_batch(before.tensor(film))[0] for film in films])
    labels = folder.labels(split.stems("val"))
    expected = fit_calibration(logits, labels, method)
    film = read_image(folder.paths[split.stems("test")[0]])
    one = before.predict_batch(before.tensor(film))[0]
    np.testing.assert_allclose(after.predict(film), apply_calibration(one, expected), atol=1e-5)
    np.testing.assert_allclose(
        read_predictions(tmp_path / "predictions.csv").probs[0], after.predict(film), atol=1e-6
    )
    cuts = choose_thresholds(labels, apply_calibration(logits, expected))
    np.testing.assert_allclose(list(after.info.thresholds.values()), cuts, atol=1e-5)


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_what_no_map_could_be_fitted_for_is_said(
    model: Path, common_folder: Path, tmp_path: Path, method: str
) -> None:
    amend(model, notes={"loss": "focal"})
    card, said = model.with_name("MODEL_CARD.md"), []
    card.write_text("old")
    folder = NihFolder.open(common_folder)
    labels = folder.labels(load_split(folder, "patient").stems("val"))
    others = [finding for finding in FINDINGS if finding not in ("Effusion", "Mass")]
    report = evaluate_model(
        model, common_folder, "patient", "test", tmp_path, say=said.append, resamples=20, calibration=method
    )
    few = f"fewer than 10 positives or negatives among the {len(labels)} validation films"
    counts = ", ".join(f"{finding} 0" for finding in others)
    assert (
        f"Calibration: {method} map for 2 of 14 findings; the others have {few} (positives: {counts})" in said
    )
    assert (
        f"scores of {', '.join(others)} are not probabilities: trained with focal, not calibrated"
        in doubts(report)
    )
    assert report["calibration"]["without_map"] == others
    text = card.read_text()
    assert "14 probabilities (not exclusive) in NIH order, calibrated for 2 of 14 findings by " in text
    assert f"on validation films; the others as they are: {', '.join(others)} |" in text
    assert (
        "for 2 of 14 findings; the others had too few positives or negatives in validation: Atelectasis, "
        in (tmp_path / "report.md").read_text()
    )


@pytest.mark.parametrize("method", ["platt", "temperature", "isotonic"])
def test_a_map_that_no_finding_has_films_enough_for_is_none(
    model: Path, tiny_folder: Path, tmp_path: Path, method: str
) -> None:
    amend(model, notes={"loss": "focal"})
    card, said = model.with_name("MODEL_CARD.md"), []
    card.write_text("old")
    report = evaluate_model(
        model, tiny_folder, "patient", "test", tmp_path, say=said.append, resamples=20, calibration=method
    )
    folder = NihFolder.open(tiny_folder)
    positives = folder.labels(load_split(folder, "patient").stems("val")).sum(axis=0).astype(int)
    counts = ", ".join(f"{finding} {count}" for finding, count in zip(FINDINGS, positives, strict=True))
    films = report["validation"]["films"]
    assert (
        "Calibration: no map could be fitted: every finding has fewer than 10 positives or negatives among "
        f"the {films} validation films (positives: {counts})"
    ) in said
    assert said[-1] == f"{model} now holds the calibration 'none' and its thresholds, from {films} films"
    assert load_model(model)[1].calibration is None
    assert doubts(report) == ["scores are not probabilities: trained with focal, not calibrated"]
    assert "14 scores 0-1 (not exclusive) in NIH order, not calibrated" in card.read_text()


def test_a_map_is_saved_only_when_all_that_was_given_could_be_read(
    model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    header = "Image Index,Pneumothorax,Nodule or mass,Airspace opacity,Fracture\n"
    (tmp_path / "read.csv").write_text(header + "00000999_000.png,NO,NO,NO,NO\n")
    before = model.read_bytes()
    with pytest.raises(DataError, match="radiologists read none of these films"):
        judged(model, tiny_folder, tmp_path / "o", calibration="isotonic", radiologists=tmp_path / "read.csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="the report cannot be written"):
        judged(model, tiny_folder, tmp_path / "file", calibration="isotonic")
    assert model.read_bytes() == before


def test_the_card_follows_the_map(model: Path, common_folder: Path, tmp_path: Path) -> None:
    card = model.with_name("MODEL_CARD.md")
    judged(model, common_folder, tmp_path / "a", calibration="temperature")
    assert not card.exists()
    card.write_text("old")
    said: list[str] = []
    evaluate_model(
        model,
        common_folder,
        "patient",
        "train",
        tmp_path / "b",
        say=said.append,
        resamples=20,
        calibration="platt",
    )
    own = Classifier.load(model).info.split_id
    assert card.read_text() == "old"
    assert said[-1].endswith(f"still has the figures of the old one: judge the test part of {own}")
    report = judged(model, common_folder, tmp_path / "c", calibration="none")
    assert "in NIH order, not calibrated" in card.read_text()
    assert f"| **mean of {report['macro_findings']['auc']}** |" in card.read_text()
    judged(model, common_folder, tmp_path / "d", calibration="isotonic")
    assert "calibrated for 2 of 14 findings by isotonic regression per finding on valid" in card.read_text()
    judged(model, common_folder, tmp_path / "e", calibration="temperature")
    assert "NIH order, calibrated by one temperature on validation films |" in card.read_text()


def test_what_spoils_a_test_is_counted(model: Path, tiny_folder: Path, tmp_path: Path) -> None:
    films = len(load_split(NihFolder.open(tiny_folder), "patient").stems("train"))
    assert judged(model, tiny_folder, tmp_path)["contamination"] is None
    assert judged(model, tiny_folder, tmp_path, part="train")["contamination"] == {
        "films": films, "of": films, "reasons": ["the model was trained on these films"], "clean": None,
    }  # fmt: skip
    said = "a teacher was trained on 2 of the 4 test films of split x, and on patients of 3 of them"
    amend(model, notes={"contamination": said})
    found = judged(model, tiny_folder, tmp_path)["contamination"]
    assert found == {
        "films": 3, "of": 4, "reasons": [f"teacher contamination: {said}"], "clean": None,
    }  # fmt: skip
    amend(model, notes={"contamination": "a teacher may have seen them"})
    assert judged(model, tiny_folder, tmp_path)["contamination"] is None


def test_own_validation_films_are_known_whichever_split_names_them(
    model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    own = tiny_folder / "splits" / "patient"
    load_split(NihFolder.open(tiny_folder), "patient")
    found = [judged(model, tiny_folder, tmp_path, part="val")["contamination"]]
    shutil.copytree(own, own.with_name("swapped"))
    for name, other in (("val", "test"), ("test", "val")):
        shutil.copy(own / f"{name}.csv", own.with_name("swapped") / f"{other}.csv")
    found.append(judged(model, tiny_folder, tmp_path, split="swapped")["contamination"])
    count = len(load_split(NihFolder.open(tiny_folder), "patient").parts["val"])
    assert [(one["films"], one["of"], one["clean"]) for one in found] == [(count, count, None)] * 2


def test_what_teachers_know_is_counted_on_the_films_at_hand(
    model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    folder = NihFolder.open(tiny_folder)
    own, other = load_split(folder, "patient"), load_split(folder, "official")
    listed = own.stems("train")[:1] + own.stems("test")[:3] + other.stems("test")[:2]
    path = tmp_path / "seen.txt"
    path.write_text("\n".join(listed) + "\n")
    sources = [{"split": own.id}, contamination.count({"list": "seen.txt"}, folder, own, path)]
    amend(model, split_id=other.id, notes={"teacher": "t", "teacher_knows": sources})

    def said(split: Split, part: str, **options: Path) -> list[str]:
        """What the report says of teachers, in parts."""
        warnings = judged(model, tiny_folder, tmp_path / "out", split=split.name, part=part, **options)[
            "warnings"
        ]
        texts = [text for text in warnings if text.startswith(TEACHER)]
        return texts[0].removeprefix(TEACHER).split("; ") if texts else []

    def counted(split: Split, part: str) -> str:
        stems = split.stems(part)
        patients = np.isin(folder.patients(stems), folder.patients(listed)).sum()
        return (
            f"a teacher was trained on {len({*stems} & {*listed})} of the {len(stems)} {part} films of split "
            f"{split.id}, and knows the patients of {patients} of them"
        )

    absent = "a teacher was trained on the films of seen.txt, which is not here"
    assert said(own, "test") == [counted(own, "test")]  # as noted when it was trained
    train = said(own, "train")
    assert len(train) == 2 and train[1].startswith(absent)
    assert said(own, "train", teacher_list=path) == [train[0], counted(own, "train")]
    known = len({*other.stems("test")} - {*own.stems("test")})
    for options in ({"teacher_list": path}, {}):
        first, second = said(other, "test", **options)
        assert f"({known} counting validation), and knows the patients of {known} of them" in first
        assert second == counted(other, "test")
        shutil.copy(path, tiny_folder / "seen.txt")  # where it is found from now on
    path.write_text("\n".join(listed[:1]) + "\n")
    shutil.copy(path, tiny_folder / "seen.txt")
    assert said(other, "test")[1].startswith(absent)  # for that is another list


def test_a_list_that_is_noted_takes_no_other_ones_place(
    model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    folder = NihFolder.open(tiny_folder)
    split = load_split(folder, "patient")
    first, second = (tmp_path / name for name in ("first.txt", "second.txt"))
    test = split.stems("test")
    first.write_text(test[0] + "\n")
    second.write_text("\n".join(test[-2:]) + "\n")
    sources = [contamination.count({"list": path.name}, folder, split, path) for path in (first, second)]
    amend(model, notes={"teacher": "t", "teacher_knows": sources})
    noted = judged(model, tiny_folder, tmp_path / "out")
    assert noted["contamination"]["clean"] is None
    assert "it cannot be told which those are; xlite evaluate … --teacher-list FILE, " in summary(noted)
    given = judged(model, tiny_folder, tmp_path / "out", teacher_list=second)
    assert given["contamination"]["reasons"] == noted["contamination"]["reasons"]


def test_a_list_for_a_model_without_teacher_is_refused(
    model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(
        DataError, match="tiny had no teacher, so there is nothing that .*list.txt could list"
    ):
        judged(model, tiny_folder, tmp_path, teacher_list=tmp_path / "list.txt")
    amend(model, notes={"teacher": "t"})
    with pytest.raises(DataError, match="list.txt"):
        judged(model, tiny_folder, tmp_path, teacher_list=tmp_path / "list.txt")


@pytest.mark.slow
def test_the_public_weights_have_seen_most_of_the_official_test_films(shared_data: Path) -> None:
    folder = NihFolder.open(shared_data / "nih_tables")
    stems = read_list(folder.root / "test_list.txt")
    source = {"list": "chexnet_train_list.txt"}
    [doubt] = contamination.doubts([source], folder, stems, "official-42-1", "test")
    assert doubt.text == (
        "a teacher was trained on 17,920 of the 25,596 test films of split official-42-1 (20,383 counting "
        "validation), and knows the patients of 20,383 of them"
    )


def test_missing_films_are_refused_or_left_out_and_counted(
    model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    names = load_split(NihFolder.open(tiny_folder), "patient").parts["test"]
    (tiny_folder / "images" / names[0]).unlink()
    with pytest.raises(DataError, match=f"1 of the {len(names)} films of the test part is missing"):
        judged(model, tiny_folder, tmp_path)
    report = judged(model, tiny_folder, tmp_path, skip_missing=True)
    assert doubts(report) == [f"1 of {len(names)} films is missing and left out"]
    assert read_predictions(tmp_path / "predictions.csv").names == names[1:]


def test_an_unknown_part_is_one_sentence(model: Path, tiny_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'tset' is no part of a split"):
        judged(model, tiny_folder, tmp_path, part="tset")


@pytest.fixture
def predictions(tiny_folder: Path, tmp_path: Path) -> Path:
    """Predictions for all 24 films but the first, last film first."""
    names = NihFolder.open(tiny_folder).table["image"].tolist()[:0:-1]
    probs = np.random.default_rng(0).random((23, 14))
    write_predictions(tmp_path / "p.csv", names, probs)
    return tmp_path / "p.csv"


def score(predictions: Path, table: Path, **options) -> dict:
    return score_predictions(
        predictions, table, predictions.parent / "out", say=quiet, resamples=20, **options
    )


def test_predictions_are_scored_by_the_table_and_passed_on(predictions: Path, tiny_folder: Path) -> None:
    report = score(predictions, tiny_folder / TABLE)
    folder, given = NihFolder.open(tiny_folder), read_predictions(predictions)
    assert report["split"]["id"].startswith("table:2020:")
    assert {**report["split"], "id": ""} == {
        "id": "",
        "part": "all",
        "images": 23,
        "patients": 12,
        "label_version": "2020",
    }
    positives = folder.labels(given.stems).sum(axis=0).tolist()
    assert [figures["positives"] for figures in report["per_class"].values()] == positives
    y, p = folder.labels(given.stems)[:, 5], given.probs[:, 5]
    wins = [(a > b) + (a == b) / 2 for a in p[y == 1] for b in p[y == 0]]
    assert report["per_class"]["Nodule"]["auc"]["value"] == pytest.approx(np.mean(wins))
    passed_on = read_predictions(predictions.parent / "out" / "predictions.csv")
    assert passed_on.names == given.names
    np.testing.assert_allclose(passed_on.probs, given.probs, rtol=1e-8)
    assert doubts(report) == ["no thresholds given; 0.5 used for every finding"]
    assert score(predictions, tiny_folder) == report  # the folder that holds the table will do


def test_the_id_of_a_scored_set_follows_its_films(predictions: Path, tiny_folder: Path) -> None:
    first = score(predictions, tiny_folder)["split"]["id"]
    lines = predictions.read_text().splitlines()
    predictions.write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    assert score(predictions, tiny_folder)["split"]["id"] == first
    predictions.write_text("\n".join(lines[:-1]) + "\n")
    assert score(predictions, tiny_folder)["split"]["id"] != first


def test_given_thresholds_are_used(predictions: Path, tiny_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps(dict.fromkeys(FINDINGS, 0.25)))
    report = score(predictions, tiny_folder, thresholds=path)
    assert {figures["threshold"] for figures in report["per_class"].values()} == {0.25}
    assert doubts(report) == []


def test_films_that_the_table_lacks_are_refused_or_left_out(predictions: Path, tiny_folder: Path) -> None:
    known = score(predictions, tiny_folder)
    half = ",".join(["0.5"] * 14)
    lines = predictions.read_text().splitlines()
    predictions.write_text("\n".join([lines[0], f"cat.png,{half}", *lines[1:], f"dog.png,{half}"]))
    with pytest.raises(DataError, match="lacks 2 of the 25 films of .*p.csv, cat first"):
        score(predictions, tiny_folder)
    report = score(predictions, tiny_folder, ignore_unknown=True)
    assert doubts(report)[0] == "2 films that the table lacks are left out"
    assert (report["split"], report["per_class"]) == (known["split"], known["per_class"])
    predictions.write_text(f"{lines[0]}\ncat.png,{half}\n")
    with pytest.raises(DataError, match="none of the 1 film of .*p.csv is in"):
        score(predictions, tiny_folder, ignore_unknown=True)


def test_two_files_are_compared_on_the_films_both_have(
    predictions: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    folder, given = NihFolder.open(tiny_folder), read_predictions(predictions)
    names, labels = folder.table["image"].tolist(), folder.labels(folder.table["stem"].tolist())
    write_predictions(tmp_path / "perfect.csv", names, labels)
    found = compare_files(tmp_path / "perfect.csv", predictions, tiny_folder / TABLE, resamples=50)
    assert (found["first"], found["images"], found["patients"]) == (1, 23, 12)
    assert found["second"] == pytest.approx(score(predictions, tiny_folder)["macro"]["auc"]["value"])
    assert found["difference"]["value"] == pytest.approx(1 - found["second"])
    assert found["p"] == pytest.approx(2 / 51)
    write_predictions(tmp_path / "others.csv", names[:1], labels[:1])
    with pytest.raises(DataError, match="share no film"):
        compare_files(tmp_path / "others.csv", predictions, tiny_folder)
    assert len(given.names) == 23


def test_a_damaged_table_is_one_sentence(predictions: Path, tmp_path: Path) -> None:
    shutil.copy(predictions, tmp_path / "table.csv")
    with pytest.raises(DataError, match="lacks the column 'Image Index'"):
        score(predictions, tmp_path / "table.csv")


def test_scoring_a_file_needs_no_torch() -> None:
    code = "import sys, xlite.evaluation.score; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
