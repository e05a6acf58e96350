"""What caveats leave open of who knows the films judged."""

import pytest

from xlite.evaluation.contamination.caveats import (
    Caveat,
    Listed,
    MissingFilms,
    NotKnown,
    NotListed,
    OtherSplit,
    Said,
    TeacherKnows,
    is_of_teacher,
    not_known,
)
from xlite.evaluation.contamination.source_facts import SeenByTeacher, TeacherUnknown

OTHER, COUNTED = (
    OtherSplit(split_id="a", own_split_id="b", films=24, learned=learned) for learned in (None, 3)
)
WHOLE, IN_PART = (Listed(list_name="list.txt", films=24, inside=5, untold=untold) for untold in (0, 2))
SEEN, UNTOLD = (
    SeenByTeacher(split_id="a", part="test", films=9, trained=1, with_val=2, patients=3, untold=untold)
    for untold in (0, 1)
)
UNKNOWN = TeacherUnknown(kind="predictions", name="said.csv")


@pytest.mark.parametrize(
    ("caveat", "left_open"),
    [
        (OTHER, (OTHER,)),
        (COUNTED, ()),
        (NotListed(), (NotListed(),)),
        (WHOLE, ()),
        (IN_PART, (IN_PART,)),
        (TeacherKnows(teachers=(SEEN,)), ()),
        (TeacherKnows(teachers=(SEEN, UNTOLD, UNKNOWN)), (UNTOLD, UNKNOWN)),
        (TeacherKnows(teachers=(SEEN,), known=2, stems=frozenset({"one"})), (SEEN,)),
        (TeacherKnows(teachers=(SEEN,), known=1, stems=frozenset({"one"})), ()),
        (MissingFilms(missing=1, films=24), ()),
    ],
    ids=lambda value: value.kind if hasattr(value, "kind") else str(len(value)),
)
def test_what_is_open_is_what_nobody_can_tell(caveat: Caveat, left_open: tuple[NotKnown, ...]) -> None:
    assert not_known([caveat]) == left_open
    assert not_known([caveat, MissingFilms(missing=1, films=24), caveat]) == 2 * left_open


def test_caveats_of_a_teacher_are_its_facts_and_old_words_about_it() -> None:
    of_teacher = [TeacherKnows(teachers=(SEEN,)), Said(text="the teacher knows", by_teacher=True)]
    others = [Said(text="1 film is missing"), NotListed(), OTHER]
    assert [one for one in (*of_teacher, *others) if is_of_teacher(one)] == of_teacher


def test_which_films_are_known_is_never_written() -> None:
    written = TeacherKnows(teachers=(SEEN,), known=1, stems=frozenset({"00000001_000"})).model_dump_json()
    assert "00000001" not in written
    read = TeacherKnows.model_validate_json(written)
    assert (read.known, read.stems, read.teachers) == (1, frozenset(), (SEEN,))
