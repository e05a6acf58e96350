"""`xlite predict` and what its gate says of pictures."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from command_line import Command

from xlite.examples import examples
from xlite.findings import FINDINGS
from xlite.guards.gate import Gate
from xlite.images import read_image

pytestmark = pytest.mark.slow


@pytest.fixture
def wrong_and_right(tmp_path: Path) -> Path:
    """A bundled film, the same upside down and inverted, and a blank picture."""
    film = read_image(examples()["7. No finding"].path)
    pictures = {"blank": np.full_like(film, 9), "right": film, "wrong": np.rot90(255 - film, 2)}
    (tmp_path / "films").mkdir()
    for name, pixels in pictures.items():
        cv2.imwrite(str(tmp_path / "films" / f"{name}.png"), pixels)
    return tmp_path / "films"


@pytest.mark.parametrize("fix", [False, True])
def test_guards_are_in_table_text_and_json(
    fix: bool, xlite: Command, model: str, wrong_and_right: Path, tmp_path: Path
) -> None:
    words = ["predict", model, wrong_and_right, "--out", tmp_path / "out", *(["--fix"] if fix else [])]
    status, text, err = xlite(*words)
    blank = "The picture is blank: it shows nothing"
    assert status == 1 and err == (
        f"Error: {wrong_and_right / 'blank.png'}: {blank} (contrast 0, the least that passes is 10).\n"
    )
    so = "put right before reading" if fix else "read as it is, and --fix puts that right"
    assert f"\n1 film looked turned or inverted: {so}\n" in text
    assert f"\n2 films read, 1 refused: {tmp_path / 'out'}\n" in text
    film = np.rot90(255 - read_image(wrong_and_right / "right.png"), 2)
    sentences = list(Gate.load().judge(film).sentences)
    assert sentences[0].startswith("The film looks inverted: bones are dark on it (probability ")
    sentences += ["It was turned upright or inverted back before it was read."] * fix
    assert f"\nwrong.png: {' '.join(sentences)}\n" in text
    status, text, _ = xlite(*words, "--json")
    answer = json.loads(text)
    reasons = ["inverted", "rotated_180"]
    assert status == 1 and list(answer) == ["blank.png", "right.png", "wrong.png"]
    assert answer["blank.png"] == {
        "guards": {
            "verdict": "refuse",
            "reasons": ["blank"],
            "fixed": [],
            "sentences": [f"{blank} (contrast 0, the least that passes is 10)."],
        }
    }
    assert answer["wrong.png"]["guards"] == {
        "verdict": "offer",
        "reasons": reasons,
        "fixed": reasons if fix else [],
        "sentences": sentences,
    }
    assert {one["void"] for one in answer["wrong.png"]["worth"].values()} == {not fix}
    assert (answer["wrong.png"]["Mass"] == answer["right.png"]["Mass"]) is fix
    right = answer["right.png"]["worth"]
    assert list(right) == sorted(FINDINGS, key=lambda one: -right[one]["probability"])
    assert right["Mass"]["says"] == ["Not calibrated: the probability is a score that ranks films."]


def test_a_refused_film_alone_is_bad_input(
    xlite: Command, model: str, wrong_and_right: Path, tmp_path: Path
) -> None:
    film = wrong_and_right / "blank.png"
    status, out, err = xlite("predict", model, film, "--out", tmp_path / "out", "--json")
    assert (status, err.count("\n")) == (2, 1)
    guards = json.loads(out)["blank.png"]["guards"]
    assert (guards["verdict"], guards["reasons"]) == ("refuse", ["blank"])
    assert err == f"Error: {film}: {' '.join(guards['sentences'])}\n"
    assert err.startswith(f"Error: {film}: The picture is blank: it shows nothing (contrast 0")
    assert (tmp_path / "out" / "guards.csv").read_text() == "image,verdict,reasons\nblank.png,refuse,blank\n"
    assert len((tmp_path / "out" / "predictions.csv").read_text().splitlines()) == 1
