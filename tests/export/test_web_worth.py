"""What verdicts are worth as data for the page."""

from dataclasses import replace

import numpy as np
import pytest

from xlite.export.web_worth import worth_facts, worth_header
from xlite.findings import FINDINGS
from xlite.metrics.calibration import uncalibrated
from xlite.models.info import read_info
from xlite.places import bundled
from xlite.reading import Reading
from xlite.report.worth import threshold_sentence, worth_sentences, worth_table

pytestmark = pytest.mark.slow


def holds(steps, probability):
    return [text for place, text in steps if place <= probability][-1]


def short(worth):
    """The beginning of its first sentence, without what the threshold found; then its remarks."""
    said = (threshold_sentence(worth) or "").partition(", which")[0].partition(" (")[0].partition(";")[0]
    remarks = worth_table([worth]).rows[0][-1]
    return "; ".join(filter(None, ["" if worth.withheld else said, remarks]))


@pytest.fixture
def info():
    return read_info(bundled("checkpoints", "demo", "model.safetensors"))


def reading_of(info):
    maps, said = (
        np.zeros((14, 1, 1), np.float32),
        (info.thresholds, info.thresholds_chosen_on, info.validation),
    )
    return Reading(np.zeros(14), maps, (1, 1), "layercam", *said, uncalibrated(info.calibration))


@pytest.mark.parametrize(("old", "apart"), [(False, None), (True, None), (False, 0.0625)])
def test_every_probability_has_pythons_words(info, old, apart):
    if old:
        bare = {"thresholds": None, "thresholds_chosen_on": None, "validation": None, "calibration": None}
        info = info.model_copy(update=bare)
    reading = replace(reading_of(info), disagreement=None if apart is None else np.full(14, apart))
    for finding in FINDINGS:
        facts = worth_facts(info, finding, apart is not None)
        record = (info.validation or {}).get(finding)
        cuts = [
            (info.thresholds or {}).get(finding),
            *((record.zone.low, record.zone.high) if record else ()),
        ]
        edges = [0.0, 1.0, *(cut for cut in cuts if cut is not None), *(record.ranks_with if record else ())]
        places = {*edges, *np.nextafter(edges, 0), *np.nextafter(edges, 2), *np.linspace(0, 1, 50)}
        for place in (place for place in places if 0 <= place <= 1):
            for is_void in (False, True):
                there = replace(reading, probabilities=np.full(14, place), void=is_void).worth(finding)
                changed = facts["void"] if is_void else None
                found = {
                    part: [
                        holds((changed and changed[part][at]) or steps, place).replace("{apart}", "6.2%")
                        for at, steps in enumerate(plain)
                    ]
                    for part, plain in facts["worth"].items()
                }
                assert found.pop("short") == [short(there)]
                assert found == {"says": worth_sentences(there), "cells": worth_table([there]).rows[0][2:]}
    table = worth_table([reading.worth("Mass")])
    assert table.header[:2] == ["Finding", "Probability"]
    assert worth_header(apart is not None) == {"header": table.header[2:], "note": table.caption}
