"""What validation films say of a finding: whole records by hand, and tables of ranks."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlite.findings import FINDINGS
from xlite.metrics.estimate import Estimate
from xlite.metrics.thresholds import Thresholds, ValidationPatients
from xlite.metrics.triage import NotSureZone
from xlite.metrics.validation_record import (
    ValidationRecord,
    promised_rates,
    rank,
    rank_table,
    validation_records,
)


def test_a_record_by_hand() -> None:
    """Four films with it of three patients, six without; the threshold finds three and calls one wrongly."""
    labels, probs = np.zeros((10, 14)), np.zeros((10, 14), np.float32)
    labels[:4, 2] = 1
    probs[:, 2] = [0.9, 0.5, 0.8, 0.25, 0.75, 0.125, 0.25, 0.0, 0.0, 0.5]
    patients = np.array(["a", "a", "b", "c", "c", "d", "e", "f", "g", "g"])
    cuts = np.full(14, np.nan)
    cuts[2] = 0.5
    found = validation_records(labels, probs, patients, Thresholds(cuts))
    assert list(found) == list(FINDINGS)
    rates = promised_rates(labels[:, 2] > 0, probs[:, 2] >= 0.5, patients)
    assert found["Effusion"] == ValidationRecord(
        patients=ValidationPatients(3, 5),
        positive_films=4,
        negative_films=6,
        sensitivity=rates["sensitivity"],
        specificity=rates["specificity"],
        zone=NotSureZone(low=None, high=None),
        ranks_with=(0.25, 0.25, 0.5, 0.80001, 0.9),  # up: 0.8 is a little more as float32
        ranks_without=(0.0, 0.0, 0.0, 0.125, 0.25, 0.5, 0.75),
    )
    assert rates["sensitivity"].value == 0.75 and rates["specificity"].value == pytest.approx(4 / 6)
    assert found["Hernia"] == ValidationRecord(
        patients=ValidationPatients(0, 7),
        positive_films=0,
        negative_films=10,
        sensitivity=None,
        specificity=None,
        zone=NotSureZone(low=None, high=None),
        ranks_with=(),
        ranks_without=(0.0,) * 11,
    )


def test_a_record_is_carried_to_other_probabilities() -> None:
    rate = Estimate(0.5, 0.25, 0.75)
    record = ValidationRecord(
        patients=ValidationPatients(1, 2),
        positive_films=1,
        negative_films=2,
        sensitivity=rate,
        specificity=rate,
        zone=NotSureZone(low=0.25, high=None),
        ranks_with=(0.5, 0.5),
        ranks_without=(0.0, 0.25, 1.0),
    )
    wanted = {"zone": NotSureZone(low=0.0625, high=None), "ranks_with": (0.25, 0.25)}
    found = record.carried(np.square)
    assert found == record.model_copy(update=wanted | {"ranks_without": (0.0, 0.0625, 1.0)})
    assert ValidationRecord.model_validate_json(found.model_dump_json()) == found


def test_the_rates_of_single_films_have_the_interval_of_clopper_and_pearson() -> None:
    positive, called = np.array([True] * 18 + [False] * 10), np.array([True] + [False] * 27)
    found = promised_rates(positive, called, np.arange(28))
    # The lower end of 1 of 18 is that of an order statistic, 1 - 0.975^(1/18).
    low, high = 1 - 0.975 ** (1 / 18), 0.272943
    assert found["sensitivity"] == Estimate(1 / 18, pytest.approx(low), pytest.approx(high, abs=1e-5))
    assert found["specificity"] == Estimate(1.0, pytest.approx(0.025 ** (1 / 10)), 1.0)
    assert promised_rates(positive[:18], called[:18], np.arange(18))["specificity"] is None


def test_a_rank_is_true_of_the_films() -> None:
    many = (np.arange(1000) + 0.5) / 1000
    table = rank_table(many)
    assert len(table) == 101 and table[:2] == (0.0005, 0.0095) and table[-1] == 0.9995
    assert [rank(p, table) for p in (0, 0.0005, 0.0096, 0.5, 0.9301, 0.9994, 1)] == [0, 0, 1, 50, 93, 99, 100]
    few = rank_table(np.array([0.2, 0.4, 0.4]))
    assert few == (0.2, 0.2, 0.4, 0.4)
    assert [rank(p, few) for p in (0.1, 0.2, 0.3, 0.4, 0.5)] == [0, 0, 33, 33, 100]
    assert (rank_table(np.array([])), rank(0.5, ())) == ((), None)
    assert rank_table(np.array([0.123451])) == (0.12346, 0.12346)  # up, so that no film is said to be lower


@pytest.mark.slow
@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=400), st.floats(0, 1, width=32))
def test_a_probability_is_higher_than_as_many_films_as_its_rank_says(seen: list[float], one: float) -> None:
    found = rank(one, rank_table(np.array(seen, np.float32)))
    assert found is not None and 100 * np.mean(np.array(seen) < one) >= found
    if len(seen) >= 100:
        assert 100 * np.mean(np.array(seen) < one - 1e-5) <= found + 1


def test_a_record_that_cannot_be_is_refused() -> None:
    right = validation_records(
        np.eye(20, 14), np.full((20, 14), 0.5), np.arange(20), Thresholds(np.full(14, 0.5))
    )["Mass"]
    content = right.model_dump()
    assert ValidationRecord.model_validate_json(json.dumps(content)) == right
    for changes, said in (
        ({"sensitivity": {"value": 0.5, "low": 0.6, "high": 0.7}}, "shares in rising order"),
        ({"sensitivity": {"value": float("nan"), "low": 0.1, "high": 0.7}}, "shares in rising order"),
        ({"sensitivity": {"value": None, "low": None, "high": None}}, "a value with an interval"),
        ({"ranks_with": (0.5, 0.4)}, "expected rising numbers"),
        ({"ranks_with": (0.5,)}, "1 films with a finding have 1 ranks"),
        ({"ranks_without": ()}, "19 films without a finding have 0 ranks"),
        ({"positive_films": 0}, "0 films with a finding are of 1 patients"),
        ({"positive_films": -1}, "greater than or equal to 0"),
        ({"ranks_without": (2.0,) * 20}, "less than or equal to 1"),
        ({"more": 1}, "Extra inputs"),
    ):
        with pytest.raises(ValueError, match=said):
            ValidationRecord.model_validate_json(json.dumps(content | changes))
