"""Films labelled in a real Chromium, by keyboard alone, while the server is killed."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from app_browser import settle
from axe import lasting
from contrast import faint_texts
from demo_home import save_demo_model
from labelled import given, labelling_of
from playwright.sync_api import Page, expect
from servers import app_server, app_serving, free_port

from xlite.data.phantom import write_phantom
from xlite.findings import FINDINGS
from xlite.labelling.entry import DrawnBox
from xlite.labelling.labelling import Labelling

pytestmark = [pytest.mark.slow, pytest.mark.browser]
ONE, TWO, THREE = (f"0000000{patient}_000" for patient in (1, 2, 3))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a few phantoms, which the gate lets through, and a tiny model."""
    home = tmp_path_factory.mktemp("label-home")
    write_phantom(home / "films", images=6, patients=6, size=256, seed=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLITE_HOME", str(home))
        save_demo_model(home)
    return home


@pytest.fixture
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XLITE_HOME", str(home))
    return home


def film(page: Page, name: str) -> None:
    """Waits until the viewer has that film, and the form its rows."""
    viewer = page.get_by_role("group", name=f"Film viewer: {name}")
    expect(viewer.locator("[data-part=where]")).to_contain_text("256 × 256 px")
    expect(page.get_by_role("radiogroup", name="Hernia")).to_be_visible()


def said(page: Page, words: str) -> None:
    expect(page.get_by_role("form").get_by_role("status")).to_contain_text(words)


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def enter_until_saved(page: Page) -> list[str]:
    """Presses Enter as a reader does who is told that the server does not answer; what the form said."""
    heard: list[str] = []
    while "Saved" not in " ".join(heard):
        assert len(heard) < 12, heard
        press(page, "Enter")
        status = page.get_by_role("form").get_by_role("status")
        expect(status).not_to_have_text("Saving …")
        heard.append(status.inner_text())
    return heard


def positives(labelling: Labelling, name: str) -> list[tuple[str, str]]:
    """What the one reader of a film said but no."""
    [reading] = labelling.state().film(name).readings
    return [(name, reading.answers[name]) for name in FINDINGS if reading.answers[name] != "no"]


def test_three_films_by_keyboard_with_a_kill_in_the_middle(at_home: Path, page: Page) -> None:
    ward, port = labelling_of(at_home / "films", "kill", films=3), free_port()
    with app_server(at_home, port=port, XLITE_DATA="") as (_, server):
        page.goto(f"http://localhost:{port}/label?labelling=kill&reader=Ann")
        film(page, ONE)
        press(page, "Enter")
        said(page, "Not saved: 14 without an answer (Atelectasis, Cardiomegaly, Effusion …).")
        assert [entry.act for entry in ward.log.read()] == ["opened"]
        press(page, "j y k k u a Enter")  # Cardiomegaly yes, then back and unsure to it, no to the others
        said(page, "Saved. Beside each finding stands the model's probability")
        press(page, "Enter")
        film(page, TWO)
        said(page, "")
        press(page, "y x")
        os.kill(server.pid, signal.SIGKILL)
        server.wait(30)
        press(page, "u a Enter")
        said(page, "The server has not answered. What you said stays here")
    with app_server(at_home, port=port, XLITE_DATA=""):
        heard = enter_until_saved(page)
        film(page, TWO)
        expect(page.get_by_role("radiogroup", name="Effusion").get_by_label("Unsure")).to_be_checked()
        assert "The server is back, and nothing is lost. Press Enter to save." in heard
        press(page, "Enter")
        film(page, THREE)
        press(page, "a Enter")
        said(page, "Saved.")
        press(page, "z")  # take it back, and say it otherwise
        expect(page.get_by_role("button", name="Save", exact=True)).to_be_visible()
        press(page, "y Enter")
        said(page, "Saved.")
        press(page, "Enter")
        expect(page.get_by_text("All films are done.")).to_be_visible()
    assert positives(ward, ONE) == [("Atelectasis", "unsure"), ("Cardiomegaly", "yes")]
    assert positives(ward, TWO) == [("Atelectasis", "yes"), ("Effusion", "unsure")]
    assert positives(ward, THREE) == [("Atelectasis", "yes")]
    acts = [entry.act for entry in ward.log.read() if entry.act != "opened"]
    assert acts == ["reading", "opinion"] * 3 + ["undone", "reading"]
    [again] = ward.state().film(THREE).readings
    assert again.after_opinion
    assert all(entry.given.seconds > 0 for entry in ward.log.read() if entry.given)


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with app_serving(home, XLITE_DATA="") as address:
        yield address


def test_a_box_is_dragged_in_the_viewer_or_typed(at_home: Path, address: str, page: Page) -> None:
    ward = labelling_of(at_home / "films", "boxes", films=2)
    page.goto(f"{address}/label?labelling=boxes&reader=Ann&opinion=false")
    film(page, ONE)
    press(page, "j j j j")  # Mass
    press(page, "o")
    said(page, "Drag a box around mass on the film")
    stage = page.get_by_role("application").bounding_box()
    assert stage
    scale = stage["width"] / 256
    x, y = stage["x"] + 64 * scale, stage["y"] + 128 * scale
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 16 * scale, y + 16 * scale)
    page.mouse.move(x + 32 * scale, y + 64 * scale)
    page.mouse.up()
    box = page.get_by_role("group", name="Box around Mass")
    expect(box.get_by_label("left")).to_have_value("64")
    expect(box.get_by_label("height")).to_have_value("64")
    press(page, "j o o")  # Nodule, by numbers
    typed = page.get_by_role("group", name="Box around Nodule")
    expect(typed.get_by_label("left")).to_be_focused()
    page.keyboard.type("1")  # in a field, keys are text
    expect(page.get_by_role("radiogroup", name="Nodule").get_by_label("Yes")).to_be_checked()
    typed.get_by_role("button", name="Remove the box around Nodule").click()
    expect(typed).to_have_count(0)
    page.reload()
    film(page, ONE)
    expect(box.get_by_label("left")).to_have_value("64")  # the browser kept it
    press(page, "a Enter")
    said(page, "Saved.")
    [reading] = ward.state().film(ONE).readings
    assert reading.given
    [drawn] = reading.given.boxes
    assert drawn.finding == "Mass"
    assert [drawn.x, drawn.y, drawn.w, drawn.h] == pytest.approx([256, 512, 128, 256], abs=5)
    assert positives(ward, ONE) == [("Mass", "yes"), ("Nodule", "yes")]


