"""A log read into what counts: taken-back answers, changed minds, disputes, and who has a film open."""

from datetime import UTC, datetime, timedelta

from labelled import given

from xlite.labelling.entry import Act, Answer, Entry
from xlite.labelling.state import FilmState, LogState

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def log(*lines: tuple[str, Act, str] | tuple[str, Act, str, dict[str, Answer]]) -> list[Entry]:
    """Entries a minute apart: reader, act, film and, if the act has them, the answers that are not no."""
    entries = []
    for minute, (reader, act, film, *answers) in enumerate(lines):
        when, answer = START + timedelta(minutes=minute), given(**answers[0]) if answers else None
        entries.append(Entry(act=act, film=film, reader=reader, when=when, given=answer))
    return entries


def test_an_empty_log_knows_no_film_and_nobody() -> None:
    state = LogState.of([])
    assert state == LogState() and state.film("a") == FilmState() and state.films == {}
    assert state.last_answer("Ann") is None
    film = state.film("a")
    assert (film.readers, film.disputed, film.adjudication, film.answered_by("Ann")) == ([], [], None, None)


def test_a_film_is_open_until_its_reader_answers_and_only_for_them() -> None:
    opened, other, answer = log(("Ann", "opened", "a"), ("Bob", "opened", "a"), ("Ann", "reading", "a", {}))
    state = LogState.of([opened, other])
    assert state.film("a").opened == {"Ann": START, "Bob": START + timedelta(minutes=1)}
    assert state.at == {"Ann": "a", "Bob": "a"}
    after = LogState.of([opened, other, answer])
    assert after.film("a").opened == {"Bob": START + timedelta(minutes=1)}
    assert after.film("a").readers == ["Ann"] and after.last_answer("Ann") == answer


def test_the_first_two_readers_dispute_what_they_answer_otherwise_in_the_order_of_the_findings() -> None:
    lines = log(
        ("Ann", "reading", "a", {"Mass": "yes", "Edema": "unsure"}),
        ("Bob", "reading", "a", {"Atelectasis": "yes", "Edema": "unsure"}),
        ("Cleo", "reading", "a", {"Hernia": "yes"}),  # a third has no say
    )
    assert LogState.of(lines[:1]).film("a").disputed == []
    assert LogState.of(lines).film("a").disputed == ["Atelectasis", "Mass"]
    assert LogState.of(lines).film("a").readers == ["Ann", "Bob", "Cleo"]


def test_what_is_taken_back_no_longer_counts_and_the_answer_before_it_is_the_last() -> None:
    lines = log(
        ("Ann", "reading", "a", {"Mass": "yes"}),
        ("Ann", "reading", "b", {}),
        ("Ann", "undone", "b"),
    )
    state = LogState.of(lines)
    assert state.film("b").readings == [] and state.film("b").undone == {"Ann": lines[1]}
    assert state.film("b").opened == {"Ann": lines[2].when} and state.at == {"Ann": "b"}
    assert state.last_answer("Ann") == lines[0]
    again = LogState.of([*lines, *log(("Ann", "reading", "b", {"Edema": "yes"}))])
    assert (again.film("b").undone, again.film("b").opened) == ({}, {})


def test_taking_back_what_was_not_the_last_answer_changes_nothing() -> None:
    """As a line of a damaged log, or one that two programs wrote."""
    lines = log(("Ann", "reading", "a", {}), ("Ann", "reading", "b", {}))
    for reader, film in (("Ann", "a"), ("Bob", "b"), ("Ann", "c")):
        state = LogState.of([*lines, *log((reader, "undone", film))])
        assert [state.film(stem).readings for stem in ("a", "b")] == [[lines[0]], [lines[1]]]
        assert state.last_answer("Ann") == lines[1] and state.film(film).opened == {}


def test_a_changed_mind_stands_beside_the_reading_and_is_taken_back_alone() -> None:
    lines = log(
        ("Ann", "reading", "a", {}),
        ("Ann", "opinion", "a"),
        ("Ann", "changed", "a", {"Mass": "yes"}),
    )
    film = LogState.of(lines).film("a")
    assert (film.readings, film.changed, film.opinions) == ([lines[0]], [lines[2]], {"Ann": {lines[1].model}})
    assert film.answered_by("Ann") == lines[0]
    back = LogState.of([*lines, *log(("Ann", "undone", "a"))])
    assert (back.film("a").readings, back.film("a").changed) == ([lines[0]], [])
    assert back.last_answer("Ann") == lines[0]


def test_who_settles_answers_as_adjudicator_and_the_first_to_settle_counts() -> None:
    lines = log(
        ("Ann", "reading", "a", {"Mass": "yes"}),
        ("Bob", "reading", "a", {}),
        ("Cleo", "adjudication", "a", {"Mass": "yes"}),
        ("Dan", "adjudication", "a", {}),
    )
    film = LogState.of(lines).film("a")
    assert film.adjudication == lines[2] and film.of("adjudication") == lines[2:]
    assert [film.answered_by(who) for who in ("Bob", "Cleo", "Eve")] == [lines[1], lines[2], None]
