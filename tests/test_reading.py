"""What a reading says of its worth: facts and rows, from the model file to the table."""

import numpy as np
import pytest
from verdicts import PATIENTS, record

from xlite.findings import FINDINGS
from xlite.metrics.thresholds import ValidationPatients
from xlite.metrics.worth import Worth
from xlite.reading import Reading, worth_rows

MAPS = np.zeros((14, 2, 2), np.float32)
PROBABILITIES = np.linspace(0.125, 0.75, 14, dtype=np.float32)
THRESHOLDS = dict.fromkeys(FINDINGS, 0.5) | {"Hernia": None}
RECORDS = {finding: record() for finding in FINDINGS} | {
    "Hernia": record(sensitivity=None, specificity=None, patients=ValidationPatients(3, 90))
}


@pytest.fixture
def reading() -> Reading:
    """A reading of a model whose Hernia has no threshold, and Mass no calibrator."""
    chosen_on = dict.fromkeys(FINDINGS, PATIENTS)
    return Reading(PROBABILITIES, MAPS, (9, 9), "layercam", THRESHOLDS, chosen_on, RECORDS, ["Mass"])


def test_a_reading_knows_what_each_verdict_is_worth(reading: Reading) -> None:
    assert reading.worth("Mass") == Worth(
        "Mass", float(PROBABILITIES[4]), 0.5, patients=PATIENTS, record=RECORDS["Mass"], calibrated=False
    )
    assert reading.worth("Pleural Thickening").finding == "Pleural_Thickening"
    few = ValidationPatients(3, 90)
    assert reading.worth("Hernia") == Worth(
        "Hernia", 0.75, None, withheld=True, patients=few, record=RECORDS["Hernia"], calibrated=True
    )
    assert [one.finding for one in reading.worths()] == list(FINDINGS[::-1])  # likeliest first


def test_a_reading_of_an_old_model_file_knows_less() -> None:
    bare = Reading(PROBABILITIES, MAPS, (9, 9))
    assert bare.worth("Effusion") == Worth("Effusion", float(PROBABILITIES[2]), None)
    old = Reading(PROBABILITIES, MAPS, (9, 9), thresholds=THRESHOLDS, uncalibrated=())
    assert old.worth("Effusion") == Worth("Effusion", float(PROBABILITIES[2]), 0.5, calibrated=True)


def test_a_guard_that_fired_voids_every_zone() -> None:
    reading = Reading(PROBABILITIES, MAPS, (9, 9), thresholds=THRESHOLDS, records=RECORDS, void=True)
    assert {one.zone for one in reading.worths()} == {"void"}
    assert {row["zone"] for row in worth_rows("a.png", reading)} == {"void"}


def test_a_finding_of_an_ensemble_knows_its_own_disagreement() -> None:
    apart = np.linspace(0, 0.25, 14, dtype=np.float32)
    reading = Reading(PROBABILITIES, MAPS, (9, 9), disagreement=apart)
    assert [one["disagreement"] for one in worth_rows("a.png", reading)] == apart.tolist()
    assert reading.worth("Mass").disagreement == float(apart[4])
    bare = reading.without_maps()
    assert bare.maps.shape == (14, 0, 0) and bare.worths() == reading.worths()


def test_the_rows_of_a_film_say_the_same(reading: Reading) -> None:
    rows = worth_rows("a.png", reading)
    assert rows == [{"image": "a.png"} | reading.worth(finding).row() for finding in FINDINGS]
    assert [row["finding"] for row in rows] == list(FINDINGS)
    assert rows[4]["remarks"] == "rules_nothing_out;not_calibrated"
    assert (rows[13]["threshold"], rows[13]["side"], rows[13]["remarks"]) == (None, None, "no_threshold")
