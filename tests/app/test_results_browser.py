"""Results and their report in a real Chromium: no table is cut, on a phone or a small screen."""

from pathlib import Path

import pytest
from app_browser import no_exception, settle
from demo_home import save_demo_evaluation
from playwright.sync_api import Browser, Page, expect

from xlite.evaluation.contamination.caveats import TrainedOn

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.mark.release
def test_on_a_phone_a_wide_table_scrolls_in_its_own_box(app: str, page: Page, own_home: Path):
    save_demo_evaluation(own_home)
    page.set_viewport_size({"width": 420, "height": 900})
    page.goto(f"{app}/results")
    tables = page.get_by_test_id("stMarkdownContainer").locator("table")
    expect(tables.first).to_be_visible()
    settle(page)
    main = page.get_by_test_id("stMain")
    assert main.evaluate("box => box.scrollWidth - box.clientWidth") == 0
    assert max(tables.evaluate_all("all => all.map(box => box.scrollWidth - box.clientWidth)")) > 0
    no_exception(page)


def test_on_a_phone_the_confusion_chart_scrolls_and_keeps_its_columns_apart(
    app: str, page: Page, own_home: Path
):
    save_demo_evaluation(own_home)
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{app}/results?section=Confusion")
    chart = page.locator(".st-key-wide-Confusion-0")
    expect(chart.locator(".xtick text").first).to_be_visible()
    settle(page)
    assert chart.evaluate("box => box.scrollWidth") > 600 > chart.evaluate("box => box.clientWidth")
    assert chart.locator(".xtick text").count() == 14
    main = page.get_by_test_id("stMain")
    assert main.evaluate("box => box.scrollWidth - box.clientWidth") == 0


def test_no_table_of_a_report_is_cut_on_a_screen_of_1000_px(browser: Browser, own_home: Path):
    save_demo_evaluation(own_home, caveats=[TrainedOn(films=200, known=7)])
    file = own_home / "checkpoints" / "demo0" / "evaluation" / "test" / "report.html"
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    page.goto(file.as_uri())
    widths = page.locator(".wide").evaluate_all("all => all.map(box => [box.scrollWidth, box.clientWidth])")
    assert len(widths) > 10 and all(needed <= there for needed, there in widths)
    page.close()
