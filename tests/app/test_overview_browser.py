"""Overview in a real Chromium: phantoms are drawn, and another model goes on duty."""

from collections.abc import Callable
from pathlib import Path

import pytest
from app_browser import folder_field, no_exception, pick, pick_option, settle
from demo_home import save_demo_model
from playwright.sync_api import Page, expect

from xlite.models.duty import duty

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.mark.release
def test_drawn_films_are_named_in_the_sidebar_on_every_page_and_visit(
    app: str, page: Page, visit: Callable[[], Page], own_home: Path
) -> None:
    out = str(own_home / "data" / "phantom")
    page.goto(app)
    page.get_by_role("button", name="Draw a small phantom folder").click()
    expect(page.get_by_text("160 films", exact=True)).to_be_visible()
    expect(folder_field(page)).to_have_value(out)
    expect(page.get_by_role("button", name="Train a tiny student")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("link", name="Explore the data").click()
    page.wait_for_url("**/explore**")
    expect(page.get_by_test_id("stMetric").first).to_contain_text("160")
    expect(folder_field(page)).to_have_value(out)
    other = visit()
    other.goto(f"{app}/explore")
    expect(other.get_by_test_id("stMetric").first).to_contain_text("160")
    expect(folder_field(other)).to_have_value(out)
    no_exception(page)


def test_a_model_goes_on_duty_and_is_read_with(app: str, page: Page, own_home: Path) -> None:
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


@pytest.mark.release
def test_a_file_goes_on_duty_by_its_path_and_one_that_is_no_model_is_a_sentence(
    app: str, page: Page, tmp_path: Path
) -> None:
    file = save_demo_model(tmp_path / "elsewhere", "a").rename(tmp_path / "student.safetensors")
    page.goto(app)
    page.get_by_role("button", name="Choose another").click()
    settle(page)
    pick(page, "Model", str(tmp_path / "gone.safetensors"))
    page.get_by_role("button", name="Put on duty").click()
    expect(page.get_by_test_id("stAlertContentError")).to_contain_text("There is no model file")
    assert not duty().chosen
    settle(page)
    pick(page, "Model", str(file))
    settle(page)
    page.get_by_role("button", name="Put on duty").click()
    expect(page.get_by_text("student", exact=True)).to_be_visible()
    assert (duty().name, duty().path) == ("student", file)
    no_exception(page)
