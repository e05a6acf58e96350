"""Rows on pictures of other kinds, by hand: a drawn film, and one that shows no chest."""

import numpy as np
from guards import other_rows

from xlite.guards.gate import Gate
from xlite.training.gate.pictures import FRONTAL, OTHER, Picture, phantoms


def test_each_picture_is_judged_as_it_is_and_made_wrong_by_the_gate_of_its_name() -> None:
    gate, noise = Gate.load(), np.random.default_rng(0).integers(0, 256, (224, 224), dtype=np.uint8)
    film = phantoms(1, 3)[0]
    assert gate.judge(film).verdict == "pass"
    pictures = [
        Picture("a.png", "a", "frontal_icu", FRONTAL, film),
        Picture("b.png", "b", "noise", OTHER, noise),
    ]
    asked: list[str] = []
    rows, names = other_rows(pictures, lambda name: asked.append(name) or gate)
    assert set(asked) == {"a.png", "b.png"} and names == []
    shares = {row.split(" | ")[0].removeprefix("| "): row.split(" | ")[1] for row in rows}
    assert shares["frontal_icu: refused"] == shares["frontal_icu: cautioned"] == "0 of 1"
    for wrong in ("upside down", "turned by 90° clockwise", "turned by 270° clockwise", "inverted"):
        assert shares[f"frontal_icu: {wrong} found"] == "1 of 1"
    assert {"frontal_icu: mirrored found", "frontal_icu: mirrored, any word"} <= set(shares)
    assert shares["noise: any word"] == "1 of 1"
