"""The app in a real Chromium, as a visitor handles it: waits, and fields that are filled in."""

import time
from contextlib import suppress
from pathlib import Path

import cv2
from playwright.sync_api import FloatRect, Locator, Page, expect

from xlite.errors import RunError
from xlite.examples import examples
from xlite.images import read_image
from xlite.runs.run import Run
from xlite.runs.status import LIVE
from xlite.sweeps.sweep import Sweep


def settle(page: Page) -> None:
    """Waits until the script has run to its end: until then the page mixes old elements with new ones."""
    page.wait_for_timeout(500)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def resting_box(element: Locator) -> FloatRect:
    """Where the element is in the window, once nothing moves it any more: what stands above it may grow."""
    before = None
    while (now := element.bounding_box()) is None or now != before:
        before = now
        element.page.wait_for_timeout(1500)
    return now


def no_exception(page: Page) -> None:
    """Fails if the page shows a traceback."""
    expect(page.get_by_test_id("stException")).to_have_count(0)


def folder_field(page: Page) -> Locator:
    """The data folder of the sidebar."""
    return page.get_by_test_id("stSidebar").get_by_role("textbox", name="Data folder")


def name_folder(page: Page, data: Path) -> None:
    """Types a data folder into the sidebar; the form of the page follows."""
    folder_field(page).fill(str(data))
    folder_field(page).press("Enter")
    expect(page.get_by_text("as the sidebar has it")).to_be_visible()
    settle(page)


def fill(page: Page, label: str, text: str) -> None:
    """Types into a text or number field and leaves it."""
    field = page.get_by_test_id("stMain").locator(f'input[aria-label="{label}"]')
    field.fill(text)
    field.press("Enter")
    page.wait_for_timeout(300)


def pick_option(page: Page, label: str, text: str) -> None:
    """Chooses one of the options of a field, and waits for what comes of it."""
    settle(page)
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=text).first.click()
    settle(page)


def pick(page: Page, label: str, text: str) -> None:
    """Types a value into a select box that accepts new values."""
    field = page.get_by_role("combobox", name=label)
    field.click()
    field.fill(text)
    field.press("Enter")
    page.wait_for_timeout(300)


def write_film(path: Path, side: int = 256) -> Path:
    """A film of 256 x 200 px that passes the gate, as sharp as one of that height."""
    film = read_image(examples()["7. No finding"].path)
    cv2.imwrite(str(path), cv2.resize(cv2.resize(film, (side * 200 // 256, side)), (200, 256)))
    return path


def end_runs() -> None:
    """Stops runs and studies that a failed test left behind: they outlive the server on purpose."""
    for work in (*Sweep.list(), *Run.list()):
        if work.status().state in LIVE:
            with suppress(RunError):  # it ended meanwhile
                work.stop()
            end = time.monotonic() + 60
            while work.is_held() and time.monotonic() < end:
                time.sleep(0.1)
