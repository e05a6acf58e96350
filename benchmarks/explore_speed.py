"""How fast Explore is with all of NIH's tables: on the server, and as a person sees it in Chromium.

    python benchmarks/explore_speed.py --data nih_tables [--browser] [--rounds 7]

The server's part is timed in this process: opening the folder (once per server), and for each filter its
selection with the charts of every tab, beside what the table's own statistics take for the same films. With
--browser a real server of the app is started, and after one visit that warms it a fresh browser opens the
page each round: until its first chart is there, and from a click on a bar until the metric of films changed.
In the same rounds it opens a page of Streamlit that holds one sentence, below which no page can come. Of both
it also says the CPU seconds of the page's own thread, which other work on the machine hardly changes.
Goals: first paint under 2 s, a click under 0.5 s, on an idle machine.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from xlite.data.eda import charts, export, filters
from xlite.data.eda.charts import Chart
from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.filters import Filter, Selection
from xlite.data.eda.overview import overview
from xlite.data.folder import NihFolder
from xlite.places import bundled

if TYPE_CHECKING:
    from playwright.sync_api import Page

FILTERS = {
    "nothing chosen": Filter(),
    "Mass": Filter(has=("Mass",)),
    "AP": Filter(views=("AP",)),
    "AP, 40 to 49 years, women": Filter(views=("AP",), ages=(40, 49), sexes=("F",)),
}
Times = dict[str, list[float]]


def clocked(found: Times, name: str, work: Callable[[], object]) -> None:
    """Runs the work and notes its seconds under the name."""
    start = time.perf_counter()
    work()
    found[name].append(time.perf_counter() - start)


def draw(drawn: Iterable[Callable[[Selection], Chart]], selection: Selection) -> None:
    """Makes charts as the browser gets them."""
    for chart in drawn:
        chart(selection).plain()


def on_the_server(data: str, rounds: int) -> Times:
    """Seconds of what the page computes."""
    found: Times = defaultdict(list)
    folder = NihFolder.open(data)
    films = CodedFilms.code(folder.table, folder.boxes(), filters.parts_of(folder))
    clocked(found, "open the folder, once", lambda: NihFolder.open(data))
    clocked(found, "read lists and splits, once", lambda: filters.parts_of(folder))
    parts = filters.parts_of(folder)
    clocked(found, "table to numbers, once", lambda: CodedFilms.code(folder.table, folder.boxes(), parts))
    for _ in range(rounds):
        for title, wanted in FILTERS.items():
            selection = Selection(films, wanted)
            table = folder.table.iloc[selection.rows()]
            clocked(found, f"{title}: select", partial(Selection, films, wanted))
            for tab, drawn in charts.TABS.items():
                if tab != "Together":
                    clocked(
                        found,
                        f"{title}: {tab}",
                        partial(draw, drawn, selection),
                    )
            clocked(
                found,
                f"{title}: Together",
                partial(draw, [partial(charts.cooccurrence, by="lift")], selection),
            )
            clocked(found, f"{title}: metrics", partial(films.facts, selection.keep))
            clocked(found, f"{title}: the table's own statistics", partial(overview, table))
    everything = Selection(films, Filter()).rows()
    clocked(found, "all films as a CSV", lambda: export.as_csv(films, everything))
    return found


@contextmanager
def serving(script: str, folder: Path, port: int, **variables: str) -> Iterator[str]:
    """The address of a script of Streamlit, until the block ends."""
    import httpx

    command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless", "true"]
    server = subprocess.Popen(
        [*command, "--server.port", str(port)],
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                httpx.get(f"http://localhost:{port}/_stcore/health", timeout=5)
                break
            except httpx.TransportError:
                assert server.poll() is None, "the server ended"
                time.sleep(0.1)
        yield f"http://localhost:{port}"
    finally:
        server.kill()
        server.wait()


def opened(page: "Page", address: str, role: Literal["button", "heading"], name: str) -> float:
    """Opens an address until that is there; CPU seconds that the page's own thread took for it."""
    of_page = page.context.new_cdp_session(page)
    of_page.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(address)
    page.get_by_role(role, name=re.compile(f"^{name}")).first.wait_for()
    found = of_page.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in found if one["name"] == "TaskDuration"))


def clicked(page: "Page", words: str) -> None:
    """Clicks on a bar and waits until the metric of films has changed."""
    value = page.get_by_test_id("stMetricValue").first
    before = value.inner_text()
    page.locator(f"button.bar[title^='{words}: ']").click()
    page.wait_for_function(
        "before => document.querySelector('[data-testid=stMetricValue]').innerText !== before", arg=before
    )


def in_chromium(data: str, rounds: int, port: int) -> Times:
    """Seconds until the first chart, and from clicks to their counts, with a warm server; and the floor."""
    from playwright.sync_api import sync_playwright

    found: Times = defaultdict(list)

    def paint(name: str, address: str, role: Literal["button", "heading"], ready: str) -> "Page":
        page = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
        page.set_default_timeout(240_000)
        of_page = found[f"{name}, CPU of the page"]
        clocked(found, name, lambda: of_page.append(opened(page, address, role, ready)))
        return page

    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        serving(
            "app/Home.py", bundled(), port, XLITE_HOME=folder, XLITE_DATA=str(Path(data).absolute())
        ) as app,
        serving(str(write_sentence(Path(folder))), Path(folder), port + 1) as sentence,
    ):
        path = os.environ.get("XLITE_CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for turn in range(rounds + 1):
            of_cold = "" if turn else " of a cold server"
            paint(f"a page of one sentence{of_cold}", sentence, "heading", "One sentence").context.close()
            page = paint(f"first paint{of_cold}", f"{app}/explore", "button", "No finding: ")
            page.wait_for_timeout(1500)
            for words in ("Mass", "Nodule", "Mass"):
                clocked(
                    found if turn else defaultdict(list), f"click on {words}", partial(clicked, page, words)
                )
                page.wait_for_timeout(800)
            page.context.close()
        browser.close()
    return found


def write_sentence(folder: Path) -> Path:
    """A script that shows a heading and nothing else: no page of Streamlit can be there sooner."""
    path = folder / "sentence.py"
    path.write_text("import streamlit as st\n\nst.title('One sentence')\n")
    return path


def main() -> None:
    """Prints p50 and the slowest of each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--port", type=int, default=8599)
    options = parser.parse_args()
    found = on_the_server(options.data, options.rounds)
    if options.browser:
        found |= in_chromium(options.data, options.rounds, options.port)
    for name, seconds in found.items():
        print(f"{name:58} p50 {1e3 * np.median(seconds):8.1f} ms   slowest {1e3 * max(seconds):8.1f} ms")
    for title in FILTERS:
        new = sum(
            np.median(times)
            for name, times in found.items()
            if name.startswith(f"{title}: ") and "own" not in name
        )
        old = np.median(found[f"{title}: the table's own statistics"])
        print(f"{title}: all tabs take {new / old:.2f} times what the table's own statistics take")


if __name__ == "__main__":
    main()
