"""The localisation report and its command, on noise films with boxes."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from demo_home import save_demo_model

from xlite.classify import Classifier
from xlite.cli import run
from xlite.data.folder import NihFolder
from xlite.evaluation.evaluate import evaluate_model
from xlite.evaluation.localisation_report import map_warnings, published
from xlite.evaluation.localise import localise_model
from xlite.explain import METHODS as CLOSED_FORM
from xlite.explain import map_fault
from xlite.findings import FINDINGS
from xlite.images import read_image
from xlite.metrics.localisation import FIGURES, in_frame, judge

BOXES = """Image Index,Finding Label,Bbox [x,y,w,h],,,
00000001_000.png,Cardiomegaly,0,0,700,700,,,
00000002_000.png,Effusion,300,300,400,500,,,
00000003_000.png,Infiltrate,512,0,512,512,,,
00000004_000.png,Mass,10,10,40,40,,,
00000099_000.png,Mass,10,10,40,40,,,
"""
METHODS = ("layercam", "gradcam", "eigencam")


@pytest.fixture
def boxed(tiny_folder: Path) -> Path:
    (tiny_folder / "BBox_List_2017.csv").write_text(BOXES)
    return tiny_folder


@pytest.fixture
def model(own_home: Path) -> Path:
    return save_demo_model(own_home)


def test_a_report_holds_the_figures_of_every_box(boxed, model, tmp_path):
    out = tmp_path / "out"
    done = []
    report = localise_model(
        model, boxed, "official", "all", out, methods=METHODS, checks=2, resamples=50,
        progress=lambda *counts: done.append(counts),
    )  # fmt: skip
    assert json.loads((out / "localisation.json").read_text()) == report
    assert done == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert list(report["methods"]) == [*METHODS, "random", "centre"]
    assert report["split"] == {
        "id": "all films of the folder",
        "part": "all",
        "films": 4,
        "patients": 4,
        "boxes": 4,
        "boxes_without_film": 1,
        "label_version": "2020",
    }
    assert (report["grid"], report["cell"]) == ([2, 2], 0.25)
    assert report["findings"]["Mass"] == {"boxes": 1, "few": True, "smaller_than_a_cell": 1}
    # LayerCAM once more, by the classifier that pages use
    classifier, folder = Classifier.load(model), NihFolder.open(boxed)
    values, faults = [], []
    for box in folder.boxes().head(4).itertuples():
        image = read_image(folder.paths[box.stem])
        truth = in_frame((box.x, box.y, box.w, box.h), image.shape)
        values.append(judge(classifier.explain(image, box.finding, "layercam"), truth))
        faults.append(map_fault(classifier.read(image).maps[FINDINGS.index(box.finding)]))
    layercam = report["methods"]["layercam"]
    for name in FIGURES:
        assert layercam[name]["all"]["value"] == pytest.approx(np.mean([one[name] for one in values]))
    assert layercam["faults"] == {fault: faults.count(fault) for fault in ("empty", "flat", "outside")}
    assert layercam["checks"]["boxes"] == 2
    assert {"deletion", "insertion", "head", "half", "all"} < set(layercam["checks"])
    assert "head" not in report["methods"]["random"]["checks"]
    gap = layercam["pointing_above_random"]["all"]["value"]
    chance = report["methods"]["random"]["pointing"]["all"]["value"]
    assert gap == pytest.approx(layercam["pointing"]["all"]["value"] - chance)
    sheet = cv2.imread(str(out / "maps.png"))
    assert sheet.shape[0] > 500 and sheet.shape[1] > 500
    warnings = " ".join(report["warnings"])
    assert "only 4 of 5 boxes" in warnings and "Mass: 1 of 1 box is smaller than one cell" in warnings
    assert "all films of the folder is not the model's own, " in warnings and "under 10 boxes" in warnings


def test_the_same_seed_gives_the_same_report(boxed, model, tmp_path):
    reports = [
        localise_model(model, boxed, "official", "test", tmp_path / name, methods=METHODS[:1], checks=1)
        for name in "ab"
    ]
    assert reports[0] == reports[1]
    assert reports[0]["split"]["id"].startswith("official-42-") and reports[0]["split"]["boxes"] == 1
    assert reports[0]["methods"]["layercam"]["pointing"]["all"]["low"] is None  # one patient


def test_published_figures_stand_beside_the_same_boxes_only():
    assert {row["not_comparable"] for row in published(984, "official-42-f26cf2e5", "test")} == {None}
    for case in ((27, "official-42-f26cf2e5", "test"), (984, "patient-42-0", "test")):
        assert all("measured on NIH's 984 boxes" in row["not_comparable"] for row in published(*case))
    wang = published(984, "official-42-f26cf2e5", "test")[0]
    assert wang["iobb_0.25"] == {"mean": 0.486, "per_finding": {"Cardiomegaly": 0.979, "Nodule": 0.051}}


def test_a_map_that_does_not_change_is_reported():
    def method(low: float, **kept: float) -> dict:
        gap = {"all": {"value": 0.3, "low": low, "high": 0.5}}
        checks = {stage: {"value": value} for stage, value in kept.items()}
        return {"checks": checks, "pointing_above_random": gap, "pointing_above_centre": gap}

    report = {
        "split": {"boxes": 30, "boxes_without_film": 0},
        "methods": {"gradcam": method(0.1, head=0.1, all=0.2), "eigencam": method(-0.1, head=1.0, all=0.6)},
        "findings": {"Mass": {"boxes": 30, "few": False, "smaller_than_a_cell": 3}},
        "cell": 0.02,
    }
    assert map_warnings(report) == [
        "eigencam hardly changes (rank correlation 1.00) when the classifier forgets what it learned: "
        "it shows where films have structure as much as findings",
        "eigencam hardly changes (rank correlation 0.60) when the whole model forgets what it learned: "
        "it is no map of the model",
        "eigencam does not point into more boxes than a random map, beyond chance",
        "eigencam does not point into more boxes than a map of the picture's centre, beyond chance",
    ]


def test_the_command_prints_the_figures(boxed, model, tmp_path, capsys):
    line = ["localise", str(model), "--data", str(boxed), "--part", "all", "--out", str(tmp_path / "out")]
    assert run([*line, "--checks", "1", "--method", "layercam"]) == 0
    text = capsys.readouterr().out
    assert "4 boxes   pointing" in text and "rank kept: head" in text and "centre" in text
    assert text.endswith(f"Report: {tmp_path / 'out'}\n")
    assert run([*line, "--checks", "0", "--method", "gradcam", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report["methods"]) == ["gradcam", "random", "centre"]
    assert report["methods"]["gradcam"]["checks"] is None


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--method", "cam"], "'cam' is none of layercam, gradcam, gradcam++, hirescam, eigencam"),
        (["--boxes", "gone.csv"], "there is no file gone.csv"),
        (["--part", "most"], "'most' is no part of a split"),
        (["--part", "val"], "none of the 5 boxes is on a film of this part"),
    ],
)
def test_bad_input_is_a_sentence(more, sentence, boxed, model, tmp_path, capsys):
    (boxed / "splits").mkdir()
    for part in ("train", "val", "test"):
        place = boxed / "splits" / "own"
        place.mkdir(exist_ok=True)
        name = {"train": "00000001_000.png", "val": "00000005_000.png", "test": "00000006_000.png"}[part]
        (place / f"{part}.csv").write_text(f"image\n{name}\n")
    line = ["localise", str(model), "--data", str(boxed), "--split", "own", "--out", str(tmp_path / "o")]
    assert run([*line, *more]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), sentence in err) == ("", 1, True), err
    assert not (tmp_path / "o").exists()


def test_a_folder_without_boxes_is_a_sentence(tiny_folder, model, tmp_path, capsys):
    assert run(["localise", str(model), "--data", str(tiny_folder), "--out", str(tmp_path / "o")]) == 2
    assert "has no boxes; give a table as BBox_List_2017.csv with --boxes" in capsys.readouterr().err


def test_an_evaluation_has_the_chapter_where_the_folder_has_boxes(boxed, model, tmp_path):
    report = evaluate_model(
        model, boxed, "official", "test", tmp_path / "a", say=lambda _: None, resamples=20
    )
    alone = localise_model(
        model, boxed, "official", "test", tmp_path / "b", methods=CLOSED_FORM, checks=0, resamples=20
    )
    found = report["localisation"]
    doubts = len(alone["warnings"]) - len(found["warnings"])
    assert doubts == 1 and alone["warnings"][0].endswith("is not known")
    assert found == {**alone, "warnings": alone["warnings"][1:]}
    text = (tmp_path / "a" / "report.md").read_text().partition("## Where the maps look")[2]
    pointing = found["methods"]["layercam"]["pointing"]["all"]["value"]
    assert f"| layercam | {pointing:.3f} | " in text
    assert "| *Wang 2017* |  | *0.486* | *measured on NIH's 984 boxes; these are 1, official-42-" in text
    (boxed / "BBox_List_2017.csv").unlink()
    report = evaluate_model(
        model, boxed, "official", "test", tmp_path / "a", say=lambda _: None, resamples=20
    )
    assert report["localisation"] is None
    assert "Where the maps look" not in (tmp_path / "a" / "report.md").read_text()
