"""How good a model on duty is, in words: never a figure that the model's own knowledge made."""

import pytest
from demo_home import drawn_report

from xlite.evaluation.contamination.caveats import Caveat, Listed, TeacherKnows
from xlite.evaluation.contamination.source_facts import SeenByTeacher, TeacherUnknown
from xlite.evaluation.report import Report
from xlite.report.duty import score, trusted_auc, warning
from xlite.report.means import shown_mean
from xlite.report.sentences import clean

pytestmark = pytest.mark.slow

SEEN = SeenByTeacher(split_id="s", part="test", films=200, trained=60, with_val=60, patients=60)
STEMS = frozenset(f"{number:08d}_000" for number in range(60))


def judged(*caveats: Caveat) -> Report:
    return drawn_report(caveats=caveats)[0]


def test_a_clean_score_needs_no_warning() -> None:
    report = judged()
    assert trusted_auc(report) == ("mean of 13", report.macro.auc)
    assert score(report) == f"test AUC {report.macro.auc.value:.3f}"
    assert warning(report) == ""


def test_of_a_contaminated_report_only_the_clean_films_count() -> None:
    report = judged(TeacherKnows(teachers=(SEEN,), known=60, stems=STEMS))
    assert report.contamination and report.contamination.clean
    auc = shown_mean(report.contamination.clean, "auc")
    assert trusted_auc(report) == ("mean of 13", auc)
    assert score(report) == f"test AUC {auc.value:.3f} on clean films"
    assert warning(report) == f"60 of 200 test films are known to its teacher. {clean(report)}."


@pytest.mark.parametrize("known", [7, 200])
def test_without_clean_films_there_is_no_figure(known: int) -> None:
    report = judged(Listed(list_name="own.txt", films=200, inside=known, known=known))
    assert trusted_auc(report) is None
    assert score(report) == "its test films are known to it"
    said = f"{known} of 200 test films are known to the model or its teacher. There are no metrics on clean"
    assert warning(report).startswith(said)


def test_what_nobody_can_tell_is_said_beside_the_figure() -> None:
    report = judged(TeacherKnows(teachers=(TeacherUnknown(kind="weights", name="w.pt"),)))
    assert score(report) == f"test AUC {report.macro.auc.value:.3f}"
    assert warning(report) == (
        "There are no metrics on clean films alone: whether the model or what it learned from knows these "
        "films is not known."
    )


def test_a_model_that_nobody_judged() -> None:
    assert score(None) == "not measured"
    assert warning(None).startswith("How good it is is not known")
