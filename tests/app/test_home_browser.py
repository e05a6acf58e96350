"""The frame of the app in a real Chromium: titles, the data folder, the notice, no request to the outside."""

from collections.abc import Callable
from pathlib import Path

import pytest
from app_browser import folder_field, no_exception, settle
from noise_folder import write_noise_folder
from playwright.sync_api import Page, expect

from xlite.config import make_config
from xlite.places import bundled
from xlite.runs.run import Run
from xlite.serving.notice import BUTTON

pytestmark = [pytest.mark.slow, pytest.mark.browser]
TITLES = {
    "": "Overview",
    "overview": "Overview",
    "classify": "Read a film",
    "explore": "Explore the data",
    "label": "Label",
    "train": "Train",
    "sweeps": "Sweeps",
    "runs": "Runs",
    "results": "Results",
    "about": "About",
}
"""By the name of a page in its address, what its tab is called."""


def test_every_page_opens_without_a_request_to_the_outside(app: str, page: Page):
    for name in sorted(path.stem for path in bundled("pages").glob("*.py")):
        page.goto(app if name == "overview" else f"{app}/{name}")
        expect(page.get_by_test_id("stHeading").first).to_be_visible()
        settle(page)
        no_exception(page)


@pytest.mark.release
def test_every_tab_has_a_title_and_overview_opens_by_its_name(app: str, page: Page) -> None:
    for name, title in TITLES.items():
        page.goto(f"{app}/{name}")
        expect(page.get_by_test_id("stHeading").first).to_be_visible()
        settle(page)
        expect(page).to_have_title(f"{title} · X-Lite")
        expect(page.get_by_text("Page not found")).to_have_count(0)
        no_exception(page)


def test_a_reload_and_a_link_keep_the_data_folder(
    app: str, page: Page, visit: Callable[[], Page], tiny_folder: Path, tmp_path: Path
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
    other = visit()
    other.goto(address)
    expect(folder_field(other)).to_have_value(str(mine))
    expect(other.get_by_text("6 films")).to_be_visible()


@pytest.mark.release
def test_the_notice_blocks_nothing_and_is_read_once_by_keyboard(app: str, page: Page) -> None:
    page.goto(app)
    button = page.get_by_role("button", name=BUTTON)
    expect(button).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_test_id("stMain").get_by_role(
        "link", name="Explore the data"
    ).click()  # the page below works all the same
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
