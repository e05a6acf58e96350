"""A study on the Sweeps page in a real Chromium, from its form to the leaderboard."""

from pathlib import Path

import pytest
from app_browser import fill, name_folder, no_exception, pick, settle
from demo_home import BACKBONE
from playwright.sync_api import Page, expect

from xlite.sweeps.leaderboard_sentences import verdict
from xlite.sweeps.leaderboard_table import remark
from xlite.sweeps.sweep import Sweep

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.release]


def test_a_phase_is_started_stopped_resumed_and_ends_in_its_leaderboard(
    app: str, page: Page, tiny_folder: Path
):
    page.goto(f"{app}/sweeps")
    name_folder(page, tiny_folder)
    for name in ("efficientnet_b0", "mobilenetv3_small_100"):
        page.get_by_role("button", name=f"Remove {name}").click()
        settle(page)
    pick(page, "Students", BACKBONE)
    page.keyboard.press("Escape")
    fill(page, "Epochs", "3")
    page.get_by_text("All other settings").click()
    fill(page, "Seeds", "1")
    for name in ("Starting weights", "Device", "Share of the train part"):
        pick(page, "Settings that stay fixed", name)
    page.keyboard.press("Escape")
    for label, value in {"Image size (px)": "32", "Batch size": "4", "Share of the train part": "1"}.items():
        fill(page, label, value)
    pick(page, "Starting weights", "none")
    pick(page, "Device", "cpu")
    command = page.get_by_test_id("stCode").first
    expect(command).to_contain_text(
        f"xlite sweep phase1 --study phase1 --train-share 1.0 --data {tiny_folder}"
    )
    expect(command).to_contain_text(f"--seeds 1 --backbones {BACKBONE}")
    page.get_by_role("button", name="Start the study").click()
    expect(page.get_by_text("phase1 running")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("phase1 stopped")).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("phase1 running")).to_be_visible()
    expect(page.get_by_role("heading", name="Leaderboard")).to_be_visible()
    expect(page.get_by_text("1 of 2 runs")).to_be_visible()  # the leaderboard is there while it goes on
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()
    expect(page.get_by_text("phase1 finished")).to_be_visible()
    expect(page.get_by_test_id("stAlertContentSuccess")).to_contain_text("Chosen by the validation films")
    table = page.get_by_test_id("stTable")
    expect(table.get_by_role("columnheader")).to_have_count(10)
    settle(page)
    no_exception(page)
    found = Sweep.named("phase1").leaderboard()
    assert sorted(row.values["attention"] for row in found.rows) == ["mhsa", "none"]
    assert page.get_by_test_id("stAlertContentSuccess").inner_text() == verdict(found)
    for place, row in enumerate(found.rows):
        cells = table.get_by_role("row").nth(place + 1).get_by_role("cell").all_inner_texts()
        assert cells[:4] == [row.name, remark(found, place), "1", f"{row.val_auc:.3f}"]
        assert cells[-2] == f"{row.model_size_mb:.1f}"
    last = table.get_by_role("columnheader").last.bounding_box()
    assert last["x"] + last["width"] < 1400
