"""The film viewer as people use it: a page with two of them in a real Chromium."""

import base64
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from contrast import faint_texts
from playwright.sync_api import Browser, Locator, WebSocket, expect
from servers import free_port, wait_for_streamlit

from xlite.explain.drawing import OPACITY, SCALES, scale_table
from xlite.places import bundled
from xlite.serving.viewer_data import grid_levels

pytestmark = [pytest.mark.slow, pytest.mark.browser]
PATIENCE_MS = 30_000
HEIGHT, WIDTH = 240, 320
FILM = np.add.outer(np.arange(HEIGHT), np.arange(WIDTH)).astype(np.uint8)  # the grey of (x, y) is x + y
GRIDS = {
    "Mass": np.array([[0, 0, 0, 0], [0, 1, 0.5, 0], [0, 0, 0, 0]]),
    "Edema": np.array([[0, 0, 0, 0], [0, 0, 2, 0], [0, 0, 1, 0]]),
    "Hernia": np.zeros((3, 4)),
}
BOX = (100, 60, 80, 40)  # x, y, width, height
LARGE = (2500, 2048)
PAGE = f"""
import numpy as np
import streamlit as st
from film_viewer import show_viewer
from xlite.serving.viewer_data import FilmBox, ViewerFilm, ViewerMap

st.session_state.drawn = st.session_state.get("drawn", 0) + 1
film = np.add.outer(np.arange({HEIGHT}), np.arange({WIDTH})).astype(np.uint8)
grids = { ({name: grid.tolist() for name, grid in GRIDS.items()})!r}
maps = {{name: ViewerMap(name + ", 5.0%", np.array(grid)) for name, grid in grids.items()}}
st.button("Again")
which = st.selectbox("Film", ["ramp", "its negative", "large", "too large"])
large = np.random.default_rng(0).integers(0, 256, {LARGE}, dtype=np.uint8)
films = {{"ramp": film, "its negative": 255 - film, "large": large, "too large": np.tile(large, 2)[:300]}}
scale = films[which].shape[0] / {HEIGHT}
asked = st.selectbox("Finding", list(maps), key="asked")
if st.toggle("Shown", value=True):
    show_viewer(
        ViewerFilm.of(films[which], 4000), name=which + ".png", key="one", maps=maps, finding=asked,
        boxes=[FilmBox("Nodule", *(scale * side for side in {BOX}))],
        on_finding=lambda other: st.session_state.update(asked=other),
    )
show_viewer(ViewerFilm.of(film), name="bare.png", key="two")
st.text(f"drawn {{st.session_state.drawn}} times, {{asked}}")
"""


