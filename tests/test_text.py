"""Counts and numbers as a person reads them."""

import random

import pytest

from xlite.text import (
    are,
    as_cell,
    capital,
    counted,
    difference,
    from_cell,
    interval,
    labels_of,
    last_line,
    number,
    of_edition,
    percent,
    printable,
    probability,
    significant,
    verb,
)


def test_a_count_has_its_noun_and_verb() -> None:
    assert [counted(count, "film") for count in (0, 1, 22433)] == ["0 films", "1 film", "22,433 films"]
    assert [counted(count, "box", "boxes") for count in (1, 984)] == ["1 box", "984 boxes"]
    assert [are(count) for count in (0, 1, 2)] == ["are", "is", "are"]
    assert [verb(count, "has", "have") for count in (0, 1, 2)] == ["have", "has", "have"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("these films are new", "These films are new"),
        ("contamination: 3 of 5", "Contamination: 3 of 5"),
        ("film.png is damaged", "film.png is damaged"),
        ("all-68c992b02e43 is a split", "all-68c992b02e43 is a split"),
        ("AUC of 14 findings", "AUC of 14 findings"),
        ("", ""),
    ],
)
def test_a_sentence_has_a_capital_unless_a_name_begins_it(text: str, shown: str) -> None:
    assert capital(text) == shown


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("00000001_000.png", "00000001_000.png"),
        ("Thorax Müller 胸部 é.png", "Thorax Müller 胸部 é.png"),
        ("two\u00a0words\u3000", "two\u00a0words\u3000"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\r\n\tb\x00\x7f\x9b", r"a\r\n\tb\x00\x7f\x9b"),
        ("x\u202egnp.exe\u2066\u200b\ufeff", r"x\u202egnp.exe\u2066\u200b\ufeff"),
        ("a\u2028b\u2029", r"a\u2028b\u2029"),
        ("name\udce9.png", r"name\udce9.png"),
    ],
)
def test_what_steers_a_terminal_is_spelt_out(text: str, shown: str) -> None:
    assert printable(text) == shown and printable(shown) == shown


def test_line_ends_may_be_kept() -> None:
    assert printable("two\nlines\x1b", keep="\n") == "two\nlines\\x1b"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("film.png", "film.png"),
        ("'t Veld.png", "'t Veld.png"),
        ("two\u00a0words.png", "two\u00a0words.png"),
        (r"C:\new\x41.png", r"C:\new\x41.png"),
        ("=cmd.png", "'=cmd.png"),
        ("+1.png", "'+1.png"),
        ("-1.png", "'-1.png"),
        ("@SUM(A1).png", "'@SUM(A1).png"),
        (" =1+1.png", "' =1+1.png"),
        ("\uff1d1.png", "'\uff1d1.png"),
        ("\t=1.png", r"'\t=1.png"),
        ("'=cmd.png", "''=cmd.png"),
        ("''", "'" * 3),
        ("\x1b[31m.png", r"'\x1b[31m.png"),
        ("a\nb\\n.png", r"'a\nb\\n.png"),
        (r"=\x41", r"'=\\x41"),
        (r"'\x41", r"''\\x41"),
        ("\udcff.png", r"'\udcff.png"),
        (" blank.png", "' blank.png"),
        ("blank.png ", r"'blank.png\U00000020"),
    ],
)
def test_a_cell_is_text_to_a_spreadsheet_and_reads_back_as_it_was(text: str, cell: str) -> None:
    assert (as_cell(text), from_cell(cell)) == (cell, text)


@pytest.mark.slow
def test_every_text_survives_its_cell() -> None:
    draw = random.Random(0)
    signs = "'\\=+-@ntrx41uU0 \u00a0\t\n\x1b\u202e\udcff\U000e0041é胸"
    for _ in range(20_000):
        text = "".join(draw.choices(signs, k=draw.randrange(9)))
        cell = as_cell(text)
        assert from_cell(cell) == text and printable(cell) == cell == cell.strip()
        assert not cell.lstrip().startswith(("=", "+", "-", "@"))


def test_labels_are_called_by_their_edition_if_it_is_known() -> None:
    assert [labels_of("2020"), labels_of("unknown")] == ["2020 labels", "labels of an unknown edition"]
    assert [of_edition("2017"), of_edition("unknown")] == ["2017", "of an unknown edition"]


def test_only_none_and_all_are_shown_as_such() -> None:
    shares = (0, 1e-9, 0.0004, 0.0006, 0.132, 0.9994, 0.9996, 1)
    assert [percent(share) for share in shares] == [
        *("0.0%", "<0.1%", "<0.1%", "0.1%", "13.2%", "99.9%", ">99.9%", "100.0%")
    ]
    assert [percent(share, 0) for share in (0, 0.002, 0.006, 0.9976, 1)] == [
        "0%",
        "<1%",
        "1%",
        ">99%",
        "100%",
    ]
    assert [probability(one) for one in (0, 0.0004, 0.132, 0.9996, 1)] == [
        *("0.000", "<0.001", "0.132", ">0.999", "1.000")
    ]
    assert [significant(one) for one in (0.0123456, 0.5, 0.9996, 1.0, 10)] == [
        *("0.0123", "0.5", ">0.999", "1", "10")
    ]


def test_nothing_has_a_sign_that_is_left_of_rounding() -> None:
    assert number(-0.0001) == "0.000"
    assert difference(-0.0001, -0.002, 0.0004) == "+0.000 (-0.002 to +0.000)"
    assert interval(-0.0004, -0.003, 0.002) == "0.000 (-0.003–0.002)"
