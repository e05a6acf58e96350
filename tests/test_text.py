"""Counts and numbers as a person reads them."""

import pytest

from xlite.text import are, counted, difference, interval, labels_of, last_line, number, of_edition, verb


def test_a_count_has_its_noun_and_verb() -> None:
    assert [counted(count, "film") for count in (0, 1, 22433)] == ["0 films", "1 film", "22,433 films"]
    assert [counted(count, "box", "boxes") for count in (1, 984)] == ["1 box", "984 boxes"]
    assert [are(count) for count in (0, 1, 2)] == ["are", "is", "are"]
    assert [verb(count, "has", "have") for count in (0, 1, 2)] == ["have", "has", "have"]


def test_an_interval_is_written_with_its_bounds() -> None:
    assert interval(0.8123, 0.79, 0.834) == "0.812 (0.790–0.834)"
    assert interval(0.8123, None, None) == "0.812"
    assert interval(None, None, None) == "undefined"


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (float("nan"), "-"), (0.5, "0.5000"), (12.345, "12.3450")]
)
def test_a_number_of_a_table(value: float | None, text: str) -> None:
    assert number(value, "-", 4) == text


def test_the_last_line_is_told_or_that_there_is_none() -> None:
    assert last_line("first\n  then this \n\n", "nothing") == "then this"
    assert last_line(" \n", "nothing") == "nothing"


def test_a_difference_has_its_sign() -> None:
    assert difference(0.0123, -0.003, 0.027) == "+0.012 (-0.003 to +0.027)"
    assert difference(0.0123, -0.003, 0.027, digits=4) == "+0.0123 (-0.0030 to +0.0270)"


def test_labels_are_called_by_their_edition_if_it_is_known() -> None:
    assert [labels_of("2020"), labels_of("unknown")] == ["2020 labels", "labels of an unknown edition"]
    assert [of_edition("2017"), of_edition("unknown")] == ["2017", "of an unknown edition"]