@contextmanager
def served(folder: Path, *options: str) -> Iterator[str]:
    """The page with the two viewers, on a server of its own."""
    port = free_port()
    (folder / "page.py").write_text(PAGE)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    paths = [str(bundled("app")), str(bundled()), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    command = [sys.executable, "-m", "streamlit", "run", str(folder / "page.py"), "--server.headless", "true"]
    with open(folder / "server.log", "wb") as log:
        server = subprocess.Popen(
            [*command, "--server.port", str(port), *options],
            cwd=bundled(),
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        address = f"http://localhost:{port}"
        wait_for_streamlit(address, server, folder / "server.log")
        yield address
    finally:
        server.kill()
        server.wait()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page in the app's own theme, which is dark."""
    with served(tmp_path_factory.mktemp("viewer")) as address:
        yield address


class Visit:
    """A visitor of the page with the two viewers; `sent` are the messages to the server so far."""

    def __init__(self, browser: Browser, address: str, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1000, "height": 1400}, **options)
        self.asked: list[str] = []
        self.faults: list[str] = []
        self.sent: list[object] = []
        self.received: list[int] = []
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("websocket", self.listen)
        self.page.goto(address)
        self.one = self.page.get_by_role("group", name="Film viewer: ramp.png")
        self.two = self.page.get_by_role("group", name="Film viewer: bare.png")
        expect(self.where(self.one)).to_contain_text("320 × 240 px")
        expect(self.where(self.two)).to_contain_text("320 × 240 px")
        self.settle()

    def listen(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: self.sent.append(frame))
        socket.on("framereceived", lambda frame: self.received.append(len(frame)))

    def choose_film(self, name: str) -> Locator:
        """The viewer once it has that film."""
        self.page.get_by_role("combobox", name="Film", exact=True).click()
        self.page.get_by_role("option", name=name, exact=True).click()
        viewer = self.page.get_by_role("group", name=f"Film viewer: {name}.png")
        expect(self.where(viewer)).to_contain_text(" px")
        self.settle()
        return viewer

    def where(self, viewer: Locator) -> Locator:
        return viewer.locator("[data-part=where]")

    def how(self, viewer: Locator) -> Locator:
        return viewer.locator("[data-part=how]")

    def stage(self, viewer: Locator) -> Locator:
        return viewer.get_by_role("application")

    def drawn(self) -> Locator:
        return self.page.get_by_text("drawn ")

    def redrawn(self, act: Callable[[], None]) -> None:
        """Does what makes the server draw the page anew, and waits until it has."""
        before = self.drawn().text_content()
        act()
        # Old and new are both there for a moment.
        expect(self.page.get_by_text(str(before), exact=True)).to_have_count(0)
        self.settle()

    def settle(self) -> None:
        """Waits until the script has run to its end and the browser has drawn."""
        self.page.wait_for_timeout(200)
        self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def press(self, viewer: Locator, *keys: str) -> None:
        self.stage(viewer).focus()
        for key in keys:
            self.page.keyboard.press(key)
        self.settle()

    def pixels(self, viewer: Locator, number: int = 0) -> np.ndarray:
        """What a pane shows: RGB uint8 (h, w, 3)."""
        self.settle()
        shown = viewer.locator("canvas").nth(number).evaluate("canvas => canvas.toDataURL()")
        data = np.frombuffer(base64.b64decode(shown.partition(",")[2]), np.uint8)
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB))

    def corner(self, viewer: Locator) -> tuple[int, int]:
        """Where the film's upper left corner lies in its pane at one to one, not turned: (left, top)."""
        width, height = viewer.locator("canvas").first.evaluate(
            "(canvas) => { const {width, height} = canvas.getBoundingClientRect(); return [width, height]; }"
        )
        return int(np.floor(width / 2 - WIDTH / 2 + 0.5)), int(np.floor(height / 2 - HEIGHT / 2 + 0.5))

    def film(self, viewer: Locator, number: int = 0) -> np.ndarray:
        """What is shown of the film at one to one, not turned: RGB uint8 (HEIGHT, WIDTH, 3)."""
        left, top = self.corner(viewer)
        return self.pixels(viewer, number)[top : top + HEIGHT, left : left + WIDTH]

    def close(self) -> None:
        self.context.close()
        outside = [
            url
            for url in self.asked
            if not url.startswith(("http://localhost:", "data:", "blob:http://localhost"))
        ]
        assert outside == [] and self.faults == []


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    visit = Visit(browser, address)
    yield visit
    visit.close()


