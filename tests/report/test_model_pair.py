"""Two models on one film: what differs, in words and as a table, and what their numbers may be taken for."""

from dataclasses import replace

import numpy as np
from tiny_models import TINY, tiny_info, untrained

from xlite.findings import FINDINGS, spoken
from xlite.guarded import GuardedReading
from xlite.guards.verdict import Check, Guards
from xlite.images import Preprocess
from xlite.metrics.calibration import Temperature
from xlite.reading import Reading
from xlite.report.model_pair import Pair, Side, pair_sentences, pair_table, unread_sentence

INFO = tiny_info(untrained(TINY), Preprocess(64))
FIRST = np.linspace(0.9, 0.1, len(FINDINGS), dtype=np.float32)
SECOND = FIRST.copy()
SECOND[2], SECOND[13] = 0.2, 0.4  # Effusion and Hernia
NO_MAPS = np.zeros((14, 1, 1), np.float32)


def side(name: str, probabilities: np.ndarray, cut: float | None = 0.5, **info: object) -> Side:
    cuts = None if cut is None else dict.fromkeys(FINDINGS, cut)
    return Side(name, INFO.model_copy(update=info), Reading(probabilities, NO_MAPS, (4, 4), thresholds=cuts))


def test_the_calls_that_change_and_the_largest_differences_are_told() -> None:
    pair = Pair(side("old", FIRST), side("new", SECOND))
    assert pair.changed == ["Effusion"]
    assert pair_sentences(pair) == [
        "Calls that change: Effusion (above in old, below in new).",
        "Largest differences, old first: Effusion 77.7% and 20.0%, Hernia 10.0% and 40.0%, "
        "Atelectasis 90.0% and 90.0%.",
    ]


def test_each_side_is_judged_by_its_own_threshold() -> None:
    pair = Pair(side("old", FIRST, 0.85), side("new", FIRST, 0.05))
    assert pair.changed == list(FINDINGS[1:])
    same = Pair(side("old", FIRST, 0.5), side("new", FIRST, 0.51))
    assert pair_sentences(same)[0] == (
        "No call changes: for all findings both have a threshold, and are on one side of it."
    )
    without = Pair(side("old", FIRST), side("new", SECOND, None))
    assert pair_sentences(without)[0] == "No calls can be compared: no finding has a threshold in both."


def test_a_scale_split_size_or_guarantee_that_differs_is_said() -> None:
    new = side(
        "new",
        SECOND,
        calibration=Temperature(temperature=2.0),
        split_id="official-1-0",
        label_version="2017",
        preprocess=Preprocess(96),
    )
    void = replace(new, reading=replace(new.reading, void=True))
    assert pair_sentences(Pair(side("old", FIRST), void))[2:] == [
        "Their probabilities are not on one scale: those of old are not calibrated, those of new calibrated "
        "by one temperature.",
        "They learned from different films (old: split patient-42-0, new: split official-1-0): which is "
        "right on this film, the difference does not say.",
        "They learned from different labels: 2020 labels and 2017 labels.",
        "They see the film at 64 and 96 px.",
        "For new a guard fires on this film, so that no guarantee of its zones holds.",
    ]


def test_the_table_has_both_by_the_first_models_order() -> None:
    table = pair_table(Pair(side("old", FIRST[::-1].copy()), side("new", SECOND, None)))
    assert table.header == ["Finding", "old", "Its threshold", "new", "Its threshold", "Points apart", "Call"]
    assert [row[0] for row in table.rows] == [spoken(finding) for finding in FINDINGS[::-1]]
    assert table.rows[0] == [
        *("Hernia", "90.0%", "above 50.0%, not calibrated", "40.0%", "none, not calibrated", "-50.0", ""),
    ]


def test_a_film_that_the_second_does_not_read_has_its_reason() -> None:
    refused = GuardedReading(np.zeros((4, 4), np.uint8), Guards((Check("blank", "contrast", 0.0, 10.0),)))
    why = " ".join(refused.said.sentences)
    assert unread_sentence("new", refused) == f"new has no reading of this film: {why}"
    assert unread_sentence("new", None) == "new has no reading of this film: the file could not be read"
