"""What a verdict is worth: facts by hand, on every side of threshold and cut-offs."""

from dataclasses import replace

import pytest
from verdicts import PATIENTS, record

from xlite.metrics.estimate import Estimate
from xlite.metrics.thresholds import ChosenByHand, ValidationPatients
from xlite.metrics.triage import NotSureZone
from xlite.metrics.worth import COLUMNS, Worth

WORTH = Worth("Effusion", 0.25, 0.31, patients=PATIENTS, record=record(), calibrated=True)


def test_the_facts_of_a_threshold_that_found_one_film_in_eighteen() -> None:
    assert WORTH.facts() == {
        "probability": 0.25,
        "threshold": 0.31,
        "side": "below",
        "sensitivity": {"value": 1 / 18, "low": 0.0014, "high": 0.2729},
        "specificity": {"value": 0.93, "low": 0.86, "high": 0.97},
        "positive_films": 18,
        "negative_films": 112,
        "positive_patients": 17,
        "negative_patients": 90,
        "zone": "not_sure",
        "cut_offs": {"low": None, "high": 0.4, "missed": 0.1, "alarmed": 0.05, "confidence": 0.95},
        "calibrated": True,
        "rank_without": 24,
        "rank_with": 0,
        "remarks": ["rules_nothing_out"],
        "void": False,
        "disagreement": None,
    }
    averaged = replace(WORTH, threshold=None, record=None, averaged="members", calibrated=False)
    assert averaged.facts()["void"] is None and averaged.remarks == ("averaged", "not_calibrated")
    assert replace(averaged, void=True).facts()["void"] is True
    assert WORTH.row() == {
        "finding": "Effusion",
        "probability": 0.25,
        "threshold": 0.31,
        "side": "below",
        "positive_films": 18,
        "negative_films": 112,
        "positive_patients": 17,
        "negative_patients": 90,
        "zone": "not_sure",
        "calibrated": True,
        "rank_without": 24,
        "rank_with": 0,
        "remarks": "rules_nothing_out",
        "void": False,
        "disagreement": None,
        "sensitivity": 1 / 18,
        "sensitivity_low": 0.0014,
        "sensitivity_high": 0.2729,
        "specificity": 0.93,
        "specificity_low": 0.86,
        "specificity_high": 0.97,
        "cut_off_low": None,
        "cut_off_high": 0.4,
    }


def test_a_model_that_says_nothing_of_its_validation_leaves_all_empty() -> None:
    bare = Worth("Mass", 0.5, None)
    assert {name for name, value in bare.facts().items() if value not in (None, [])} == {
        *("probability", "calibrated", "remarks", "void")
    }
    assert bare.remarks == ("not_calibrated",)
    assert tuple(bare.row()) == tuple(WORTH.row()) == COLUMNS
    counted = Worth("Mass", 0.5, 0.4, patients=ValidationPatients(25, 80), calibrated=True)
    assert (counted.facts()["positive_patients"], counted.remarks, counted.side) == (25, (), "above")
    withheld = Worth("Mass", 0.5, None, withheld=True, patients=ValidationPatients(3, 80), calibrated=True)
    assert (withheld.side, withheld.remarks) == (None, ("no_threshold",))


@pytest.mark.parametrize(
    ("low", "high", "zones"),
    [
        (0.1, 0.4, ["low", "not_sure", "not_sure", "high"]),
        (None, 0.4, ["not_sure", "not_sure", "not_sure", "high"]),
        (0.1, None, ["low", "not_sure", "not_sure", "not_sure"]),
        (None, None, ["not_certified"] * 4),
        (0.2, 0.2, ["low", "low", "high", "high"]),
    ],
)
def test_where_a_probability_lies(low: float | None, high: float | None, zones: list[str]) -> None:
    one = replace(WORTH, record=record(zone=NotSureZone(low=low, high=high)))
    assert [replace(one, probability=p).zone for p in (0.05, 0.1, 0.25, 0.4)] == zones
    assert replace(one, void=True).zone == "void"  # a guard fired


@pytest.mark.parametrize(
    ("sensitivity", "specificity", "below", "above"),
    [
        (0.9, 0.9, (), ()),
        (0.5, 0.99, ("rules_nothing_out",), ()),  # 0.5 missed, 0.99 passed: a ratio of 0.505
        (0.51, 0.99, (), ()),
        (0.9, 0.54, (), ("says_little",)),
        (0.9, 0.56, (), ()),  # 0.9 found, 0.44 called: a ratio of 2.05
        (0.06, 0.93, ("rules_nothing_out",), ("says_little",)),
        (1.0, 0.0, ("rules_nothing_out",), ("says_little",)),  # it calls all films
        (0.0, 1.0, ("rules_nothing_out",), ("says_little",)),  # it calls none
    ],
)
def test_a_likelihood_ratio_near_one_says_little(
    sensitivity: float, specificity: float, below: tuple[str, ...], above: tuple[str, ...]
) -> None:
    rates = (Estimate(one, 0.0, 1.0) for one in (sensitivity, specificity))
    one = replace(WORTH, record=record(**dict(zip(("sensitivity", "specificity"), rates, strict=True))))
    assert (one.remarks, replace(one, probability=0.31).remarks) == (below, above)


def test_a_threshold_of_old_that_few_patients_chose_is_remarked() -> None:
    few = record(patients=ValidationPatients(9, 90), sensitivity=Estimate(0.9, 0.5, 1.0))
    one = replace(WORTH, record=few, patients=few.patients, calibrated=False)
    assert one.remarks == ("few_patients", "not_calibrated")
    by_hand = ChosenByHand("s", "val", 17, 300, "2026-11-29", 0.3)  # by other patients than the record's
    assert replace(one, by_hand=by_hand).remarks == ("not_calibrated", "by_hand")
