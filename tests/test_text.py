"""Counts and numbers as a person reads them."""

from xlite.text import are, counted, interval, last_line


def test_a_count_has_its_noun_and_verb() -> None:
    assert [counted(count, "film") for count in (0, 1, 22433)] == ["0 films", "1 film", "22,433 films"]
    assert [counted(count, "box", "boxes") for count in (1, 984)] == ["1 box", "984 boxes"]
    assert [are(count) for count in (0, 1, 2)] == ["are", "is", "are"]


def test_an_interval_is_written_with_its_bounds() -> None:
    assert interval(0.8123, 0.79, 0.834) == "0.812 (0.790–0.834)"
    assert interval(0.8123, None, None) == "0.812"
    assert interval(None, None, None) == "undefined"


def test_the_last_line_is_told_or_that_there_is_none() -> None:
    assert last_line("first\n  then this \n\n", "nothing") == "then this"
    assert last_line(" \n", "nothing") == "nothing"
