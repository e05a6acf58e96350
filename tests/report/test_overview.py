"""What the Overview page says of a test AUC."""

from demo_home import drawn_report

from xlite.evaluation.caveats import TeacherKnows, TeacherSaid
from xlite.report.overview import auc_headline
from xlite.report.sentences import clean, source

TEACHERS = (TeacherSaid(text="it knows"),)


def test_a_clean_auc_stands_alone() -> None:
    report, _ = drawn_report()
    found = auc_headline(report)
    assert (found.value, found.detail) == (str(report.macro.auc), source(report))


def test_the_clean_films_take_the_place_of_a_contaminated_auc() -> None:
    _, films = drawn_report()
    known = TeacherKnows(teachers=TEACHERS, known=60, stems=frozenset(films.stems[:60]))
    report, _ = drawn_report(caveats=[known])
    found = auc_headline(report)
    assert report.contamination and report.contamination.clean
    assert found.value == str(report.contamination.clean.macro.auc)
    assert found.detail.splitlines()[:2] == [
        "on the 140 clean films  ",
        f"~~{report.macro.auc}~~ on all: 60 of 200 test films are known to its teacher  ",
    ]


def test_an_auc_without_clean_films_is_struck_through() -> None:
    report, _ = drawn_report(caveats=[TeacherKnows(teachers=TEACHERS, known=7)])
    found = auc_headline(report)
    assert found.value == f"~~{report.macro.auc}~~"
    assert found.detail.startswith(f"7 of 200 test films are known to its teacher. {clean(report)}")
