"""The app as people use it: a real server, a real Chromium, a real training process."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import cv2
import pytest
from demo_home import BACKBONE, save_demo_evaluation, save_demo_model
from noise_folder import write_noise_folder
from pdf_texts import pdf_texts
from playwright.sync_api import Browser, Locator, Page, expect
from servers import free_port, wait_for_streamlit
from streamlit.proto.BackMsg_pb2 import BackMsg

from xlite.classify import Classifier
from xlite.config import make_config
from xlite.evaluation.caveats import TrainedOn
from xlite.examples import examples
from xlite.images import MAX_UPLOAD_MB, read_image
from xlite.models.duty import duty
from xlite.places import bundled
from xlite.runs.run import LIVE, Run
from xlite.serving.notice import BUTTON
from xlite.sweeps.sweep import Sweep

pytestmark = [pytest.mark.slow, pytest.mark.browser]
PATIENCE_MS = 150_000
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


@pytest.fixture
def app(own_home: Path) -> Iterator[str]:
    """The address of `streamlit run app/Home.py` on a free loopback port, with a tiny model in its home."""
    save_demo_model(own_home)
    try:
        with app_server(own_home) as (address, _):
            yield address
    finally:
        end_runs()


@contextmanager
def app_server(own_home: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A server of the app, at its address, until the block ends."""
    port = free_port()
    environment = {**os.environ, "XLITE_HOME": str(own_home), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "streamlit", "run", "app/Home.py", "--server.headless", "true"]
    with open(own_home / "server.log", "wb") as log:
        server = subprocess.Popen(
            [*command, "--server.port", str(port)],
            cwd=bundled(),
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        address = f"http://localhost:{port}"
        wait_for_streamlit(address, server, own_home / "server.log")
        yield address, server
    finally:
        server.kill()
        server.wait()


def end_runs() -> None:
    """Stops runs and studies that a failed test left behind: they outlive the server on purpose."""
    for sweep in Sweep.list():
        if sweep.status().state == "running":
            sweep.stop()
            while sweep.status().state == "running":
                time.sleep(0.1)
    for run in Run.list():
        if run.status().state in LIVE:
            run.stop()
            while run.is_held():
                time.sleep(0.1)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new visitor, whose browser may talk to this machine only."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield page
    context.close()
    assert {url for url in asked if not url.startswith(("http://localhost:", "data:", "blob:"))} == set()


def settle(page: Page) -> None:
    """Waits until the script has run to its end: until then the page mixes old elements with new ones."""
    page.wait_for_timeout(300)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def no_exception(page: Page) -> None:
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_every_page_opens_without_a_request_to_the_outside(app: str, page: Page):
    for name in sorted(path.stem for path in bundled("pages").glob("*.py")):
        page.goto(app if name == "overview" else f"{app}/{name}")
        expect(page.get_by_test_id("stHeading").first).to_be_visible()
        settle(page)
        no_exception(page)


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
    expect(page.get_by_text("160 films", exact=True)).to_be_visible()
    expect(folder_field(page)).to_have_value(out)
    expect(page.get_by_role("button", name="Train a tiny student")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("link", name="Explore the data").click()
    page.wait_for_url("**/explore**")
    expect(page.get_by_test_id("stMetric").first).to_contain_text("160")
    expect(folder_field(page)).to_have_value(out)
    other = browser.new_context().new_page()
    other.goto(f"{app}/explore")
    expect(other.get_by_test_id("stMetric").first).to_contain_text("160")
    expect(folder_field(other)).to_have_value(out)
    other.context.close()
    no_exception(page)


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


def test_no_table_of_a_report_is_cut_on_a_screen_of_1000_px(browser: Browser, own_home: Path):
    save_demo_evaluation(own_home, caveats=[TrainedOn(films=200, known=7)])
    file = own_home / "checkpoints" / "demo0" / "evaluation" / "test" / "report.html"
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    page.goto(file.as_uri())
    widths = page.locator(".wide").evaluate_all("all => all.map(box => [box.scrollWidth, box.clientWidth])")
    assert len(widths) > 10 and all(needed <= there for needed, there in widths)
    page.close()


def test_a_film_is_uploaded_and_its_maps_are_seen(app: str, page: Page, tmp_path: Path):
    film = write_film(tmp_path / "film.png")
    page.goto(app)
    page.get_by_test_id("stMain").get_by_role("link", name="Read a film").click()
    page.wait_for_url("**/classify")
    expect(page.get_by_test_id("stTab")).to_have_count(3)
    settle(page)
    # Its maps are different for each finding on any film; those of a trained model need not be.
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="demo0").click()
    expect(page.get_by_text("Model demo0:")).to_be_visible()
    settle(page)
    page.locator("input[type=file]").set_input_files(film)
    expect(page.get_by_text("film.png, map of")).to_be_visible()
    settle(page)
    expect(page.get_by_test_id("stTab")).to_have_count(3)
    viewer = page.get_by_role("group", name="Film viewer: film.png")
    expect(viewer).to_contain_text("200 × 256 px")
    picture = viewer.get_by_role("img", name="film.png with the map of").evaluate
    shown = picture("canvas => canvas.toDataURL()")
    page.get_by_role("combobox", name="Map of").click()
    page.get_by_role("option").last.click()
    expect(page.get_by_text("film.png, map of")).not_to_be_empty()
    settle(page)
    end = time.monotonic() + 10  # the viewer draws when it comes to it
    while picture("canvas => canvas.toDataURL()") == shown and time.monotonic() < end:
        page.wait_for_timeout(100)
    assert picture("canvas => canvas.toDataURL()") != shown
    viewer.get_by_role("application").focus()
    for _ in range(3):
        page.keyboard.press("n")
    page.wait_for_timeout(100)
    named = re.compile("with the map of (.*), ")
    finding = named.search(viewer.get_by_role("img").first.get_attribute("aria-label")).group(1)
    expect(page.get_by_role("combobox", name="Map of")).to_have_value(finding)
    assert f"finding={finding.replace(' ', '+')}" in page.url.replace("%20", "+")
    no_exception(page)


def test_an_upload_survives_a_change_of_model(app: str, page: Page, tmp_path: Path):
    """A change of model draws only the reading anew.

    If the whole page were drawn anew, Streamlit would lose the upload now and then, too seldom for a test.
    """
    sent: list[bytes] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    film = write_film(tmp_path / "film.png")
    page.goto(f"{app}/classify")
    expect(page.get_by_test_id("stTab")).to_have_count(3)
    settle(page)
    sent.clear()
    page.locator("input[type=file]").set_input_files(film)
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="demo0").click()
    expect(page.get_by_text("film.png, map of")).to_be_visible()
    expect(page.get_by_text("Model demo0:")).to_be_visible()
    settle(page)
    asked = [BackMsg.FromString(frame) for frame in sent]
    drawn = [one.rerun_script.fragment_id for one in asked if one.HasField("rerun_script")]
    assert len(drawn) == 2 and drawn.count("") == 1  # the whole page for the upload alone
    no_exception(page)


