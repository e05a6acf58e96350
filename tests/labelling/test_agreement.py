import math

import pytest
from labelled import given, labelling_of
from sklearn.metrics import cohen_kappa_score

from xlite.labelling.agreement import FindingAgreement, agreement, of_finding
from xlite.labelling.summary import Summary

YES, NO, UNSURE = "yes", "no", "unsure"


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: p_o .7, p_e .5, kappa .4
        (
            [(YES, YES)] * 20 + [(YES, NO)] * 5 + [(NO, YES)] * 10 + [(NO, NO)] * 15,
            FindingAgreement(50, 35, 15, 0.4),
        ),
        ([(YES, YES), (NO, NO)], FindingAgreement(2, 2, 0, 1.0)),
        ([(YES, NO), (NO, YES)], FindingAgreement(2, 0, 2, -1.0)),
        ([(YES, NO)], FindingAgreement(1, 0, 1, 0.0)),
        ([(NO, NO)] * 9, FindingAgreement(9, 9, 0, None)),
        ([], FindingAgreement(0, 0, 0, None)),
        ([(YES, UNSURE), (UNSURE, UNSURE), (NO, NO), (YES, YES)], FindingAgreement(2, 2, 1, 1.0)),
    ],
    ids=["by hand", "all", "opposite", "one", "no variety", "none", "unsure"],
)
def test_kappa_against_values_by_hand(answers: list, expected: FindingAgreement):
    found = of_finding(answers)
    assert (found.films, found.agree, found.disagree) == (expected.films, expected.agree, expected.disagree)
    if expected.kappa is None:
        assert found.kappa is None
    else:
        assert found.kappa is not None and math.isclose(found.kappa, expected.kappa, abs_tol=1e-12)
        first, second = zip(*(pair for pair in answers if UNSURE not in pair), strict=True)
        assert math.isclose(found.kappa, cohen_kappa_score(first, second), abs_tol=1e-12)


def test_pairs_stand_in_the_order_of_names_and_count_the_answers_before_the_opinion(tiny_folder):
    ward = labelling_of(tiny_folder, films=4, double=1.0)
    one, two, three, four = ward.films
    ward.answer("Bob", one, given(4, Mass="yes"))
    ward.answer("Ann", one, given(2, Mass="no"))
    ward.note_opinion("Ann", one, "demo")
    ward.change("Ann", one, given(Mass="yes"))
    for reader in ("Ann", "Bob"):
        ward.answer(reader, two, given(6, Mass="yes"))
    ward.answer("Cleo", three, given(8))
    ward.answer("Ann", three, given(10, Mass="unsure"))
    ward.answer("Dan", one, given(Mass="yes"), settles=True)
    summary = Summary.of(ward, ward.state())
    assert [(pair.readers, pair.films) for pair in summary.pairs] == [
        (("Ann", "Bob"), 2),
        (("Ann", "Cleo"), 1),
    ]
    assert summary.pairs[0].findings["Mass"] == FindingAgreement(2, 1, 1, 0.0)
    assert summary.pairs[0].findings["Edema"] == FindingAgreement(2, 2, 0, None)
    assert summary.pairs[1].findings["Mass"] == FindingAgreement(0, 0, 1, None)
    assert (summary.films, summary.done, summary.double) == (4, 2, 4)
    assert (summary.disputes, summary.settled) == (1, 1)
    assert [(one.reader, one.films, one.settled, one.median_s, one.changed) for one in summary.readers] == [
        ("Ann", 3, 0, 6.0, 1),
        ("Bob", 2, 0, 5.0, 0),
        ("Cleo", 1, 0, 8.0, 0),
        ("Dan", 0, 1, 10.0, 0),
    ]
    assert four in ward.films


def test_an_answer_given_again_after_the_opinion_is_in_no_kappa(tiny_folder):
    ward = labelling_of(tiny_folder, films=3, double=1.0)
    one, two, three = ward.films
    for film in (one, two):
        ward.answer("Ann", film, given(Mass="yes"))
        ward.answer("Bob", film, given(Mass="no"))
    ward.note_opinion("Bob", two, "demo")
    ward.undo("Bob")
    ward.answer("Bob", two, given(Mass="yes"))
    [pair] = agreement(ward.state(), ward.films)
    assert (pair.readers, pair.films) == (("Ann", "Bob"), 1)
    assert pair.findings["Mass"] == FindingAgreement(1, 0, 1, 0.0)
    ward.note_opinion("Ann", three, "demo")
    for reader in ("Ann", "Bob"):
        ward.answer(reader, three, given(Edema="yes"))
    assert agreement(ward.state(), [two, three]) == []
