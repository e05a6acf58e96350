"""The Classify page behind the gate: what is refused, offered and cautioned, and several films at once."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from app_pages import page
from demo_home import save_demo_model
from streamlit.testing.v1 import AppTest

from xlite.examples import examples
from xlite.guards.gate import Gate
from xlite.guards.verdict import Check, Guards
from xlite.images import read_image
from xlite.report.film_sentences import NO_PROBABILITIES, PASSED, VOID
from xlite.serving import upload_limits

FILM = read_image(examples()["7. No finding"].path)
pytestmark = pytest.mark.usefixtures("one_scan", "only_this_home")


def upload(name: str, image: np.ndarray) -> tuple[str, bytes, str]:
    return name, cv2.imencode(".png", image)[1].tobytes(), "image/png"


def reads(*films: tuple[str, bytes, str]) -> AppTest:
    """The page after these uploads."""
    test = page("classify").run()
    test.file_uploader[0].set_value(list(films)).run()
    assert [error.message for error in test.exception] == []
    return test


def pressed(test: AppTest, words: str) -> AppTest:
    [button] = [one for one in test.button if one.label == words]
    button.click().run()
    assert [error.message for error in test.exception] == []
    return test


def probabilities(test: AppTest) -> list[str]:
    return [tab.label for tab in test.tabs]


@pytest.mark.slow
def test_a_picture_that_is_no_chest_film_gets_a_reason_and_no_probabilities(own_home: Path):
    save_demo_model(own_home)
    noise = np.random.default_rng(0).integers(0, 256, (256, 200), dtype=np.uint8)
    for image, why in ((noise, "does not look like a chest X-ray"), (noise * 0, "The picture is blank")):
        test = reads(upload("a.png", image))
        [said] = [error.value for error in test.error]
        assert why in said and NO_PROBABILITIES in said
        assert probabilities(test) == [] and len(test.get("plotly_chart")) == 0
        assert not any("%" in element.value for element in (*test.markdown, *test.caption))
        assert test.image[0].captions[0] == "a.png"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "click", "done"),
    [
        (np.rot90(FILM, 2), "Turn it by 180° and read it again", "Turned by 180° before it was read"),
        (255 - FILM, "Invert its greys and read it again", "Inverted before it was read"),
    ],
)
def test_one_click_turns_or_inverts_the_film_and_the_answer_says_so(
    own_home: Path, wrong: np.ndarray, click: str, done: str
):
    save_demo_model(own_home)
    right = probabilities(reads(upload("right.png", FILM)))
    test = reads(upload("wrong.png", wrong))
    [said], as_it_came = [warning.value for warning in test.warning], probabilities(test)
    assert "Read as it came" in said and VOID in said and as_it_came != right
    pressed(test, click)
    assert (len(test.warning), probabilities(test)) == (0, right)
    assert done in test.info[0].value and "As it came: the film looks" in test.info[0].value
    pressed(test, "Read it as it came")
    assert ([warning.value for warning in test.warning], probabilities(test)) == ([said], as_it_came)


@pytest.mark.slow
def test_a_caution_is_said_and_withdraws_the_guarantee(own_home: Path, monkeypatch: pytest.MonkeyPatch):
    save_demo_model(own_home)
    child = Guards((Check("child", "probability", 0.9, 0.5),))
    monkeypatch.setattr(Gate, "judge", lambda self, image: child)
    test = reads(upload("a.png", FILM))
    [said] = [warning.value for warning in test.warning]
    assert "Read with caution" in said and "film of a child" in said and VOID in said
    assert len(probabilities(test)) == 3
    assert [one.label for one in test.button] == ["Open", "Forget it", "Forget all"]


@pytest.mark.slow
def test_several_films_have_a_table_and_one_is_shown(own_home: Path, monkeypatch: pytest.MonkeyPatch):
    save_demo_model(own_home)
    films = [upload("a.png", FILM), upload("a.png", FILM[::-1, ::-1]), ("c.png", b"no picture", "image/png")]
    test = reads(*films)
    [table] = [one.value for one in test.markdown if one.value.startswith("| Film | Guards")]
    assert [row.split(" | ")[1] for row in table.splitlines()[2:]] == [
        "pass",
        "looks upside down",
        "not read",
    ]
    [shown] = [box for box in test.selectbox if box.label == "Film shown"]
    assert shown.options == ["a.png", "a.png (2)", "c.png, not read"] and len(test.warning) == 0
    for place in (1, 0, 1):
        [shown] = [box for box in test.selectbox if box.label == "Film shown"]
        shown.select_index(place).run()
        assert len(test.warning) == place and len(probabilities(test)) == 3
    pressed(test, "Turn it by 180° and read it again")
    [table] = [one.value for one in test.markdown if one.value.startswith("| Film | Guards")]
    assert [row.split(" | ")[1] for row in table.splitlines()[2:]] == ["pass", "turned by 180°", "not read"]
    [shown] = [box for box in test.selectbox if box.label == "Film shown"]
    shown.select_index(2).run()
    assert "not a PNG" in test.error[0].value and probabilities(test) == []
    [unread] = [one.value for one in test.caption if "could not be read" in one.value]
    assert unread == (
        "As in the tables of xlite predict, the CSV has no row for c.png, which could not be read: the "
        "report and the JSON say why."
    )
    monkeypatch.setattr(upload_limits, "MAX_OWN_FILMS", 3)
    many = reads(*[upload(f"{number}.png", FILM) for number in range(5)])
    assert many.info[0].value.startswith("The first 3 of 5 are read, not 3.png, 4.png")
    assert all("could not be read" not in one.value for one in many.caption)


@pytest.mark.slow
def test_a_film_that_passes_says_so_above_its_numbers_and_no_other_does(own_home: Path):
    save_demo_model(own_home)
    test = reads(upload("a.png", FILM), upload("turned.png", np.rot90(FILM, 2)))
    assert [one.value for one in test.caption if PASSED in one.value] == [f":material/check: {PASSED}"]
    test.selectbox(key="shown").select_index(1).run()
    assert [one.value for one in test.caption if PASSED in one.value] == []


@pytest.mark.slow
def test_what_is_shown_can_be_had_as_files(own_home: Path):
    save_demo_model(own_home)
    test = reads(upload("a.png", FILM))
    labels = [one.proto.label for one in test.get("download_button")]
    assert labels == ["Report (PDF)", "Table (CSV)", "All facts (JSON)"]


@pytest.mark.slow
def test_a_film_is_read_once_for_each_model(own_home: Path, monkeypatch: pytest.MonkeyPatch):
    save_demo_model(own_home)
    counted: list[int] = []
    judge = Gate.judge
    monkeypatch.setattr(Gate, "judge", lambda self, image: counted.append(1) or judge(self, image))
    test = reads(upload("a.png", FILM))
    test.selectbox(key="method").set_value("gradcam").run()
    assert len(counted) == 1