def painted(grid: np.ndarray, title: str, opacity: float) -> np.ndarray:
    """What the film is under a map: RGB (HEIGHT, WIDTH, 3), not rounded."""
    levels = cv2.resize(grid_levels(grid), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    seen = levels / levels.max()
    colours = scale_table(title)[np.rint(255 * seen).astype(int)]
    share = opacity * seen[..., None]
    return np.asarray((1 - share) * FILM[..., None] + share * colours)


def test_a_film_is_shown_pixel_by_pixel_and_its_map_in_the_colours_of_the_scale(visit: Visit):
    visit.press(visit.two, "1")
    np.testing.assert_array_equal(visit.film(visit.two), np.repeat(FILM[..., None], 3, 2))
    visit.press(visit.one, "1", "b")
    clear = np.ones((HEIGHT, WIDTH), bool)
    clear[158:, :82] = False  # the outlined cell
    for title in SCALES:
        wanted = painted(GRIDS["Mass"], title, OPACITY)
        error = np.abs(visit.film(visit.one) - wanted)[clear]
        assert error.max() <= 3 and error.mean() < 0.6, title
        # At the middles of cells, where the map is what its cell says
        for row, column in ((1, 1), (1, 2)):
            y, x = 80 * row + 40, 80 * column + 40
            assert np.abs(visit.film(visit.one)[y, x] - wanted[y, x]).max() <= 2, title
        visit.press(visit.one, "c")
    visit.press(visit.one, "m")
    np.testing.assert_array_equal(visit.film(visit.one), np.repeat(FILM[..., None], 3, 2))


def test_contrast_and_inversion_are_those_of_their_numbers(visit: Visit):
    visit.press(visit.two, "1", "i")
    np.testing.assert_array_equal(visit.film(visit.two), np.repeat(255 - FILM[..., None], 3, 2))
    visit.press(visit.two, "i", "Shift+ArrowLeft", "Shift+ArrowUp")
    expect(visit.how(visit.two)).to_have_text("100 % · level 120, window 239")
    shown = np.rint(np.clip(255 * (FILM - 119.5 + 119.5) / 239, 0, 255))
    np.testing.assert_array_equal(visit.film(visit.two), np.repeat(shown[..., None], 3, 2))
    expect(visit.two.get_by_label("Contrast", exact=True)).to_have_value("")
    visit.two.get_by_label("Contrast", exact=True).select_option("Lungs")
    expect(visit.how(visit.two)).not_to_contain_text("window 239")
    visit.press(visit.two, "r")
    expect(visit.how(visit.two)).to_contain_text("level 128, window 255")


def test_nothing_but_the_finding_is_told_to_the_server(visit: Visit):
    visit.sent.clear()
    keys = list("+-01pditTm.,csbr?")
    arrows = [f"{shift}Arrow{way}" for shift in ("", "Shift+") for way in ("Left", "Right", "Up", "Down")]
    visit.press(visit.one, *keys, "Escape", *arrows)
    opacity = visit.one.get_by_label("Opacity of the map")
    opacity.fill("80")
    expect(opacity).to_have_attribute("aria-valuetext", "80 %")
    visit.one.get_by_label("Colours of the map", exact=True).select_option("Turbo")
    box = visit.stage(visit.one).bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    visit.page.mouse.move(*middle)
    for _ in range(5):
        visit.page.mouse.wheel(0, -200)
    for button in ("left", "right"):
        visit.page.mouse.down(button=button)
        visit.page.mouse.move(middle[0] + 40, middle[1] + 25, steps=5)
        visit.page.mouse.up(button=button)
    visit.page.wait_for_timeout(600)
    assert visit.sent == []
    visit.press(visit.one, "n")
    visit.page.wait_for_timeout(600)
    expect(visit.drawn()).to_contain_text("Edema")
    assert len(visit.sent) == 1


@pytest.mark.alone
def test_a_finding_is_told_once_it_is_settled_and_the_page_is_followed(visit: Visit):
    finding, drawn = visit.one.get_by_role("combobox", name="Map of"), visit.drawn()
    visit.sent.clear()
    visit.press(visit.one, "n", "n", "n", "n", "N")
    expect(finding).to_have_value("Mass")
    visit.page.wait_for_timeout(600)
    visit.settle()
    visit.press(visit.one, "n")
    expect(drawn).to_contain_text("Edema")
    expect(finding).to_have_value("Edema")
    assert len(visit.sent) <= 2
    finding.select_option("Hernia")
    expect(drawn).to_contain_text("Hernia")
    expect(visit.where(visit.one)).to_have_text("320 × 240 px · map not painted")
    visit.page.get_by_role("combobox", name="Finding", exact=True).click()
    visit.page.get_by_role("option", name="Mass").click()
    expect(drawn).to_contain_text("Mass")
    expect(finding).to_have_value("Mass")
    visit.press(visit.one, "n")  # what was told last, though the page has left it since
    expect(drawn).to_contain_text("Edema")
    expect(finding).to_have_value("Edema")


def test_what_is_shown_stays_when_the_page_is_drawn_anew_and_goes_with_the_film(visit: Visit):
    visit.press(visit.one, "+", "+", "i", "c", ".")
    shown = visit.how(visit.one).text_content()
    before = visit.pixels(visit.one)
    visit.page.get_by_role("button", name="Again").click()
    expect(visit.drawn()).to_contain_text("drawn 2 times")
    assert visit.how(visit.one).text_content() == shown
    np.testing.assert_array_equal(visit.pixels(visit.one), before)
    other = visit.choose_film("its negative")
    expect(other.get_by_role("button", name="Invert")).to_have_attribute("aria-pressed", "false")
    assert visit.how(other).text_content() != shown
    expect(other.get_by_label("Colours of the map", exact=True)).to_have_value("Cividis")
    expect(other.get_by_label("Opacity of the map")).to_have_value("50")
    visit.press(other, "1", "m", "b")
    np.testing.assert_array_equal(visit.film(other), np.repeat(255 - FILM[..., None], 3, 2))


def test_a_large_film_is_shown_at_its_own_resolution_with_its_boxes_and_sent_once(visit: Visit):
    """As films of DICOM are: 2,500 x 2,048 px; its boxes are in its own frame, and the cells cover it."""
    viewer = visit.choose_film("large")
    expect(visit.where(viewer)).to_have_text("2048 × 2500 px")
    visit.press(viewer, "1", "m", "b")
    shown = visit.pixels(viewer)
    height, width = shown.shape[:2]
    left, top = (int(np.floor(pane / 2 - film / 2 + 0.5)) for pane, film in ((width, 2048), (height, 2500)))
    film = np.random.default_rng(0).integers(0, 256, LARGE, dtype=np.uint8)
    inside = film[-top : -top + height, -left : -left + width]
    np.testing.assert_array_equal(shown, np.repeat(inside[..., None], 3, 2))
    visit.press(viewer, "0", "m", "b")
    box = visit.stage(viewer).bounding_box()
    visit.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(visit.where(viewer)).to_contain_text("cell 2, 3")
    shown = visit.pixels(viewer).astype(int)
    x, y, wide, high = (2500 / HEIGHT * side for side in BOX)
    scale = shown.shape[0] / 2500
    corner = shown.shape[1] / 2 - scale * 1024
    found = np.argwhere(np.abs(shown - [255, 210, 74]).max(2) < 12)
    assert np.abs(found.max(0) - [scale * (y + high), corner + scale * (x + wide)]).max() <= 3
    visit.received.clear()
    visit.redrawn(lambda: viewer.get_by_role("combobox", name="Map of").select_option("Hernia"))
    visit.redrawn(visit.page.get_by_role("button", name="Again").click)
    assert 0 < sum(visit.received) < film.size / 20


def test_a_film_that_was_scaled_down_says_so(visit: Visit):
    viewer = visit.choose_film("too large")
    expect(visit.where(viewer)).to_have_text("4000 × 293 px, scaled down from 4096 × 300")


def test_a_viewer_that_went_comes_back_as_at_first(visit: Visit):
    visit.press(visit.one, "i")
    toggle = visit.page.get_by_text("Shown", exact=True)
    visit.redrawn(toggle.click)
    expect(visit.one).to_have_count(0)
    visit.redrawn(toggle.click)
    expect(visit.where(visit.one)).to_have_text("320 × 240 px")
    expect(visit.one.get_by_role("button", name="Invert")).to_have_attribute("aria-pressed", "false")


def test_two_viewers_share_nothing(visit: Visit):
    before, words = visit.pixels(visit.two), visit.how(visit.two).text_content()
    visit.press(visit.one, "+", "t", "i", "p", "s", "m")
    np.testing.assert_array_equal(visit.pixels(visit.two), before)
    assert visit.how(visit.two).text_content() == words
    expect(visit.two.get_by_role("button", name="Invert")).to_have_attribute("aria-pressed", "false")


def test_keys_work_in_the_viewer_that_has_the_focus_alone_and_do_not_reach_the_page(visit: Visit):
    visit.page.get_by_role("button", name="Again").focus()
    before = [visit.pixels(visit.one), visit.pixels(visit.two)]
    for key in "+itpc":
        visit.page.keyboard.press(key)
    visit.settle()
    np.testing.assert_array_equal(visit.pixels(visit.one), before[0])
    np.testing.assert_array_equal(visit.pixels(visit.two), before[1])
    visit.page.keyboard.press("Escape")
    visit.settle()
    visit.sent.clear()
    visit.press(visit.two, "i", "r", "c")  # r runs a page of Streamlit again
    visit.page.wait_for_timeout(500)
    assert visit.sent == [] and visit.page.get_by_role("dialog").count() == 0
    # A list keeps its letters
    colours = visit.one.get_by_label("Colours of the map", exact=True)
    colours.focus()
    visit.page.keyboard.press("i")
    expect(visit.one.get_by_role("button", name="Invert")).to_have_attribute("aria-pressed", "false")


def test_the_wheel_is_the_pages_until_the_film_was_clicked(visit: Visit):
    box, before = visit.stage(visit.one).bounding_box(), visit.how(visit.one).text_content()
    visit.page.mouse.move(box["x"] + 90, box["y"] + 70)
    visit.page.mouse.wheel(0, -100)
    expect(visit.one.locator("[data-part=hint]")).to_have_text("Click the film, then the wheel zooms")
    assert visit.how(visit.one).text_content() == before
    visit.page.mouse.click(box["x"] + 90, box["y"] + 70)
    place = visit.where(visit.one).text_content()
    visit.page.mouse.wheel(0, -300)
    visit.settle()
    assert visit.how(visit.one).text_content() != before
    assert visit.where(visit.one).text_content() == place


def test_the_pixel_under_the_cursor_is_named_also_in_a_turned_film(visit: Visit):
    visit.press(visit.one, "1")
    left, top = visit.corner(visit.one)
    box = visit.one.locator("canvas").first.bounding_box()
    visit.page.mouse.move(box["x"] + left + 120.5, box["y"] + top + 100.5)
    visit.settle()
    words = "x 120, y 100 · grey 220 · map 100 % of its peak, cell 2, 2"
    assert visit.where(visit.one).text_content() == words
    visit.press(visit.one, "t")
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    # 40 px left of the film's middle and 20 above it: turned to the right, 20 right of it and 40 above
    visit.page.mouse.move(middle[0] + 20, middle[1] - 40)
    visit.settle()
    x, y = (
        int(part.split()[-1]) for part in visit.where(visit.one).text_content().split(" · ")[0].split(",")
    )
    assert abs(x - 120) <= 1 and abs(y - 100) <= 1
    visit.page.mouse.move(box["x"] + 1, box["y"] + 1)
    visit.settle()
    assert visit.where(visit.one).text_content() == "320 × 240 px"


def test_a_box_and_the_cell_lie_where_they_are_through_turn_and_zoom(visit: Visit):
    x, y, width, height = BOX
    gold, white = np.array([255, 210, 74]), np.array([255, 255, 255])
    visit.press(visit.one, "1")
    seen = visit.film(visit.one)
    corners = [(y, x + 30), (y + height, x + 30), (y + 20, x), (y + 20, x + width)]
    assert all(np.abs(seen[at].astype(int) - gold).max() < 40 for at in corners)
    assert np.abs(seen[160 + 40, 80].astype(int) - white).max() < 130  # the cell in the lower left corner
    visit.press(visit.one, "t", "+", "+")
    shown = visit.pixels(visit.one).astype(int)
    found = np.argwhere(np.abs(shown - gold).max(2) < 12)
    pane, scale = np.array(shown.shape[:2]), 1.25**2
    # Turned to the right, what was up is right: rows follow x, and columns fall with y
    rows = [pane[0] / 2 + scale * (edge - WIDTH / 2) for edge in (x, x + width)]
    columns = [pane[1] / 2 - scale * (edge - HEIGHT / 2) for edge in (y + height, y)]
    label = 20  # px that the name of the finding takes above the box
    assert np.abs(found.min(0)[1] - columns[0]) <= 2 and np.abs(found.max(0)[1] - columns[1]) <= label * 4
    assert -label - 2 <= found.min(0)[0] - rows[0] <= 2 and abs(found.max(0)[0] - rows[1]) <= 2
    visit.press(visit.one, "b")
    assert not (np.abs(visit.pixels(visit.one).astype(int) - gold).max(2) < 12).any()


def test_side_by_side_the_film_is_bare_and_one_cursor_is_in_both(visit: Visit):
    visit.press(visit.one, "s", "1", "b")
    left, right = visit.pixels(visit.one, 0), visit.pixels(visit.one, 1)
    assert left.shape == right.shape
    assert (left[..., 0] == left[..., 1]).all() and (right[..., 0] != right[..., 1]).any()
    box = visit.one.locator("canvas").nth(1).bounding_box()
    visit.page.mouse.move(box["x"] + 150.5, box["y"] + 100.5)
    cursor = np.array([127, 227, 220])
    for number in (0, 1):
        found = np.argwhere(np.abs(visit.pixels(visit.one, number).astype(int) - cursor).max(2) < 30)
        assert np.abs(found.mean(0) - [100, 150]).max() <= 1.5, number


def test_each_control_has_a_name_and_is_reached_by_tab(visit: Visit):
    controls = visit.one.locator("button:visible, select:visible, input:visible")
    names = controls.evaluate_all(
        "all => all.map((one) => one.getAttribute('aria-label') ?? one.textContent.trim())"
    )
    assert len(names) == len(set(names)) == 17 and all(names)
    visit.page.get_by_role("combobox", name="Finding", exact=True).focus()
    reached = []
    for _ in range(26):
        visit.page.keyboard.press("Tab")
        name = visit.page.evaluate(
            "(() => { let one = document.activeElement; while (one.shadowRoot?.activeElement) "
            "one = one.shadowRoot.activeElement; return one.getAttribute('aria-label') ?? "
            "one.textContent.trim(); })()"
        )
        reached.append(name)
    stage = "ramp.png. Press ? for the keys."
    assert set(names) | {stage} <= set(reached)
    assert [name for name in reached if name in {*names, stage}][:18] == [*names, stage]
    outline = visit.stage(visit.one)
    outline.focus()
    assert outline.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"


def test_the_keys_are_listed_and_the_list_closes_where_it_was_opened(visit: Visit):
    visit.press(visit.one, "?")
    dialog = visit.one.get_by_role("dialog", name="Keys")
    expect(dialog.get_by_role("row")).to_have_count(28)
    expect(dialog.get_by_role("button")).to_be_focused()
    visit.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(visit.stage(visit.one)).to_be_focused()


def test_what_a_key_did_is_said(visit: Visit):
    said = visit.one.get_by_role("status")
    for key, words in (
        ("i", "Inverted"),
        ("t", "Turned by 90 degrees"),
        (".", "Opacity 50 %"),
        ("s", "Side by side on"),
    ):
        visit.press(visit.one, key)
        expect(said).to_have_text(words)
    expect(visit.one.get_by_role("img", name="ramp.png with the map of Mass, 5.0%")).to_have_count(1)


def test_every_text_can_be_read_in_the_dark(visit: Visit):
    visit.press(visit.one, "i", "n", "n", "?")
    assert faint_texts(visit.page) == []


def test_every_text_can_be_read_in_a_light_theme(browser: Browser, tmp_path: Path):
    with served(tmp_path, "--theme.base", "light") as address:
        visit = Visit(browser, address)
        visit.press(visit.one, "i", "n", "n", "?")
        assert (
            visit.one.evaluate("one => getComputedStyle(one).color") == "rgb(6, 9, 12)"
        )  # of the light theme
        assert faint_texts(visit.page) == []
        visit.close()


def test_large_it_fills_the_screen_and_back(visit: Visit):
    before = visit.how(visit.one).text_content()
    visit.press(visit.one, "f")
    box, screen = visit.one.bounding_box(), visit.page.viewport_size
    assert (box["width"], box["height"]) == (screen["width"], screen["height"])
    assert visit.stage(visit.one).bounding_box()["height"] > 0.8 * screen["height"]
    visit.press(visit.one, "f")
    assert visit.how(visit.one).text_content() == before


def test_on_a_phone_it_fits_and_two_fingers_zoom(browser: Browser, address: str):
    visit = Visit(browser, address, has_touch=True, is_mobile=True)
    page = visit.page
    page.set_viewport_size({"width": 420, "height": 900})
    visit.settle()
    for viewer in (visit.one, visit.two):
        assert viewer.evaluate("one => one.scrollWidth - one.clientWidth") == 0
    sizes = visit.one.locator("button:visible, select:visible").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect())"
        ".map(({width, height}) => Math.min(width, height))"
    )
    assert min(sizes) >= 36
    visit.stage(visit.one).scroll_into_view_if_needed()
    box, before = visit.stage(visit.one).bounding_box(), visit.how(visit.one).text_content()
    client = visit.context.new_cdp_session(page)
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def touch(kind: str, apart: float) -> None:
        points = [
            {"x": middle[0] + side * apart / 2, "y": middle[1], "id": at} for at, side in enumerate((-1, 1))
        ]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points if apart else []})

    touch("touchStart", 80)
    for apart in (100, 130, 160):
        touch("touchMove", apart)
    touch("touchEnd", 0)
    visit.settle()
    scale = [int(words.split(" %")[0]) for words in (before, visit.how(visit.one).text_content())]
    assert scale[1] / scale[0] == pytest.approx(2, rel=0.05)
    visit.press(visit.one, "s")
    tops = [visit.one.locator("canvas").nth(number).bounding_box() for number in (0, 1)]
    assert tops[1]["y"] >= tops[0]["y"] + tops[0]["height"]
    visit.close()
