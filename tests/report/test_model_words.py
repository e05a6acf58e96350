"""What a model file says of its probabilities and thresholds, in short."""

from tiny_models import TINY, tiny_info, untrained

from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.metrics.calibration import Platt, Temperature
from xlite.metrics.thresholds import ValidationPatients
from xlite.models.info import ModelNotes, Pooled
from xlite.report.model_words import behind, calibrating_films, calibration_words, thresholds_words

MODEL = untrained(TINY)
INFO = tiny_info(MODEL, Preprocess(64))
PLATT = Platt(scale=(2.0,) * 3 + (1.0,) * 11, bias=(0.1,) * 3 + (0.0,) * 11)


def test_the_calibrator_and_for_how_many_findings_it_was_fitted() -> None:
    assert calibration_words(INFO) == "not calibrated"
    one = INFO.model_copy(update={"calibration": Temperature(temperature=2.0)})
    assert calibration_words(one) == "calibrated by one temperature"
    some = INFO.model_copy(update={"calibration": PLATT})
    assert calibration_words(some) == "calibrated by Platt scaling per finding for 3 findings of 14"


def test_which_films_fitted_the_calibrator() -> None:
    assert calibrating_films(INFO) == "validation films"
    pooled = INFO.noting(pooled=Pooled(films=2016, patients=1653, runs=5))
    assert calibrating_films(pooled) == (
        "validation films and 2,016 films of 1,653 patients that 5 runs left out of training"
    )


def test_where_the_thresholds_come_from_and_which_are_withheld() -> None:
    assert thresholds_words(INFO).startswith("none: the model has none yet")
    cuts: dict[str, float | None] = dict.fromkeys(FINDINGS, 0.5)
    own = "the model's own, chosen on validation films of split patient-42-0."
    assert thresholds_words(INFO.model_copy(update={"thresholds": cuts})) == own
    few = {
        "thresholds": cuts | {"Hernia": None},
        "thresholds_chosen_on": {"Hernia": ValidationPatients(3, 80)},
    }
    assert (
        thresholds_words(INFO.model_copy(update=few))
        == f"{own} No threshold: Hernia (3 validation patients)."
    )


def test_what_is_behind_its_teachers_and_its_starting_weights() -> None:
    assert behind(ModelNotes(start_knows=())) == {}
    of_val = {"films": 435, "trained": 300, "with_val": 353, "patients": 400}
    of_test = {"films": 432, "trained": 0, "with_val": 0, "patients": 0}
    seen = {"val": of_val, "test": of_test}
    notes = ModelNotes(
        teacher_knows=(
            {"list": "known.txt", "counted_on": "unseen-42-0", "seen": seen},
            {"predictions": "a.csv"},
        ),
        start_knows=({"split": "patient-42-0", "phantoms": True, "start": True},),
    )
    assert behind(notes) == {
        "Behind its teachers, 1": "the films of a list, known.txt: 353 of 435 validation films, 0 of 432 "
        "test films",
        "Behind its teachers, 2": "films that are not noted, behind a.csv",
        "Behind its starting weights": "drawn films, split patient-42-0",
    }
    said = ModelNotes(teacher_knows=({"said": "a teacher has seen CheXpert"},), start_knows=())
    assert behind(said) == {"Behind its teachers": "a teacher has seen CheXpert"}
    lost = of_val | {"known": False}
    gone = ModelNotes(teacher_knows=({"split": "patient-42-1", "seen": {"val": lost}},), start_knows=())
    assert behind(gone) == {"Behind its teachers": "films, split patient-42-1"}
