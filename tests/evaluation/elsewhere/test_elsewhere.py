"""A model on films of another folder beside the evaluation on its own test part."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from demo_home import drawn_report, save_demo_evaluation, save_demo_model
from judged import amend
from noise_folder import write_noise_folder
from unknown_labels import hide_labels

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split
from xlite.errors import DataError
from xlite.evaluation import likeness
from xlite.evaluation.contamination.caveats import TrainedOn
from xlite.evaluation.elsewhere import elsewhere
from xlite.evaluation.elsewhere.appearance import Appearance
from xlite.evaluation.elsewhere.elsewhere import beside_own_test
from xlite.evaluation.elsewhere.elsewhere_report import (
    AppearanceShift,
    Distances,
    Elsewhere,
    FindingElsewhere,
    Guarded,
    Shift,
    Side,
)
from xlite.evaluation.elsewhere.input_shift import Inputs, input_shift
from xlite.evaluation.evaluate import judge_model
from xlite.evaluation.films import read_labels
from xlite.evaluation.options import JudgeOptions
from xlite.evaluation.report import Report
from xlite.findings import FINDINGS
from xlite.guards.likeness import SPARE, fit
from xlite.images import read_image
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate, independent_difference
from xlite.metrics.finding_estimates import PatientCounts, fixed_mean_of
from xlite.metrics.per_finding import auc_per_class
from xlite.report.elsewhere_sentences import elsewhere_sentences
from xlite.report.metrics_json import report_json

pytestmark = pytest.mark.slow

LOOKED_AT = Inputs(
    Guarded(films=1, verdicts={"pass": 1, "caution": 0, "offer": 0, "refuse": 0}, reasons={}),
    None,
    Appearance({"grain": np.array([1.0, 2.0, 6.0])}, np.array(["1", "2", "3"])),
)


@pytest.fixture
def model(own_home: Path) -> Path:
    """One that was judged on 200 films of 100 patients of its own split, all thresholds 0.5."""
    path = save_demo_model(own_home)
    save_demo_evaluation(own_home)
    return path


@pytest.fixture
def own(model: Path) -> Report:
    return Report.model_validate_json((model.parent / "evaluation" / "test" / "metrics.json").read_bytes())


def beside(model: Path, report_and_films: tuple, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    """Of drawn films, at which nobody looks."""
    monkeypatch.setattr(elsewhere, "input_shift", lambda *given: LOOKED_AT)
    report, films = report_and_films
    found = beside_own_test(Classifier.load(model), NihFolder.open(folder), films, report)
    assert found is not None
    return found


def side(report: Report, films: int = 200, patients: int = 100, **changes: object) -> Side:
    split = report.split
    return Side(
        split_id=split.id, part=split.part, films=films, patients=patients,
        label_version=split.label_version, bootstrap=report.bootstrap,
    ).model_copy(update=changes)  # fmt: skip


def shift(here: Estimate, there: Estimate) -> Shift:
    return Shift(here=here, there=there, difference=independent_difference(there, here))


def test_each_metric_stands_beside_that_of_the_models_own_test_films(
    model: Path, own: Report, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = drawn_report(split_id="all-1-99999999", seed=1, signal=0.1)
    report = there[0]
    found = beside(model, there, tiny_folder, monkeypatch)
    assert (found.here, found.there) == (side(own), side(report))
    assert (found.only_here, found.only_there, found.same_names) == ((), (), 200)
    assert tuple(found.per_class) == FINDINGS
    here_mass, there_mass = own.per_class["Mass"], report.per_class["Mass"]
    assert found.per_class["Mass"] == FindingElsewhere(
        films=(200, 200),
        positives=(here_mass.positives, there_mass.positives),
        prevalence=(here_mass.prevalence, there_mass.prevalence),
        threshold=0.5,
        auc=shift(here_mass.auc, there_mass.auc),
        ece=shift(here_mass.estimate("ece"), there_mass.estimate("ece")),
        perfect_ece=(here_mass.perfect_ece, there_mass.perfect_ece),
        intercept=shift(here_mass.calibration_intercept, there_mass.calibration_intercept),
        slope=shift(here_mass.calibration_slope, there_mass.calibration_slope),
        sensitivity=shift(here_mass.estimate("recall"), there_mass.estimate("recall")),
        specificity=shift(here_mass.estimate("specificity"), there_mass.estimate("specificity")),
    )
    assert found.mean_findings == own.macro_fixed["auc"].findings == FINDINGS[:13]
    assert found.mean_auc == shift(own.macro_fixed["auc"].estimate, report.macro_fixed["auc"].estimate)
    change = found.mean_auc.difference
    assert change.high is not None and change.high < 0  # it was drawn with less signal
    assert found.mix["view"] == {"AP": (100, 100), "PA": (100, 100)}
    assert list(found.mix["age"]) == ["under 18", "18 to 60", "over 60"]
    assert found.mix["age"]["over 60"] == tuple(
        one.subgroups["age"].groups["over 60"].images for one in (own, report)
    )
    assert (found.guards, found.distances) == LOOKED_AT[:2]
    assert found.appearance == {"grain": AppearanceShift(there=2)}


def test_the_mean_is_of_findings_that_both_can_bear_taken_anew_from_the_films(
    model: Path, own: Report, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, films = drawn_report(split_id="all-1-99999999", seed=1)
    some = FINDINGS[2:5]
    fixed = {**report.macro_fixed, "auc": replace(report.macro_fixed["auc"], findings=some)}
    there = report.model_copy(update={"macro_fixed": fixed})
    found = beside(model, (there, films), tiny_folder, monkeypatch)
    table = read_labels(model.parent / "evaluation" / "test" / "labels.csv")
    labels = np.where(np.isin(FINDINGS, some), table[list(FINDINGS)], np.nan)
    probs = drawn_report(name="demo0")[1].probs
    drawn = Resamples(table["patient"].to_numpy(), 50, 0)
    counts = PatientCounts.per_finding(labels, labels > 0, drawn.owner)
    wanted = fixed_mean_of("auc", auc_per_class(labels, probs), drawn.auc(labels, probs), counts)
    assert (found.mean_findings, wanted.findings) == (some, some)
    assert found.mean_auc.here == wanted.estimate and wanted.estimate.low is not None
    (model.parent / "evaluation" / "test" / "labels.csv").unlink()  # as of a model that is shipped
    bare = beside(model, (there, films), tiny_folder, monkeypatch).mean_auc
    assert bare.here == Estimate(pytest.approx(wanted.estimate.value))
    assert bare.difference == Estimate(pytest.approx(found.mean_auc.difference.value))


def test_films_that_the_model_knows_are_left_out_there(
    model: Path, own: Report, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = frozenset(f"{number:08d}_000" for number in range(40))
    report, films = drawn_report(caveats=[TrainedOn(films=200, known=40, stems=known)], seed=1)
    found = beside(model, (report, films), tiny_folder, monkeypatch)
    assert found.there == side(report, 160, 80, left_out=40)
    assert found.same_names == 160
    assert report.contamination is not None and report.contamination.clean is not None
    clean = report.contamination.clean.per_class["Mass"]
    assert found.per_class["Mass"].auc == shift(own.per_class["Mass"].auc, clean.auc)
    untold = report.contamination.model_copy(update={"clean": None})
    report = report.model_copy(update={"contamination": untold})
    found = beside(model, (report, films), tiny_folder, monkeypatch)
    assert found.there == side(report, contaminated=True)


@pytest.mark.parametrize("change", ["threshold", "calibrator", "split", "part", "damaged", "none", "name"])
def test_without_an_evaluation_of_the_model_as_it_is_nothing_is_compared(
    model: Path, tiny_folder: Path, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = model.parent / "evaluation" / "test" / "metrics.json"
    content = json.loads(path.read_text())
    match change:
        case "threshold":
            content["per_class"]["Mass"]["threshold"] = 0.4
        case "calibrator":
            content["calibration"]["in_use"] = "platt"
        case "split":
            content["split"]["id"] = "patient-42-99999999"
        case "part":
            content["split"]["part"] = "val"
        case "damaged":
            del content["split"]
    path.write_text(json.dumps(content))
    if change == "none":
        path.unlink()
    if change == "name":
        model = model.rename(model.with_name("other.safetensors"))
    report, films = drawn_report()
    folder = NihFolder.open(tiny_folder)
    assert beside_own_test(Classifier.load(model), folder, films, report) is None
    said = {
        "threshold": "is of other thresholds",
        "calibrator": "another calibrator",
        "damaged": "is damaged",
    }
    warned = " ".join(record.message for record in caplog.records if record.levelno >= logging.WARNING)
    assert (said[change] in warned) if change in said else not warned


def test_a_folder_with_the_models_own_split_is_not_elsewhere(model: Path, tiny_folder: Path) -> None:
    split = load_split(NihFolder.open(tiny_folder), "patient")
    amend(model, split_id=split.id)
    report = judge_model(model, tiny_folder, "patient", "test", JudgeOptions(resamples=20)).report
    assert report.elsewhere is None
    assert "elsewhere" not in report_json(report)


def test_the_films_here_are_looked_at_if_they_are_at_hand(
    model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    own_folder = NihFolder.open(write_noise_folder(tmp_path / "own", patients=8))
    split = load_split(own_folder, "patient")
    amend(model, split_id=split.id)
    save_demo_evaluation(model.parents[2], split_id=split.id)
    options = JudgeOptions(resamples=20, own_data=own_folder.root)
    found = judge_model(model, tiny_folder, "patient", "test", options).report.elsewhere
    assert found is not None and found.guards_here is not None
    assert (found.guards_here.films, found.distances_here) == (len(split.stems("test")), None)
    assert list(found.appearance) == ["grey", "contrast", "grain"]
    for name, values in input_shift(Classifier.load(model), own_folder, split.stems("test"))[
        2
    ].values.items():
        assert found.appearance[name].here == np.median(values)
        assert found.appearance[name].more.value is not None
    for film in (own_folder.root / "images").iterdir():
        film.unlink()
    with pytest.raises(DataError, match=f"has no films of the test part of {split.id}, the model's own"):
        judge_model(model, tiny_folder, "patient", "test", options)
    with pytest.raises(DataError, match=f"own has {split.id}, the model's own split: its films are"):
        judge_model(model, own_folder.root, "patient", "test", options)


def test_all_films_of_a_folder_are_judged_at_once(model: Path, tiny_folder: Path) -> None:
    """Under an id that says which table they are of; those without a file are none of them."""
    (tiny_folder / "images" / "00000001_000.png").unlink()
    report = judge_model(model, tiny_folder, "patient", "all", JudgeOptions(resamples=20)).report
    split = f"all-{NihFolder.open(tiny_folder).fingerprint()}"
    assert (report.split.id, report.split.part, report.split.images) == (split, "all", 23)
    assert report.elsewhere is not None and report.elsewhere.there.films == 23
    assert report.split.data == report.elsewhere.there.data == tiny_folder.name
    for film in (tiny_folder / "images").iterdir():
        film.unlink()
    with pytest.raises(DataError, match="has no film that its table lists"):
        judge_model(model, tiny_folder, "patient", "all", JudgeOptions())


def test_films_of_another_folder_are_looked_at_and_findings_it_does_not_label_named(
    model: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noise films, which are not chest films; 3 of the part, spread over it, are looked at."""
    monkeypatch.setattr(likeness, "FILMS", 3)
    folder = NihFolder.open(tiny_folder)
    stems = folder.table["stem"].tolist()
    hide_labels(tiny_folder, dict.fromkeys(stems, ("Hernia", "Edema")))
    films = [read_image(folder.paths[stem]) for stem in stems]
    classifier = Classifier.load(model)
    features = np.concatenate([classifier.output(classifier.input(film), None).features for film in films])
    made = fit(np.tile(features, (9, 1)), np.tile(features, (5, 1)), 0.5)
    amend(model, likeness=made)
    report = judge_model(model, tiny_folder, "patient", "test", JudgeOptions(resamples=20)).report
    found = report.elsewhere
    assert found is not None
    assert (found.only_here, found.only_there) == (("Edema", "Hernia"), ())
    tested = load_split(NihFolder.open(tiny_folder), "patient").stems("test")
    assert len(tested) > 3
    rows = [0, (len(tested) - 1) // 2, len(tested) - 1]
    distances = made.distance(features[[stems.index(tested[row]) for row in rows]])
    assert found.guards == Guarded(
        films=3,
        verdicts={"pass": 0, "caution": 0, "offer": 0, "refuse": 3},
        reasons={"not_chest": 3},
    )
    assert found.distances is not None
    assert found.distances.median == pytest.approx(float(np.median(distances)), rel=1e-4)
    assert found.distances == Distances(
        films=3,
        patients=len({tested[row][:8] for row in rows}),
        median=found.distances.median,
        limit=made.limit,
        beyond=int((distances > made.limit).sum()),
        usual=made.limit / SPARE,
        quantile=0.5,
        usual_films=120,
        unusual=int((distances > made.limit / SPARE).sum()),
    )
    written = report_json(report)
    assert written["elsewhere"]["sentences"] == elsewhere_sentences(found)
    assert Report.model_validate(json.loads(json.dumps(written))).elsewhere == found
