"""What a federation says of its noise and of rounds that nobody answered."""

import pytest

pytest.importorskip("flwr", reason="Flower is not installed here (pip install 'xlite-cxr[federated]')")

from federations import STUDENT

from xlite.federated.plan import make_plan
from xlite.federated.sentences import after_rounds, noise_sentence, nothing_taken

TAKEN, REFUSED = (
    {"round": 1, "client": "a", "refused": ""},
    {"round": 2, "client": "a", "refused": "too slow"},
)


@pytest.mark.parametrize(
    ("epsilon", "deviation", "worth", "whole"),
    [
        (0.5, "19.4", "is a guarantee", ": 2 rounds add up to at most 1 (delta 2e-05)"),
        (8.0, "1.21", "guarantees nothing, as its formula is proven below 1 only", ""),
    ],
)
def test_an_epsilon_comes_with_its_assumptions(epsilon: float, deviation: str, worth: str, whole: str):
    plan = make_plan({**STUDENT, "rounds": 2, "norms": "frozen", "dp_epsilon": epsilon})
    assert noise_sentence(plan) == (
        "Each client's update is clipped to a norm of 1, and each weight gets noise with a standard "
        f"deviation of {deviation}; epsilon {epsilon:g} (delta 1e-05) {worth}. It is that of one "
        f"round of one client whose whole folder may differ{whole}. Numbers of films, losses and AUC leave "
        "without noise."
    )


def test_rounds_without_a_reply_are_counted_also_those_that_nobody_was_asked_in():
    assert after_rounds([TAKEN], 1) == "after 1 round"
    assert after_rounds([TAKEN, REFUSED], 3) == "after 3 rounds, in 2 of which no client's reply was taken"
    assert nothing_taken([TAKEN, REFUSED]) is None
    assert "(last, a: too slow)" in str(nothing_taken([REFUSED]))
    assert "began with: see rounds.csv" in str(nothing_taken([]))
