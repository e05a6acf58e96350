"""The labels that come out of answers: one reader's, two that agree or do not, and an adjudicator's."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from labelled import given, labelling_of

from xlite.findings import FINDINGS
from xlite.labelling.entry import Answer, DrawnBox, Entry
from xlite.labelling.settled import Settled, settled, settled_films
from xlite.labelling.state import FilmState

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
LARGE = DrawnBox(finding="Mass", x=0, y=0, w=300, h=300)
SMALL = DrawnBox(finding="Mass", x=10, y=10, w=30, h=30)
OTHER = DrawnBox(finding="Edema", x=5, y=5, w=50, h=50)


def said(
    reader: str,
    minute: int = 0,
    boxes: Sequence[DrawnBox] = (),
    after_opinion: bool = False,
    **answers: Answer,
) -> Entry:
    when = START + timedelta(minutes=minute)
    answer = given(boxes=boxes, **answers)
    return Entry(act="reading", film="a", reader=reader, when=when, given=answer, after_opinion=after_opinion)


def not_no(found: Settled) -> dict[str, float]:
    """The labels that are not 0."""
    return {name: float(one) for name, one in zip(FINDINGS, found.labels, strict=True) if one != 0}


def test_one_readers_answers_are_the_labels_and_unsure_is_unknown() -> None:
    found = settled("a", FilmState([said("Ann", boxes=[LARGE], Mass="yes", Hernia="unsure")]))
    assert found.labels.dtype == np.float32 and found.labels.shape == (14,)
    assert not_no(found) == {"Mass": 1.0, "Hernia": pytest.approx(np.nan, nan_ok=True)}
    assert (found.film, found.readers, found.adjudicator) == ("a", ("Ann",), "")
    assert (found.when, found.agreed, found.boxes, found.after_opinion) == (START, None, (LARGE,), False)


def test_what_two_readers_disagree_on_is_unknown_and_has_no_box() -> None:
    first = said("Ann", boxes=[LARGE, OTHER], Mass="yes", Edema="yes", Nodule="unsure")
    second = said("Bob", minute=5, Edema="yes", Nodule="unsure")
    found = settled("a", FilmState([first, second]))
    assert set(not_no(found)) == {"Mass", "Edema", "Nodule"}
    assert not_no(found)["Edema"] == 1.0 and np.isnan(not_no(found)["Mass"])
    assert (found.readers, found.agreed, found.boxes) == (("Ann", "Bob"), 13, (OTHER,))
    assert found.when == START + timedelta(minutes=5)


def test_of_two_readers_who_drew_boxes_the_first_ones_count_and_else_the_seconds() -> None:
    first, second = said("Ann", boxes=[SMALL], Mass="yes"), said("Bob", boxes=[LARGE], Mass="yes")
    assert settled("a", FilmState([first, second])).boxes == (SMALL,)
    assert settled("a", FilmState([second, first])).boxes == (LARGE,)
    without = said("Ann", Mass="yes")
    assert settled("a", FilmState([without, second])).boxes == (LARGE,)
    two = said("Ann", boxes=[LARGE, SMALL], Mass="yes")
    assert settled("a", FilmState([two, first])).boxes == (LARGE, SMALL)


def test_an_adjudicators_word_replaces_both_readings_with_boxes_time_and_opinion() -> None:
    readings = [said("Ann", boxes=[LARGE], Mass="yes", after_opinion=True), said("Bob", Edema="yes")]
    word = said("Cleo", minute=9, Edema="yes", Hernia="unsure")
    found = settled("a", FilmState(readings, adjudications=[word]))
    assert not_no(found) == {"Edema": 1.0, "Hernia": pytest.approx(np.nan, nan_ok=True)}
    assert (found.readers, found.adjudicator, found.agreed) == (("Ann", "Bob"), "Cleo", 12)
    assert (found.when, found.boxes, found.after_opinion) == (START + timedelta(minutes=9), (), False)
    # The readers' later time counts if the word is older, as on two machines whose clocks differ.
    late = FilmState([readings[0], said("Bob", minute=30, Edema="yes")], adjudications=[word])
    assert settled("a", late).when == START + timedelta(minutes=30)


def test_an_answer_that_counts_and_was_given_after_the_opinion_marks_the_film() -> None:
    blind, anchored = said("Ann", Mass="yes"), said("Bob", Mass="yes", after_opinion=True)
    assert settled("a", FilmState([anchored])).after_opinion
    assert settled("a", FilmState([blind, anchored])).after_opinion
    assert settled("a", FilmState([blind, said("Bob")], adjudications=[anchored])).after_opinion


def test_a_third_reading_counts_for_nothing() -> None:
    two = [said("Ann", Mass="yes"), said("Bob", Mass="yes")]
    third = said("Cleo", minute=20, boxes=[OTHER], Edema="yes", after_opinion=True)
    found, before = settled("a", FilmState([*two, third])), settled("a", FilmState(two))
    assert np.array_equal(found.labels, before.labels) and found.readers == ("Ann", "Bob")
    assert (found.when, found.agreed, found.after_opinion) == (START, 14, False)


def test_films_come_by_rank_and_those_that_nobody_read_do_not(tiny_folder: Path) -> None:
    ward = labelling_of(tiny_folder, films=4)
    assert list(settled_films(ward, ward.state())) == []
    ranked = ward.films
    for film in (ranked[3], ranked[1]):
        ward.answer("Ann", film, given(Mass="yes"))
    ward.open("Ann", ranked[0])
    assert [one.film for one in settled_films(ward, ward.state())] == [ranked[1], ranked[3]]
