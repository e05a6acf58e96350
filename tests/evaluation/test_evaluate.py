"""Models on data folders: which films are judged by what, and what validation films decide."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from judged import amend, save_tiny_model, write_common_folder

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split
from xlite.errors import CheckpointError, DataError
from xlite.evaluation.contamination.caveats import FlatFilms, MissingFilms, NotProbabilities
from xlite.evaluation.evaluate import judge_model
from xlite.evaluation.full_report import Judgement
from xlite.evaluation.options import JudgeOptions
from xlite.evaluation.report import Judged, Report
from xlite.evaluation.validation_report import Validation
from xlite.findings import FINDINGS
from xlite.images import read_image
from xlite.metrics.calibration import apply_calibrator, fit_calibrator
from xlite.metrics.thresholds import Thresholds

pytestmark = pytest.mark.slow


@pytest.fixture
def model(tiny_folder: Path, own_home: Path) -> Path:
    return save_tiny_model(own_home, tiny_folder)


@pytest.fixture
def common_folder(model: Path, tmp_path: Path) -> Path:
    return write_common_folder(tmp_path / "common", model)


def judge(model: Path | str, data: Path, split: str = "patient", part: str = "test", **options) -> Judgement:
    return judge_model(model, data, split, part, JudgeOptions(resamples=20, **options))


def judged(*given, **options) -> Report:
    return judge(*given, **options).report


def test_a_model_is_judged_on_its_films_by_its_own_thresholds(
    model: Path, tiny_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "xlite")
    found = judge("tiny", tiny_folder, batch_size=3)
    report, folder = found.report, NihFolder.open(tiny_folder)
    split = load_split(folder, "patient")
    stems = split.stems("test")
    assert caplog.messages == [
        f"tiny reads {len(split.parts[name])} films: split {split.id}, part {name}"
        for name in ("val", "test")
    ]
    assert found.films.names == split.parts["test"]
    classifier = Classifier.load(model)
    expected = [classifier.predict(read_image(folder.paths[stem])) for stem in stems]
    np.testing.assert_allclose(found.films.probs, expected, atol=1e-6)
    assert found.classifier.info == classifier.info
    assert (found.resamples.resamples, found.resamples.seed) == (20, 0)
    patients = len(set(folder.patients(stems)))
    assert (report.model, report.split) == (
        "tiny",
        Judged(id=split.id, part="test", images=len(stems), patients=patients, label_version="2020"),
    )
    thresholds = [one.threshold for one in report.per_class.values()]
    assert thresholds == pytest.approx([0.4 + c / 100 for c in range(14)])
    positives = folder.labels(stems).sum(axis=0).tolist()
    assert [one.positives for one in report.per_class.values()] == positives
    assert {caveat.kind for caveat in report.caveats} <= {"never_positive", "never_called", "few_positives"}
    assert report.contamination is None


def test_the_seed_draws_other_patients(model: Path, common_folder: Path) -> None:
    first, second = (judged(model, common_folder, seed=seed) for seed in (0, 1))
    assert (first.bootstrap.seed, second.bootstrap.seed) == (0, 1)
    one, two = (found.per_class["Effusion"].estimate("brier") for found in (first, second))
    assert one.low != two.low and one.value == two.value


def test_thresholds_and_calibrators_are_compared_on_the_val_part_of_the_models_own_split(
    model: Path, common_folder: Path
) -> None:
    folder = NihFolder.open(common_folder)
    split = load_split(folder, "patient")
    stems, classifier = split.stems("val"), Classifier.load(model)
    report = judged(model, common_folder)
    assert report.validation == Validation(films=len(stems), split_id=split.id)
    assert report.calibration.in_use == "platt"
    probs = np.array([classifier.predict(read_image(folder.paths[stem])) for stem in stems])
    cuts = Thresholds.choose(folder.labels(stems), probs, folder.patients(stems), "youden").by_finding()
    found = report.operating_points["youden"].per_class
    assert {name: found[name].threshold for name in FINDINGS} == pytest.approx(cuts, abs=1e-5)
    films = [read_image(folder.paths[stem]) for stem in split.stems("test")]
    raw = np.array([classifier.logits(classifier.input(film))[0] for film in films])
    none = report.calibration.calibrators["none"].macro["brier"].value
    labels = folder.labels(split.stems("test"))
    assert none == pytest.approx(np.mean((1 / (1 + np.exp(-raw)) - labels) ** 2), abs=1e-6)
    names, logits = split.parts["val"], np.log(probs / (1 - probs))
    shifted = judged(model, common_folder, val_logits=(names, (logits - 0.1) / 2.0 + 0.05))
    assert shifted.operating_points != report.operating_points
    same = judged(model, common_folder, val_logits=(names, (logits - 0.1) / 2.0))
    close = same.operating_points["f1"].per_class
    for name, one in report.operating_points["f1"].per_class.items():
        assert close[name].threshold == pytest.approx(one.threshold, abs=1e-5)


def test_without_validation_films_nothing_is_chosen_and_the_reason_is_said(
    model: Path, tiny_folder: Path
) -> None:
    report = judged(model, tiny_folder, part="val")
    assert (report.operating_points, report.calibration.calibrators) == (None, None)
    assert (report.validation.films, report.validation.absent) == (0, "same_films")
    amend(model, split_id="mine-1-00000000")
    validation = judged(model, tiny_folder).validation
    assert validation == Validation(absent="no_split", split_id="mine-1-00000000")
    with pytest.raises(DataError, match="no calibrator can be fitted .* mine-1-00000000"):
        judged(model, tiny_folder, calibration="isotonic")


def test_missing_validation_films_are_no_reason_not_to_judge(model: Path, tiny_folder: Path) -> None:
    split = load_split(NihFolder.open(tiny_folder), "patient")
    first, *others = split.parts["val"]
    (tiny_folder / "images" / first).unlink()
    report = judged(model, tiny_folder)
    here, expected = len(others), len(others) + 1
    assert report.operating_points is None
    assert report.validation == Validation(absent="not_here", split_id=split.id, here=here, expected=expected)
    assert judged(model, tiny_folder, skip_missing=True).validation.films == len(others)


@pytest.mark.parametrize("method", ["none", "temperature", "platt", "isotonic"])
def test_a_chosen_calibrator_is_fitted_first_and_used(model: Path, common_folder: Path, method: str) -> None:
    folder, before, content = NihFolder.open(common_folder), Classifier.load(model), model.read_bytes()
    split = load_split(folder, "patient")
    found = judge(model, common_folder, calibration=method)
    after = found.classifier
    assert found.report.calibration.in_use == method
    assert (after.info.calibration.method if after.info.calibration else "none") == method
    films = [read_image(folder.paths[stem]) for stem in split.stems("val")]
    logits = np.array([before.logits(before.input(film))[0] for film in films])
    labels = folder.labels(split.stems("val"))
    expected = fit_calibrator(logits, labels, folder.patients(split.stems("val")), method)
    film = read_image(folder.paths[split.stems("test")[0]])
    one = before.logits(before.input(film))[0]
    np.testing.assert_allclose(after.predict(film), apply_calibrator(one, expected), atol=1e-5)
    np.testing.assert_allclose(found.films.probs[0], after.predict(film), atol=1e-6)
    patients = folder.patients(split.stems("val"))
    cuts = Thresholds.choose(labels, apply_calibrator(logits, expected), patients).cuts
    found_cuts = np.array(list(after.info.thresholds.values()), np.float64)
    np.testing.assert_allclose(found_cuts, cuts, atol=1e-5)
    assert [
        point.threshold for point in found.report.operating_points["f1"].per_class.values()
    ] == pytest.approx(list(Thresholds(cuts).by_finding().values()), abs=1e-5)
    assert model.read_bytes() == content  # who writes the report saves it, last


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_findings_that_no_calibrator_could_be_fitted_for_are_named(
    model: Path, common_folder: Path, method: str
) -> None:
    amend(model, notes={"loss": "focal"})
    others = tuple(finding for finding in FINDINGS if finding not in ("Effusion", "Mass"))
    report = judged(model, common_folder, calibration=method)
    assert NotProbabilities(causes=("focal",), findings=others) in report.caveats
    assert report.calibration.without_calibrator == others


@pytest.mark.parametrize("method", ["platt", "temperature", "isotonic"])
def test_a_calibrator_that_no_finding_has_films_enough_for_is_none(
    model: Path, tiny_folder: Path, method: str
) -> None:
    amend(model, notes={"loss": "focal"})
    found = judge(model, tiny_folder, calibration=method)
    folder = NihFolder.open(tiny_folder)
    validation = folder.labels(load_split(folder, "patient").stems("val"))
    np.testing.assert_array_equal(found.validation.labels, validation)
    assert found.classifier.info.calibration is None
    assert found.report.calibration.in_use == "none"
    assert NotProbabilities(causes=("focal",), findings=FINDINGS) in found.report.caveats


def test_missing_films_are_refused_or_left_out_and_counted(model: Path, tiny_folder: Path) -> None:
    names = load_split(NihFolder.open(tiny_folder), "patient").parts["test"]
    (tiny_folder / "images" / names[0]).unlink()
    with pytest.raises(DataError, match=f"1 of the {len(names)} films of the test part is missing"):
        judged(model, tiny_folder)
    found = judge(model, tiny_folder, skip_missing=True)
    assert found.report.caveats[0] == MissingFilms(missing=1, films=len(names))
    assert found.films.names == names[1:]


def test_films_without_contrast_are_counted_once_and_judged_like_any_other(
    model: Path, tiny_folder: Path
) -> None:
    split = load_split(NihFolder.open(tiny_folder), "patient")
    for part in ("train", "val"):  # of which no report tells
        cv2.imwrite(str(tiny_folder / "images" / split.parts[part][0]), np.zeros((64, 64), np.uint8))
    assert not any(isinstance(caveat, FlatFilms) for caveat in judged(model, tiny_folder).caveats)
    names = split.parts["test"]
    cv2.imwrite(str(tiny_folder / "images" / names[1]), np.full((64, 64), 200, np.uint8))
    found = judge(model, tiny_folder)
    flat = [caveat for caveat in found.report.caveats if isinstance(caveat, FlatFilms)]
    assert flat == [FlatFilms(flat=1, films=len(names))]
    assert found.films.names == names and np.isfinite(found.films.probs).all()


def test_a_list_for_a_model_without_teacher_is_refused(
    model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="tiny had no teacher.*list.txt"):
        judged(model, tiny_folder, teacher_list=tmp_path / "list.txt")
    amend(model, notes={"teacher": "t"})
    with pytest.raises(DataError, match="list.txt"):
        judged(model, tiny_folder, teacher_list=tmp_path / "list.txt")


def test_an_unknown_part_is_one_sentence(model: Path, tiny_folder: Path) -> None:
    with pytest.raises(DataError, match="'tset' is not a part of a split"):
        judged(model, tiny_folder, part="tset")


def test_an_export_is_judged_as_its_model(
    exported: tuple[Path, Path], tiny_folder: Path, own_home: Path
) -> None:
    source, file = exported
    save_tiny_model(own_home, tiny_folder)  # and the folder gets its split
    one, other = judge(source, tiny_folder), judge(file, tiny_folder)
    np.testing.assert_allclose(one.films.logits, other.films.logits, atol=1e-5)
    assert other.report.split == one.report.split
    assert other.report.macro.auc == one.report.macro.auc
    with pytest.raises(CheckpointError, match="has no weights of its own: calibrate what its export was"):
        judge(file, tiny_folder, calibration="platt")
