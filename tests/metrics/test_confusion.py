"""Confusion by counting film by film."""

import json

import numpy as np
import pytest
from demo_home import drawn_films
from pydantic import TypeAdapter, ValidationError

from xlite.findings import FINDINGS
from xlite.metrics.confusion import Confusion, confusion


def test_confusion_counts_films() -> None:
    films = drawn_films(np.random.default_rng(1), count=80)
    labels, cuts = films.labels, np.full(14, 0.45)
    called = films.probs >= cuts
    found = confusion(labels, films.probs, cuts)
    expected = {name: np.zeros((14, 14), int) for name in ("together", "called", "beside", "in_place")}
    missed, silent = np.zeros(14, int), np.zeros(14, int)
    for y, call in zip(labels.astype(bool), called, strict=True):
        for a in np.flatnonzero(y):
            missed[a] += not call[a]
            silent[a] += not call.any()
            for b in range(14):
                expected["together"][a, b] += y[b]
                expected["called"][a, b] += call[b]
                expected["beside"][a, b] += call[a] and call[b] and not y[b]
                expected["in_place"][a, b] += not call[a] and call[b] and not y[b]
    assert found.findings == FINDINGS
    assert found.films == tuple(labels.sum(axis=0).astype(int))
    assert (found.missed, found.silent) == (tuple(missed), tuple(silent))
    for name, counts in expected.items():
        np.testing.assert_array_equal(getattr(found, name), counts, err_msg=name)


def test_a_probability_at_its_threshold_is_called() -> None:
    labels, probs = np.zeros((1, 14)), np.zeros((1, 14))
    labels[0, 2], probs[0, 2] = 1, 0.5
    found = confusion(labels, probs, np.full(14, 0.5))
    assert (found.films[2], found.missed[2], found.called[2][2]) == (1, 0, 1)


def test_silent_films_are_counted_one_by_one_and_only_where_nothing_is_called() -> None:
    labels, probs = np.zeros((3, 14), np.uint8), np.full((3, 14), 0.1)
    labels[:, 0] = labels[2, 1] = 1  # all three have the first finding
    probs[1, 5] = 0.9  # on the second film another is called in its place
    found = confusion(labels, probs, np.full(14, 0.5))
    assert found.missed == (3, 1) + (0,) * 12
    assert found.silent == (2, 1) + (0,) * 12
    assert found.in_place[0] == (0,) * 5 + (1,) + (0,) * 8
    for counts in (*found.together, *found.called, *found.beside, *found.in_place, found.films, found.silent):
        assert {type(count) for count in counts} == {int}  # and no 1.0 in a file


def test_findings_without_a_threshold_are_named_and_call_nothing() -> None:
    cuts = np.full(14, 0.5)
    assert confusion(np.ones((2, 14)), np.ones((2, 14)), cuts).withheld == ()
    cuts[[3, 13]] = np.nan
    found = confusion(np.ones((2, 14)), np.ones((2, 14)), cuts)
    assert found.withheld == (FINDINGS[3], FINDINGS[13])
    assert found.missed == (0, 0, 0, 2) + (0,) * 9 + (2,)
    assert found.called[0] == (2, 2, 2, 0) + (2,) * 9 + (0,)


def test_one_threshold_for_all_findings_is_refused() -> None:
    with pytest.raises(ValueError):
        confusion(np.ones((2, 14)), np.ones((2, 14)), np.full(1, 0.5))


def test_what_a_file_says_is_read_back_only_if_it_counts_14_findings() -> None:
    reader = TypeAdapter(Confusion)
    found = confusion(np.eye(14), np.eye(14), np.full(14, 0.5))
    content = json.loads(reader.dump_json(found))
    assert reader.validate_python(content) == found
    del content["withheld"]  # which old files lack
    assert reader.validate_python(content) == found and found.withheld == ()
    counts, matrix = content["films"], content["called"]
    for wrong in (counts[:13], [*counts, 1], [-1, *counts[1:]], [0.5, *counts[1:]]):
        with pytest.raises(ValidationError):
            reader.validate_python({**content, "films": wrong})
        with pytest.raises(ValidationError):
            reader.validate_python({**content, "called": [wrong, *matrix[1:]]})
    for rows in (matrix[:13], [*matrix, counts]):
        with pytest.raises(ValidationError):
            reader.validate_python({**content, "called": rows})
