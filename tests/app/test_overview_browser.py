"""Finding one's way in a real browser: titles, a reload, drawn films, the notice, and the model on duty."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from demo_home import save_demo_model
from noise_folder import write_noise_folder
from playwright.sync_api import Browser, Locator, Page, expect
from test_browser import app_server, no_exception, pick_option, settle

from xlite.config import make_config
from xlite.models.duty import duty
from xlite.runs.run import Run
from xlite.serving.notice import BUTTON

pytestmark = [pytest.mark.slow, pytest.mark.browser]
TITLES = {
    "": "Overview",
    "overview": "Overview",
    "classify": "Read a film",
    "explore": "Explore the data",
    "train": "Train",
    "sweeps": "Sweeps",
    "runs": "Runs",
    "results": "Results",
    "about": "About",
}


@pytest.fixture
def app(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the app with an empty home."""
    monkeypatch.delenv("XLITE_DATA", raising=False)
    with app_server(own_home) as (address, _):
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new visitor."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    yield page
    context.close()


def folder_field(page: Page) -> Locator:
    """The data folder of the sidebar."""
    return page.get_by_test_id("stSidebar").get_by_role("textbox", name="Data folder")


def test_every_tab_has_a_title_and_overview_opens_by_its_name(app: str, page: Page) -> None:
    for name, title in TITLES.items():
        page.goto(f"{app}/{name}")
        expect(page.get_by_test_id("stHeading").first).to_be_visible()
        settle(page)
        expect(page).to_have_title(f"{title} · X-Lite")
        expect(page.get_by_text("Page not found")).to_have_count(0)
        no_exception(page)


def test_a_reload_and_a_link_keep_the_data_folder(
    app: str, page: Page, browser: Browser, tiny_folder: Path, tmp_path: Path
) -> None:
    Run.create(make_config({"data": tiny_folder, "name": "newest"}))
    mine = write_noise_folder(tmp_path / "mine", patients=3)
    page.goto(app)
    expect(folder_field(page)).to_have_value(str(tiny_folder))
    folder_field(page).fill(str(mine))
    folder_field(page).press("Enter")
    expect(page.get_by_text("6 films")).to_be_visible()
    settle(page)
    address = page.url
    page.reload()
    expect(page.get_by_text("6 films")).to_be_visible()
    expect(folder_field(page)).to_have_value(str(mine))
    other = browser.new_context().new_page()
    other.goto(address)
    expect(folder_field(other)).to_have_value(str(mine))
    expect(other.get_by_text("6 films")).to_be_visible()
    other.context.close()


def test_drawn_films_are_named_in_the_sidebar_on_every_page_and_visit(
    app: str, page: Page, browser: Browser, own_home: Path
) -> None:
    out = str(own_home / "data" / "phantom")
    page.goto(app)
    page.get_by_role("button", name="Draw a small phantom folder").click()
    expect(page.get_by_text("40 films")).to_be_visible()
    expect(folder_field(page)).to_have_value(out)
    expect(page.get_by_role("button", name="Train a tiny student")).to_be_visible()
    page.get_by_role("button", name="Explore the data").click()
    page.wait_for_url("**/explore**")
    expect(page.get_by_test_id("stMetric").first).to_contain_text("40")
    expect(folder_field(page)).to_have_value(out)
    other = browser.new_context().new_page()
    other.goto(f"{app}/explore")
    expect(other.get_by_test_id("stMetric").first).to_contain_text("40")
    expect(folder_field(other)).to_have_value(out)
    other.context.close()
    no_exception(page)


def test_the_notice_blocks_nothing_and_is_read_once_by_keyboard(app: str, page: Page) -> None:
    page.goto(app)
    button = page.get_by_role("button", name=BUTTON)
    expect(button).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Explore the data").click()  # the page below works all the same
    page.wait_for_url("**/explore**")
    expect(button).to_be_visible()
    settle(page)
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_count(0)
    expect(page.get_by_text("Research software, not for clinical use")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Explore the data")).to_be_visible()
    settle(page)
    expect(button).to_have_count(0)


def test_a_model_goes_on_duty_and_is_read_with(app: str, page: Page, own_home: Path) -> None:
    save_demo_model(own_home)
    page.goto(app)
    page.get_by_role("button", name="Choose another").click()
    pick_option(page, "Model", "demo0, not measured")
    expect(page.get_by_text("How good it is is not known")).to_be_visible()
    page.get_by_role("button", name="Put on duty").click()
    expect(page.get_by_text("demo0", exact=True)).to_be_visible()
    settle(page)
    assert (duty().name, duty().chosen) == ("demo0", True)
    page.goto(f"{app}/classify")
    expect(page.get_by_text("Model demo0:")).to_be_visible()
    no_exception(page)
