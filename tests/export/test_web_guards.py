"""The gate as data for the page."""

import numpy as np

from xlite.examples import examples
from xlite.export.web_guards import gate_network, guard_facts
from xlite.guards.gate import OUTPUTS, Gate
from xlite.guards.measure import gate_input, thumbnail
from xlite.guards.network import INPUT
from xlite.guards.verdict import REASONS, Check, Guards
from xlite.images import read_image
from xlite.places import bundled


def test_scores_are_sums_of_the_networks_answers():
    gate, film = Gate.load(), read_image(next(iter(examples().values())).path)
    facts, small = guard_facts(gate, film), thumbnail(film)
    answers = np.hstack(gate.session.run(OUTPUTS, {INPUT: gate_input(small)}))[0]
    found = {name: one[0] + answers @ one[1:] for name, one in facts["scores"].items()}
    assert found.keys() == facts["golden"].keys() == gate.scores(small).keys()
    np.testing.assert_allclose(list(found.values()), list(gate.scores(small).values()), atol=1e-6)
    assert facts["limits"] == gate.limits.model_dump()
    assert gate_network() == bundled("checkpoints", "gate", "gate.onnx").read_bytes()


def test_what_a_click_does_is_said_in_pythons_words():
    mends = guard_facts(Gate.load(), np.zeros((300, 300), np.uint8))["mends"]
    turns = ("rotated_90", "rotated_180", "rotated_270")
    assert list(mends) == ["inverted", *turns, *(f"inverted;{turn}" for turn in turns)]
    assert mends["inverted;rotated_180"] == {
        "does": "Invert its greys, turn it by 180° and read it again",
        "done": "Inverted and turned by 180° before it was read",
    }


def test_reasons_say_what_they_lead_to_in_pythons_words():
    reasons = guard_facts(Gate.load(), np.zeros((300, 300), np.uint8))["reasons"]
    assert list(reasons) == list(REASONS)
    for reason, said in reasons.items():
        for side in ("below", "from"):
            check = Check(reason, "sharpness", 0.25, 0.5, below=side == "below")
            words = {"{measure}": "sharpness", "{value}": "0.25", "{limit}": "0.5"}
            text = said[side]
            for place, word in words.items():
                assert text.count(place) == 1
                text = text.replace(place, word)
            assert (text, said["verdict"]) == (str(check), Guards((check,)).verdict)