def test_the_viewers_keys_and_the_forms_work_at_once(at_home: Path, address: str, page: Page) -> None:
    labelling_of(at_home / "films", "both", films=2)
    page.goto(f"{address}/label?labelling=both&reader=Ann")
    film(page, ONE)
    viewer = page.get_by_role("group", name=f"Film viewer: {ONE}")
    page.get_by_role("application").focus()
    press(page, "i y")
    expect(viewer.get_by_role("button", name="Invert")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("radiogroup", name="Atelectasis").get_by_label("Yes")).to_be_checked()
    expect(page.get_by_role("application")).to_be_focused()
    page.get_by_text("Keys", exact=True).last.click()
    page.get_by_role("checkbox", name="These keys work").uncheck()
    press(page, "x")
    expect(page.get_by_role("radiogroup", name="Cardiomegaly").get_by_label("No")).not_to_be_checked()
    page.get_by_role("checkbox", name="These keys work").check()


def test_a_name_that_is_given_by_enter_takes_no_more_keys(at_home: Path, address: str, page: Page) -> None:
    """The focus stayed in its field: the keys that answer made a reader named Annyxxua of Ann."""
    labelling_of(at_home / "films", "name", films=2)
    page.goto(f"{address}/label?labelling=name")
    field = page.get_by_role("textbox", name="Your name as a reader")
    field.fill("Ann")
    press(page, "Enter y x u")  # before there is a film
    film(page, ONE)
    press(page, "y x")
    expect(page.get_by_role("radiogroup", name="Cardiomegaly").get_by_label("No")).to_be_checked()
    expect(field).to_have_value("Ann")
    field.fill("Bob")
    press(page, "Enter")
    expect(page.get_by_role("radiogroup", name="Cardiomegaly").get_by_label("No")).not_to_be_checked()
    press(page, "y x")
    expect(page.get_by_role("radiogroup", name="Cardiomegaly").get_by_label("No")).to_be_checked()
    expect(field).to_have_value("Bob")
    assert "reader=Bob" in page.url


def test_two_readers_at_once_get_two_films_and_two_tabs_one(
    at_home: Path, address: str, page: Page, visit: Callable[[], Page]
) -> None:
    ward = labelling_of(at_home / "films", "two", films=3)
    page.goto(f"{address}/label?labelling=two&reader=Ann")
    film(page, ONE)
    tab = page.context.new_page()
    other = visit()
    for one, reader, name in ((tab, "Ann", ONE), (other, "Bob", TWO)):
        one.goto(f"{address}/label?labelling=two&reader={reader}")
        film(one, name)
    press(page, "a Enter")
    said(page, "Saved.")
    press(tab, "y a Enter")
    said(tab, "Ann has answered 00000001_000 already, in another tab")
    film(tab, THREE)
    press(other, "a Enter")
    said(other, "Saved.")
    assert positives(ward, ONE) == positives(ward, TWO) == []


@pytest.mark.release
def test_nothing_keeps_anybody_out_in_any_state(at_home: Path, address: str, page: Page) -> None:
    ward = labelling_of(at_home / "films", "axe", films=3, double=1.0)
    box = DrawnBox(finding="Mass", x=100, y=200, w=300, h=400)
    ward.answer("Ann", ONE, given(Mass="yes", boxes=[box]))
    ward.answer("Bob", ONE, given(Edema="unsure"))
    found: dict[str, list[str]] = {}

    def look(state: str) -> None:
        settle(page)
        for scheme, width in (("dark", 1400), ("light", 1400), ("light", 420), ("dark", 420)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 1000})
            page.wait_for_timeout(300)
            found[f"{state}, {scheme}, {width}"] = [str(one) for one in lasting(page)] + faint_texts(page)
            main = page.get_by_test_id("stMain")
            assert main.evaluate("box => box.scrollWidth - box.clientWidth") == 0, f"{state}, {width}"

    page.goto(f"{address}/label?labelling=axe&reader=Cleo")
    film(page, ONE)
    page.get_by_text("Keys", exact=True).last.click()
    look("dispute")
    press(page, "y a o o")
    page.get_by_role("application").focus()
    press(page, "a Enter")
    said(page, "Saved.")
    look("opinion")
    page.get_by_text("Readers and agreement").click()
    page.get_by_text("Take the labels along").click()
    look("numbers")
    page.goto(f"{address}/label?labelling=axe&reader=Dan")
    film(page, TWO)
    press(page, "j o")
    look("film")
    assert found == dict.fromkeys(found, []) and len(found) == 16
    assert len(FINDINGS) == page.get_by_role("radiogroup").count()
