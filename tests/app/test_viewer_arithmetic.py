"""The film viewer's arithmetic and colours, module by module in a real Chromium, without Streamlit."""

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from film_viewer import SOURCES, SOURCES_OF_HOLDER, script
from page_label_form import SOURCES_OF_FORM
from playwright.sync_api import Browser, Route

from xlite.explain.drawing import SCALES, scale_table
from xlite.places import bundled

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture
def modules(browser: Browser) -> Iterator[Callable[..., Any]]:
    """Evaluates an expression in a page that has all modules of the viewer as `m`."""
    page = browser.new_page()

    def answer(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        kind = "text/javascript" if name else "text/html"
        route.fulfill(body=(bundled("app", "viewer", name).read_bytes() if name else ""), content_type=kind)

    page.route("http://viewer.test/**", answer)
    page.goto("http://viewer.test/")
    page.evaluate(
        "async (names) => { window.m = Object.assign({}, ...await Promise.all("
        "names.map((name) => import(`./${name}.js`)))); }",
        ["payload", "geometry", "pixels", "pictures", "stage", "keys", "label_keys"],
    )
    yield lambda expression, *values: page.evaluate(f"(given) => {{ {expression} }}", list(values))
    page.close()


@pytest.mark.parametrize("title", SCALES)
def test_each_level_of_a_map_has_its_colour_and_is_as_opaque_as_it_is_high(
    modules: Callable[..., Any], title: str
):
    table = scale_table(title)
    pixels = modules(
        "const [table] = given; return Array.from(m.mapPixels(Uint8Array.from({length: 256}, (_, at) => at), "
        "Uint8Array.from(table)))",
        table.ravel().tolist(),
    )
    found = np.reshape(pixels, (256, 4))
    np.testing.assert_array_equal(found[1:, :3], table[1:])
    np.testing.assert_array_equal(found[:, 3], np.arange(256))
    half = np.reshape(
        modules(
            "const [table] = given; return Array.from(m.mapPixels(Uint8Array.of(0, 64, 128), "
            "Uint8Array.from(table)))",
            table.ravel().tolist(),
        ),
        (3, 4),
    )
    np.testing.assert_array_equal(half[1:], [[*table[128], 128], [*table[255], 255]])  # to its own peak
    assert half[0, 3] == 0


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize(("centre", "width"), [(127.5, 255), (60, 80), (200, 2), (0, 510), (30.5, 59)])
def test_a_contrast_spreads_its_greys_from_black_to_white(
    modules: Callable[..., Any], centre: float, width: float, inverted: bool
):
    shown = np.rint(np.clip(255 * (np.arange(256) - centre + width / 2) / width, 0, 255))
    wanted = 255 - shown if inverted else shown
    found = modules("return Array.from(m.windowed(...given))", centre, width, inverted)
    assert found == wanted.tolist()


@pytest.mark.parametrize("shape", [(7, 7), (2, 3), (1, 1), (14, 10)])
def test_a_map_is_enlarged_as_the_server_enlarges_it(modules: Callable[..., Any], shape: tuple[int, int]):
    grid = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    found = modules(
        "const [grid, rows, columns] = given;"
        "return Array.from(m.enlarged({grid: Uint8Array.from(grid), rows, columns}, 100, 80))",
        grid.ravel().tolist(),
        *shape,
    )
    wanted = cv2.resize(grid, (100, 80), interpolation=cv2.INTER_LINEAR)
    assert np.abs(np.reshape(found, (80, 100)) - wanted.astype(int)).max() <= 1


def test_a_film_lies_where_its_turn_and_scale_put_it(modules: Callable[..., Any]):
    corners = modules(
        "const film = {width: 100, height: 50}, pane = {width: 300, height: 200};"
        "return [0, 1, 2, 3].map((turn) => { const view = m.fitted(film, pane, turn); return [view.scale, "
        "...m.toScreen(view, pane, 0, 0), ...Object.values(m.boxOnScreen(view, pane, "
        "{x: 10, y: 0, width: 20, height: 5}))]; })"
    )
    assert corners == [
        [3, 0, 25, 30, 25, 60, 15],
        [2, 200, 0, 190, 20, 10, 40],
        [3, 300, 175, 210, 160, 60, 15],
        [2, 100, 200, 100, 140, 10, 40],
    ]


def test_what_is_under_the_pointer_stays_there_through_zoom_and_comes_back_from_the_screen(
    modules: Callable[..., Any],
):
    found = modules(
        "const film = {width: 1024, height: 900}, pane = {width: 641.5, height: 480};"
        "return [0, 1, 2, 3].map((turn) => {"
        "let view = m.scaled(m.fitted(film, pane, turn), film, pane, 0.8, 320.75, 240);"
        "const before = m.toFilm(view, pane, 300, 200);"
        "for (let step = 0; step < 9; step++) view = m.scaled(view, film, pane, view.scale * 1.25, 300, 200);"
        "const after = m.toFilm(view, pane, 300, 200), there = m.toScreen(view, pane, 31, 77);"
        "return [before, after, m.toFilm(view, pane, ...there)]; })"
    )
    for before, after, back in found:
        assert after == pytest.approx(before, abs=1e-9) and back == pytest.approx([31, 77], abs=1e-9)


def test_a_dragged_film_follows_the_pointer_up_to_its_edge_and_a_whole_one_stays(
    modules: Callable[..., Any],
):
    found = modules(
        "const film = {width: 400, height: 400}, pane = {width: 200, height: 200};"
        "const whole = m.fitted(film, pane, 0), close = m.scaled(whole, film, pane, 2, 100, 100);"
        "const turned = m.turnedBy(close, film, pane, 1), at = ({x, y}) => [x, y];"
        "return [at(m.dragged(whole, film, pane, 30, 9)), at(m.dragged(close, film, pane, 30, -10)),"
        "at(m.dragged(close, film, pane, 5000, 0)), at(m.dragged(turned, film, pane, 30, -10)),"
        "[m.dragged(whole, film, pane, 30, 9).fits, close.fits, turned.turn,"
        "m.scaled(close, film, pane, 0.001, 0, 0).fits]]"
    )
    assert found == [[200, 200], [185, 205], [50, 200], [205, 215], [True, False, 1, True]]


def test_the_cell_under_a_point_is_the_maps(modules: Callable[..., Any]):
    found = modules(
        "const film = {width: 320, height: 240}, map = {rows: 3, columns: 4};"
        "const points = [[0, 0], [79.9, 80], [319.9, 239.9], [320, 0], [-1, 0]];"
        "return points.map((at) => m.cellAt(film, map, ...at))"
    )
    assert found == [
        {"row": 0, "column": 0, "box": {"x": 0, "y": 0, "width": 80, "height": 80}},
        {"row": 1, "column": 0, "box": {"x": 0, "y": 80, "width": 80, "height": 80}},
        {"row": 2, "column": 3, "box": {"x": 240, "y": 160, "width": 80, "height": 80}},
        None,
        None,
    ]


def test_every_key_has_one_action_and_words(modules: Callable[..., Any]):
    keys = modules("return m.KEYS.map(([key, action, words]) => [key, action, words, m.written(key)])")
    assert len({key for key, *_ in keys}) == len({action for _, action, *_ in keys}) == len(keys) == 28
    assert all(words for *_, words, _ in keys)
    assert [shown for *_, shown in keys][:5] == ["+", "-", "0", "1", "←"]
    assert {shown for *_, shown in keys} >= {"Shift ↑", "Shift ←", "?"}


def test_the_keys_of_the_form_are_none_of_the_viewers_nor_of_streamlits(modules: Callable[..., Any]):
    form = modules("return m.LABEL_KEYS.map(([key, action, words]) => [key, action, words])")
    viewers = {key for [key, *_] in modules("return m.KEYS.map(([key]) => [key])")}
    assert len({key for key, *_ in form}) == len({action for _, action, _ in form}) == len(form) == 10
    assert all(words for *_, words in form)
    assert not {key for key, *_ in form} & (viewers | {"r", "c", "C", "Escape"})


def test_a_box_between_two_points_stays_on_the_film(modules: Callable[..., Any]):
    film = {"width": 100, "height": 50}
    box = modules("return m.boxBetween(given[0], [120, 10], [30, -5])", film)
    assert box == {"x": 30, "y": 0, "width": 70, "height": 10}


@pytest.mark.alone
def test_a_large_film_is_drawn_again_within_a_moment(modules: Callable[..., Any]):
    """Of 2500 x 3000 px, as a DICOM film may be: a new contrast and a new map take less than 400 ms each."""
    times = modules(
        "const greys = new Uint8Array(7500000), table = m.windowed(100, 90, false);"
        "const map = {grid: new Uint8Array(49).fill(9), rows: 7, columns: 7}, start = performance.now();"
        "m.pictureOf(m.greyPixels(greys, table), 2500, 3000); const middle = performance.now();"
        "m.pictureOf(m.mapPixels(m.enlarged(map, 853, 1024), new Uint8Array(768)), 853, 1024);"
        "return [middle - start, performance.now() - middle]"
    )
    assert max(times) < 400


@pytest.mark.parametrize("sources", [SOURCES, SOURCES_OF_HOLDER, SOURCES_OF_FORM])
def test_its_script_is_one_text_without_imports(sources: tuple[str, ...]):
    text = script(sources)
    assert not any(line.startswith("import ") for line in text.splitlines())
    assert text.count("export ") == text.count("export default function show(") == 1


def test_no_module_of_the_scripts_is_left_out():
    assert sorted({*SOURCES, *SOURCES_OF_HOLDER, *SOURCES_OF_FORM}) == sorted(
        path.stem for path in bundled("app", "viewer").glob("*.js")
    )
