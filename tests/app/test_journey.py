"""The first five minutes of somebody new, in a real Chromium, with nothing replaced."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from app_browser import end_runs, settle
from pdf_texts import pdf_texts
from playwright.sync_api import Page, expect
from servers import app_serving

from xlite.examples import examples
from xlite.images import read_image
from xlite.models.duty import duty
from xlite.runs.run import Run
from xlite.serving.notice import BUTTON

# Alone: it counts minutes, and trains with both cores.
pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.browser]


@pytest.fixture
def patience_ms() -> int:
    """A training ends meanwhile."""
    return 480_000


@pytest.fixture(autouse=True)
def no_run_goes_on(own_home: Path) -> Iterator[None]:
    """Whatever trains at the end is stopped."""
    yield
    end_runs()


def write_films(folder: Path) -> list[Path]:
    """Three films as somebody would upload them."""
    films = []
    for number, example in enumerate(list(examples().values())[:3]):
        films.append(folder / f"film{number}.png")
        cv2.imwrite(str(films[-1]), read_image(example.path))
    return films


def test_from_an_empty_machine_to_a_report_in_five_minutes(own_home: Path, page: Page, tmp_path: Path):
    with app_serving(own_home, OMP_NUM_THREADS="2") as address:
        page.goto(address)
        page.get_by_role("button", name=BUTTON).click()
        page.get_by_role("button", name="Draw a small phantom folder").click()
        expect(page.get_by_text("160 films", exact=True)).to_be_visible()

        page.get_by_role("button", name="Train a tiny student").click()
        expect(page.get_by_role("link", name="Watch it on Train")).to_be_visible()
        page.get_by_role("link", name="Watch it on Train").click()
        page.wait_for_url("**/train?**run=first-student**")
        expect(page.get_by_text("first-student finished")).to_be_visible()
        assert Run.named("first-student").status().state == "finished"

        page.get_by_role("link", name="See its results").click()
        page.wait_for_url("**/results?**model=first-student**")
        expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value("first-student")
        settle(page)

        page.get_by_role("link", name="Overview").click()
        page.get_by_role("button", name="Put on duty").click()
        expect(page.get_by_text("On duty", exact=True)).to_be_visible()
        assert duty().name == "first-student"

        page.get_by_role("link", name="Read a film with it").click()
        page.wait_for_url("**/classify?**model=first-student**")
        settle(page)
        page.locator("input[type=file]").set_input_files(write_films(tmp_path))
        expect(page.get_by_text("film2.png").first).to_be_visible()
        settle(page)
        with page.expect_download() as download:
            page.get_by_role("button", name="Report (PDF)").click()
        texts = pdf_texts(Path(download.value.path()).read_bytes())
        assert [one[2] for one in texts] == ["film0.png", "film1.png", "film2.png"]
        expect(page.get_by_test_id("stException")).to_have_count(0)
