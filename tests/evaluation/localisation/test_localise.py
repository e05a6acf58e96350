"""A model's maps judged by boxes, on noise films."""

from pathlib import Path

import numpy as np
import pytest
from demo_home import save_demo_model
from judged import BOXES

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.errors import CheckpointError, DataError
from xlite.evaluation.contamination.caveats import BoxesWithoutFilm, FewBoxes, OtherSplit, SmallBoxes
from xlite.evaluation.evaluate import judge_model
from xlite.evaluation.localisation.localisation_report import STAGES, BoxCounts, LocalisationJudged
from xlite.evaluation.localisation.localise import MapJudgement, judge_maps
from xlite.evaluation.options import JudgeOptions, MapOptions
from xlite.explain import CLOSED_FORM, map_fault, upsample_map
from xlite.findings import FINDINGS
from xlite.images import read_image
from xlite.metrics.estimate import Estimate
from xlite.metrics.localisation import BOX_METRICS, in_frame, judge_map
from xlite.report.sections.localisation import map_notes

METHODS = ("layercam", "gradcam", "eigencam")


@pytest.fixture
def boxed(tiny_folder: Path) -> Path:
    (tiny_folder / "BBox_List_2017.csv").write_text(BOXES)
    return tiny_folder


@pytest.fixture
def model(own_home: Path) -> Path:
    return save_demo_model(own_home)


def judged(model: str | Path, data: Path, part: str = "test", progress=None, **options) -> MapJudgement:
    return judge_maps(model, data, "official", part, MapOptions(**options), progress)


@pytest.mark.slow
def test_a_report_holds_the_metrics_of_every_box(boxed: Path, model: Path) -> None:
    done = []
    found = judged(
        model, boxed, "all", lambda *counts: done.append(counts), methods=METHODS, checks=2, resamples=50
    )
    report = found.report
    assert done == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert list(report.methods) == [*METHODS, "random", "centre"]
    assert report.split == LocalisationJudged(
        id="all films of the folder",
        part="all",
        films=4,
        patients=4,
        boxes=4,
        boxes_without_film=1,
        label_version="2020",
        targets=4,
    )
    assert (report.grid, report.cell) == ((2, 2), 0.25)
    assert report.findings["Mass"] == BoxCounts(
        boxes=1, few=True, smaller_than_a_cell=1, targets=1, patients=1
    )
    # LayerCAM once more, by the classifier that pages use
    classifier, folder = Classifier.load(model), NihFolder.open(boxed)
    values, faults = [], []
    for box in folder.boxes().head(4).itertuples():
        image = read_image(folder.paths[box.stem])
        truth = in_frame((box.x, box.y, box.w, box.h), image.shape)
        values.append(judge_map(classifier.explain(image, box.finding, "layercam"), truth))
        faults.append(map_fault(classifier.read(image).maps[FINDINGS.index(box.finding)]))
    layercam = report.methods["layercam"]
    for name in BOX_METRICS:
        assert layercam.metrics[name].all.value == pytest.approx(np.mean([one[name] for one in values]))
    assert layercam.faults == {fault: faults.count(fault) for fault in ("empty", "flat", "outside")}
    assert (layercam.checks.boxes, layercam.checks.targets) == (2, 2)
    assert {"deletion", "insertion", "head", "half", "all"} < set(layercam.checks.metrics)
    assert "head" not in report.methods["random"].checks.metrics
    gap = layercam.metrics["pointing_above_random"].all.value
    chance = report.methods["random"].metrics["pointing"].all.value
    assert gap == pytest.approx(layercam.metrics["pointing"].all.value - chance)
    assert [[tile.method for tile in row] for row in found.tiles] == [list(report.methods)] * 4
    assert {row[0].finding for row in found.tiles} == {"Cardiomegaly", "Effusion", "Infiltration", "Mass"}
    first, *others = report.caveats
    assert isinstance(first, OtherSplit) and first.whole_folder
    assert first.split_id == "all films of the folder"
    assert BoxesWithoutFilm(boxes=4, given=5) in others
    assert SmallBoxes(finding="Mass", boxes=1, small=1, cell=0.25) in others
    assert others[-1] == FewBoxes(findings=("Cardiomegaly", "Effusion", "Infiltration", "Mass"))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_report(boxed: Path, model: Path) -> None:
    reports = [judged(model, boxed, methods=METHODS[:1], checks=1).report for _ in range(2)]
    assert reports[0] == reports[1]
    assert reports[0].split.id.startswith("official-42-") and reports[0].split.boxes == 1
    assert reports[0].methods["layercam"].metrics["pointing"].all.low is None  # one patient


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"boxes": "gone.csv"}, "gone.csv"),
        ({"part": "most"}, "'most' is not a part of a split"),
        ({"part": "val"}, "none of the 5 boxes"),
    ],
)
def test_what_cannot_be_judged_is_refused(boxed: Path, model: Path, options: dict, said: str) -> None:
    place = boxed / "splits" / "own"
    place.mkdir(parents=True)
    for part, number in (("train", 1), ("val", 5), ("test", 6)):
        (place / f"{part}.csv").write_text(f"image\n{number:08d}_000.png\n")
    part = options.pop("part", "test")
    with pytest.raises(DataError, match=said):
        judge_maps(model, boxed, "own", part, MapOptions(**options))


