"""Which reasons follow from what was measured, what they lead to, and how a film is fixed."""

import numpy as np
import pytest

from xlite.guards.limits import Limits
from xlite.guards.measure import Measurements
from xlite.guards.verdict import REASONS, Check, Guards, Reason, Verdict, blank, decide, fixed

LIMITS = Limits(
    frontal=0.6,
    other=0.5,
    lateral=0.8,
    inverted=0.5,
    turned=0.5,
    mirrored=0.95,
    child=0.5,
    cut=0.6,
    grey_range=60,
    sharpness=(0.1, 0.9),
)
UPRIGHT = {
    **{"frontal": 0.99, "lateral": 0.01, "other": 0.0, "turned": 0.01, "mirrored": 0.02, "inverted": 0.01},
    **{"rotated_90": 0.003, "rotated_180": 0.004, "rotated_270": 0.003, "child": 0.1, "cut": 0.1, "ap": 0.3},
}
PLAIN = Measurements(contrast=100, grey_range=200, sharpness=0.3)


def given(measured: Measurements = PLAIN, **scores: float) -> Guards:
    return decide({**UPRIGHT, **scores}, measured, LIMITS)


@pytest.mark.parametrize(
    ("scores", "verdict", "reasons"),
    [
        ({}, "pass", ()),
        ({"other": 0.9, "frontal": 0.1, "child": 0.9}, "refuse", ("not_chest",)),
        ({"other": 0.4, "frontal": 0.1, "lateral": 0.5}, "refuse", ("not_chest",)),
        ({"frontal": 0.1, "lateral": 0.9}, "caution", ("lateral",)),
        ({"frontal": 0.1, "lateral": 0.9, "child": 0.9, "cut": 0.9, "mirrored": 1}, "caution", ("lateral",)),
        ({"frontal": 0.5, "lateral": 0.4}, "caution", ("unlike",)),
        ({"turned": 0.9, "rotated_180": 0.9}, "offer", ("rotated_180",)),
        ({"turned": 0.9, "rotated_90": 0.5, "rotated_270": 0.4}, "offer", ("rotated_90",)),
        ({"inverted": 0.5, "mirrored": 0.95, "child": 0.7}, "offer", ("inverted", "mirrored", "child")),
        ({"mirrored": 0.96}, "caution", ("mirrored",)),
        ({"cut": 0.59}, "pass", ()),
    ],
)
def test_reasons_follow_from_scores(
    scores: dict[str, float], verdict: Verdict, reasons: tuple[Reason, ...]
) -> None:
    guards = given(**scores)
    assert (guards.verdict, guards.reasons) == (verdict, reasons)
    assert len(guards.sentences) == len(reasons)


@pytest.mark.parametrize(
    ("grey_range", "sharpness", "value"), [(59, 0.3, 59), (200, 0.05, 0.05), (200, 1.5, 1.5)]
)
def test_greys_and_sharpness_beyond_their_limits_are_one_reason(
    grey_range: float, sharpness: float, value: float
) -> None:
    guards = given(Measurements(100, grey_range, sharpness))
    assert (guards.verdict, guards.reasons, guards.checks[0].value) == ("caution", ("range",), value)


def test_a_sentence_says_check_value_and_limit() -> None:
    assert given(turned=0.97, rotated_180=0.97).sentences == (
        "The film looks upside down (probability 0.97, the limit is 0.5).",
    )
    assert blank(Measurements(3.25, 12, 0.2)).sentences == (
        "The picture is blank: it shows nothing (contrast 3.25, the least that passes is 10).",
    )
    assert blank(Measurements(3.25, 12, 0.2)).verdict == "refuse"


def test_a_sentence_says_of_what_a_probability_is_that_its_reason_does_not_name() -> None:
    assert given(other=0.993, frontal=0.007).sentences == (
        "This does not look like a chest X-ray (probability of another picture 0.993, the limit is 0.5).",
    )
    assert given(frontal=0.2, lateral=0.34, other=0.4).sentences == (
        "This does not look like a chest X-ray (probability of a chest X-ray 0.34, the least that passes is "
        "0.8).",
    )
    assert str(Check("unlike", "probability", 0.4, 0.5, below=True)).endswith(
        "(probability of a frontal film 0.4, the least that passes is 0.5)."
    )
    assert str(Check("unlike", "distance", 3, 2)).endswith("(distance 3, the limit is 2).")


def test_the_limits_of_greys_are_those_of_the_films_that_the_gate_learned_from() -> None:
    """The model may have learned from the very film."""
    [said] = given(Measurements(100, 59, 0.3)).sentences
    assert said.startswith("Greys or sharpness are beyond those of the gate's training films (")


def test_a_mirror_is_reported_as_what_may_be_dextrocardia() -> None:
    assert "may be mirrored (or dextrocardia)" in given(mirrored=0.99).sentences[0]


def test_a_reason_from_the_model_joins_in_order_but_not_if_refused() -> None:
    unlike = Check("unlike", "distance", 3.2, 1.4)
    assert given(inverted=0.9).with_check(unlike).reasons == ("inverted", "unlike")
    assert given().with_check(unlike).verdict == "caution"
    assert given(other=1).with_check(unlike).reasons == ("not_chest",)
    assert Guards().with_check(unlike).with_check(Check("cut", "probability", 1, 0.6)).reasons == (
        "cut",
        "unlike",
    )


@pytest.mark.parametrize(("reason", "quarters"), [("rotated_90", 3), ("rotated_180", 2), ("rotated_270", 1)])
def test_a_turned_film_is_turned_back_and_an_inverted_one_inverted(reason: Reason, quarters: int) -> None:
    film = np.arange(12, dtype=np.uint8).reshape(3, 4)
    turned = np.rot90(film, quarters)  # counterclockwise, as numpy turns
    checks = tuple(Check(one, "probability", 1, 0.5) for one in ("inverted", reason, "mirrored"))
    assert np.array_equal(fixed(255 - turned, Guards(checks)), film)
    assert np.array_equal(fixed(film, Guards(checks[2:])), film)


def test_codes_are_those_of_the_format() -> None:
    assert ";".join(REASONS) == (
        "not_chest;blank;inverted;rotated_90;rotated_180;rotated_270;mirrored;lateral;child;cut;range;unlike"
    )
