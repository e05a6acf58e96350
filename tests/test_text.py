"""Counts as a person reads them."""

from xlite.text import are, counted


def test_a_count_has_its_noun_and_verb() -> None:
    assert [counted(count, "film") for count in (0, 1, 22433)] == ["0 films", "1 film", "22,433 films"]
    assert [counted(count, "box", "boxes") for count in (1, 984)] == ["1 box", "984 boxes"]
    assert [are(count) for count in (0, 1, 2)] == ["are", "is", "are"]
