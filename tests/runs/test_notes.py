"""The notes of a row of results.csv: written, and read back."""

import pytest

from xlite.evaluation.contamination.source_facts import TeacherSeen
from xlite.runs.notes import Notes

SPLIT = "patient-42-1a2b3c4d"
SEEN = TeacherSeen(films=1500, trained=93, with_val=98, patients=98)
UNKNOWN = TeacherSeen(films=0, trained=0, with_val=0, patients=0, known=False)


@pytest.mark.parametrize(
    ("notes", "text"),
    [
        (Notes(SPLIT), f"split {SPLIT}"),
        (Notes(SPLIT, "2017", 0), f"split {SPLIT}; labels 2017; seed 0"),
        (Notes(SPLIT, "2020", 42, 0.2), f"split {SPLIT}; labels 2020; seed 42; train share 0.2"),
        (Notes(SPLIT, "2020", 42, fold="2/5"), f"split {SPLIT}; labels 2020; seed 42; without fold 2/5"),
        (
            Notes(SPLIT, "2020", 42, teacher="a,b.csv", seen=(SEEN, UNKNOWN)),
            f"split {SPLIT}; labels 2020; seed 42; teacher a,b.csv; teacher saw 93 of 1,500 test films "
            "(98 counting validation); teacher may have seen test films",
        ),
        (
            Notes(SPLIT, teacher="a", seen=(TeacherSeen(films=1, trained=1, with_val=1, patients=1),)),
            f"split {SPLIT}; teacher a; teacher saw 1 of 1 test film",
        ),
    ],
)
def test_notes_are_written_and_read_back(notes: Notes, text: str) -> None:
    assert str(notes) == text
    assert Notes.read(text) == notes


def test_what_a_text_of_notes_cannot_say() -> None:
    """How many patients a teacher knows. One that knows nobody is not there, and of two alike one is."""
    some = TeacherSeen(films=150, trained=0, with_val=0, patients=7)
    assert str(Notes(SPLIT, seen=(some,))) == f"split {SPLIT}; teacher saw 0 of 150 test films"
    assert Notes.read(str(Notes(SPLIT, seen=(some,)))).seen == (some.model_copy(update={"patients": 0}),)
    nobody = TeacherSeen(films=150, trained=0, with_val=0, patients=0)
    assert str(Notes(SPLIT, seen=(nobody, SEEN, SEEN))) == str(Notes(SPLIT, seen=(SEEN,)))


@pytest.mark.parametrize(
    "text",
    ["", "by hand", "teacher saw it all", "seed of doubt", "teacher saw 3 of them", "train share: all"],
)
def test_notes_of_another_hand_are_passed_over(text: str) -> None:
    assert Notes.read(f"split {SPLIT}; {text}") == Notes(SPLIT)