def test_a_folder_without_boxes_is_refused(tiny_folder: Path, model: Path) -> None:
    with pytest.raises(DataError, match="has no boxes.* --boxes"):
        judged(model, tiny_folder)


@pytest.mark.slow
def test_an_evaluation_judges_the_maps_if_the_folder_has_boxes(boxed: Path, model: Path) -> None:
    options = JudgeOptions(resamples=20)
    found = judge_model(model, boxed, "official", "test", options).report.localisation
    alone = judged(model, boxed, methods=CLOSED_FORM, checks=0, resamples=20).report
    first, *others = alone.caveats
    assert isinstance(first, OtherSplit) and first.learned is None
    assert found == alone.model_copy(update={"caveats": tuple(others)})
    (boxed / "BBox_List_2017.csv").unlink()
    assert judge_model(model, boxed, "official", "test", options).report.localisation is None


@pytest.mark.slow
def test_several_boxes_of_a_finding_on_one_film_are_one_target(boxed: Path, model: Path) -> None:
    more = "00000002_000.png,Effusion,0,0,200,200,,,\n00000002_000.jpg,Effusion,800,800,200,200,,,\n"
    with (boxed / "BBox_List_2017.csv").open("a") as table:
        table.write(more)
    found = judged(model, boxed, "all", methods=("layercam",), checks=9, resamples=20)
    report = found.report
    assert (report.split.boxes, report.split.targets, report.split.films) == (6, 4, 4)
    assert report.findings["Effusion"] == BoxCounts(
        boxes=3, few=True, smaller_than_a_cell=3, targets=1, patients=1
    )
    layercam = report.methods["layercam"]
    assert (layercam.checks.boxes, layercam.checks.targets) == (6, 4)
    [effusion] = [row for row in found.tiles if row[0].finding == "Effusion"]
    tile = effusion[0]
    assert tile.boxes.shape == (3, 4)
    values = judge_map(upsample_map(tile.coarse, tile.image.shape), tile.boxes)
    assert {name: layercam.metrics[name].per_finding["Effusion"] for name in BOX_METRICS} == {
        name: Estimate(value) for name, value in values.items()
    }
    assert sum(layercam.faults.values()) <= 4


@pytest.mark.slow
def test_an_export_is_judged_as_its_model_is(boxed: Path, exported: tuple[Path, Path]) -> None:
    """With the maps that it has; what needs weights is left out and said."""
    model, export = exported
    own = judged(model, boxed, "all", methods=CLOSED_FORM, checks=2, resamples=20).report
    report = judged(export, boxed, "all", checks=2, resamples=20).report
    assert list(report.methods) == [*CLOSED_FORM, "random", "centre"]
    for name in CLOSED_FORM:
        mine, theirs = report.methods[name], own.methods[name]
        assert mine.faults == theirs.faults
        for metric in BOX_METRICS:
            assert mine.metrics[metric].all.value == pytest.approx(theirs.metrics[metric].all.value, abs=1e-3)
        for curve in ("deletion", "insertion"):
            values = (one.checks.metrics[curve].value for one in (mine, theirs))
            assert next(values) == pytest.approx(next(values), abs=1e-4)
        assert set(STAGES) < set(theirs.checks.metrics) and not set(STAGES) & set(mine.checks.metrics)
    unchecked = "what the maps owe to training is not checked"
    assert [unchecked in " ".join(map_notes(one)) for one in (report, own)] == [True, False]
    with pytest.raises(
        CheckpointError, match="is an export, which has .* the maps layercam, gradcam; for more"
    ):
        judged(export, boxed, "all", methods=["eigencam"])


def test_an_ensemble_is_judged_by_the_mean_of_its_maps(
    boxed: Path, exported: tuple[Path, Path], tmp_path: Path
) -> None:
    twin = tmp_path / "twin.onnx"
    twin.write_bytes(exported[1].read_bytes())
    both, alone = (
        judged(spec, boxed, "all", checks=0, resamples=20).report
        for spec in (f"{exported[1]},{twin}", exported[1])
    )
    assert both.methods == alone.methods  # the mean of the same maps twice


@pytest.mark.slow
def test_an_evaluation_of_an_export_judges_its_maps(boxed: Path, exported: tuple[Path, Path]) -> None:
    model, export = (
        judge_model(one, boxed, "official", "test", JudgeOptions(resamples=20)).report.localisation
        for one in exported
    )
    assert export is not None and export.methods.keys() == model.methods.keys()
    assert export.methods["layercam"].checks is None
