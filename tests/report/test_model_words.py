"""What a model file says of its probabilities and thresholds, in short."""

from tiny_models import TINY, tiny_info, untrained

from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.metrics.calibration import Platt, Temperature
from xlite.metrics.thresholds import ValidationPatients
from xlite.models.info import Pooled
from xlite.report.model_words import calibrating_films, calibration_words, thresholds_words

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
