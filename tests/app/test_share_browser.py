"""The Gradio demo as a visitor sees it: a real Chromium, in both themes."""

import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from contrast import faint_texts
from demo_home import save_demo_model
from playwright.sync_api import Browser, Locator, Page, expect
from servers import serving

from xlite.classify import Classifier
from xlite.examples import examples
from xlite.findings import FINDINGS
from xlite.images import read_image

pytestmark = [pytest.mark.slow, pytest.mark.browser]
FILM = read_image(examples()["7. No finding"].path)
OFFER = "Turn it by 180° and read it again"
PATIENCE_MS = 120_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a tiny model, for the server of this file."""
    home = tmp_path_factory.mktemp("share-home")
    save_demo_model(home)
    return home


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with serving(home) as address:
        yield address


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    yield from visit(browser, address, "light")


def visit(browser: Browser, address: str, theme: str) -> Iterator[Page]:
    """A new visitor, whose browser talks to the demo alone."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=theme)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.goto(address)
    expect(page.get_by_role("button", name="Read", exact=True)).to_be_visible()
    yield page
    context.close()
    assert {url for url in asked if not url.startswith((address, "data:", "blob:"))} == set()


def write(path: Path, image: np.ndarray) -> Path:
    cv2.imwrite(str(path), image)
    return path


def give(page: Page, *films: Path) -> None:
    page.locator("input[type=file]").first.set_input_files(list(films))
    expect(page.locator("figure.film figcaption").first).to_contain_text(films[0].name)


def redrawn(page: Page, image: Locator, before: str | None) -> str | None:
    """The source of an image once it is another one."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while image.get_attribute("src") == before:
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)
    return image.get_attribute("src")


def still_faint(page: Page) -> list[str]:
    """The faint texts that stay: Gradio's clock of the last event fades away."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while (faint := faint_texts(page)) and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    return faint


def test_each_text_has_the_contrast_of_wcag_aa(browser: Browser, address: str, theme: str, tmp_path: Path):
    for page in visit(browser, address, theme):
        assert still_faint(page) == []
        give(page, write(tmp_path / "upside-down.png", FILM[::-1, ::-1]), write(tmp_path / "b.png", FILM))
        expect(page.get_by_role("button", name=OFFER)).to_be_visible()
        assert still_faint(page) == []
        page.evaluate("document.querySelector('figure.film figcaption').style.opacity = 0.3")
        assert faint_texts(page) != []


def test_one_click_turns_the_film_and_the_answer_says_so(page: Page, home: Path, tmp_path: Path):
    give(page, write(tmp_path / "film.png", FILM[::-1, ::-1]))
    expect(page.get_by_text("The film looks upside down")).to_be_visible()
    expect(page.get_by_text('guarantee of the "not sure" zone is withdrawn')).to_be_visible()
    page.get_by_role("button", name=OFFER).click()
    expect(page.get_by_text("Turned by 180° before it was read")).to_be_visible()
    expect(page.get_by_text("zone is withdrawn")).to_have_count(0)
    [(finding, probability)] = Classifier.load(home / "checkpoints" / "demo0").read(FILM).top(1)
    expect(page.locator(".film-row figcaption").first).to_contain_text(f"{probability:.1%}")
    page.get_by_role("button", name="Read it as it came").click()
    expect(page.get_by_text("The film looks upside down")).to_be_visible()


def test_map_and_opacity_are_chosen_and_change_the_picture_alone(page: Page, tmp_path: Path):
    give(page, write(tmp_path / "film.png", FILM))
    large, rest = page.locator("figure.film img").first, page.locator(".film-row")
    shown, others = large.get_attribute("src"), rest.inner_html()
    page.get_by_role("slider").press("ArrowRight")
    shown = redrawn(page, large, shown)
    for label, words in (("Map of", "Cardiomegaly"), ("How the maps are made", "Grad-CAM")):
        page.get_by_label(label).click()
        page.get_by_role("option", name=words).first.click()
        shown = redrawn(page, large, shown)
    assert rest.inner_html() == others
    expect(page.locator("figure.film figcaption").first).to_contain_text("map of cardiomegaly")


def test_several_films_are_read_one_is_shown_and_all_are_saved(page: Page, tmp_path: Path):
    noise = np.random.default_rng(0).integers(0, 256, FILM.shape, dtype=np.uint8)
    films = [write(tmp_path / "a.png", FILM), write(tmp_path / "b.png", noise)]
    fake = tmp_path / "c.png"
    fake.write_text("no picture")
    give(page, *films, fake)
    rows = page.locator(".wide").first.get_by_role("row")
    expect(rows).to_have_count(4)
    assert [row.split("\t")[:2] for row in rows.all_inner_texts()[1:]] == [
        ["a.png", "pass"],
        ["b.png", "refused"],
        ["c.png", "not read"],
    ]
    with page.expect_download() as saved:
        page.get_by_role("link", name="Table (CSV)").click()
    lines = list(csv.DictReader(saved.value.path().read_text().splitlines()))
    assert (saved.value.suggested_filename, len(lines)) == ("xlite.csv", len(FINDINGS) + 1)
    with page.expect_download() as saved:
        page.get_by_role("link", name="All facts (JSON)").click()
    answers = json.loads(saved.value.path().read_text())["films"]
    assert [one["guards"] and one["guards"]["verdict"] for one in answers] == ["pass", "refuse", None]
    page.get_by_label("Film shown").click()
    page.get_by_role("option", name="b.png").click()
    expect(page.get_by_text("no probabilities are given")).to_be_visible()
    expect(page.get_by_text("All 14 findings")).to_be_hidden()


def test_bars_say_what_the_text_says(page: Page, tmp_path: Path):
    give(page, write(tmp_path / "a.png", FILM))
    likeliest = page.locator("figure.film-row figcaption, .film-row figcaption").first.inner_text()
    words = likeliest.splitlines()[0]
    expect(page.locator("#bars").get_by_text(words)).to_be_visible()
    expect(page.locator("#bars .confidence").first).to_be_hidden()


def test_nothing_empty_is_offered_of_a_film_that_cannot_be_read(page: Page, tmp_path: Path):
    fake = tmp_path / "fake.png"
    fake.write_text("no picture")
    page.locator("input[type=file]").first.set_input_files(fake)
    expect(page.get_by_role("alert")).to_contain_text("The file is not a PNG")
    expect(page.get_by_role("link", name="Table (CSV)")).to_have_count(0)
    expect(page.get_by_role("link", name="All facts (JSON)")).to_have_count(0)


def test_a_film_that_is_added_or_taken_away_leaves_the_others(page: Page, tmp_path: Path):
    give(page, write(tmp_path / "a.png", FILM))
    page.locator("input[type=file]").first.set_input_files(write(tmp_path / "b.png", 255 - FILM))
    expect(page.get_by_role("button", name="Invert its greys and read it again")).to_be_visible()
    expect(page.locator(".wide").first.get_by_role("row")).to_have_count(3)
    page.get_by_label("Remove this file").last.click()
    expect(page.locator("figure.film figcaption").first).to_contain_text("a.png, map of")
    expect(page.get_by_text("no longer here")).to_have_count(0)
