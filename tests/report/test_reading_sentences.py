"""What a model says of one film beyond the worth of each verdict, in words."""

from dataclasses import replace

import numpy as np

from xlite.findings import FINDINGS
from xlite.metrics.estimate import Estimate
from xlite.metrics.thresholds import ValidationPatients
from xlite.metrics.triage import NotSureZone
from xlite.metrics.validation_record import ValidationRecord
from xlite.reading import Reading
from xlite.report.reading_sentences import (
    also_above_sentence,
    bars_alt,
    bars_sentences,
    bars_uncalibrated,
    bars_zones,
    map_sentence,
    thresholds_sentence,
)

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


OWN = "Coloured: at or above the model's own threshold (amber tick), chosen on validation films."
BARE = "None of the 14 is calibrated: they are scores that rank films."


def certified(low: float | None, high: float | None) -> ValidationRecord:
    """A record whose zone has these cut-offs."""
    return ValidationRecord(
        patients=ValidationPatients(80, 400),
        positive_films=80,
        negative_films=400,
        sensitivity=Estimate(0.9, 0.8, 0.95),
        specificity=Estimate(0.6, 0.5, 0.7),
        zone=NotSureZone(low=low, high=high),
        ranks_with=tuple(np.linspace(0.1, 0.9, 81).tolist()),
        ranks_without=tuple(np.linspace(0.0, 0.5, 101).tolist()),
    )


def test_the_zones_of_the_bars_are_those_that_hold() -> None:
    records = {"Mass": certified(0.1, 0.6), "Nodule": certified(None, 0.7), "Edema": certified(0.2, None)}
    known = replace(READING, records=records | {"Hernia": certified(None, None)})
    assert bars_zones(known) == {"Mass": (0.1, 0.6), "Nodule": (0.0, 0.7), "Edema": (0.2, 1.0)}
    assert bars_zones(replace(known, void=True)) == {} == bars_zones(READING)


def test_each_mark_of_the_bars_is_explained_and_no_other() -> None:
    assert bars_sentences(READING) == [OWN, BARE]
    known = replace(READING, records={"Mass": certified(0.1, 0.6)}, uncalibrated=["Hernia"])
    band = 'Amber band: the "not sure" zone between the cut-offs that validation patients certify.'
    hatched = "Hatched: not calibrated, a score that ranks films (Hernia)."
    assert bars_uncalibrated(known) == ["Hernia"] and bars_uncalibrated(READING) == []
    assert bars_sentences(known) == [OWN, band, hatched]
    void = 'No "not sure" zone is drawn: a guard fired on this film, so that none holds.'
    assert bars_sentences(replace(known, void=True, uncalibrated=[])) == [OWN, void]
    few = 'No "not sure" zone is drawn: too few validation patients certify one.'
    assert bars_sentences(replace(known, records={"Mass": certified(None, None)}))[1] == few
    none = replace(READING, thresholds=None)
    assert bars_sentences(none)[0].startswith("This model has no thresholds yet: read the order")


def test_the_bars_are_described_for_those_who_do_not_see_them() -> None:
    assert bars_alt(READING) == (
        "Bars of the 14 probabilities, likeliest first: Atelectasis 90.0%, Cardiomegaly 83.8%, Effusion "
        "77.7%; above their threshold: Atelectasis, Cardiomegaly, Effusion, Infiltration. The table below "
        "has all of them."
    )
    assert "; none has a threshold." in bars_alt(replace(READING, thresholds=None))
    high = dict.fromkeys(FINDINGS, 0.95)
    assert "; none is above its threshold." in bars_alt(replace(READING, thresholds=high))


def test_no_colour_is_explained_if_no_finding_has_a_threshold() -> None:
    """As after training on few patients, which withholds each of them."""
    withheld = replace(
        READING,
        thresholds=dict.fromkeys(FINDINGS),
        chosen_on=dict.fromkeys(FINDINGS, ValidationPatients(3, 80)),
    )
    first, bare = bars_sentences(withheld)
    assert first.startswith("No threshold: Atelectasis (3 validation patients), ") and bare == BARE
