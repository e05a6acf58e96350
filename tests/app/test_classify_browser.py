"""Read a film in a real Chromium: uploads, their maps, models and files, and what is refused."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import cv2
import pytest
from app_browser import no_exception, pick_option, resting_box, settle, write_film
from demo_home import save_demo_model
from pdf_texts import pdf_texts
from playwright.sync_api import Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from xlite.classify import Classifier
from xlite.examples import examples
from xlite.images import MAX_UPLOAD_MB, read_image
from xlite.serving.notice import BUTTON

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_a_film_is_uploaded_and_its_maps_are_seen(app: str, page: Page, tmp_path: Path):
    film = write_film(tmp_path / "film.png")
    page.goto(app)
    page.get_by_test_id("stMain").get_by_role("link", name="Read a film").click()
    page.wait_for_url("**/classify")
    expect(page.get_by_test_id("stTab")).to_have_count(3)
    settle(page)
    # Its maps are different for each finding on any film; those of a trained model need not be.
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="demo0").click()
    expect(page.get_by_text("Model demo0:")).to_be_visible()
    settle(page)
    page.locator("input[type=file]").set_input_files(film)
    expect(page.get_by_text("film.png, map of")).to_be_visible()
    settle(page)
    expect(page.get_by_test_id("stTab")).to_have_count(3)
    viewer = page.get_by_role("group", name="Film viewer: film.png")
    expect(viewer).to_contain_text("200 × 256 px")
    picture = viewer.get_by_role("img", name="film.png with the map of").evaluate
    shown = picture("canvas => canvas.toDataURL()")
    page.get_by_role("combobox", name="Map of").click()
    page.get_by_role("option").last.click()
    expect(page.get_by_text("film.png, map of")).not_to_be_empty()
    settle(page)
    end = time.monotonic() + 10  # the viewer draws when it comes to it
    while picture("canvas => canvas.toDataURL()") == shown and time.monotonic() < end:
        page.wait_for_timeout(100)
    assert picture("canvas => canvas.toDataURL()") != shown
    viewer.get_by_role("application").focus()
    for _ in range(3):
        page.keyboard.press("n")
    page.wait_for_timeout(100)
    named = re.compile("with the map of (.*), ")
    finding = named.search(viewer.get_by_role("img").first.get_attribute("aria-label")).group(1)
    expect(page.get_by_role("combobox", name="Map of")).to_have_value(finding)
    assert f"finding={finding.replace(' ', '+')}" in page.url.replace("%20", "+")
    no_exception(page)


def test_an_upload_survives_a_change_of_model(app: str, page: Page, tmp_path: Path):
    """A change of model draws only the reading anew.

    If the whole page were drawn anew, Streamlit would lose the upload now and then, too seldom for a test.
    """
    sent: list[bytes] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    film = write_film(tmp_path / "film.png")
    page.goto(f"{app}/classify")
    expect(page.get_by_test_id("stTab")).to_have_count(3)
    settle(page)
    sent.clear()
    page.locator("input[type=file]").set_input_files(film)
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="demo0").click()
    expect(page.get_by_text("film.png, map of")).to_be_visible()
    expect(page.get_by_text("Model demo0:")).to_be_visible()
    settle(page)
    asked = [BackMsg.FromString(frame) for frame in sent]
    drawn = [one.rerun_script.fragment_id for one in asked if one.HasField("rerun_script")]
    assert len(drawn) == 2 and drawn.count("") == 1  # the whole page for the upload alone
    no_exception(page)


def test_a_file_that_is_no_film_gets_one_sentence(app: str, page: Page, tmp_path: Path):
    fake = tmp_path / "fake.png"
    fake.write_text("this is no picture")
    page.goto(f"{app}/classify")
    page.locator("input[type=file]").set_input_files(fake)
    expect(page.get_by_test_id("stAlertContentError")).to_contain_text("image")
    no_exception(page)


@pytest.mark.release
def test_the_number_beside_the_chosen_map_is_that_of_the_model_and_the_film(
    app: str, page: Page, own_home: Path, tmp_path: Path
):
    save_demo_model(own_home, "other", seed=1)
    films = [tmp_path / "a" / "film.png", tmp_path / "b" / "film.png"]
    for film, side in zip(films, (256, 128), strict=True):
        film.parent.mkdir()
        write_film(film, side)
    page.goto(f"{app}/classify")
    expect(page.get_by_test_id("stTab")).to_have_count(3)
    pick_option(page, "Model", "demo0")
    for film in films:  # of one name
        page.locator("input[type=file]").set_input_files(film)
        for model in ("other", "demo0"):
            pick_option(page, "Map of", "Hernia")
            pick_option(page, "Model", model)
            reading = Classifier.load(model).read(read_image(film))
            expect(page.get_by_test_id("stTab").first).to_contain_text(f"{reading.top(1)[0][1]:.1%}")
            assert page.get_by_role("combobox", name="Map of").input_value() == "Hernia"
            of = f"map of hernia ({reading.probability('Hernia'):.1%})"
            expect(page.get_by_text(of)).to_be_visible()
            assert parse_qs(urlparse(page.url).query) == {"model": [model], "finding": ["Hernia"]}
    no_exception(page)


def test_an_upload_stays_when_its_page_is_left_and_no_other_visitor_sees_it(
    app: str, page: Page, visit: Callable[[], Page], tmp_path: Path
):
    film = write_film(tmp_path / "film.png")
    page.goto(f"{app}/classify")
    expect(page.get_by_test_id("stTab")).to_have_count(3)
    pick_option(page, "Model", "demo0")
    page.locator("input[type=file]").set_input_files(film)
    expect(page.get_by_text("film.png, map of")).to_be_visible()
    settle(page)
    top = page.get_by_test_id("stTab").first.inner_text()
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Overview").click()
    expect(page.get_by_text("film.png, map of")).to_have_count(0)
    settle(page)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Read a film").click()
    expect(page.get_by_text("film.png, map of")).to_be_visible()
    settle(page)
    assert page.get_by_test_id("stTab").first.inner_text() == top
    assert page.get_by_role("combobox", name="Model").input_value() == "demo0"

    other = visit()
    other.goto(page.url)
    expect(other.get_by_test_id("stTab").first).to_be_visible()
    settle(other)
    assert "film.png" not in other.content()

    page.get_by_text("Films of this visit").click()
    page.get_by_role("button", name="Forget all").click()
    expect(page.get_by_text("film.png")).to_have_count(0)
    no_exception(page)


def test_a_batch_is_read_with_no_other_films_numbers_below_and_stepped_through_by_keys(
    app: str, page: Page, tmp_path: Path
):
    films = [tmp_path / f"{name}.png" for name in "abc"]
    for film in films:  # large, so that the browser shows that they are being read
        cv2.imwrite(str(film), cv2.resize(read_image(examples()["7. No finding"].path), (2400, 2400)))
    page.goto(f"{app}/classify?model=demo0")
    expect(page.get_by_test_id("stTab")).to_have_count(3)
    settle(page)
    page.evaluate(
        """() => {
            const there = (name) => document.querySelectorAll(`[data-testid=${name}]`).length;
            window.seen = [];
            const look = () => there("stProgress") && window.seen.push(there("stTab"));
            new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
        }"""
    )
    page.locator("input[type=file]").set_input_files(films)
    expect(page.get_by_text("1 of 3", exact=True)).to_be_visible()
    settle(page)
    assert set(page.evaluate("window.seen")) == {0}
    page.get_by_role("application").focus()
    for key, place, name in (("e", "2 of 3", "b"), ("e", "3 of 3", "c"), ("w", "2 of 3", "b")):
        page.keyboard.press(key)
        expect(page.get_by_text(place, exact=True)).to_be_visible()
        expect(page.get_by_role("group", name=f"Film viewer: {name}.png")).to_be_visible()
        settle(page)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("3 of 3", exact=True)).to_be_visible()
    no_exception(page)


def test_the_report_is_a_file_that_can_be_searched(app: str, page: Page, tmp_path: Path):
    page.goto(f"{app}/classify")
    page.locator("input[type=file]").set_input_files(write_film(tmp_path / "film.png"))
    expect(page.get_by_text("film.png, map of")).to_be_visible()
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Report (PDF)").click()
    [texts] = pdf_texts(Path(download.value.path()).read_bytes())
    assert (texts[2], download.value.suggested_filename) == ("film.png", "xlite.pdf")
    no_exception(page)


def test_a_refused_upload_says_why_and_no_other_reading_is_left_below(app: str, page: Page, tmp_path: Path):
    film, large = write_film(tmp_path / "film.png"), tmp_path / "large.png"
    large.write_bytes(b"\x89PNG" + bytes(MAX_UPLOAD_MB * 2**20))
    page.goto(f"{app}/classify")
    metrics, reason = page.get_by_test_id("stTab"), page.get_by_test_id("stFileChip").get_by_role("alert")
    expect(metrics.first).to_be_visible()
    settle(page)
    page.locator("input[type=file]").set_input_files(film)
    expect(page.get_by_text("film.png, map of")).to_be_visible()
    page.locator("input[type=file]").set_input_files(large)
    expect(reason).to_contain_text("File must be")
    assert reason.bounding_box()["width"] > 100
    expect(metrics.first).to_be_hidden()
    expect(page.get_by_text("film.png, map of")).to_be_hidden()
    page.get_by_role("button", name="Remove large.png").click()
    expect(metrics.first).to_be_visible()
    no_exception(page)


def test_a_films_name_loads_no_picture_and_sets_no_marks(app: str, page: Page, tmp_path: Path):
    name = "![x](https:evil.example) <b>c<b> $y$ :red[z] _w_.png"
    film = write_film(tmp_path / name)
    page.goto(f"{app}/classify")
    page.locator("input[type=file]").set_input_files(film)
    expect(page.get_by_text(f"{name}, map of")).to_be_visible()
    settle(page)
    no_exception(page)


@pytest.mark.parametrize("films", [1, 3])
def test_the_film_and_its_findings_are_seen_without_scrolling(
    app: str, page: Page, tmp_path: Path, films: int
):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{app}/classify?model=demo0")
    button = page.get_by_role("button", name=BUTTON)
    button.wait_for()
    settle(page)
    button.click()
    settle(page)
    square = [tmp_path / f"{number}.png" for number in range(films)]
    for path in square:
        cv2.imwrite(str(path), cv2.resize(read_image(examples()["7. No finding"].path), (512, 512)))
    page.locator("input[type=file]").set_input_files(square)
    expect(page.get_by_text("0.png, map of")).to_be_visible()
    settle(page)
    film, bars = page.get_by_role("application"), page.locator(".js-plotly-plot").first
    for seen, least in ((film, 430), (bars, 300)):
        box = resting_box(seen)
        assert box["y"] > 0 and box["height"] >= least and box["y"] + least <= 900
    assert resting_box(film)["y"] + resting_box(film)["height"] <= 900
    warning = page.get_by_text("Research software, not for clinical use")
    covered = "one => { const at = one.getBoundingClientRect();"
    covered += " return one.contains(document.elementFromPoint(at.x + 5, at.y + at.height / 2)) }"
    assert warning.evaluate(covered)
