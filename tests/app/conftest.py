import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from forecasts import Played

from xlite import examples
from xlite.models import available
from xlite.training import probing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A Chromium: $XLITE_CHROMIUM, one on the path, or playwright's own."""
    from playwright.sync_api import sync_playwright

    named = os.environ.get("XLITE_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    with sync_playwright() as playwright:
        path = named or playwright.chromium.executable_path
        if not Path(path).exists():
            sentence = "no Chromium found: install one, or set XLITE_CHROMIUM"
            if os.environ.get("XLITE_REQUIRE_BROWSER"):
                pytest.fail(sentence)
            pytest.skip(sentence)
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def app(own_home: Path) -> Iterator[str]:
    """The address of the app, with a tiny model in its home."""
    from app_browser import end_runs
    from demo_home import save_demo_model
    from servers import app_serving

    save_demo_model(own_home)
    try:
        with app_serving(own_home) as address:
            yield address
    finally:
        end_runs()


@pytest.fixture
def patience_ms() -> int:
    """How long a page waits for what it is told to wait for; a module with longer work has its own."""
    return 150_000


@pytest.fixture
def size() -> tuple[int, int]:
    """Width and height of a visitor's window in px; a module that needs others has its own."""
    return 1400, 1000


@pytest.fixture
def visit(browser: "Browser", size: tuple[int, int], patience_ms: int) -> Iterator[Callable[[], "Page"]]:
    """Gives a page to each new visitor. Their browsers may talk to this machine only."""
    from playwright.sync_api import expect

    contexts: list[BrowserContext] = []
    asked: list[str] = []

    def come() -> "Page":
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        contexts.append(context)
        context.set_default_timeout(patience_ms)
        context.on("request", lambda request: asked.append(request.url))
        return context.new_page()

    expect.set_options(timeout=patience_ms)
    yield come
    for context in contexts:
        context.close()
    here = ("http://localhost:", "http://127.0.0.1:", "data:", "blob:")
    assert [url for url in asked if not url.startswith(here)] == []


@pytest.fixture
def page(visit: Callable[[], "Page"]) -> "Page":
    """The page of a new visitor."""
    return visit()


@pytest.fixture
def only_this_home(own_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Nothing that ships is seen: the pages show what the test put there."""
    for module in (available, examples):
        monkeypatch.setattr(module, "bundled", (tmp_path / "package").joinpath)
    monkeypatch.delenv("XLITE_DATA", raising=False)
    return own_home


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Played]]:
    """Probes that need no process."""
    monkeypatch.setattr(probing, "Probing", Played)
    yield Played
    Played.found, Played.cancelled = None, 0
