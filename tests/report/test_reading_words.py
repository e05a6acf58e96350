"""What a model says of one film beyond the worth of each verdict, in words."""

from dataclasses import replace

import numpy as np

from xlite.findings import FINDINGS
from xlite.metrics.thresholds import ValidationPatients
from xlite.reading import Reading
from xlite.report.reading_words import also_above_sentence, map_sentence, thresholds_sentence

PROBABILITIES = np.linspace(0.9, 0.1, len(FINDINGS), dtype=np.float32)
MAPS = np.zeros((14, 7, 7), np.float32)
MAPS[:, 3, 3] = 1
READING = Reading(PROBABILITIES, MAPS, (70, 70), thresholds=dict.fromkeys(FINDINGS, 0.7))


def test_findings_behind_the_three_likeliest_are_named_if_they_reach_their_threshold() -> None:
    assert also_above_sentence(READING) == (
        "Beyond these three, above the model's threshold: Infiltration (71.5%)."
    )
    assert also_above_sentence(replace(READING, thresholds=dict.fromkeys(FINDINGS, 0.8))) is None


def test_missing_thresholds_are_told() -> None:
    assert thresholds_sentence(READING) == ""
    none = "This model has no thresholds yet: read the order of the findings, not their probabilities."
    assert thresholds_sentence(replace(READING, thresholds=None)) == none
    withheld = replace(
        READING,
        thresholds=dict.fromkeys(FINDINGS, 0.7) | {"Hernia": None},
        chosen_on={"Hernia": ValidationPatients(3, 80)},
    )
    assert thresholds_sentence(withheld) == "No threshold: Hernia (3 validation patients)."


def test_a_map_that_shows_no_place_says_why() -> None:
    empty = replace(READING, maps=np.zeros((14, 7, 7), np.float32))
    assert (map_sentence(empty, "Mass") or "").startswith("Not painted: the map of mass ")
    assert map_sentence(READING, "Cardiomegaly") is None
    assert "drew for nodule are below" in (map_sentence(READING, "Nodule") or "")
