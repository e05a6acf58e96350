from pathlib import Path

import pytest
from app_pages import page, words
from demo_home import save_demo_model

from xlite import __version__
from xlite.messages import literal

pytestmark = pytest.mark.usefixtures("one_scan", "only_this_home")


def test_about_shows_the_card_of_the_model_on_duty(own_home: Path):
    path = save_demo_model(own_home)
    path.with_name("MODEL_CARD.md").write_text("Trained on **nothing** ![x](https://evil.example/x.png).")
    text = words(page("about").run())
    assert "Trained on **nothing** [x](https://evil.example/x.png)." in text  # a picture would be fetched
    assert "Not for clinical use" in text and "NIH Clinical Center" in text


def test_every_model_has_its_card_and_a_link_opens_it(own_home: Path):
    for name in ("one", "two"):
        save_demo_model(own_home, name).with_name("MODEL_CARD.md").write_text(f"The card of {name}.")
    save_demo_model(own_home, "bare")
    test = page("about")
    test.query_params["model"] = "one"
    test.run()
    assert set(test.selectbox(key="model").options) == {"one", "two", "bare"}
    assert "The card of one." in words(test) and "The card of two." not in words(test)
    test.selectbox(key="model").set_value("bare").run()
    assert "bare has no card yet" in words(test)


def test_a_card_that_is_not_here_is_said(own_home: Path):
    save_demo_model(own_home)
    test = page("about")
    test.query_params["model"] = "doesnotexist"
    test.run()
    assert test.warning[0].value == literal("The model 'doesnotexist' is asked for, and it is not here")


def test_where_films_are_read_is_said_of_a_public_server_too(monkeypatch: pytest.MonkeyPatch):
    here, stays = "This app runs on your computer, and no film leaves it. ", "is gone when you close it"
    assert here in words(page("about").run()) and stays in words(page("about").run())
    monkeypatch.setenv("XLITE_PUBLIC", "1")
    text = words(page("about").run())
    assert "This app runs on a server: a film that you upload is sent to it" in text and stays in text
    assert "your computer" not in text


def test_without_a_model_it_still_tells_the_rest():
    test = page("about").run()
    text = words(test)
    assert "There is no model yet" in text and "| No Finding is about 60 % of the films | 53.84 % |" in text
    assert [tab.label for tab in test.tabs] == ["Model cards", "Data", "Limits", "Cite", "Versions"]
    assert f"| X-Lite | {__version__} |" in text and "@software{xlite," in text
