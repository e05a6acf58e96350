"""Explore in a real Chromium: a click on a chart, its chip, the counts that follow, and the address."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from app_browser import resting_box, settle
from contrast import faint_texts
from demo_home import save_demo_model
from noise_folder import write_noise_folder
from playwright.sync_api import Page, expect
from servers import app_serving

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.runs.embedding_run import EmbeddingRun

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a folder of 24 noise films of 12 patients, and their embedding by a tiny model."""
    home = tmp_path_factory.mktemp("explore-home")
    (home / "data").mkdir()
    folder = NihFolder.open(write_noise_folder(home / "data" / "films"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLITE_HOME", str(home))
        EmbeddingRun.of(save_demo_model(home), folder).work(Classifier.load("demo0"), folder)
    return home


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    """The app on a free loopback port."""
    with app_serving(home, XLITE_DATA="") as address:
        yield address


def films(page: Page, number: int) -> None:
    """Waits until the metric says that so many films are chosen."""
    metric = page.get_by_test_id("stMetric").filter(has_text="Films").first
    expect(metric.get_by_test_id("stMetricValue")).to_have_text(str(number))
    settle(page)


def chips(page: Page) -> list[str]:
    return page.locator(".st-key-chips button:visible").all_inner_texts()


def bar(page: Page, words: str) -> "object":
    """The bar or cell of a chart that a screen reader calls so."""
    return page.get_by_role("button", name=re.compile(f"^{words}"))


def test_a_click_makes_a_chip_and_all_counts_follow_and_a_second_click_takes_it_away(
    address: str, page: Page
):
    page.goto(f"{address}/explore")
    films(page, 24)
    expect(bar(page, "No finding: 12 films, 50.0%")).to_have_attribute("aria-pressed", "false")
    bar(page, "No finding: 12 films").click()
    films(page, 12)
    assert chips(page)[0].startswith("No finding: 12")
    expect(bar(page, "No finding: 12 films, 100.0%")).to_have_attribute("aria-pressed", "true")
    page.wait_for_url("**/explore?**has=No+finding**")
    page.get_by_role("tab", name="Ages and views").click()
    bar(page, "of view PA: 0 films").wait_for()
    bar(page, "40 to 49 years, sex M: 2 films").click()
    films(page, 2)
    assert [chip.split(":")[0] for chip in chips(page)[:3]] == ["No finding", "Age 40 to 49", "Sex M"]
    bar(page, "40 to 49 years, sex M").click()
    films(page, 12)
    page.locator(".st-key-chips button:visible").first.click()
    films(page, 24)
    assert chips(page) == []
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_by_keyboard_alone(address: str, page: Page):
    page.goto(f"{address}/explore?charts=Parts+and+boxes")
    films(page, 24)
    first = bar(page, "official train")
    first.focus()
    page.keyboard.press("ArrowDown")
    expect(bar(page, "official test: 6 films")).to_be_focused()
    page.keyboard.press("Enter")
    films(page, 6)
    expect(bar(page, "official test: 6 films")).to_be_focused()
    page.keyboard.press("Enter")
    # As if the chips had moved the charts: the browser then takes the focus off what it moves.
    page.evaluate(
        "() => { let at = document.activeElement;"
        " while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement; at.blur() }"
    )
    films(page, 24)
    expect(bar(page, "official test: 6 films")).to_be_focused()
    page.keyboard.press("Enter")
    films(page, 6)
    page.keyboard.press("Enter")
    films(page, 24)
    # a chart is one tab stop
    reachable = page.locator(".charts section").evaluate_all(
        "all => all.map(chart => [...chart.querySelectorAll('button')].filter(one => !one.tabIndex).length)"
    )
    assert reachable == [1, 1]


def test_a_cell_of_findings_together_asks_for_both(address: str, page: Page):
    page.goto(f"{address}/explore?charts=Together&by=films")
    films(page, 24)
    bar(page, "Mass: 1 film").click()
    films(page, 1)
    assert [chip.split(":")[0] for chip in chips(page)] == ["Mass"]
    page.wait_for_url("**has=Mass**")


def test_filters_outlive_another_page_and_a_reload_and_are_in_a_link(
    address: str, page: Page, visit: Callable[[], Page]
):
    page.goto(f"{address}/explore")
    films(page, 24)
    page.get_by_role("button", name="AP", exact=True).click()
    films(page, 12)
    bar(page, "Effusion|No finding: 12 films").first.click()
    films(page, 12)
    page.get_by_role("link", name="About").click()
    page.wait_for_url("**/about**")
    settle(page)
    page.get_by_role("link", name="Explore the data").click()
    films(page, 12)
    assert [chip.split(":")[0] for chip in chips(page)[:2]] == ["No finding", "View AP"]
    page.reload()
    films(page, 12)
    assert [chip.split(":")[0] for chip in chips(page)[:2]] == ["No finding", "View AP"]
    other = visit()
    other.goto(page.url)
    films(other, 12)
    assert [chip.split(":")[0] for chip in chips(other)[:2]] == ["No finding", "View AP"]


def test_a_film_opens_walks_and_is_in_the_address(address: str, page: Page):
    page.goto(f"{address}/explore?views=PA")
    films(page, 12)
    page.locator(".st-key-open-00000001_000 button:visible").click()
    page.get_by_role("heading", name="00000001_000").wait_for()
    page.wait_for_url("**film=00000001_000**")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("heading", name="00000002_000").wait_for()
    page.reload()
    page.get_by_role("heading", name="00000002_000").wait_for()
    settle(page)
    assert page.get_by_test_id("stImage").locator("img").evaluate_all("all => all.every(one => one.alt)")
    page.get_by_role("button", name="All films").click()
    films(page, 12)


def test_a_film_in_the_viewer_is_the_same_at_a_link(address: str, page: Page, visit: Callable[[], Page]):
    page.goto(f"{address}/explore?views=PA")
    films(page, 12)
    page.locator(".st-key-open-00000002_000 button:visible").click()
    page.wait_for_url("**film=00000002_000**")
    other = visit()
    other.goto(page.url)
    for one in (page, other):
        viewer = one.get_by_role("group", name="Film viewer: 00000002_000")
        expect(viewer.locator("[data-part=where]")).to_have_text("64 × 64 px")


@pytest.mark.release
def test_films_that_are_drawn_around_in_the_embedding_are_a_filter_that_a_link_has(
    address: str, page: Page, visit: Callable[[], Page]
):
    page.goto(f"{address}/explore?charts=Embedding&features=demo0")
    films(page, 24)
    chart = page.locator(".js-plotly-plot")
    expect(chart.locator("canvas").first).to_be_visible()
    chart.locator(".nsewdrag").first.scroll_into_view_if_needed()
    box = resting_box(chart)
    left, top, width, height = box["x"], box["y"], box["width"], box["height"]
    middle = left + width / 2
    page.mouse.move(middle, top + 20)
    page.mouse.down()
    for x, y in ((left + 20, top + 20), (left + 20, top + height - 60), (middle, top + height - 60)):
        page.mouse.move(x, y, steps=8)
    page.mouse.up()
    page.wait_for_url("**region=**")
    settle(page)
    [chip] = chips(page)
    count = int(chip.splitlines()[0].rpartition(" ")[2])
    assert chip.startswith("Region of the embedding: ") and 0 < count < 24
    films(page, count)
    other = visit()
    other.goto(page.url)
    films(other, count)
    expect(other.locator(".js-plotly-plot")).to_be_visible()
    page.locator(".st-key-chips button:visible").first.click()
    films(page, 24)
    bar(page, "cluster 1").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**clusters=1**")
    settle(page)
    assert chips(page)[0].startswith("Cluster 1")


def test_a_link_to_what_is_not_here_says_so(address: str, page: Page):
    page.goto(f"{address}/explore?part=splits/none+test&film=00009999_000")
    films(page, 24)
    expect(page.get_by_text("The choice 'splits/none test' is asked for, and it is not here")).to_be_visible()
    expect(page.get_by_text("This folder has no film 00009999_000.")).to_be_visible()


def test_on_a_phone_nothing_is_wider_than_the_screen(address: str, page: Page):
    page.set_viewport_size({"width": 420, "height": 900})
    for tab in ("Findings", "Together", "Ages+and+views", "Patients", "Parts+and+boxes", "Leakage"):
        page.goto(f"{address}/explore?charts={tab}")
        films(page, 24)
        main = page.get_by_test_id("stMain")
        assert main.evaluate("box => box.scrollWidth - box.clientWidth") == 0, tab


def test_texts_have_contrast(address: str, page: Page):
    page.goto(f"{address}/explore?views=PA")
    films(page, 12)
    # the ends of the slider are invisible until the pointer is on it
    assert [text for text in faint_texts(page) if text not in ("0: 1.00", "100: 1.00")] == []


def test_back_and_forward_reach_each_page_as_it_was_left(address: str, page: Page):
    page.goto(f"{address}/explore")
    films(page, 24)
    page.get_by_role("button", name="AP", exact=True).click()
    films(page, 12)
    bar(page, "No finding: 12 films").click()
    page.wait_for_url("**has=No+finding**")
    films(page, 12)
    left = page.url
    page.get_by_role("link", name="About").click()
    page.wait_for_url("**/about**model=**")
    settle(page)
    page.go_back()
    films(page, 12)
    assert page.url == left
    assert [chip.split(":")[0] for chip in chips(page)[:2]] == ["No finding", "View AP"]
    page.go_forward()
    page.wait_for_url("**/about**")
    settle(page)
    page.go_back()
    films(page, 12)
    assert page.url == left
    # and from there to what was chosen before the click on the chart, and to no page without a data folder
    page.go_back()
    films(page, 12)
    assert [chip.split(":")[0] for chip in chips(page)] == ["View AP"]
    page.go_back()
    assert page.url == "about:blank"
