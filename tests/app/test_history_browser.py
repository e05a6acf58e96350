"""Links, Back and Forward between pages that share a key of the address, in a real Chromium."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from app_browser import no_exception, settle
from demo_home import save_demo_evaluation, save_demo_model
from noise_folder import write_noise_folder
from playwright.sync_api import Page, expect
from servers import app_serving

from xlite.config import make_config
from xlite.examples import examples
from xlite.runs.run import Run

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SHARED = ("film", "model", "run")
TITLES = {
    "Read a film": "Read a film",
    "About": "About X-Lite",
    "Results": "Results",
    "Train": "Train",
    "Runs": "Finished experiments",
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with two runs, two judged models, and a folder with the 200 films that they were judged on."""
    home = tmp_path_factory.mktemp("history-home")
    (home / "data").mkdir()
    films = write_noise_folder(home / "data" / "films", patients=200, films_each=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLITE_HOME", str(home))
        for name in ("first", "second"):
            run = Run.create(make_config({"data": str(films), "name": name, "epochs": 3}))
            save_demo_model(home, f"model-of-{name}").rename(run.path("model.safetensors"))
            save_demo_evaluation(home, name)
    with app_serving(home, XLITE_DATA=str(films)) as address:
        yield address


def open_page(page: Page, address: str, title: str) -> None:
    page.goto(address)
    arrive(page, title)


def arrive(page: Page, title: str) -> None:
    """Waits until the page of that title stands there as it will stay."""
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    settle(page)
    settle(page)
    no_exception(page)


def follow(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
    arrive(page, TITLES[name])


def asked(page: Page) -> dict[str, list[str]]:
    """What the address has under the keys that these pages share."""
    query = parse_qs(urlsplit(page.url).query)
    return {key: query[key] for key in SHARED if key in query}


def chosen(page: Page, label: str) -> str:
    return page.get_by_role("combobox", name=label, exact=True).input_value()


@pytest.mark.parametrize(
    ("path", "here", "there", "label", "state"),
    [
        ("classify?model=second", "Read a film", "About", "Model", {"model": ["second"]}),
        ("classify?model=second", "Read a film", "Results", "Model", {"model": ["second"]}),
        ("train?run=first", "Train", "Runs", "Run", {"run": ["first"]}),
    ],
)
def test_back_and_forward_keep_what_two_pages_share(
    address: str, page: Page, path: str, here: str, there: str, label: str, state: dict[str, list[str]]
):
    open_page(page, f"{address}/{path}", TITLES[here])
    assert (chosen(page, label), asked(page)) == (state[label.lower()][0], state)
    follow(page, there)
    assert (chosen(page, label), asked(page)) == (state[label.lower()][0], state)
    for _ in range(2):
        page.go_back()
        arrive(page, TITLES[here])
        assert (chosen(page, label), asked(page)) == (state[label.lower()][0], state)
        page.go_forward()
        arrive(page, TITLES[there])
        assert (chosen(page, label), asked(page)) == (state[label.lower()][0], state)
    follow(page, here)
    assert (chosen(page, label), asked(page)) == (state[label.lower()][0], state)


def test_back_shows_the_model_that_was_chosen_then_and_not_the_one_of_the_page_left(address: str, page: Page):
    open_page(page, f"{address}/classify?model=second", TITLES["Read a film"])
    follow(page, "About")
    page.get_by_role("combobox", name="Model", exact=True).click()
    page.get_by_role("option", name="first").click()
    page.wait_for_url("**model=first**")
    settle(page)
    page.go_back()
    while "/about" in page.url:  # the model chosen there has an entry of its own
        settle(page)
        page.go_back()
    arrive(page, TITLES["Read a film"])
    assert (chosen(page, "Model"), asked(page)) == ("second", {"model": ["second"]})


def test_read_it_on_results_reads_that_film_and_back_reaches_the_results(address: str, page: Page):
    results = f"{address}/results?model=second&section=Errors+as+films"
    open_page(page, results, "Results")
    links = page.get_by_role("link", name="Read it")
    films = [
        parse_qs(urlsplit(one).query)["film"][0] for one in links.evaluate_all("all => all.map(a => a.href)")
    ]
    for place in (0, 1):
        if place:  # another film is in the viewer
            page.get_by_role("button", name="View", exact=True).first.click()
            page.wait_for_url(f"**film={films[0]}**")
            settle(page)
        links.nth(place).click()
        arrive(page, TITLES["Read a film"])
        expect(page.get_by_text(f"{films[place]}.png").first).to_be_visible()
        expect(page.get_by_text(next(iter(examples())))).to_have_count(0)
        assert asked(page) == {"film": [films[place]], "model": ["second"]}
        page.go_back()
        arrive(page, "Results")
        assert chosen(page, "Model") == "second"
        assert asked(page) == {"model": ["second"], **({"film": [films[0]]} if place else {})}


@pytest.mark.parametrize("link", ["Read this film", "Read a film"])
def test_explores_film_is_read_and_in_the_address_which_a_reload_and_back_keep(
    address: str, page: Page, link: str
):
    open_page(page, f"{address}/explore?film=00000005_000", "00000005_000")
    page.get_by_role("link", name=link, exact=True).click()
    arrive(page, TITLES["Read a film"])
    assert asked(page) == {"film": ["00000005_000"], "model": ["demo"]}
    for go in (page.reload, page.go_back, page.go_forward):
        go()
        arrive(page, "00000005_000" if go == page.go_back else TITLES["Read a film"])
        assert asked(page)["film"] == ["00000005_000"]
    expect(page.get_by_text("00000005_000.png").first).to_be_visible()
