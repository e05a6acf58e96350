"""Train in a real Chromium, with a real training process that outlives tabs and servers."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from app_browser import end_runs, fill, name_folder, no_exception, pick, settle
from demo_home import BACKBONE
from playwright.sync_api import Page, expect
from servers import app_server

from xlite.config import TrainConfig
from xlite.runs.run import Run
from xlite.runs.status import LIVE

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def start_long_run(page: Page, data: Path) -> None:
    """Fills in the form of the Train page and presses Start."""
    name_folder(page, data)
    fill(page, "Name", "tiny")
    pick(page, "Backbone", BACKBONE)
    fill(page, "Epochs", "5000")
    page.get_by_text("All other settings").click()
    page.get_by_role("tab", name="Model").click()
    fill(page, "Image size (px)", "32")
    pick(page, "Starting weights", "none")
    page.get_by_role("tab", name="Schedule").click()
    fill(page, "Patience (epochs)", "5000")
    fill(page, "Batch size", "4")
    page.get_by_role("tab", name="Machine").click()
    pick(page, "Device", "cpu")
    page.get_by_text("The same from a terminal").click()
    words = f"--data {data} --name tiny --backbone {BACKBONE} --weights none --image-size 32 --epochs 5000"
    command = page.get_by_test_id("stCode").first
    expect(command).to_contain_text(f"xlite train {words} --batch-size 4 --patience 5000 --device cpu")
    page.get_by_role("button", name="Start training").click()


def test_a_run_is_started_watched_seen_from_a_second_tab_and_stopped(app: str, page: Page, tiny_folder: Path):
    Run.create(TrainConfig(data=tiny_folder, name="earlier"))
    page.goto(f"{app}/train")
    expect(page.get_by_text("earlier new")).to_be_visible()
    page.get_by_text("New run").click()
    start_long_run(page, tiny_folder)
    badge = page.get_by_text("tiny running")
    expect(badge).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()
    moved = "seen => Number((document.body.innerText.match(/(\\d+) of 5000/) || [])[1]) > seen"
    page.wait_for_function(moved, arg=Run.named("tiny").status().epoch)
    assert "run=tiny" in page.url

    second = page.context.new_page()
    second.goto(f"{app}/train")
    expect(second.get_by_text("tiny running")).to_be_visible()
    second.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True).click()
    expect(second.get_by_text("tiny stopped")).to_be_visible()
    expect(page.get_by_text("tiny stopped")).to_be_visible()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert Run.named("tiny").status().state == "stopped"
    no_exception(page)
    no_exception(second)


@pytest.mark.release
def test_a_run_goes_on_when_its_server_is_killed_and_a_new_one_shows_it(
    page: Page, own_home: Path, tiny_folder: Path
):
    try:
        with app_server(own_home) as (address, server):
            page.goto(f"{address}/train")
            start_long_run(page, tiny_folder)
            expect(page.get_by_text("tiny running")).to_be_visible()
            server.kill()
            server.wait()
        run = Run.named("tiny")
        before, deadline = run.status().epoch, time.monotonic() + 120
        while run.status().epoch <= before + 1:
            assert run.status().state in LIVE and time.monotonic() < deadline
            time.sleep(0.1)
        with app_server(own_home) as (address, _):
            page.goto(f"{address}/train")
            expect(page.get_by_text("tiny running")).to_be_visible()
            page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True).click()
            expect(page.get_by_text("tiny stopped")).to_be_visible()
        assert run.status().state == "stopped"
    finally:
        end_runs()


@pytest.mark.release
def test_the_form_outlives_its_page_and_a_link_opens_it_for_a_colleague(
    app: str, page: Page, visit: Callable[[], Page], tiny_folder: Path
):
    page.goto(f"{app}/train?data={tiny_folder}")
    page.get_by_text("Try it in two minutes").click()
    page.wait_for_url("**preset=*")
    epochs = page.get_by_role("spinbutton", name="Epochs")
    expect(epochs).to_have_value("5")
    epochs.fill("3")
    epochs.press("Enter")
    page.wait_for_url("**epochs=3*")
    page.get_by_role("link", name="Sweeps").click()
    expect(page.get_by_text("Students alone")).to_be_visible()
    page.get_by_role("link", name="Train", exact=True).click()
    expect(epochs).to_have_value("3")
    settle(page)
    no_exception(page)
    link = page.url
    page.reload()
    expect(epochs).to_have_value("3")
    colleague = visit()
    colleague.goto(link)
    expect(colleague.get_by_role("spinbutton", name="Epochs")).to_have_value("3")
    colleague.get_by_text("All other settings").click()
    colleague.get_by_role("tab", name="Model").click()
    expect(colleague.get_by_role("spinbutton", name="Image size (px)")).to_have_value("96")


@pytest.mark.release
def test_time_memory_and_disk_are_measured_and_the_measuring_can_be_cancelled(
    app: str, page: Page, tiny_folder: Path
):
    page.goto(f"{app}/train?data={tiny_folder}&image_size=32&weights=none")
    page.get_by_role("button", name="Estimate time, memory and disk").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Estimate time, memory and disk").click()
    expect(page.get_by_text("real step").first).to_be_visible()
    expect(page.get_by_text("Films a second", exact=True)).to_be_visible()
    no_exception(page)
