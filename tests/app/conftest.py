import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from xlite import examples
from xlite.models import available

if TYPE_CHECKING:
    from playwright.sync_api import Browser

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
def only_this_home(own_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Nothing that ships is seen: the pages show what the test put there."""
    for module in (available, examples):
        monkeypatch.setattr(module, "bundled", (tmp_path / "package").joinpath)
    monkeypatch.delenv("XLITE_DATA", raising=False)
    return own_home