def test_a_file_that_is_no_film_gets_one_sentence(app: str, page: Page, tmp_path: Path):
    fake = tmp_path / "fake.png"
    fake.write_text("this is no picture")
    page.goto(f"{app}/classify")
    page.locator("input[type=file]").set_input_files(fake)
    expect(page.get_by_test_id("stAlertContentError")).to_contain_text("image")
    no_exception(page)


def test_the_number_beside_the_chosen_map_is_that_of_the_model_and_the_film(
    app: str, page: Page, own_home: Path, tmp_path: Path
):
    save_demo_model(own_home, "other", seed=1)
    films = [tmp_path / "a" / "film.png", tmp_path / "b" / "film.png"]
    for film, side in zip(films, (256, 128), strict=True):
        film.parent.mkdir()
        write_film(film, side)
    page.goto(f"{app}/classify")
    expect(page.get_by_test_id("stTab")).to_have_count(3)
    pick_option(page, "Model", "demo0")
    for film in films:  # of one name
        page.locator("input[type=file]").set_input_files(film)
        for model in ("other", "demo0"):
            pick_option(page, "Map of", "Hernia")
            pick_option(page, "Model", model)
            reading = Classifier.load(model).read(read_image(film))
            expect(page.get_by_test_id("stTab").first).to_contain_text(f"{reading.top(1)[0][1]:.1%}")
            assert page.get_by_role("combobox", name="Map of").input_value() == "Hernia"
            of = f"map of hernia ({reading.probability('Hernia'):.1%})"
            expect(page.get_by_text(of)).to_be_visible()
            assert parse_qs(urlparse(page.url).query) == {"model": [model], "finding": ["Hernia"]}
    no_exception(page)


def test_an_upload_stays_when_its_page_is_left_and_no_other_visitor_sees_it(
    app: str, page: Page, browser: Browser, tmp_path: Path
):
    film = write_film(tmp_path / "film.png")
    page.goto(f"{app}/classify")
    expect(page.get_by_test_id("stTab")).to_have_count(3)
    pick_option(page, "Model", "demo0")
    page.locator("input[type=file]").set_input_files(film)
    expect(page.get_by_text("film.png, map of")).to_be_visible()
    settle(page)
    top = page.get_by_test_id("stTab").first.inner_text()
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Overview").click()
    expect(page.get_by_text("film.png, map of")).to_have_count(0)
    settle(page)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Read a film").click()
    expect(page.get_by_text("film.png, map of")).to_be_visible()
    settle(page)
    assert page.get_by_test_id("stTab").first.inner_text() == top
    assert page.get_by_role("combobox", name="Model").input_value() == "demo0"

    other = browser.new_page()
    other.goto(page.url)
    expect(other.get_by_test_id("stTab").first).to_be_visible(timeout=PATIENCE_MS)
    settle(other)
    assert "film.png" not in other.content()
    other.close()

    page.get_by_text("Films of this visit").click()
    page.get_by_role("button", name="Forget all").click()
    expect(page.get_by_text("film.png")).to_have_count(0)
    no_exception(page)


