"""axe-core over every page: dark and light, on a desktop and on a phone; and over what opens on them."""

import itertools
from collections.abc import Iterable, Iterator

import pytest
from app_browser import settle
from app_pages import write_boxes
from axe import lasting, script, violations
from demo_home import save_demo_evaluation, save_demo_model
from noise_folder import write_noise_folder
from playwright.sync_api import Browser, Page, expect
from servers import app_serving

from xlite.classify import Classifier
from xlite.config import make_config
from xlite.data.folder import NihFolder
from xlite.places import bundled
from xlite.runs.embedding_run import EmbeddingRun
from xlite.runs.run import Run
from xlite.runs.status import RunStatus

pytestmark = [pytest.mark.slow, pytest.mark.browser]
PAGES = tuple(sorted(path.stem for path in bundled("pages").glob("*.py")))
OPENED = ("classify", "explore", "results")  # further tests look at these with much more on them
SIZES = {"desktop": (1400, 1000), "phone": (420, 900)}
LOOKS = {"dark on a desktop": ("dark", "desktop"), "light on a phone": ("light", "phone")}
SECTIONS = ("Operating point", "Findings", "Thresholds", "Subgroups", "Maps", "Errors as films")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with a data folder, a run that was stopped, one that runs, and a model with its evaluation."""
    script()
    home = tmp_path_factory.mktemp("axe")
    data = write_noise_folder(home / "data")
    write_boxes(data, "00000003_000.png,Mass,100,200,300,400")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLITE_HOME", str(home))
        run = Run.create(make_config({"data": data, "name": "one"}))
        run.path("metrics.csv").write_text(
            "epoch,train_loss,val_loss,val_auc,val_auc_Edema\n1,.5,.4,.61,.7\n2,.4,.3,.64,.8\n"
        )
        run.path("log.txt").write_text("epoch 2/8\n")
        run.write_progress(RunStatus(state="stopped", epoch=2, epochs=8, best_auc=0.64, best_epoch=2))
        folder = NihFolder.open(data)
        EmbeddingRun.of(save_demo_model(home), folder).work(Classifier.load("demo0"), folder)
        live = Run.create(make_config({"data": data, "name": "live"}))
        live.path("metrics.csv").write_text(run.path("metrics.csv").read_text())
    save_demo_evaluation(home)
    with live.hold(), app_serving(home, XLITE_DATA=str(data)) as address:
        live.write_progress(RunStatus(state="running", epoch=3, epochs=8, best_auc=0.64, best_epoch=2))
        yield address


@pytest.fixture
def page(page: Page) -> Page:
    """A visitor on a desktop in the dark."""
    page.emulate_media(color_scheme="dark")
    return page


def broken(page: Page, looks: Iterable[str] = LOOKS) -> list[str]:
    """What is wrong with the page as it is, in each of the looks."""
    found = []
    for name in looks:
        scheme, screen = LOOKS[name]
        width, height = SIZES[screen]
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(300)
        found += [f"{name}: {one}" for one in lasting(page)]
    return found


@pytest.mark.parametrize("screen", ["desktop", pytest.param("phone", marks=pytest.mark.release)])
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.release) if name in OPENED else name for name in PAGES]
)
def test_no_page_breaks_a_serious_rule(app: str, page: Page, name: str, screen: str) -> None:
    width, height = SIZES[screen]
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{app}/{name}")
    expect(page.get_by_test_id("stHeading").first).to_be_visible()
    settle(page)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(1000)  # charts draw themselves after the script has ended
        assert [f"{scheme}: {one}" for one in lasting(page)] == []


def in_tabs(page: Page, names: Iterable[str]) -> dict[str, list[str]]:
    """What is wrong in each of the tabs, one in the dark on a desktop, the next in the light on a phone."""
    found = {}
    for name, look in zip(names, itertools.cycle(LOOKS), strict=False):
        page.get_by_role("tab", name=name, exact=True).click()
        settle(page)
        found[name] = broken(page, [look])
    return found


def test_read_a_film_with_an_upload_a_second_model_and_the_keys_of_the_viewer(app: str, page: Page) -> None:
    page.goto(f"{app}/classify?model=demo0&against=tiny")
    film = bundled("app", "examples", "effusion.png")
    upload = {"name": "scan.png", "mimeType": "image/png", "buffer": film.read_bytes()}
    page.get_by_test_id("stHeading").first.wait_for()
    settle(page)
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(upload)
    viewer = page.get_by_role("group", name="Film viewer: scan.png")
    expect(viewer.locator("[data-part=where]")).to_contain_text(" px")
    settle(page)
    for name in ("How the maps are made", "Films of this visit", "Both models, finding by finding"):
        page.get_by_text(name).last.click()
    viewer.get_by_role("button", name="Side by side").click()
    settle(page)
    assert broken(page) == []
    viewer.get_by_role("button", name="Keys", exact=True).click()
    assert broken(page) == []


def test_explore_in_each_tab_and_with_a_film(app: str, page: Page) -> None:
    page.goto(f"{app}/explore?views=PA&features=demo0&region=0,0+700,0+700,1000+0,1000")
    page.get_by_role("tab", name="Findings").wait_for()
    names = page.get_by_role("tab").all_inner_texts()
    assert in_tabs(page, names) == dict.fromkeys(names, []) and len(names) == 9
    page.goto(f"{app}/explore?film=00000003_000")
    viewer = page.get_by_role("group", name="Film viewer: 00000003_000")
    expect(viewer.get_by_role("button", name="Boxes")).to_be_visible()
    settle(page)
    assert broken(page) == []


def test_results_in_its_sections(app: str, page: Page) -> None:
    page.goto(f"{app}/results?model=demo0&finding=Mass")
    page.get_by_role("tab", name="Curves").wait_for()
    assert in_tabs(page, SECTIONS) == dict.fromkeys(SECTIONS, [])


def test_a_run_while_it_trains(app: str, page: Page) -> None:
    page.goto(f"{app}/runs?run=live")
    main = page.get_by_test_id("stMain")  # while a script runs, Streamlit's header has a button of that name
    expect(main.get_by_role("button", name="Stop")).to_be_visible()
    settle(page)
    assert broken(page) == []


@pytest.mark.parametrize(
    ("body", "rules"),
    [
        ("<p>Read a film</p>", []),
        ('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', ["image-alt"]),
        ('<p style="color: #fff; background: #56b8b1">Start</p>', ["color-contrast"]),
        ("<input>", ["label"]),
        ("<p>Read <blink>a film</blink></p>", ["blink"]),
    ],
)
def test_the_rules_find_what_they_are_for(browser: Browser, body: str, rules: list[str]) -> None:
    context = browser.new_context()
    try:
        page = context.new_page()
        page.set_content(f'<!doctype html><html lang="en"><title>x</title><main>{body}</main></html>')
        found = violations(page)
    finally:
        context.close()
    assert [one.rule for one in found] == rules
    assert all(one.html in body for one in found)
