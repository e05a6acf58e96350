"""A model adapted to another hospital's films: which fit it, which judge it, and what it then says."""

from pathlib import Path

import numpy as np
import pytest
from judged import amend, save_tiny_model, write_common_folder

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split
from xlite.data.splits import make_split
from xlite.errors import CheckpointError, DataError
from xlite.evaluation.adaptation.adapt import AdaptedModel, adapt_model
from xlite.evaluation.contamination.caveats import AdaptedOn
from xlite.evaluation.evaluate import judge_model
from xlite.evaluation.options import AdaptOptions, JudgeOptions
from xlite.findings import FINDINGS
from xlite.metrics.calibration import Isotonic, Platt, apply_calibrator
from xlite.metrics.estimate import Estimate
from xlite.models.adapted import film_marks
from xlite.models.checkpoint import save_model
from xlite.models.info import read_info

TWO = ("Effusion", "Mass")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from noise_folder import write_noise_folder

    home = tmp_path_factory.mktemp("home")
    path = save_tiny_model(home, write_noise_folder(home / "own"))
    return path


@pytest.fixture(scope="module")
def elsewhere(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 films of 150 patients that the model does not know, half of them with Effusion and Mass."""
    folder = write_common_folder(tmp_path_factory.mktemp("data") / "elsewhere", model)
    amend(model, split_id="patient-42-00000000")
    return folder


@pytest.fixture(scope="module")
def adapted(model: Path, elsewhere: Path) -> AdaptedModel:
    return adapt_model(model, elsewhere, AdaptOptions(films=100, draws=3, resamples=50))


@pytest.mark.slow
def test_whole_patients_fit_it_and_all_others_judge_it(adapted: AdaptedModel) -> None:
    report = adapted.report
    assert (report.films, report.patients) == (100, 50)
    assert (report.judged, report.judged_patients, report.known) == (200, 100, 0)
    assert report.findings == TWO
    assert report.per_class["Effusion"].rung == report.per_class["Mass"].rung == "line"
    assert [one.rung for name, one in report.per_class.items() if name not in TWO] == ["intercept"] * 12
    effusion = report.per_class["Effusion"]
    assert (effusion.with_it, effusion.films, effusion.positives) == (50, 200, 100)


def test_a_model_that_says_nothing_is_calibrated_to_the_prevalence(adapted: AdaptedModel) -> None:
    """Noise films: what it gives before is far from one half, what it gives after is near."""
    ece, brier = adapted.report.ece, adapted.report.brier
    assert ece.before.value is not None and ece.after.value is not None
    assert ece.after.value < 0.1 < ece.before.value
    assert ece.difference == Estimate(pytest.approx(ece.after.value - ece.before.value))  # 100 patients
    assert ece.before.low is None is ece.after.low
    assert brier.difference.high is not None and brier.difference.high < 0


def test_the_learning_curve_begins_with_the_model_as_it_is(adapted: AdaptedModel) -> None:
    curve = adapted.report.curve
    assert [point.films for point in curve] == [0, 25, 50, 100]
    first, last = curve[0], curve[-1]
    assert (first.thresholds, first.changed) == (0, 0)
    assert (last.thresholds, curve[1].thresholds) == (2, 2)
    assert last.ece < first.ece and first.ece_low <= first.ece <= first.ece_high


def test_a_threshold_that_local_films_cannot_choose_calls_the_same_films(
    adapted: AdaptedModel, model: Path
) -> None:
    """No local patient has the other twelve: they are drawn down, and their thresholds with them."""
    was, now = read_info(model), adapted.classifier.info
    assert isinstance(was.calibration, Platt) and isinstance(now.calibration, Platt)
    assert was.thresholds is not None and now.thresholds is not None
    logits = np.random.default_rng(0).normal(size=(500, 14))
    before, after = (apply_calibrator(logits, info.calibration) for info in (was, now))
    for c, finding in enumerate(FINDINGS):
        if finding in TWO:
            continue
        cuts = was.thresholds[finding], now.thresholds[finding]
        assert now.calibration.bias[c] < was.calibration.bias[c]
        if cuts[0] is not None and cuts[1] is not None:
            assert ((before[:, c] >= cuts[0]) == (after[:, c] >= cuts[1])).all()
        assert adapted.report.per_class[finding].changed in (0, None)
    assert now.thresholds_chosen_on is not None and now.thresholds_chosen_on["Mass"].positive == 50
    assert now.split_id == was.split_id


def test_it_says_to_which_films_and_gives_no_name_away(adapted: AdaptedModel, elsewhere: Path) -> None:
    notes = adapted.classifier.info.notes.adapted_to
    assert notes is not None
    assert (notes.data, notes.films, notes.patients, notes.findings) == ("elsewhere", 100, 50, TWO)
    folder = NihFolder.open(elsewhere)
    every = set(film_marks(folder.fingerprint(), folder.table["stem"]))
    assert len(set(notes.film_marks)) == 100 and set(notes.film_marks) < every
    assert not every & set(folder.table["stem"])


@pytest.mark.slow
def test_films_that_fitted_it_are_told_when_it_is_judged(
    adapted: AdaptedModel, elsewhere: Path, tmp_path: Path
) -> None:
    path = tmp_path / "adapted" / "model.safetensors"
    path.parent.mkdir()
    save_model(path, adapted.classifier.model, adapted.classifier.info)
    assert read_info(path) == adapted.classifier.info
    report = judge_model(path, elsewhere, "patient", "test", JudgeOptions(resamples=20)).report
    folder = NihFolder.open(elsewhere)
    stems = load_split(folder, "patient").stems("test")
    marks = film_marks(folder.fingerprint(), stems)
    notes = adapted.classifier.info.notes.adapted_to
    assert notes is not None
    known = {stem for stem, mark in zip(stems, marks, strict=True) if mark in notes.film_marks}
    [caveat] = [one for one in report.caveats if isinstance(one, AdaptedOn)]
    assert 0 < len(known) < len(stems)
    assert (caveat.known, caveat.films, caveat.stems, caveat.data) == (
        len(known),
        len(stems),
        known,
        "elsewhere",
    )


@pytest.mark.slow
def test_films_of_patients_that_the_model_knows_are_in_neither(
    model: Path, elsewhere: Path, tmp_path: Path
) -> None:
    classifier = Classifier.load(model)
    folder = NihFolder.open(elsewhere)
    own = tmp_path / "own" / "model.safetensors"
    own.parent.mkdir()
    split = make_split(folder, "patient")
    load_split(folder, "patient")
    save_model(own, classifier.model, classifier.info.model_copy(update={"split_id": split.id}))
    report = adapt_model(own, elsewhere, AdaptOptions(films=20, draws=2, resamples=20)).report
    learned = len(split.stems("train") + split.stems("val"))
    assert (report.known, report.films + report.judged) == (learned, 300 - learned)
    with pytest.raises(
        DataError, match=r"has 4\d films besides 2\d\d films of patients that the model knows"
    ):
        adapt_model(own, elsewhere, AdaptOptions(films=30))


def test_too_few_films_are_refused(model: Path, elsewhere: Path) -> None:
    with pytest.raises(DataError, match="has 300 films: to adapt to 151 it takes 302 at least"):
        adapt_model(model, elsewhere, AdaptOptions(films=151))


@pytest.mark.slow
def test_isotonic_steps_are_refused(model: Path, elsewhere: Path, tmp_path: Path) -> None:
    classifier = Classifier.load(model)
    steps = Isotonic(logits=((0.0, 1.0),) * 14, probabilities=((0.1, 0.9),) * 14)
    path = tmp_path / "steps" / "model.safetensors"
    path.parent.mkdir()
    save_model(path, classifier.model, classifier.info.model_copy(update={"calibration": steps}))
    with pytest.raises(CheckpointError, match="isotonic"):
        adapt_model(path, elsewhere, AdaptOptions(films=50, draws=2))


@pytest.mark.slow
def test_another_seed_draws_other_films(model: Path, elsewhere: Path, adapted: AdaptedModel) -> None:
    again = adapt_model(model, elsewhere, AdaptOptions(films=100, draws=3, resamples=50))
    assert again.report == adapted.report
    other = adapt_model(model, elsewhere, AdaptOptions(films=100, draws=2, resamples=20, seed=1))
    notes, others = adapted.classifier.info.notes.adapted_to, other.classifier.info.notes.adapted_to
    assert notes is not None and others is not None and set(notes.film_marks) != set(others.film_marks)
    assert np.isfinite([one.ece for one in other.report.curve]).all()