def test_the_report_is_a_file_that_can_be_searched(app: str, page: Page, tmp_path: Path):
    page.goto(f"{app}/classify")
    page.locator("input[type=file]").set_input_files(write_film(tmp_path / "film.png"))
    expect(page.get_by_text("film.png, map of")).to_be_visible()
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Report (PDF)").click()
    [texts] = pdf_texts(Path(download.value.path()).read_bytes())
    assert (texts[2], download.value.suggested_filename) == ("film.png", "xlite.pdf")
    no_exception(page)


def test_a_refused_upload_says_why_and_no_other_reading_is_left_below(app: str, page: Page, tmp_path: Path):
    film, large = write_film(tmp_path / "film.png"), tmp_path / "large.png"
    large.write_bytes(b"\x89PNG" + bytes(MAX_UPLOAD_MB * 2**20))
    page.goto(f"{app}/classify")
    metrics, reason = page.get_by_test_id("stTab"), page.get_by_test_id("stFileChip").get_by_role("alert")
    expect(metrics.first).to_be_visible()
    settle(page)
    page.locator("input[type=file]").set_input_files(film)
    expect(page.get_by_text("film.png, map of")).to_be_visible()
    page.locator("input[type=file]").set_input_files(large)
    expect(reason).to_contain_text("File must be")
    assert reason.bounding_box()["width"] > 100
    expect(metrics.first).to_be_hidden()
    expect(page.get_by_text("film.png, map of")).to_be_hidden()
    page.get_by_role("button", name="Remove large.png").click()
    expect(metrics.first).to_be_visible()
    no_exception(page)


def test_a_films_name_loads_no_picture_and_sets_no_marks(app: str, page: Page, tmp_path: Path):
    name = "![x](https:evil.example) <b>c<b> $y$ :red[z] _w_.png"
    film = write_film(tmp_path / name)
    page.goto(f"{app}/classify")
    page.locator("input[type=file]").set_input_files(film)
    expect(page.get_by_text(f"{name}, map of")).to_be_visible()
    settle(page)
    no_exception(page)


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
    page.goto(f"{app}/train")
    start_long_run(page, tiny_folder)
    badge = page.get_by_text("tiny running")
    expect(badge).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()
    moved = "seen => Number((document.body.innerText.match(/(\\d+) of 5000/) || [])[1]) > seen"
    page.wait_for_function(moved, arg=Run.named("tiny").status().epoch)

    second = page.context.new_page()
    second.set_default_timeout(PATIENCE_MS)
    second.goto(f"{app}/train")
    expect(second.get_by_text("tiny running")).to_be_visible()
    second.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True).click()
    expect(second.get_by_text("tiny stopped")).to_be_visible()
    expect(page.get_by_text("tiny stopped")).to_be_visible()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert Run.named("tiny").status().state == "stopped"
    no_exception(page)
    no_exception(second)


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
    assert page.get_by_test_id("stAlertContentSuccess").inner_text() == found.verdict
    for place, row in enumerate(found.rows):
        cells = table.get_by_role("row").nth(place + 1).get_by_role("cell").all_inner_texts()
        assert cells[:4] == [row.name, found.remark(place), "1", f"{row.val_auc:.3f}"]
        assert cells[-2] == f"{row.model_size_mb:.1f}"
    last = table.get_by_role("columnheader").last.bounding_box()
    assert last["x"] + last["width"] < 1400


def test_the_form_outlives_its_page_and_a_link_opens_it_for_a_colleague(
    app: str, page: Page, browser: Browser, tiny_folder: Path
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
    colleague = browser.new_page()
    colleague.goto(link)
    expect(colleague.get_by_role("spinbutton", name="Epochs")).to_have_value("3")
    colleague.get_by_text("All other settings").click()
    colleague.get_by_role("tab", name="Model").click()
    expect(colleague.get_by_role("spinbutton", name="Image size (px)")).to_have_value("96")
    colleague.close()


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


def name_folder(page: Page, data: Path) -> None:
    """Types a data folder into the sidebar; the form of the page follows."""
    field = page.get_by_test_id("stSidebar").locator('input[aria-label="Data folder"]')
    field.fill(str(data))
    field.press("Enter")
    expect(page.get_by_text("as the sidebar has it")).to_be_visible()
    settle(page)


def write_film(path: Path, side: int = 256) -> Path:
    """A film of 256 x 200 px that passes the gate, as sharp as one of that height."""
    film = read_image(examples()["7. No finding"].path)
    cv2.imwrite(str(path), cv2.resize(cv2.resize(film, (side * 200 // 256, side)), (200, 256)))
    return path


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
