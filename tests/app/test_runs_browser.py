"""The Runs page in a real Chromium: rows are ticked, links opened, pages changed, notes written."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from app_browser import resting_box, settle
from demo_home import save_demo_evaluation, save_demo_model
from playwright.sync_api import Page, expect
from servers import app_serving

from xlite.config import make_config
from xlite.places import checkpoints_dir
from xlite.runs.annotation import Annotation, annotate, read_annotation
from xlite.runs.run import Run
from xlite.runs.status import RunStatus

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture
def app(own_home: Path) -> Iterator[str]:
    """The address of the app, in a home with three runs, of which two have a model."""
    for name, signal in (("first", 0.3), ("second", 0.1)):
        run = Run.create(make_config({"data": "films", "name": name, "epochs": 3, "lr": signal}))
        run.path("metrics.csv").write_text("epoch,train_loss,val_loss,val_auc\n1,.5,.4,.61\n2,.4,.3,.64\n")
        save_demo_evaluation(own_home, name, signal=signal)
        save_demo_model(own_home, f"model-of-{name}").rename(run.path("model.safetensors"))
        run.write_progress(RunStatus(state="finished", epoch=2, epochs=3, best_auc=0.64, best_epoch=2))
    Run.create(make_config({"data": "films", "name": "third"}))
    with app_serving(own_home) as address:
        yield address


@pytest.fixture
def size() -> tuple[int, int]:
    """So high that the table of runs is seen whole."""
    return 1400, 1200


def open_page(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_role("heading", name="Finished experiments")).to_be_visible()
    settle(page)


def tick(page: Page, row: int) -> None:
    """Clicks into the column of ticks; the table is drawn on a canvas, rows of 35 px below a header."""
    table = page.get_by_test_id("stDataFrame").first
    table.locator("canvas").first.wait_for()
    box = resting_box(table)
    page.mouse.click(box["x"] + 18, box["y"] + 35 * (row + 1.5))
    settle(page)


@pytest.mark.release
def test_rows_are_ticked_and_the_address_opens_the_same_for_a_colleague(
    app: str, page: Page, visit: Callable[[], Page]
):
    open_page(page, f"{app}/runs")
    expect(page.get_by_role("combobox", name="Run", exact=True)).to_have_value("third")
    tick(page, 1)
    expect(page.get_by_role("combobox", name="Run", exact=True)).to_have_value("second")
    tick(page, 2)
    expect(page.get_by_text("Settings that differ")).to_be_visible()
    expect(page.get_by_text("Mean AUC", exact=False).first).to_be_visible()
    settle(page)
    assert "compare=second&compare=first" in page.url and "run=first" in page.url
    other = visit()
    open_page(other, page.url)
    expect(other.get_by_text("Settings that differ")).to_be_visible()
    expect(other.get_by_role("combobox", name="Run", exact=True)).to_have_value("first")
    tick(page, 1)
    expect(page.get_by_text("Settings that differ")).to_have_count(0)
    assert "compare=first" in page.url and "compare=second" not in page.url


def test_the_choice_outlives_a_change_of_pages(app: str, page: Page):
    open_page(page, f"{app}/runs?run=first&search=fi&group=backbone&compare=second")
    expect(page.get_by_role("combobox", name="Run", exact=True)).to_have_value("first")
    page.get_by_role("link", name="About").click()
    expect(page.get_by_role("heading", name="About")).to_be_visible()
    settle(page)
    page.get_by_test_id("stSidebar").get_by_role("link", name="Runs").click()
    expect(page.get_by_role("heading", name="Finished experiments")).to_be_visible()
    settle(page)
    expect(page.get_by_role("combobox", name="Run", exact=True)).to_have_value("first")
    expect(page.get_by_role("textbox", name="Search")).to_have_value("fi")
    for part in ("run=first", "search=fi", "group=backbone", "compare=second"):
        assert part in page.url


def test_a_link_to_a_run_that_is_not_here_shows_none(app: str, page: Page):
    open_page(page, f"{app}/runs?run=doesnotexist")
    told = page.get_by_text("There is no run doesnotexist to open here")
    expect(told).to_be_visible()
    expect(page.get_by_role("combobox", name="Run", exact=True)).to_have_value("")
    page.get_by_role("combobox", name="Run", exact=True).click()
    page.get_by_role("option", name="first").click()
    expect(told).to_have_count(0)
    settle(page)
    assert "run=first" in page.url


def test_a_note_is_kept_and_a_deleted_run_leaves_the_address(app: str, page: Page):
    annotate(checkpoints_dir() / "third", ["old"])
    open_page(page, f"{app}/runs?run=third")
    page.get_by_label("Note").fill("the best")
    page.get_by_label("Note").press("Control+Enter")
    settle(page)
    assert read_annotation(checkpoints_dir() / "third") == Annotation(("old",), "the best")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("Delete its model, curves and log for good").click()
    field = page.get_by_label("Type its name to confirm")
    expect(field).to_be_enabled()
    field.fill("third")
    field.press("Enter")
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("2 runs.", exact=False)).to_be_visible()
    settle(page)
    assert not (checkpoints_dir() / "third").exists() and "run=" not in page.url
    expect(page.get_by_text("There is no run")).to_have_count(0)


def test_a_zip_of_a_run_and_the_table_are_downloaded(app: str, page: Page, tmp_path: Path):
    open_page(page, f"{app}/runs?run=first")
    page.get_by_role("button", name="Folder as a zip").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download the zip").click()
    waiting.value.save_as(tmp_path / "first.zip")
    assert (tmp_path / "first.zip").read_bytes().startswith(b"PK")
    page.keyboard.press("Escape")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download the table as CSV").click()
    waiting.value.save_as(tmp_path / "runs.csv")
    lines = (tmp_path / "runs.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["Run", "third", "second", "first"]


def test_a_phone_shows_the_page_without_scrolling_aside(app: str, page: Page):
    page.set_viewport_size({"width": 420, "height": 900})
    open_page(page, f"{app}/runs?compare=first&compare=second&group=backbone")
    main = page.get_by_test_id("stMain")
    assert main.evaluate("box => box.scrollWidth - box.clientWidth") == 0
